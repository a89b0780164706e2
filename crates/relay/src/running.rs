//! The relay: made over a store, started, stopped.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use port::{Clock, Entropy, Systems};
use store::Store;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::lane::{Lane, Lanes};
use crate::{Listener, LooksUp, round};

/// What a relay needs.
#[derive(Clone)]
pub struct Deps {
    /// Where the rows are.
    pub store: Store,
    /// The systems that they go to, guarded.
    pub systems: Systems,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub entropy: Arc<dyn Entropy>,
    /// Bounds.
    pub limits: Limits,
    /// Who is told what became of messages.
    pub listener: Arc<dyn Listener>,
    /// Who can look up whether a message arrived.
    pub looks_up: Arc<dyn LooksUp>,
    /// Rung when a row was put or hurried.
    pub bell: Arc<Notify>,
}

/// Bounds of a relay.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rounds of delivery before a message becomes a dead letter.
    pub attempts: u32,
    /// Deliveries at once in one lane.
    pub places: usize,
    /// How long one delivery may take.
    pub timeout: Duration,
    /// Largest answer that is kept, in bytes of JSON.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attempts: 10, places: 32, timeout: Duration::from_secs(60), output: 1 << 20 }
    }
}

/// Delivers what is in the outbox. Cheap to clone.
#[derive(Clone)]
pub struct Relay(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) deps: Deps,
    pub(crate) lanes: Mutex<Lanes>,
    tasks: Mutex<JoinSet<()>>,
    /// Deliveries that have begun and whose end is not written.
    flying: watch::Sender<usize>,
    pub(crate) stopping: watch::Sender<bool>,
}

impl Relay {
    /// A relay that does nothing before it is started.
    pub fn new(deps: Deps) -> Self {
        let lanes = Mutex::new(Lanes::new(deps.limits.places));
        let (flying, stopping) = (watch::Sender::new(0), watch::Sender::new(false));
        Self(Arc::new(Inner { deps, lanes, tasks: Mutex::default(), flying, stopping }))
    }

    /// Delivers from now on, on this runtime.
    pub fn start(&self) {
        let relay = self.clone();
        self.0.tasks.lock().spawn(async move { round::follow(relay).await });
    }

    /// Begins nothing new, gives deliveries in flight `patience` to come to an end, then stops. Nothing is lost: the next
    /// relay over the store goes on.
    pub async fn stop(&self, patience: Duration) {
        self.0.stopping.send_replace(true);
        let mut flying = self.0.flying.subscribe();
        let _ = tokio::time::timeout(patience, flying.wait_for(|flying| *flying == 0)).await;
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock());
        tasks.shutdown().await;
    }

    /// The lanes in which something is in flight, or that are in trouble.
    pub fn lanes(&self) -> Vec<Lane> {
        self.0.lanes.lock().shown()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Runs a delivery beside the others.
    pub(crate) fn fly(&self, delivery: impl Future<Output = ()> + Send + 'static) {
        let inner = self.0.clone();
        inner.flying.send_modify(|flying| *flying += 1);
        let mut tasks = self.0.tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _landed = Landing(&inner);
            delivery.await;
        });
    }
}

/// Counts a delivery off, also when it panics.
struct Landing<'a>(&'a Inner);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.flying.send_modify(|flying| *flying = flying.saturating_sub(1));
        self.0.deps.bell.notify_one();
    }
}
