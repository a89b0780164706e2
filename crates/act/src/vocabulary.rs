//! The closed word lists of the model. Each list is written once: parsing, writing and the schemas follow it.

/// A closed list of words.
pub trait Word: Copy + Sized + 'static {
    /// Every word, in the order of the specification.
    const ALL: &'static [Self];
    /// The word as it is written on the wire.
    fn as_str(self) -> &'static str;
    /// The word for a text; case matters.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

/// Declares closed word lists: enums that are [`Word`]s and are written as their words.
///
/// ```
/// act::vocabulary! {
///     /// Sizes of pizza.
///     Size { Small = "small", Large = "large" }
/// }
/// use act::Word;
/// assert_eq!(Size::parse("large"), Some(Size::Large));
/// assert_eq!(Size::Small.as_str(), "small");
/// ```
#[macro_export]
macro_rules! vocabulary {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant),+
        }

        impl $crate::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::Word::as_str(*self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::Word>::parse(&text)
                    .ok_or_else(|| serde::de::Error::custom($crate::one_of::<Self>(&text)))
            }
        }
    )+};
}

/// Says which words would have been right.
#[doc(hidden)]
pub fn one_of<W: Word>(found: &str) -> String {
    let words: Vec<&str> = W::ALL.iter().map(|word| word.as_str()).collect();
    let found: String = found.chars().take(40).collect();
    format!("expected one of {}, found {found:?}", words.join(", "))
}

vocabulary! {
    /// The five acts of the model; custom acts have names of their own.
    Kind { Ask = "ask", Fact = "fact", Confirm = "confirm", Commit = "commit", Error = "error" }

    /// Where an act came from.
    Source {
        Human = "human", SpeechRecognition = "speech_recognition", TextAnalysis = "text_analysis",
        System = "system", Ai = "ai",
    }

    /// What kind of answer an ask wants.
    ExpectedType {
        String = "string", Number = "number", Boolean = "boolean", Object = "object", Array = "array",
        Date = "date", Email = "email", Phone = "phone", Address = "address",
    }

    /// What a fact does to its field.
    Operation {
        Set = "set", Append = "append", Increment = "increment", Decrement = "decrement", Delete = "delete",
        Merge = "merge",
    }

    /// What the speaker knows about the validity of a fact.
    ValidationStatus { Pending = "pending", Valid = "valid", Invalid = "invalid", Partial = "partial" }

    /// How a confirmation was given.
    ConfirmationMethod {
        Verbal = "verbal", Explicit = "explicit", Implicit = "implicit", Timeout = "timeout", System = "system",
    }

    /// What a commit asks of a business system.
    Action {
        Create = "create", Update = "update", Delete = "delete", Execute = "execute", Cancel = "cancel",
        Pause = "pause", Resume = "resume",
    }

    /// How far a commit has come.
    CommitStatus {
        Pending = "pending", InProgress = "in_progress", Success = "success", Failed = "failed",
        Retrying = "retrying", Cancelled = "cancelled",
    }

    /// How bad an error act is.
    Severity { Info = "info", Warning = "warning", Error = "error", Critical = "critical" }

    /// What part of the work an error act speaks of.
    Category {
        Validation = "validation", Processing = "processing", Integration = "integration", Timeout = "timeout",
        Permission = "permission", System = "system", UserInput = "user_input", BusinessRule = "business_rule",
    }

    /// What the speaker of an error act would do next.
    SuggestedAction {
        Retry = "retry", Escalate = "escalate", Ignore = "ignore", Clarify = "clarify", Fallback = "fallback",
        Terminate = "terminate",
    }

    /// What a participant is.
    ParticipantType { Human = "human", Ai = "ai", System = "system", Bot = "bot" }

    /// How far a conversation has come.
    ConversationStatus {
        Active = "active", Paused = "paused", Completed = "completed", Failed = "failed", Cancelled = "cancelled",
    }

    /// The text formats a constraint may ask for.
    Format {
        Email = "email", Phone = "phone", Url = "url", Date = "date", Time = "time", Datetime = "datetime",
        Uuid = "uuid", Ipv4 = "ipv4", Ipv6 = "ipv6",
    }
}
