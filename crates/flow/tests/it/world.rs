//! A store, an engine over it, systems with a ledger, a conversation that remembers what was said. Time is held: it moves
//! on when everybody waits, so that a wait costs nothing and ends the same way each time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use conversation::{ConversationPort, Motion, Outgoing, OutgoingWait};
use flow::{Deps, Engine, Known, Limits, Listener, RunId, RunView, Start, Transition};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use port::{HeldClock, SeededEntropy};
use relay::Relay;
use serde_json::{Value, json};
use store::{Batch, Receipt, Store};

use crate::ledger::{Ledger, specs};

pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks.
const STEP: Duration = Duration::from_millis(5);

/// Everything a test needs.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) relay: Relay,
    pub(crate) ledger: Ledger,
    pub(crate) said: Arc<Recorder>,
    pub(crate) crash: Arc<Crash>,
    pub(crate) clock: Arc<HeldClock>,
    flows: Vec<(String, String)>,
    limits: Limits,
}

/// Commits what is said and remembers it.
pub(crate) struct Recorder {
    store: Mutex<Store>,
    pub(crate) said: Mutex<Vec<Outgoing>>,
    /// The conversation has ended.
    pub(crate) over: AtomicBool,
}

impl Recorder {
    fn over(store: &Store) -> Self {
        Self { store: Mutex::new(store.clone()), said: Mutex::default(), over: AtomicBool::default() }
    }
}

impl ConversationPort for Recorder {
    fn say<'a>(
        &'a self,
        said: Outgoing,
        batch: Batch,
        _: &'a dyn Motion,
    ) -> BoxFuture<'a, Result<Receipt, store::Error>> {
        async move {
            let store = self.store.lock().clone();
            let receipt = store.commit(batch).await?;
            self.said.lock().push(said);
            Ok(receipt)
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
        std::future::ready(Ok(!self.over.load(Ordering::SeqCst))).boxed()
    }
}

/// Kills a run's task right after its n-th journal entry is durable.
#[derive(Default)]
pub(crate) struct Crash {
    left: AtomicUsize,
    pub(crate) events: Mutex<Vec<(String, String)>>,
    pub(crate) spans: Spans,
}

/// The spans of all processes.
#[derive(Default)]
pub(crate) struct Spans(pub(crate) Mutex<Vec<port::Span>>);

impl port::Recorder for Spans {
    fn wants(&self) -> bool {
        true
    }
    fn samples(&self, _trace_id: u128) -> bool {
        true
    }
    fn record(&self, span: port::Span) {
        self.0.lock().push(span);
    }
}

impl Crash {
    pub(crate) fn after(&self, entries: usize) {
        self.left.store(entries, Ordering::SeqCst);
    }

    /// Whether the entry has come after which it was to die.
    pub(crate) fn has_died(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

impl Listener for Crash {
    fn recorder(&self) -> &dyn port::Recorder {
        &self.spans
    }

    fn wrote(&self, transition: &Transition<'_>) {
        self.events
            .lock()
            .push((transition.event.to_owned(), transition.step.unwrap_or_default().to_owned()));
        let left = self.left.load(Ordering::SeqCst);
        if left > 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            panic!("died after {}", transition.event);
        }
    }
}

pub(crate) fn known() -> Known {
    let specs = specs();
    let mut known = Known::from_specs(&specs);
    known.groups = [("payments".to_owned(), vec!["stripe".to_owned()])].into();
    known.flows = ["main", "child", "middle", "other", "third"].map(str::to_owned).into();
    known
}

pub(crate) fn compile(name: &str, text: &str) -> flow::Definition {
    let node = diag::parse("flows.yaml", text).unwrap();
    let (definition, found) = flow::compile(name, &node, &known());
    definition.unwrap_or_else(|| panic!("{found:#?}"))
}

impl World {
    pub(crate) async fn of(flow: &str) -> Self {
        Self::with(&[("main", flow)]).await
    }

    pub(crate) async fn with(flows: &[(&str, &str)]) -> Self {
        Self::within(limits(), flows).await
    }

    /// In which so many runs may come of one.
    pub(crate) async fn few(runs_per_root: u64, flows: &[(&str, &str)]) -> Self {
        Self::within(Limits { runs_per_root, ..limits() }, flows).await
    }

    /// In which one call is in flight at a time.
    pub(crate) async fn narrow(flows: &[(&str, &str)]) -> Self {
        Self::within(Limits { calls: 1, ..limits() }, flows).await
    }

    async fn within(limits: Limits, flows: &[(&str, &str)]) -> Self {
        let store = Store::inline().unwrap();
        let clock = Arc::new(HeldClock::new(jiff::Timestamp::from_second(1_700_000_000).unwrap()));
        let (ledger, crash) = (Ledger::default(), Arc::new(Crash::default()));
        let said = Arc::new(Recorder::over(&store));
        let flows: Vec<_> =
            flows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let deps = Deps { limits, ..deps(&store, &ledger, &said, &crash, &clock) };
        let engine = open(deps, &flows, &BTreeSet::new()).await;
        let relay = relays(&engine);
        Self { store, engine, relay, ledger, said, crash, clock, flows, limits }
    }

