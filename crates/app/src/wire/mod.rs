//! What exists, and who knows whom: the configuration becomes a running house.
//!
//! Read [`House::open`] from top to bottom; everything else in this folder is a translation between two rooms.

mod chores;
mod control;
mod door;
mod hear;
mod limit_stores;
mod pages;
mod present;
mod probes;
mod systems;
mod telemetry;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use guard::batch::Batched;
use port::{Clock, Entropy, SystemClock, SystemEntropy, Systems};
use store::Store;
use tokio::net::TcpListener;

use chores::Chores;
use telemetry::Recording;

use crate::cli::Failure;
use crate::config::{Config, Place};

/// How long a drain lets calls in flight come home.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub struct House {
    doors: gate::Doors,
    engine: flow::Engine,
    /// What leaves after a commit.
    relay: relay::Relay,
    store: Store,
    /// What is done now and then, until the house closes.
    chores: Chores,
    batches: Vec<Arc<Batched>>,
    recording: Recording,
    systems: Systems,
    /// Where the gate listens.
    pub address: SocketAddr,
}

impl House {
    /// Opens everything in the order in which it depends on each other: secrets, systems, port, store, conversations, engine, gate.
    ///
    /// # Errors
    /// The first thing that cannot be opened, and what would be right.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let vault = config.vault(|name| std::env::var(name).ok()).map_err(|found| Failure::found(&found))?;
        let auth = door::auth(config, &vault, clock.clone())?;
        let metrics = Arc::new(watch::Metrics::new(config.metrics));
        let recording = Recording::start(config, &vault, metrics.clone(), entropy.clone())?;
        let recorder = recording.recorder.clone();
        let ears = Arc::new(hear::Ears::new(config, metrics, recorder.clone(), clock.clone()));
        let limit_stores = limit_stores::open(config, &vault)?;
        let world = guard::World::new(clock.clone(), ears.clone())
            .sharing(limit_stores.stores.clone())
            .recording(recorder.clone());
        let guarded = systems::open(config, vault, world).await?;
        let guards = control::Guards::new(guarded.guards, guarded.groups);
        let listener = listen("listen", config.listen).await?;
        let address = listener.local_addr()?;
        let operators = match config.operators {
            Some(address) => Some(listen("operators.listen", address).await?.into_std()?),
            None => None,
        };
        // After all that may be refused, so that a refused start leaves no new store behind.
        let store = open_store(&config.store, &config.limits)?;

        let limits = config.limits.clone();
        let deciding = conversation::Deciding { acts: config.acts.clone(), rules: config.rules.clone() };
        let (kept, told) = (limits.conversations, ears.clone());
        let conversations =
            Arc::new(conversation::Conversations::new(store.clone(), deciding, kept, clock.clone(), told));
        let counted = conversations.count_active().await;
        counted.map_err(|error| Failure::new(format!("counting active conversations: {error}")))?;
        let backfilled = conversations.backfill_keys().await;
        backfilled.map_err(|error| Failure::new(format!("recording the keys of commits: {error}")))?;
        let modes = gate::Modes::new(store.clone(), Arc::new(guards.clone()), clock.clone());
        let restored = modes.restore().await;
        restored.map_err(|error| Failure::new(format!("reading what operators told breakers: {error}")))?;
        let engine = flow::Engine::new(flow::Deps {
            store: store.clone(),
            systems: guarded.systems.clone(),
            conversations: conversations.clone(),
            definitions: config.flows.values().cloned().collect(),
            known: config.known(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            limits: flow::Limits { runs_per_root: config.runs_per_root, ..flow::Limits::default() },
            listener: ears.clone(),
        });
        engine.start().await.map_err(|error| Failure::new(format!("resuming runs: {error}")))?;
        let relay = relay::Relay::new(engine.relay(relay::Limits::default()));
        relay.start();

        let (mut chores, batches) = (Chores::default(), guarded.batches);
        limit_stores.forget(&mut chores);
        chores.forget_keys(store.clone(), clock.clone());
        chores.end_orders(modes.clone(), engine.clone());
        probes::begin(&mut chores, &guarded.systems, &ears);
        let present = present::Present {
            store: store.clone(),
            engine: engine.clone(),
            relay: relay.clone(),
            clock: clock.clone(),
        };
        let pages = pages::all(&ears, &guards, present, config);
        let doors = gate::serve(
            listener,
            operators,
            gate::Deps {
                conversations,
                store: store.clone(),
                engine: engine.clone(),
                systems: guarded.systems.clone(),
                auth,
                limits,
                pages,
                modes,
                observer: ears,
                recorder,
                clock,
                entropy,
            },
        );
        let systems = guarded.systems;
        Ok(Self { doors: doors?, engine, relay, store, chores, batches, recording, systems, address })
    }

    /// Takes nothing new, lets what is in flight end, and closes the store. What is left goes on at the next start.
    pub async fn close(self) {
        self.doors.main.drain().await;
        // What is collected goes now: a call in flight may be waiting for its batch.
        let flushed = join_all(self.batches.iter().map(|batched| batched.flush()));
        let flushed = tokio::time::timeout(PATIENCE, flushed);
        let (_late, (), ()) = tokio::join!(flushed, self.engine.stop(PATIENCE), self.relay.stop(PATIENCE));
        drop(self.chores);
        let closed = systems::close(self.systems.iter().map(|(_, link)| link));
        if tokio::time::timeout(PATIENCE, closed).await.is_err() {
            tracing::warn!("systems were not let go of in time");
        }
        // To the end, so that a drain can be watched.
        if let Some(operators) = self.doors.operators {
            operators.drain().await;
        }
        self.recording.close().await;
        self.store.close().await;
    }
}

fn open_store(place: &Place, limits: &gate::Limits) -> Result<Store, Failure> {
    let Place::Sqlite(path) = place;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("making {}: {error}", folder.display())))?;
    }
    Store::open(path, store::Options::for_bodies(limits.body.max(limits.line))).map_err(|error| {
        use store::Error::{Foreign, Locked};
        let place = match error {
            // These name the file themselves.
            Foreign { .. } | Locked { .. } => String::new(),
            _ => format!(" {}", path.display()),
        };
        Failure::new(format!("opening the store{place}: {error}"))
    })
}

/// `key` is where the address is written.
async fn listen(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("\n  another program listens there: stop it, or change `{key}` in cardan.yaml")
            }
            _ => String::new(),
        };
        Failure::new(format!("listening on {address}: {error}{hint}"))
    })
}
