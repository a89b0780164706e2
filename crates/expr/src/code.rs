//! The stable codes of everything that can be wrong with an expression.

/// What is wrong. `EXPR0xx` is found when compiling, `EXPR1xx` when evaluating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Syntax,
    SourceLimit,
    UnknownName,
    UnknownField,
    UnknownFunction,
    Arguments,
    Mismatch,
    CrossType,
    Condition,
    Unsupported,
    LoopNesting,
    Pattern,
    AlwaysFails,
    Template,
    TemplateKey,
    Secret,
    Constant,
    LeftAsText,
    Missing,
    Null,
    WrongType,
    DifferentTypes,
    Overflow,
    DivisionByZero,
    Budget,
    TooLarge,
    Conversion,
    NotBoolean,
    Unbound,
    OutOfRange,
}

impl Code {
    /// Every code.
    pub(crate) const ALL: [Self; 30] = [
        Self::Syntax,
        Self::SourceLimit,
        Self::UnknownName,
        Self::UnknownField,
        Self::UnknownFunction,
        Self::Arguments,
        Self::Mismatch,
        Self::CrossType,
        Self::Condition,
        Self::Unsupported,
        Self::LoopNesting,
        Self::Pattern,
        Self::AlwaysFails,
        Self::Template,
        Self::TemplateKey,
        Self::Secret,
        Self::Constant,
        Self::LeftAsText,
        Self::Missing,
        Self::Null,
        Self::WrongType,
        Self::DifferentTypes,
        Self::Overflow,
        Self::DivisionByZero,
        Self::Budget,
        Self::TooLarge,
        Self::Conversion,
        Self::NotBoolean,
        Self::Unbound,
        Self::OutOfRange,
    ];

    /// The code as users see it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Syntax => "EXPR001",
            Self::SourceLimit => "EXPR002",
            Self::UnknownName => "EXPR003",
            Self::UnknownField => "EXPR004",
            Self::UnknownFunction => "EXPR005",
            Self::Arguments => "EXPR006",
            Self::Mismatch => "EXPR007",
            Self::CrossType => "EXPR008",
            Self::Condition => "EXPR009",
            Self::Unsupported => "EXPR010",
            Self::LoopNesting => "EXPR011",
            Self::Pattern => "EXPR012",
            Self::AlwaysFails => "EXPR013",
            Self::Template => "EXPR014",
            Self::TemplateKey => "EXPR015",
            Self::Secret => "EXPR016",
            Self::Constant => "EXPR017",
            Self::LeftAsText => "EXPR018",
            Self::Missing => "EXPR101",
            Self::Null => "EXPR102",
            Self::WrongType => "EXPR103",
            Self::DifferentTypes => "EXPR104",
            Self::Overflow => "EXPR105",
            Self::DivisionByZero => "EXPR106",
            Self::Budget => "EXPR107",
            Self::TooLarge => "EXPR108",
            Self::Conversion => "EXPR109",
            Self::NotBoolean => "EXPR110",
            Self::Unbound => "EXPR111",
            Self::OutOfRange => "EXPR112",
        }
    }

    /// Whether `||`, `&&` and `coalesce` must let it through: the evaluation itself is over.
    pub(crate) const fn ends_evaluation(self) -> bool {
        matches!(self, Self::Budget | Self::TooLarge | Self::Unbound)
    }

    /// Whether it says that there is no value, which is what `coalesce` replaces.
    pub(crate) const fn says_absent(self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }
}
