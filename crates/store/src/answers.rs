//! Answers: what became of what a run put into the outbox, kept until the run has taken it, also when it has ended.

use jiff::Timestamp;

/// Keeps or takes an answer with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerOp {
    /// Keeps an answer, instead of the one before for the same step.
    Put(Answer),
    /// Takes an answer: the run has written it down. One that has come since stays.
    Take {
        /// The run it is for.
        run: String,
        /// The step it is for.
        step: String,
        /// When it came.
        at: Timestamp,
    },
}

impl AnswerOp {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put(answer) => answer.payload.len() + answer.step.len() + 96,
            Self::Take { .. } => 96,
        }
    }
}

/// What became of what a step put into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The run it is for.
    pub run: String,
    /// The step it is for.
    pub step: String,
    /// When it came.
    pub at: Timestamp,
    /// JSON.
    pub payload: Vec<u8>,
}
