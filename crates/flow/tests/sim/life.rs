//! One process after another over the same rows.

use std::sync::Arc;
use std::time::Duration;

use conversation::{ConversationPort, Motion, Outgoing, OutgoingWait};
use flow::{Deps, Engine, Limits, Silence};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use port::{HeldClock, SeededEntropy};
use relay::Relay;
use store::{Batch, Fate, Receipt, Store};

use crate::case::Case;
use crate::deed::Version;
use crate::flows::Flows;
use crate::world::{World, known};

/// The process that lives, if any, and what outlives it.
pub(crate) struct Life {
    pub(crate) world: World,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) voice: Arc<Conversation>,
    flows: Flows,
    /// How many runs may come of one.
    runs_per_root: u64,
    store: Store,
    /// The definitions that are deployed.
    version: Version,
    /// A system that the configuration has lost.
    pub(crate) missing: Option<&'static str>,
    pub(crate) engine: Option<Engine>,
    /// Delivers what the process's runs tell.
    relay: Option<Relay>,
    seed: u64,
}

/// What was said, as people have heard it: also what a dying process said just before.
#[derive(Default)]
pub(crate) struct Conversation {
    store: Mutex<Option<Store>>,
    pub(crate) said: Mutex<Vec<Outgoing>>,
    pub(crate) asked: Mutex<Vec<OutgoingWait>>,
}

impl ConversationPort for Conversation {
    fn say<'a>(
        &'a self,
        said: Outgoing,
        batch: Batch,
        _: &'a dyn Motion,
    ) -> BoxFuture<'a, Result<Receipt, store::Error>> {
        async move {
            let store = self.store.lock().clone().ok_or(store::Error::Closed)?;
            // People hear of it when it is durable, whether or not the process still lives then.
            let version = batch.appends.first().map(|append| append.stream.clone());
            let (said, waits) = (said.clone(), said.waits.clone());
            self.asked.lock().extend(waits);
            let _ = version;
            self.said.lock().push(said);
            store.commit(batch).await
        }
        .boxed()
    }

    fn may_say<'a>(
        &'a self,
        _: conversation::Outgoing,
        _: &'a dyn conversation::Motion,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<conversation::NotSaid>, store::Error>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn is_open<'a>(
        &'a self,
        _tenant: &'a str,
        _conversation: &'a str,
    ) -> BoxFuture<'a, Result<bool, store::Error>> {
        std::future::ready(Ok(true)).boxed()
    }
}

impl Life {
    pub(crate) fn new(case: &Case, world: World) -> Self {
        let Case { seed, runs_per_root, .. } = *case;
        let flows = case.flows.clone();
        let clock = Arc::new(HeldClock::new(jiff::Timestamp::from_second(1_700_000_000).unwrap()));
        let store = Store::inline().unwrap();
        let voice = Arc::new(Conversation::default());
        Self {
            world,
            clock,
            voice,
            flows,
            runs_per_root,
            store,
            version: Version::First,
            missing: None,
            engine: None,
            relay: None,
            seed,
        }
    }

    pub(crate) fn store(&self) -> Store {
        self.store.clone()
    }

    /// Begins another process.
    pub(crate) async fn begin(&mut self) {
        let life = self.world.begins();
        self.store = self.store.reopened();
        let world = self.world.clone();
        self.store.decide(move |_| fate(&world));
        *self.voice.store.lock() = Some(self.store.clone());
        let deps = Deps {
            store: self.store.clone(),
            systems: self.world.systems(life, self.missing, self.clock.clone()),
            conversations: self.voice.clone(),
            definitions: self.definitions(),
            known: known(),
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.seed ^ life)),
            limits: Limits { runs_per_root: self.runs_per_root, ..Limits::default() },
            listener: Arc::new(Silence),
        };
        let engine = Engine::new(deps);
        self.engine = Some(engine.clone());
        let relay = Relay::new(engine.relay(relay::Limits { attempts: 4, ..relay::Limits::default() }));
        self.relay = Some(relay.clone());
        let world = self.world.clone();
        tokio::select! {
            biased;
            () = world.died() => {}
            started = engine.start() => started.unwrap(),
        }
        relay.start();
    }

    /// How many acts flows have emitted, each counted once by its id.
    pub(crate) fn emitted(&self) -> usize {
        let said = self.voice.said.lock();
        let acts = said.iter().flat_map(|said| &said.acts);
        let emitted = acts.filter(|act| act.body["type"] == "fact").map(|act| &act.id);
        emitted.collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Takes away what is left of a process that died.
    pub(crate) async fn bury(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.stop(Duration::ZERO).await;
        }
        if let Some(relay) = self.relay.take() {
            relay.stop(Duration::ZERO).await;
        }
        // What was aborted is dropped before anybody else goes on.
        tokio::task::yield_now().await;
    }

    /// Other definitions can be started from now on, in this process and those after it.
    pub(crate) fn deploy(&mut self, version: Version) {
        self.version = version;
        if let Some(engine) = &self.engine {
            engine.reload(self.definitions(), known());
        }
    }

    fn definitions(&self) -> Vec<flow::Definition> {
        let known = known();
        let compile = |(name, text): (&String, &serde_json::Value)| {
            let text = text.to_string();
            let node = diag::parse("flows.yaml", &text).unwrap();
            let (definition, found) = flow::compile(name, &node, &known);
            definition.unwrap_or_else(|| panic!("{text}: {found:#?}"))
        };
        let (flows, without) = match self.version {
            Version::First => (&self.flows.text, None),
            Version::Second => (&self.flows.next, None),
            Version::Without(name) => (&self.flows.next, Some(name)),
        };
        flows.iter().filter(|(name, _)| Some(name.as_str()) != without).map(compile).collect()
    }
}

/// A store does what it is asked, until its process dies.
fn fate(world: &World) -> Fate {
    if world.is_dead() {
        return Fate::DiesBefore;
    }
    let Some(when) = world.moment() else { return Fate::Done };
    world.dies();
    if when == 0 { Fate::DiesBefore } else { Fate::DiesAfter }
}
