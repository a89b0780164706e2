//! The thin driver: performs what the core decides, writes what happened, wakes what waits.
//!
//! One task per live run ([`runner`]); beside them one task for timers, one for topics. A turn
//! of a run is: apply an event, turn decisions into rows of one batch, commit it, and only then act.
//!
//! Take a step `charge`. The step before it has finished, and that is an `Event` of the journal. The core folds it in and
//! works off what follows, one `Work` after another (leave that step, enter this one), until it has a `Decision`: call
//! `payments.charge`, described by an `Effect`. The `Turn` gathers all of this: the event goes into its batch, the effect
//! onto its list of what to launch. The batch is committed, and only then is the call sent. What comes back is judged
//! into the next event, with which the next turn begins.

mod answers;
mod begin;
mod blocked;
mod call;
mod command;
mod cycle;
mod desk;
mod due;
mod family;
mod id;
mod letter;
mod lines;
mod listen;
mod load;
mod lost;
mod mend;
mod motion;
mod needs;
mod once;
mod open;
mod passage;
mod perform;
mod queue;
mod replay;
mod runner;
mod runs;
mod seen;
mod shares;
mod signal;
mod spans;
mod speak;
mod stuck;
mod take_back;
mod timers;
mod told;
mod topics;
mod turn;
mod undelivered;
mod waiters;
mod wake;
mod witness;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use conversation::ConversationPort;
use parking_lot::{Mutex, RwLock};
use port::{Clock, Entropy, Systems};
use serde_json::json;
use store::{KeyOp, RunFilter, RunRow, Store};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

pub use desk::{ForPeople, ForPerson, Matter};
pub use id::RunId;
pub use needs::{Need, Needs};
pub use replay::Remedy;
pub use signal::Sent;
pub use stuck::{Live, LivePage};
pub use undelivered::Undelivered;

use crate::definition::{Definition, Known};
use crate::{EffectView, Error, Letter, Listener, RunView};

/// The points of this crate at which the crash harness may kill the process, in the order a step passes them.
pub fn failpoints() -> &'static [&'static str] {
    &["flow.writing", "flow.written", "flow.calling", "flow.called"]
}

/// What an engine needs.
#[derive(Clone)]
pub struct Deps {
    /// Where journals are kept.
    pub store: Store,
    /// The systems that steps call, guarded.
    pub systems: Systems,
    /// How runs speak into conversations.
    pub conversations: Arc<dyn ConversationPort>,
    /// The flows that can be started.
    pub definitions: Vec<Definition>,
    /// The names that were known when they were compiled.
    pub known: Known,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub entropy: Arc<dyn Entropy>,
    /// Bounds.
    pub limits: Limits,
    /// Who is told of every transition.
    pub listener: Arc<dyn Listener>,
}

/// Bounds of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls in flight at once to one system.
    pub calls: usize,
    /// Largest output of one step, in bytes of JSON.
    pub output: usize,
    /// Longest journal that is read back, in entries.
    pub journal: u64,
    /// Messages that may wait for one run.
    pub inbox: usize,
    /// After so long without anything to do a run leaves the memory; its journal brings it back.
    pub idle: Duration,
    /// Signals from outside that may wait for one run.
    pub signals: usize,
    /// Largest payload of a signal, in bytes of JSON.
    pub signal: usize,
    /// How many runs may stand above one.
    pub depth: usize,
    /// How many runs may come of one that no run began.
    pub runs_per_root: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 256,
            output: 1 << 20,
            journal: 1_000_000,
            inbox: 64,
            idle: Duration::from_secs(10),
            signals: 1000,
            signal: 64 << 10,
            depth: 32,
            runs_per_root: 1000,
        }
    }
}

/// Runs flows. Cheap to clone.
///
/// Beside what it shares with its clones it has what is to be written with its next command, see
/// [`Engine::with_records`].
#[derive(Clone)]
pub struct Engine(Arc<Inner>, Vec<KeyOp>);

struct Inner {
    /// Where it was opened: what is asked of it from another runtime runs here all the same.
    home: Handle,
    store: Store,
    systems: Systems,
    conversations: Arc<dyn ConversationPort>,
    listener: Arc<dyn Listener>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
    known: RwLock<Known>,
    flows: RwLock<HashMap<String, Arc<Definition>>>,
    pinned: RwLock<HashMap<Arc<str>, Arc<Definition>>>,
    /// Hashes of the definitions that the store is known to have.
    kept: RwLock<HashSet<Arc<str>>>,
    runs: Mutex<HashMap<String, runs::Handle>>,
    waiters: waiters::Waiters,
    topics: topics::Topics,
    shares: shares::Shares,
    lines: Mutex<lines::Lines>,
    lost: lost::Lost,
    timer_set: Notify,
    outbox_put: Arc<Notify>,
    stopping: watch::Sender<bool>,
    tasks: Mutex<Vec<tokio::task::AbortHandle>>,
}

