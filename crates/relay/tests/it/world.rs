//! Systems that keep a ledger, messages for them, and a relay.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use guard::{Group, Pick};
use jiff::Timestamp;
use parking_lot::Mutex;
use port::{
    Call, Clock, Ctx, Fault, HeldClock, Kind, Landed, Link, Operation, Outlook, Repeat, Reply, SeededEntropy,
    Spec, Systems,
};
use relay::{Deps, Limits, Listener, Look, LooksUp, NotFound, Relay, Settled, Tell};
use serde_json::{Value, json};
use store::{Batch, DeadLetter, OutboxOp, OutboxRow, Store};
use tokio::sync::Notify;

/// A group of all systems, the first of which by name is asked first.
pub(crate) const GROUP: &str = "all";

/// What a system does with a call.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Acts and answers after so long.
    Answers(Duration),
    /// Does not act, and says so.
    Fails(Fault),
    /// Acts after so long, and its answer is lost.
    Loses(Duration),
}

type Behaviour = Box<dyn FnMut(&Call) -> Does + Send>;

/// A system and its own records.
pub(crate) struct System {
    spec: Spec,
    behaviour: Mutex<Behaviour>,
    pub(crate) outlook: Mutex<Outlook>,
    pub(crate) records: Mutex<Records>,
    clock: Arc<HeldClock>,
}

#[derive(Default)]
pub(crate) struct Records {
    /// Each call as it came: when, and its input.
    pub(crate) calls: Vec<(Timestamp, Value)>,
    /// Each effect, in order; a key that is known acts once.
    pub(crate) effects: Vec<Value>,
    keys: HashMap<String, Value>,
    pub(crate) most_at_once: usize,
    at_once: usize,
}

impl System {
    fn new(name: &str, clock: &Arc<HeldClock>) -> Self {
        let operations = vec![Operation::new("keyed", Repeat::Keyed), Operation::new("never", Repeat::Never)];
        let spec = Spec { system: name.into(), adapter: "test", version: "1", operations, probe_every: None };
        let behaviour: Behaviour = Box::new(|_| Does::Answers(Duration::from_millis(1)));
        let (outlook, records) = (Mutex::new(Outlook::Open), Mutex::default());
        Self { spec, behaviour: Mutex::new(behaviour), outlook, records, clock: clock.clone() }
    }

    pub(crate) fn behaves(&self, behaviour: impl FnMut(&Call) -> Does + Send + 'static) {
        *self.behaviour.lock() = Box::new(behaviour);
    }

    fn acts(&self, call: &Call) -> Value {
        let mut records = self.records.lock();
        let known = call.key.as_ref().filter(|_| &*call.operation == "keyed");
        if let Some(answer) = known.and_then(|key| records.keys.get(key.as_str())) {
            return answer.clone();
        }
        records.effects.push(Value::clone(&call.input));
        let answer = json!({ "id": records.effects.len() });
        if let Some(key) = known {
            records.keys.insert(key.as_str().to_owned(), answer.clone());
        }
        answer
    }

    pub(crate) fn effects(&self) -> Vec<Value> {
        self.records.lock().effects.clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.records.lock().calls.len()
    }
}

struct Adapter(Arc<System>);

/// Counts a call off, also when it is dropped.
struct Inside<'a>(&'a System);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.records.lock().at_once -= 1;
    }
}

impl Link for Adapter {
    fn spec(&self) -> &Spec {
        &self.0.spec
    }

    fn call<'a>(&'a self, _ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        async move {
            let does = (self.0.behaviour.lock())(&call);
            {
                let mut records = self.0.records.lock();
                records.calls.push((self.0.clock.now(), Value::clone(&call.input)));
                records.at_once += 1;
                records.most_at_once = records.most_at_once.max(records.at_once);
            }
            let _inside = Inside(&self.0);
            match does {
                Does::Fails(fault) => Err(fault),
                Does::Answers(after) => {
                    tokio::time::sleep(after).await;
                    Ok(Reply { output: self.0.acts(&call), ..Reply::default() })
                }
                Does::Loses(after) => {
                    tokio::time::sleep(after).await;
                    self.0.acts(&call);
                    Err(Fault::new(Kind::Timeout, Landed::Unknown, "no answer"))
                }
            }
        }
        .boxed()
    }

    fn probe<'a>(&'a self, _ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn outlook(&self, _operation: &str, _tenant: &str) -> Outlook {
        *self.0.outlook.lock()
    }

    fn limit(&self, _operation: &str) -> Option<Duration> {
        None
    }

    fn first_asked(&self, _operation: &str) -> Option<Arc<str>> {
        None
    }
}

/// Remembers whom it told.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) letters: Mutex<Vec<DeadLetter>>,
    pub(crate) settled: Mutex<Vec<String>>,
    /// What look-ups find, one after another; then nothing.
    pub(crate) finds: Mutex<VecDeque<Result<Option<Value>, Fault>>>,
    pub(crate) looks: AtomicUsize,
}

impl LooksUp for Heard {
    fn look<'a>(
        &'a self,
        _row: &'a OutboxRow,
        _tell: &'a Tell,
        _look: &'a Look,
    ) -> BoxFuture<'a, Result<Option<Value>, Fault>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        std::future::ready(self.finds.lock().pop_front().unwrap_or(Ok(None))).boxed()
    }
}

impl Listener for Heard {
    fn settled(&self, run: &str) {
        self.settled.lock().push(run.to_owned());
    }

