//! What acts set in motion: runs that begin, and runs that hear an answer. Whoever knows flows plans it as rows, which are
//! committed with the acts.

use std::sync::Arc;

use futures_util::future::BoxFuture;
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
    /// Adds the rows that begin runs, of all or of none; answers the runs' ids, in order. It is no part of the plan before
    /// [`Plan::accept`]: who is to begin may still be refused. A run that exists already makes
    /// the batch be refused with [`store::Error::Version`], and a key of which only one run may ever begin (see
    /// [`ONCE`]) with [`store::Error::Key`] when it was taken meanwhile.
    ///
    /// # Errors
    /// When a run cannot begin so.
    fn begin<'a>(
        &'a mut self,
        rows: &'a mut Batch,
        starts: Vec<Start>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>>;

    /// What was begun last is part of the plan.
    fn accept(&mut self);

    /// Adds the row by which a waiting run hears what became of its question.
    fn tell(&mut self, rows: &mut Batch, signal: &Signal);

    /// Wakes the runs: the batch is durable. Losing this call is harmless, the next start of the process finds them.
    fn committed(self: Box<Self>);
}

/// How the names of the records begin that say which run alone may ever begin under a key. They count as commit keys: an
/// organisation has room for so many of both.
pub const ONCE: &str = "once/";

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
    /// The runs of the try before, which came to nothing: this one may begin in their place.
    pub replaces: Vec<String>,
    /// What expressions see as `input`.
    pub input: Value,
}
