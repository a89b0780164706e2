//! An expression with its names resolved: what is checked and what is evaluated.

use regex::Regex;

use crate::functions::Function;
use crate::number::Number;

/// Where a node stands: byte offsets into the expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A node and its place.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: Kind,
    pub(crate) at: At,
}

/// What a node does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Literal(Literal),
    /// A root of the scope.
    Root(String),
    /// A loop variable: how many loops from the outermost.
    Local(usize),
    Field(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Has(Box<Expr>, String),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    Order(Order, Box<Expr>, Box<Expr>),
    /// `==`, or `!=` when the flag is false.
    Equal(bool, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// The first argument that is there and is not null.
    Coalesce(Vec<Expr>),
    Matches(Box<Expr>, Regex),
    Loop(Box<Loop>),
    Call(&'static Function, Vec<Expr>),
}

/// A constant.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
}

/// A loop over a list, or over the keys of a map.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) range: Expr,
    /// The middle argument of `map(x, filter, body)`.
    pub(crate) filter: Option<Expr>,
    pub(crate) body: Expr,
}

/// What a loop makes of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

/// `+ - * / %`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// How a message calls it.
    pub(crate) const fn doing(self) -> &'static str {
        match self {
            Self::Add => "adding",
            Self::Subtract => "subtracting",
            Self::Multiply => "multiplying",
            Self::Divide => "dividing",
            Self::Remainder => "taking the remainder",
        }
    }
}

/// `< <= > >=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Expr {
    /// The nodes directly below, in the order they are written.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Literal(_) | Kind::Root(_) | Kind::Local(_) => Vec::new(),
            Kind::Field(of, _)
            | Kind::Has(of, _)
            | Kind::Not(of)
            | Kind::Negate(of)
            | Kind::Matches(of, _) => {
                vec![of]
            }
            Kind::Index(left, right)
            | Kind::Arithmetic(_, left, right)
            | Kind::Order(_, left, right)
            | Kind::Equal(_, left, right)
            | Kind::In(left, right)
            | Kind::And(left, right)
            | Kind::Or(left, right) => vec![left, right],
            Kind::If(condition, yes, no) => vec![condition, yes, no],
            Kind::List(items) | Kind::Coalesce(items) | Kind::Call(_, items) => items.iter().collect(),
            Kind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Kind::Loop(body) => {
                [Some(&body.range), body.filter.as_ref(), Some(&body.body)].into_iter().flatten().collect()
            }
        }
    }
}