    fn undeliverable(&self, letter: &DeadLetter) {
        self.letters.lock().push(letter.clone());
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) relay: Relay,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) heard: Arc<Heard>,
    bell: Arc<Notify>,
    systems: BTreeMap<&'static str, Arc<System>>,
    limits: Limits,
}

/// A message that is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) target: &'a str,
    pub(crate) run: &'a str,
    pub(crate) step: &'a str,
    pub(crate) key: &'a str,
    pub(crate) undone: bool,
    pub(crate) holds: bool,
    /// What comes of finding nothing, when it can be looked up.
    pub(crate) look: Option<NotFound>,
}

/// A message of a run of its own.
pub(crate) fn message<'a>(target: &'a str, run: &'a str, step: &'a str) -> Message<'a> {
    Message { target, run, step, key: run, undone: false, holds: true, look: None }
}

impl World {
    pub(crate) fn of<const N: usize>(systems: [&'static str; N]) -> Self {
        Self::with(systems, Limits { attempts: 3, ..Limits::default() })
    }

    pub(crate) fn with<const N: usize>(systems: [&'static str; N], limits: Limits) -> Self {
        let clock = Arc::new(HeldClock::new(Timestamp::from_second(1_700_000_000).unwrap()));
        let systems: BTreeMap<_, _> =
            systems.iter().map(|name| (*name, Arc::new(System::new(name, &clock)))).collect();
        let (store, heard, bell) = (Store::inline().unwrap(), Arc::default(), Arc::default());
        let relay = started(&store, &systems, &clock, (&heard, &bell), limits);
        Self { store, relay, clock, heard, bell, systems, limits }
    }

    pub(crate) fn system(&self, name: &str) -> &Arc<System> {
        &self.systems[name]
    }

    pub(crate) async fn tells(&self, messages: &[Message<'_>]) {
        let rows = messages.iter().map(|message| OutboxOp::Put(row(message, self.clock.now())));
        self.does(rows.collect()).await.unwrap();
    }

    pub(crate) async fn does(&self, outbox: Vec<OutboxOp>) -> Result<(), store::Error> {
        self.store.commit(Batch { outbox, ..Batch::default() }).await?;
        self.bell.notify_one();
        Ok(())
    }

    /// Lets everything happen that is due within this time.
    pub(crate) async fn passes(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The process dies where it stands, and the next one begins.
    pub(crate) async fn dies_and_restarts(&mut self) {
        self.relay.stop(Duration::ZERO).await;
        self.store = self.store.reopened();
        self.relay = started(&self.store, &self.systems, &self.clock, (&self.heard, &self.bell), self.limits);
    }

    /// Another relay over the same store, in the same process.
    pub(crate) fn another(&self) -> Relay {
        started(&self.store, &self.systems, &self.clock, (&self.heard, &self.bell), self.limits)
    }

    /// Another process has the store and begins its work; this one lives on.
    pub(crate) async fn is_replaced(&mut self) {
        self.store = self.store.take_over().await.unwrap();
        self.relay = self.another();
    }

    pub(crate) async fn rows(&self) -> Vec<OutboxRow> {
        self.store.outbox(&store::OutboxFilter::default()).await.unwrap()
    }

    pub(crate) async fn answer(&self, run: &str, step: &str) -> Option<Settled> {
        self.store.answer(run, step).await.unwrap().and_then(|answer| Settled::read(&answer))
    }
}

fn started(
    store: &Store,
    systems: &BTreeMap<&'static str, Arc<System>>,
    clock: &Arc<HeldClock>,
    (heard, bell): (&Arc<Heard>, &Arc<Notify>),
    limits: Limits,
) -> Relay {
    let link = |(name, system): (&&str, &Arc<System>)| {
        ((*name).to_owned(), Arc::new(Adapter(system.clone())) as Arc<dyn Link>)
    };
    let links: Vec<_> = systems.iter().map(link).collect();
    let members: Vec<_> = links.iter().map(|(_, link)| link.clone()).collect();
    let group = Group::new(GROUP, members, Pick::Failover, clock.clone()).unwrap();
    let group = (GROUP.to_owned(), Arc::new(group) as Arc<dyn Link>);
    let relay = Relay::new(Deps {
        store: store.clone(),
        systems: Systems::new(links.into_iter().chain([group])),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(7)),
        limits,
        listener: heard.clone(),
        looks_up: heard.clone(),
        bell: bell.clone(),
    });
    relay.start();
    relay
}

pub(crate) fn row(message: &Message<'_>, now: Timestamp) -> OutboxRow {
    let Message { target, run, step, key, undone, holds, look } = *message;
    let tell = Tell {
        input: json!(format!("{run}/{step}")),
        key: format!("{run}/{step}"),
        run: run.to_owned(),
        step: step.to_owned(),
        trace: None,
        undone,
        holds,
        look: look.map(|not_found| Look {
            after_ms: 2000,
            every_ms: 4000,
            until_ms: 30_000,
            not_found,
            with: Value::Null,
            names: Value::Null,
        }),
        asked: None,
        again: false,
    };
    OutboxRow {
        id: format!("{run}/{step}"),
        kind: relay::KIND.to_owned(),
        lane: target.split('.').next().unwrap().to_owned(),
        key: key.to_owned(),
        target: target.to_owned(),
        payload: serde_json::to_vec(&tell).unwrap(),
        tenant: "acme".to_owned(),
        correlation: "cor".to_owned(),
        created: now,
        due: now,
        ..OutboxRow::default()
    }
}

pub(crate) fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

pub(crate) fn busy() -> Fault {
    Fault::new(Kind::Unavailable, Landed::No, "busy")
}