impl Engine {
    /// Replaces the flows that can be started. Runs go on with the definitions they pinned.
    pub fn reload(&self, definitions: Vec<Definition>, known: Known) {
        let flows = definitions.into_iter().map(|flow| (flow.name.to_string(), Arc::new(flow)));
        let flows: HashMap<_, _> = flows.collect();
        self.0.pinned.write().extend(flows.values().map(|flow| (flow.hash.clone(), flow.clone())));
        *self.0.flows.write() = flows;
        *self.0.known.write() = known;
    }

    /// The same engine, whose commands write these records too: in the commit that carries them out, and not when they
    /// are refused.
    #[must_use]
    pub fn with_records(&self, records: Vec<KeyOp>) -> Self {
        Self(self.0.clone(), records)
    }

    /// A flow that can be started.
    pub fn flow(&self, name: &str) -> Option<Arc<Definition>> {
        self.0.flows.read().get(name).cloned()
    }

    /// Waits until the run has ended or been put aside, or `patience` is over, and shows it either way.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], and the store's.
    pub async fn wait(&self, run: &str, patience: Duration) -> Result<RunView, Error> {
        let waiting = self.0.waiters.join(run);
        let over = async {
            loop {
                let woken = waiting.woken();
                let row = self.0.store.run(run).await?.ok_or_else(|| Error::UnknownRun(run.into()))?;
                if is_over(&row) {
                    return Ok::<_, Error>(row);
                }
                woken.await;
            }
        };
        match tokio::time::timeout(patience, over).await {
            Ok(row) => self.shown(self.overheard(self.read(row?).await?).await?).await,
            Err(_) => self.view(run).await,
        }
    }

    /// Shows a run as its journal has it.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], [`Error::NoDefinition`], [`Error::Journal`], and the store's.
    pub async fn view(&self, run: &str) -> Result<RunView, Error> {
        self.shown(self.overheard(self.load(run).await?).await?).await
    }

    /// What a run wanted in other systems, and what became of it, as its journal has it.
    ///
    /// # Errors
    /// As for [`Engine::view`].
    pub async fn effects(&self, run: &str) -> Result<Vec<EffectView>, Error> {
        Ok(self.overheard(self.load(run).await?).await?.state.intents())
    }

    /// With the letter of the step that a person has to decide about, or the run whose turn it is.
    async fn shown(&self, loaded: load::Loaded) -> Result<RunView, Error> {
        let mut view = loaded.view();
        self.look_for_messages(&mut view).await?;
        let (place, had_turn) = (loaded.state.place(), loaded.state.ends > 0);
        if let (store::RunStatus::Queued, Some(place), Some(blocked)) =
            (view.status, place, &mut view.blocked_on)
        {
            let ahead = self.ahead(&view.id, &view.tenant, &place, had_turn).await?;
            blocked.on = ahead.map(|row| json!({ "run": row.id, "status": row.status }));
        }
        if let (store::RunStatus::Paused, Some(blocked)) = (view.status, &mut view.blocked_on)
            && let Some(step) = &blocked.step
        {
            let letter = self.0.store.dead_one(&letter::letter_id(&format!("{}/{step}", view.id))).await?;
            blocked.letter = letter.map(|letter| Letter { id: letter.id, state: letter.state });
        }
        Ok(view)
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
        Ok(self.0.store.runs(filter).await?)
    }
}

impl Inner {
    fn new(deps: Deps) -> Self {
        Self {
            home: Handle::current(),
            store: deps.store,
            systems: deps.systems,
            conversations: deps.conversations,
            listener: deps.listener,
            clock: deps.clock,
            entropy: deps.entropy,
            limits: deps.limits,
            known: RwLock::default(),
            flows: RwLock::default(),
            pinned: RwLock::default(),
            kept: RwLock::default(),
            runs: Mutex::default(),
            waiters: waiters::Waiters::default(),
            topics: topics::Topics::default(),
            shares: shares::Shares::new(deps.limits.calls),
            lines: Mutex::default(),
            lost: lost::Lost::default(),
            timer_set: Notify::new(),
            outbox_put: Arc::default(),
            stopping: watch::Sender::new(false),
            tasks: Mutex::default(),
        }
    }
}

/// Whether nothing more will happen in a run by itself, so that nobody need wait for it. Those with its key still do.
fn is_over(row: &RunRow) -> bool {
    row.status.is_ended() || row.status == store::RunStatus::Parked
}
