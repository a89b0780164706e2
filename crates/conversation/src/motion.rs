//! What acts set in motion: runs that begin, and runs that hear an answer. Whoever knows flows plans it as rows, which are
//! committed with the acts.

use std::sync::Arc;

use port::TraceContext;
use react::Signal;
use serde_json::Value;
use store::Batch;

use crate::Error;

/// Knows flows. It is handed over with each call, so that nobody need keep it.
pub trait Motion: Send + Sync {
    /// A plan for one batch.
    fn plan(&self) -> Box<dyn Plan>;

    /// The name of the stream that is a run's journal.
    fn journal(&self, run: &str) -> String;
}

/// What one batch sets in motion. Dropped before the batch is committed, it has done nothing.
pub trait Plan: Send + Sync {
    /// Adds the rows that begin runs, of all or of none; answers the runs' ids, in order. A run that exists already makes
    /// the batch be refused with [`store::Error::Version`].
    ///
    /// # Errors
    /// When a run cannot begin so.
    fn begin(&mut self, rows: &mut Batch, starts: Vec<Start>) -> Result<Vec<String>, Error>;

    /// Adds the row by which a waiting run hears what became of its question.
    fn tell(&mut self, rows: &mut Batch, signal: &Signal);

    /// Wakes the runs: the batch is durable. Losing this call is harmless, the next start of the process finds them.
    fn committed(self: Box<Self>);
}

/// A run to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The flow.
    pub flow: String,
    /// The organisation for which it runs.
    pub tenant: Arc<str>,
    /// The conversation in which its commit was said.
    pub conversation: Arc<str>,
    /// The commit act; with the flow it names the run, so that the same commit never begins a second one.
    pub commit: String,
    /// One id for everything that one request set in motion.
    pub correlation: Arc<str>,
    /// The trace that its calls continue.
    pub trace: Option<TraceContext>,
    /// The caller's own key, by which its effects are known.
    pub idempotency_key: Option<String>,
    /// How often that key's commit was tried anew before.
    pub generation: u32,
    /// What expressions see as `input`.
    pub input: Value,
}
