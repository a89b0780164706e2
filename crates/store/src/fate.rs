//! What a test decides about a store without threads.

use crate::Batch;

/// A moment at which a store without threads may be told what happens to it.
#[derive(Clone, Copy, Debug)]
pub enum Moment<'a> {
    /// A batch is about to be committed.
    Commit(&'a Batch),
    /// Something is about to be read.
    Read,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// What was asked for.
    #[default]
    Done,
    /// The queue before the writer is full; nothing is written. A read is done all the same.
    Busy,
    /// No space is left; nothing is written. A read is done all the same.
    Full,
    /// The process dies before it: this handle and every clone of it answer nothing from now on.
    DiesBefore,
    /// The process dies after it: what was asked for is durable, and nobody hears so.
    DiesAfter,
}