    /// The process dies and another one opens the store.
    pub(crate) async fn dies_and_restarts(&mut self) {
        self.engine.stop(Duration::ZERO).await;
        self.relay.stop(Duration::ZERO).await;
        self.crash.after(0);
        self.ledger.dies_at_call(None);
        self.store = self.store.reopened();
        *self.said.store.lock() = self.store.clone();
        let deps = deps(&self.store, &self.ledger, &self.said, &self.crash, &self.clock);
        let deps = Deps { limits: self.limits, ..deps };
        self.engine = open(deps, &self.flows, &self.ledger.lacking()).await;
        self.relay = relays(&self.engine);
    }

    /// Another process takes the store over, and this one lives on and does not know.
    pub(crate) async fn is_taken_over(&mut self) {
        self.store = self.store.take_over().await.unwrap();
    }

    /// The other process begins its work.
    pub(crate) async fn another_begins(&mut self) {
        self.said = Arc::new(Recorder::over(&self.store));
        let deps = deps(&self.store, &self.ledger, &self.said, &self.crash, &self.clock);
        self.engine = open(Deps { limits: self.limits, ..deps }, &self.flows, &BTreeSet::new()).await;
        self.relay = relays(&self.engine);
    }

    pub(crate) async fn start(&self, commit: &str, entity: Value) -> RunId {
        let (run, batch) = self.begin(commit, entity);
        self.store.commit(batch).await.unwrap();
        self.engine.committed(std::slice::from_ref(&run));
        run
    }

    pub(crate) fn begin(&self, commit: &str, entity: Value) -> (RunId, Batch) {
        let mut start = Start::default();
        start.run = RunId::of_commit("default", "conv_1", commit, "main").to_string();
        start.flow = "main".into();
        start.tenant = "default".into();
        start.conversation = Some("conv_1".into());
        start.commit = Some(commit.into());
        start.correlation = "corr".into();
        start.input = json!({ "entity": entity });
        let mut batch = Batch::default();
        let run = self.engine.begin(&mut batch, start).unwrap();
        (run, batch)
    }

    pub(crate) async fn runs(&self, entity: Value) -> RunView {
        let run = self.start("act_1", entity).await;
        self.engine.wait(run.as_str(), PATIENCE).await.unwrap()
    }

    pub(crate) async fn signal(&self, run: &RunId, step: &str, id: &str, payload: Value) {
        let mut batch = Batch::default();
        self.engine.signal(&mut batch, run.as_str(), step, id, &payload);
        self.store.commit(batch).await.unwrap();
        self.engine.committed(std::slice::from_ref(run));
    }

    /// The question that a step has asked last.
    pub(crate) fn question(&self, step: &str) -> Option<OutgoingWait> {
        let said = self.said.said.lock();
        said.iter().flat_map(|said| &said.waits).rfind(|wait| wait.step == step).cloned()
    }

    /// Waits until a step has asked something else than `before`.
    pub(crate) async fn asked(&self, step: &str, before: Option<&str>) -> OutgoingWait {
        let other = |wait: &OutgoingWait| Some(wait.question.id.as_str()) != before;
        eventually("a question", async || self.question(step).filter(other)).await
    }

    /// Answers a question.
    pub(crate) async fn answer(&self, wait: &OutgoingWait, payload: Value) {
        let mut batch = Batch::default();
        self.engine.answer(
            &mut batch,
            &wait.run,
            &wait.question.id,
            &format!("{}/a", wait.question.id),
            &payload,
        );
        self.deliver(&wait.run, batch).await;
    }

    /// Closes a question without an answer.
    pub(crate) async fn close(&self, wait: &OutgoingWait, how: flow::QuestionEnd) {
        let mut batch = Batch::default();
        let id = Some(wait.question.id.as_str());
        self.engine.close(&mut batch, (&wait.run, &wait.step), id, how, (Some("ann"), Some("a mistake")));
        self.deliver(&wait.run, batch).await;
    }

    async fn deliver(&self, run: &str, batch: Batch) {
        self.store.commit(batch).await.unwrap();
        self.engine.committed(&[RunId::from(run)]);
    }

    /// Waits until an operation has been called so often.
    pub(crate) async fn called(&self, operation: &str, times: usize) {
        let called = async || (self.ledger.keys(operation).len() >= times).then_some(());
        eventually(&format!("{operation} is called {times} times"), called).await;
    }

    /// Waits for a dead letter.
    pub(crate) async fn dead(&self) -> store::DeadLetter {
        let dead = async || self.store.dead(&store::DeadFilter::default()).await.unwrap().pop();
        eventually("something is dead", dead).await
    }

