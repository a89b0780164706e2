//! What a fault says about the system, where a system says it in its own way.

use std::fmt;

use port::{Fault, Kind};

/// What the breaker and the pause make of a fault. It never decides whether the effect landed or the call is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The system does not work: counts against it.
    Failure,
    /// It says nothing about the system.
    Neutral,
    /// The system works and asks for a pause, as long as its `Retry-After` says.
    Throttle,
}

impl Class {
    /// All of them, in the order in which they are explained.
    pub const ALL: [Class; 3] = [Class::Failure, Class::Neutral, Class::Throttle];

    /// The key of its list in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Failure => "failure",
            Class::Neutral => "neutral",
            Class::Throttle => "throttle",
        }
    }
}

/// By what a fault is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Its protocol's status: HTTP's, or a gRPC code.
    Status(u16),
    /// Its kind.
    Kind(Kind),
}

impl Sign {
    fn is_on(self, fault: &Fault) -> bool {
        match self {
            Sign::Status(status) => fault.status == Some(status),
            Sign::Kind(kind) => fault.kind == kind,
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sign::Status(status) => write!(f, "{status}"),
            Sign::Kind(kind) => f.write_str(kind.as_str()),
        }
    }
}

/// What differs from the usual judgement. Looked at only when an attempt has failed. Default: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classify {
    /// Statuses before kinds, so that the first that fits is the most specific.
    rules: Vec<(Sign, Class)>,
}

impl Classify {
    /// Adds rules; they replace what was said about the same signs before.
    pub fn differ(&mut self, rules: impl IntoIterator<Item = (Sign, Class)>) {
        let rules: Vec<_> = rules.into_iter().collect();
        self.rules.retain(|(old, _)| rules.iter().all(|(new, _)| new != old));
        self.rules.extend(rules);
        self.rules.sort_by_key(|(sign, _)| matches!(sign, Sign::Kind(_)));
    }

    /// What is said about this fault, if anything is.
    pub(crate) fn of(&self, fault: &Fault) -> Option<Class> {
        self.rules.iter().find(|(sign, _)| sign.is_on(fault)).map(|(_, class)| *class)
    }

    /// The signs of a class, as they are written.
    pub(crate) fn written(&self, class: Class) -> String {
        let signs = self.rules.iter().filter(|(_, known)| *known == class);
        signs.map(|(sign, _)| sign.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// A sign of two classes, with both.
    pub(super) fn contradiction(&self) -> Option<(Sign, Class, Class)> {
        self.rules.iter().enumerate().find_map(|(at, (sign, class))| {
            let other = self.rules[..at].iter().find(|(known, first)| known == sign && first != class);
            other.map(|(_, first)| (*sign, *first, *class))
        })
    }
}
