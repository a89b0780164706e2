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

use std::sync::Arc;

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
    shares: Arc<share::Shares>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl Conversations {
    /// Keeps what is known of so many conversations.
    pub fn new(
        store: Store,
        deciding: Deciding,
        limits: &Limits,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let cache = Cache::new(limits.conversations);
        let shares = Arc::new(share::Shares::new(limits.commit_keys));
        Self { store, deciding, cache, shares, clock, observer }
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
    ) -> Insist<Result<(store::Receipt, known::Known), store::Error>> {
        let store = self.store.clone();
        let (observer, shares) = (Arc::clone(&self.observer), Arc::clone(&self.shares));
        insist(async move {
            let receipt = store.commit(batch).await?;
            let work::Done { talk, plan, active, keys } = done;
            shares.took(&keys.0, keys.1);
            plan.committed();
            if active != 0 {
                observer.conversations(active);
            }
            Ok((receipt, talk))
        })
    }
}

/// Whether the conversation is the principal's organisation's.
fn admit(principal: &Principal, tenant: &str) -> Result<(), Problem> {
    if *principal.tenant == *tenant { Ok(()) } else { Err(Problem::new(crate::Code::AuthConversation)) }
}