    /// Waits until guards were asked so often what they say of calls to come.
    pub(crate) async fn looked(&self, times: usize) {
        eventually("guards are asked", async || (self.ledger.looked() >= times).then_some(())).await;
    }

    /// Waits until the run shows what is wanted.
    pub(crate) async fn until(&self, run: &RunId, wanted: impl Fn(&RunView) -> bool) -> RunView {
        let shown = async || {
            let view = self.engine.view(run.as_str()).await.unwrap();
            wanted(&view).then_some(view)
        };
        let found = within(PATIENCE, shown).await;
        match found {
            Some(view) => view,
            None => panic!("never happened: {:#?}", self.engine.view(run.as_str()).await.unwrap()),
        }
    }

    /// Lets everything happen that is due within this time.
    pub(crate) async fn passes(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

fn limits() -> Limits {
    Limits { idle: Duration::from_millis(200), ..Limits::default() }
}

fn deps(
    store: &Store,
    ledger: &Ledger,
    said: &Arc<Recorder>,
    crash: &Arc<Crash>,
    clock: &Arc<HeldClock>,
) -> Deps {
    Deps {
        store: store.clone(),
        systems: ledger.systems(),
        conversations: said.clone(),
        definitions: Vec::new(),
        known: known(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(7)),
        limits: limits(),
        listener: crash.clone(),
    }
}

/// Delivers what runs of this engine tell.
fn relays(engine: &Engine) -> Relay {
    let relay = Relay::new(engine.relay(relay::Limits { attempts: 3, ..relay::Limits::default() }));
    relay.start();
    relay
}

/// Opens an engine. Flows that name what is not configured are not configured either.
async fn open(deps: Deps, flows: &[(String, String)], lacks: &BTreeSet<String>) -> Engine {
    let known = without(known(), lacks);
    let flows = flows.iter().filter(|(name, _)| !lacks.contains(&format!("flow {name}")));
    let definitions = match lacks.is_empty() {
        true => flows.map(|(name, text)| compile(name, text)).collect(),
        false => flows.filter_map(|(name, text)| compiled(name, text, &known)).collect(),
    };
    Engine::open(Deps { definitions, known, ..deps }).await.unwrap()
}

fn compiled(name: &str, text: &str, known: &Known) -> Option<flow::Definition> {
    flow::compile(name, &diag::parse("flows.yaml", text).unwrap(), known).0
}

/// What is known when these are not configured.
pub(crate) fn without(mut known: Known, lacks: &BTreeSet<String>) -> Known {
    for name in lacks {
        if let Some((system, operation)) = name.strip_prefix("key ").and_then(|name| name.split_once('.')) {
            let known = known.systems.get_mut(system).unwrap().get_mut(operation).unwrap();
            known.keyed_as = "another".into();
            continue;
        }
        match name.split_once('.') {
            Some((system, operation)) => drop(known.systems.get_mut(system).unwrap().remove(operation)),
            None => drop(known.flows.remove(name.trim_start_matches("flow "))),
        }
    }
    known
}

pub(crate) fn order() -> Value {
    json!({
        "id": "order-1", "customer_id": "c-1", "total_amount": 42, "delivery_address": "Bahnhofstrasse 1",
        "payment_method": "card", "items": [{ "product_id": "p1", "quantity": 1 }, { "product_id": "p2", "quantity": 2 }],
    })
}

impl World {
    /// The flow is another one from the next start on.
    pub(crate) fn changes_flow(&mut self, text: &str) {
        self.flows = vec![("main".to_owned(), text.to_owned())];
    }
}

/// Waits until there is what is looked for.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    within(PATIENCE, look).await.unwrap_or_else(|| panic!("never happened: {what}"))
}

/// What is looked for, when it is there before this time has passed.
async fn within<T>(time: Duration, look: impl AsyncFn() -> Option<T>) -> Option<T> {
    let end = tokio::time::Instant::now() + time;
    // What takes long is looked at less often.
    let mut step = STEP;
    loop {
        let found = look().await;
        if found.is_some() || tokio::time::Instant::now() >= end {
            return found;
        }
        tokio::time::sleep(step).await;
        step = (step + step / 50).min(Duration::from_secs(1));
    }
}

/// Plays a flow once for each of its journal entries, dies right after that entry, starts again, and looks at the end.
pub(crate) async fn at_each_write(
    flows: &[(&str, &str)],
    prepare: impl Fn(&World),
    check: impl Fn(&World, &RunView),
) {
    for entries in 1.. {
        let mut world = World::with(flows).await;
        prepare(&world);
        world.crash.after(entries);
        let run = world.start("act_1", order()).await;
        let died = eventually("dead or done", async || {
            let row = world.store.run(run.as_str()).await.unwrap()?;
            let over = row.status.is_ended() || row.status == store::RunStatus::Parked;
            world.crash.has_died().then_some(true).or(over.then_some(false))
        })
        .await;
        if died {
            world.dies_and_restarts().await;
        }
        let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
        check(&world, &view);
        if !died {
            return;
        }
    }
}
