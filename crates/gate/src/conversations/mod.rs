//! Conversations: the one place where acts become durable.
//!
//! For each conversation there is one lock. Under it acts are decided in order (by `react`), and all that
//! follows from them is one [`store::Batch`]: the acts and events, the new state, the starts of runs, the signals to
//! waiting runs, and the record of each act's id. Either all of it is committed or none. Only then is the engine
//! woken and the caller answered.
//!
//! Read in this order: `ingest` (the loop), `work` (what a batch is made of), `rows` and `known` (how it is kept), `ids` (acts that were seen before),
//! `named` (commits whose key was seen before),
//! `voice` (what flows say), `asked` (where questions are found), `read` (what can be asked).

mod asked;
mod backfill;
mod cache;
mod create;
mod ids;
mod ingest;
mod known;
mod lines;
mod named;
mod questions;
mod read;
mod refusal;
mod rows;
mod share;
mod voice;
mod work;

use std::sync::{Arc, OnceLock};

use port::Clock;
use store::{Batch, Store};

use crate::insist::{Insist, insist};
use crate::{Limits, Observer, Principal, Problem};
use cache::Cache;

pub(crate) use asked::Which;
pub(crate) use create::Keep;
pub use create::NewConversation;
pub use ingest::{Answers, Heard, Started, Taken, Utterance, Verdict};
pub(crate) use lines::Lines;
pub(crate) use named::digest;
pub(crate) use read::shown;

/// What acts are judged and decided by.
pub struct Deciding {
    /// How strictly acts are read.
    pub acts: act::Rules,
    /// What they change.
    pub rules: react::Rules,
}

/// The conversations of every organisation.
pub struct Conversations {
    store: Store,
    deciding: Deciding,
    cache: Cache<known::Known>,
    engine: OnceLock<flow::Engine>,
    shares: Arc<share::Shares>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl Conversations {
    /// The engine speaks through what is made here, so it comes later: see [`Conversations::bind`].
    pub fn new(
        store: Store,
        deciding: Deciding,
        limits: &Limits,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let cache = Cache::new(limits.conversations);
        let shares = Arc::new(share::Shares::new(limits.commit_keys));
        Self { store, deciding, cache, engine: OnceLock::new(), shares, clock, observer }
    }

    /// Gives it the engine that runs what acts set in motion. Only the first is taken.
    pub fn bind(&self, engine: flow::Engine) {
        // A second engine would run what the first runs; there is none in a process.
        let _ = self.engine.set(engine);
    }

    /// How acts are read.
    pub(crate) fn rules(&self) -> &act::Rules {
        &self.deciding.acts
    }

    /// Commits, and does what follows from it: runs are woken, and who counts is told. Begun, it is done even when
    /// this future is dropped: a caller who has left must not leave a run asleep that is durable.
    fn commit(
        &self,
        batch: Batch,
        done: work::Done,
    ) -> Insist<Result<(store::Receipt, work::Done), store::Error>> {
        let (store, engine) = (self.store.clone(), self.engine.get().cloned());
        let (observer, shares) = (Arc::clone(&self.observer), Arc::clone(&self.shares));
        insist(async move {
            let receipt = store.commit(batch).await?;
            shares.took(&done.keys.0, done.keys.1);
            if let Some(engine) = engine {
                engine.committed(&done.wake);
            }
            if done.active != 0 {
                observer.conversations(done.active);
            }
            Ok((receipt, done))
        })
    }

    fn engine(&self) -> Result<&flow::Engine, Problem> {
        self.engine.get().ok_or_else(|| Problem::because(crate::Code::Stopping, "the engine has not started"))
    }
}

/// Whether the conversation is the principal's organisation's.
fn admit(principal: &Principal, tenant: &str) -> Result<(), Problem> {
    if *principal.tenant == *tenant { Ok(()) } else { Err(Problem::new(crate::Code::AuthConversation)) }
}
