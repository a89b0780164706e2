//! How strictly documents are judged.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Issue, Kind, Map, Word as _};

/// How strictly documents are judged.
#[derive(Clone, Default)]
pub struct Rules {
    /// Strict or compat.
    pub mode: Mode,
    /// What becomes of a speaker who is no participant.
    pub unknown_speaker: UnknownSpeaker,
    custom: BTreeMap<String, CustomType>,
}

/// Strict is the rule; compat takes what older libraries write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Every member is known and has its type.
    #[default]
    Strict,
    /// Mends what [`crate::Mended`] counts, keeps members it does not know at the top of an act or a conversation,
    /// and takes acts of unregistered types: they are stored and go nowhere.
    Compat,
}

/// What becomes of a speaker who is no participant of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnknownSpeaker {
    /// Taken, with a warning.
    #[default]
    Warn,
    /// Refused.
    Reject,
    /// Taken.
    Allow,
}

/// Judges the members of a custom act, those beside what every act has. Pointers count from the act's root.
///
/// The wiring puts a JSON Schema engine behind this; `act` itself runs none.
pub type CustomType = Arc<dyn Fn(&Map) -> Vec<Issue> + Send + Sync>;

/// Why a custom type was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAName(pub String);

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "act type {:?}: expected a lower-case letter, then a-z, 0-9, _ or ., not one of the five",
            self.0
        )
    }
}

impl std::error::Error for NotAName {}

impl Rules {
    /// Strict, without custom types.
    pub fn strict() -> Self {
        Self::default()
    }

    /// Compat, without custom types.
    pub fn compat() -> Self {
        Self { mode: Mode::Compat, ..Self::default() }
    }

    /// With what becomes of speakers who are no participants.
    #[must_use]
    pub fn speakers(mut self, policy: UnknownSpeaker) -> Self {
        self.unknown_speaker = policy;
        self
    }

    /// Adds a type of act; `judge` sees the members beside those every act has.
    pub fn register(
        &mut self,
        name: &str,
        judge: impl Fn(&Map) -> Vec<Issue> + Send + Sync + 'static,
    ) -> Result<(), NotAName> {
        if !is_custom_name(name) {
            return Err(NotAName(name.to_owned()));
        }
        self.custom.insert(name.to_owned(), Arc::new(judge));
        Ok(())
    }

    /// The judge of a registered type.
    pub fn custom(&self, name: &str) -> Option<&CustomType> {
        self.custom.get(name)
    }

    /// The names of the registered types.
    pub fn custom_names(&self) -> impl Iterator<Item = &str> {
        self.custom.keys().map(String::as_str)
    }

    pub(crate) fn is_compat(&self) -> bool {
        self.mode == Mode::Compat
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("mode", &self.mode)
            .field("unknown_speaker", &self.unknown_speaker)
            .field("custom", &self.custom.keys())
            .finish()
    }
}

pub(crate) fn is_custom_name(name: &str) -> bool {
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(rest)
        && Kind::parse(name).is_none()
}
