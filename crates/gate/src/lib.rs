//! `gate` is the one way in: it finds out who asks, lets them do what they may, takes acts, and answers.
//!
//! Read in this order: `routes` (everything that can be asked), `doors` (where, and by whom), `door` (the way of every
//! request), `live` (following the log), `serve` (connections).
//!
//! It takes no act itself (that is `conversation`), runs no step (`flow`), and knows no external system.

mod answer;
mod auth;
mod body;
mod defect;
mod desk;
mod door;
mod doors;
mod exchange;
mod front;
mod idempotency;
mod limits;
mod lines;
mod live;
mod modes;
mod observer;
mod openapi;
mod page;
mod problem;
mod rate;
mod route;
mod routes;
mod serve;
mod systems;
mod ticket;
mod turn;
mod upload;

use std::sync::Arc;

use conversation::Conversations;
use jiff::Timestamp;
use port::{Clock, Entropy, Recorder};
use tokio::sync::{Semaphore, watch};

pub use auth::{
    Algorithm, Auth, Error as AuthError, Key, Material, Permission, Permissions, Principal, Tokens,
};
pub use doors::{Doors, router, serve};
pub use limits::{Limits, Rate};
pub use modes::{Modes, Order};
pub use observer::Observer;
pub use page::{Page, Show, Shown};
pub use problem::{Code, Problem};
pub use serve::Handle;
pub use systems::{Control, Mode, Which};

/// What the gate is made of.
pub struct Deps {
    /// The conversations, into which the engine's runs speak too.
    pub conversations: Arc<Conversations>,
    /// The log and the rows beside it.
    pub store: store::Store,
    /// The runs.
    pub engine: flow::Engine,
    /// The systems, for showing them.
    pub systems: port::Systems,
    /// Their guards, and what operators told them.
    pub modes: Modes,
    /// Who may do what.
    pub auth: Auth,
    /// How much of everything.
    pub limits: Limits,
    /// Metrics and health, as made elsewhere.
    pub pages: Vec<Page>,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
    /// Who takes the span of each request.
    pub recorder: Arc<dyn Recorder>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub entropy: Arc<dyn Entropy>,
}

/// What handlers see. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inside>);

impl std::ops::Deref for Gate {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

#[derive(Clone)]
pub(crate) struct Inside {
    conversations: Arc<Conversations>,
    store: store::Store,
    engine: flow::Engine,
    systems: port::Systems,
    modes: Modes,
    auth: Arc<Auth>,
    limits: Limits,
    turns: turn::Turns,
    buckets: Arc<rate::Buckets>,
    subscriptions: Arc<Semaphore>,
    observer: Arc<dyn Observer>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Until when records that an older version wrote may live.
    old_keys: Timestamp,
    stop: watch::Sender<bool>,
}

impl Gate {
    fn new(deps: Deps) -> (Self, Vec<Page>) {
        let inside = Inside {
            conversations: deps.conversations,
            store: deps.store,
            engine: deps.engine,
            systems: deps.systems,
            modes: deps.modes,
            auth: Arc::new(deps.auth),
            turns: turn::Turns::new(deps.limits.in_flight, deps.limits.operators, deps.observer.clone()),
            buckets: Arc::new(rate::Buckets::new(&deps.limits)),
            subscriptions: Arc::new(Semaphore::new(deps.limits.subscriptions)),
            old_keys: deps.clock.now().checked_add(deps.limits.keys).unwrap_or(Timestamp::MAX),
            limits: deps.limits,
            observer: deps.observer,
            recorder: deps.recorder,
            clock: deps.clock,
            entropy: deps.entropy,
            stop: watch::Sender::new(false),
        };
        (Self(Arc::new(inside)), deps.pages)
    }

    /// The same gate seen from a door with turns of its own: who crowds at one is not in the way at the other.
    fn beside(&self, turns: usize) -> Self {
        let inside = Inside {
            turns: turn::Turns::new(turns, 0, self.observer.clone()),
            buckets: Arc::new(rate::Buckets::new(&self.limits)),
            stop: watch::Sender::new(false),
            ..Inside::clone(self)
        };
        Self(Arc::new(inside))
    }
}

impl Inside {
    /// Until when what happened now is remembered.
    fn remembered(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.limits.keys).unwrap_or(Timestamp::MAX)
    }
}
