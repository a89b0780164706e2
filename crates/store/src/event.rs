//! Streams of events.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

/// What an append expects of its stream. A stream of *n* events has version *n*; event numbers start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Any,
    /// The stream must not exist.
    NoStream,
    /// The stream has exactly this version; `Version(0)` means the same as [`Expected::NoStream`].
    Version(u64),
}

impl Expected {
    /// Whether a stream of version `actual` is what was expected.
    pub fn allows(self, actual: u64) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual == 0,
            Self::Version(version) => actual == version,
        }
    }
}

/// Events for the end of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The stream's name: 1–512 bytes, by custom `kind-id` (`conversation-42`).
    pub stream: String,
    /// What the stream must look like for the batch to be committed.
    pub expected: Expected,
    /// The events, in order. May be empty: then only the expectation is checked.
    pub events: Vec<NewEvent>,
}

/// An event before it has a place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened, in past tense (`ActProcessed`).
    pub type_: Cow<'static, str>,
    /// JSON.
    pub data: Vec<u8>,
    /// When it happened.
    pub at: Timestamp,
    /// On whose behalf.
    pub tenant: Arc<str>,
    /// One id for everything that one request set in motion.
    pub correlation: Arc<str>,
    /// What directly caused it.
    pub causation: Option<Arc<str>>,
}

impl NewEvent {
    pub(crate) fn size(&self) -> usize {
        self.data.len() + self.type_.len() + self.correlation.len() + 64
    }
}

/// An event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the whole log: 1, 2, 3, … without gaps.
    pub position: u64,
    /// The stream's name.
    pub stream: Arc<str>,
    /// Its place in its stream: 1, 2, 3, … without gaps.
    pub version: u64,
    /// What happened.
    pub type_: Arc<str>,
    /// JSON, byte for byte as it was appended.
    pub data: Vec<u8>,
    /// When it happened, to the nanosecond, between the years 1677 and 2262.
    pub at: Timestamp,
    /// On whose behalf.
    pub tenant: Arc<str>,
    /// One id for everything that one request set in motion.
    pub correlation: Arc<str>,
    /// What directly caused it.
    pub causation: Option<Arc<str>>,
}
