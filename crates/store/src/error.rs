//! Why a batch was refused, or a store could not be opened or read.

use std::path::PathBuf;

use crate::{Expected, KeyRecord, Lease};

/// Why a batch was refused, or a store could not be opened or read.
///
/// After [`Error::Fenced`] and [`Error::Closed`] from a commit that had been accepted into the queue, whether the
/// batch is in the log is known only after the store is opened again. Every other refusal means: nothing happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else appended first.
    #[error("appending to {stream}: version is {actual}, expected {}", expected_words(*.expected))]
    Version {
        /// Which stream.
        stream: String,
        /// What the batch expected.
        expected: Expected,
        /// What was there; 0 means no stream.
        actual: u64,
    },
    /// Somebody else has taken the store over: whatever this handle commits is refused from now on.
    #[error("committing under {lease}: {current} is in force, open the store again to go on")]
    LeaseOver {
        /// The lease of the handle.
        lease: Lease,
        /// The lease in force.
        current: Lease,
    },
    /// The idempotency key is taken; the record says by what.
    #[error("claiming key {:?}: a record is there already", .0.key)]
    Key(Box<KeyRecord>),
    /// The claim expired, and somebody else may hold the key by now.
    #[error("finishing key {key:?}: the claim of this owner lapsed")]
    Lapsed {
        /// The key.
        key: String,
    },
    /// The dead letter is unknown or was resolved already.
    #[error("resolving dead letter {id:?}: it is not open")]
    NotOpen {
        /// The letter's id.
        id: String,
    },
    /// The outbox row is not there any more: done, or taken back.
    #[error("beginning outbox row {id:?}: it is not there any more")]
    Gone {
        /// The row's id.
        id: String,
    },
    /// Larger than the store takes, or empty where a name is needed.
    #[error("{what} of {size} bytes, allowed are 1 to {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// How large it was.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The queue before the writer is full; try again shortly.
    #[error("store is busy: the write queue is full, try again shortly")]
    Busy,
    /// No space left; commits succeed again when there is.
    #[error("store is full: no space left on the device, writes go on when there is")]
    Full,
    /// A write or sync failed; nothing more is written until the store is opened again.
    #[error("store is fenced after {cause}: open it again to go on")]
    Fenced {
        /// What failed.
        cause: String,
    },
    /// The file system said no.
    #[error("store: {cause}")]
    Io {
        /// What failed.
        cause: String,
    },
    /// What is on disk is not what was written.
    #[error("store is corrupt: {what}; restore a backup")]
    Corrupt {
        /// What is wrong, and where.
        what: String,
    },
    /// Written by a newer Cardan.
    #[error(
        "store has schema {found}, this cardan knows up to {ours}: run the cardan that wrote it, or a newer one"
    )]
    Newer {
        /// The schema version of the store.
        found: u32,
        /// The newest schema version known here.
        ours: u32,
    },
    /// The file belongs to something else.
    #[error("{}: {what}; name a cardan store or a path where nothing is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// Another process, or this one, has it open.
    #[error("{}: already open in another cardan; one store has one server", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The query is not one, is not read-only, or took too long.
    #[error("query: {0}")]
    Query(String),
    /// The store was closed.
    #[error("store is closed")]
    Closed,
}

fn expected_words(expected: Expected) -> String {
    match expected {
        Expected::Any => "any".into(),
        Expected::NoStream => "no stream".into(),
        Expected::Version(version) => version.to_string(),
    }
}
