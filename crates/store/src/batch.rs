//! Everything that must become true together.

use crate::{
    AnswerOp, Append, Checkpoint, DeadOp, DefinitionRow, Error, KeyOp, NewEvent, OutboxOp, RunRow, SignalOp,
    State, TimerOp,
};

/// Longest name of a stream, row or key.
const NAME_BYTES: usize = 512;

/// Everything that must become true together: committed as a whole, or not at all.
///
/// Within a batch, appends are checked first, then rows are written in the order of their list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Events to append, each with what it expects of its stream.
    pub appends: Vec<Append>,
    /// Projection rows to write or delete.
    pub states: Vec<State>,
    /// Flow definitions to keep; one that is there already is left as it is.
    pub definitions: Vec<DefinitionRow>,
    /// Runs to insert or update.
    pub runs: Vec<RunRow>,
    /// Timers to set or clear.
    pub timers: Vec<TimerOp>,
    /// Signals to deliver or take.
    pub signals: Vec<SignalOp>,
    /// Idempotency records to claim, finish or release.
    pub keys: Vec<KeyOp>,
    /// Work to do after the commit.
    pub outbox: Vec<OutboxOp>,
    /// What became of work that was done, for the runs that put it there.
    pub answers: Vec<AnswerOp>,
    /// What exhausted its attempts.
    pub dead: Vec<DeadOp>,
    /// How far followers of the log have come.
    pub checkpoints: Vec<Checkpoint>,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds everything of `other` after what is here.
    pub fn merge(&mut self, other: Self) {
        self.appends.extend(other.appends);
        self.states.extend(other.states);
        self.definitions.extend(other.definitions);
        self.runs.extend(other.runs);
        self.timers.extend(other.timers);
        self.signals.extend(other.signals);
        self.keys.extend(other.keys);
        self.outbox.extend(other.outbox);
        self.answers.extend(other.answers);
        self.dead.extend(other.dead);
        self.checkpoints.extend(other.checkpoints);
    }

    /// The size of a batch that may be committed.
    pub(crate) fn fits(&self, limit: usize) -> Result<usize, Error> {
        let size = self.size();
        if size > limit {
            return Err(Error::TooLarge { what: "batch", size, limit });
        }
        for append in &self.appends {
            named("stream name", &append.stream)?;
        }
        for state in &self.states {
            named("state id", &state.id)?;
        }
        for run in &self.runs {
            named("run id", &run.id)?;
        }
        Ok(size)
    }

    /// About how many bytes this takes in the queue and on disk.
    pub fn size(&self) -> usize {
        let events = self
            .appends
            .iter()
            .map(|append| append.stream.len() + append.events.iter().map(NewEvent::size).sum::<usize>());
        let rows = self.timers.len() + self.checkpoints.len() + self.runs.len();
        events.sum::<usize>()
            + self.states.iter().map(State::size).sum::<usize>()
            + self.definitions.iter().map(|row| row.source.len()).sum::<usize>()
            + self.signals.iter().map(SignalOp::size).sum::<usize>()
            + self.keys.iter().map(KeyOp::size).sum::<usize>()
            + self.outbox.iter().map(OutboxOp::size).sum::<usize>()
            + self.answers.iter().map(AnswerOp::size).sum::<usize>()
            + self.dead.iter().map(DeadOp::size).sum::<usize>()
            + rows * 256
    }
}

fn named(what: &'static str, name: &str) -> Result<(), Error> {
    match name.len() {
        1..=NAME_BYTES => Ok(()),
        size => Err(Error::TooLarge { what, size, limit: NAME_BYTES }),
    }
}

/// What a committed batch became. By the time it is seen, the batch is durable and visible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Position of the last event of the batch; the head of the log when the batch had none.
    pub position: u64,
    /// Position of the first event of the batch; the position after the head when the batch had none.
    pub first: u64,
    /// The version of each append's stream after it, in the batch's order.
    pub versions: Vec<u64>,
}
