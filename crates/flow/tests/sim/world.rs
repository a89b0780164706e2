//! Systems as they are: some honour keys and some do not; answers are lost, cut, late; look-ups lag behind.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flow::Known;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use guard::{Group, Pick};
use parking_lot::Mutex;
use port::{Call, Clock, Ctx, Fault, Kind, Landed, Link, Operation, Outlook, Repeat, Reply, Spec, Systems};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::case::Case;
use crate::dice;
use crate::ledger::{Ledger, Request};
use crate::switches::is_on;

/// How long one round of a step may take, as the generated flows say it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call without such a bound is waited for.
const GIVEN_UP: Duration = Duration::from_secs(30);
/// `keyed` honours keys; `plain` acts each time; `strict` refuses what it has done already.
pub(crate) const SYSTEMS: [&str; 3] = ["keyed", "plain", "strict"];
/// Made of others: the first that answers acts.
pub(crate) const GROUP: &str = "pair";
const MEMBERS: [&str; 2] = ["keyed", "strict"];

/// The world outside of the process.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    seed: u64,
    /// Faults are rolled until then.
    calm: Duration,
    /// Of a hundred requests, so many go wrong.
    faults: u64,
    began: Instant,
    ledger: Mutex<Ledger>,
    /// What becomes of the next requests that would act.
    script: Mutex<VecDeque<Fate>>,
    /// The process that lives; 0 while none does.
    living: watch::Sender<u64>,
    lives: AtomicU64,
    /// Moments at which the process dies, counted over stores and systems; and how many have been.
    kills: Mutex<Vec<u64>>,
    moments: AtomicU64,
    pub(crate) crashes: AtomicU64,
}

/// What becomes of a request that would act.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Done,
    /// It lands, and the answer is lost.
    Lost,
    /// It lands after the attempt has been given up.
    Late,
    /// It lands, and the answer is cut off.
    Cut,
    /// It lands, and the connection breaks.
    Broken,
    /// The connection breaks before it lands.
    Gone,
    Refused,
    Unreachable,
    Throttled,
    Hangs,
    /// The system works on it for long; who asks again is told so.
    Slow,
}

impl World {
    pub(crate) fn new(case: &Case, calm: Duration) -> Self {
        let Case { seed, faults, script, mut kills, .. } = case.clone();
        kills.sort_unstable_by(|a, b| b.cmp(a));
        Self(Arc::new(Inner {
            seed,
            calm,
            faults,
            began: Instant::now(),
            ledger: Mutex::default(),
            script: Mutex::new(script.into()),
            living: watch::Sender::new(0),
            lives: AtomicU64::new(0),
            kills: Mutex::new(kills),
            moments: AtomicU64::new(0),
            crashes: AtomicU64::new(0),
        }))
    }

    pub(crate) fn ledger(&self) -> parking_lot::MutexGuard<'_, Ledger> {
        self.0.ledger.lock()
    }

    pub(crate) fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    pub(crate) fn crashes(&self) -> u64 {
        self.0.crashes.load(Ordering::SeqCst)
    }

    /// Another process begins.
    pub(crate) fn begins(&self) -> u64 {
        let life = self.0.lives.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.living.send_replace(life);
        life
    }

    /// The process is gone, from this moment.
    pub(crate) fn dies(&self) {
        if self.0.living.send_replace(0) != 0 {
            self.0.crashes.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        *self.0.living.borrow() == 0
    }

    pub(crate) async fn died(&self) {
        let _ = self.0.living.subscribe().wait_for(|life| *life == 0).await;
    }

    /// One of the moments at which the process may die. Whether it does, before (0) or after (1) it.
    pub(crate) fn moment(&self) -> Option<u64> {
        let moment = self.0.moments.fetch_add(1, Ordering::SeqCst);
        let mut kills = self.0.kills.lock();
        let hit = kills.last().is_some_and(|next| *next / 2 <= moment);
        hit.then(|| kills.pop().unwrap_or_default() % 2)
    }

    pub(crate) fn systems(&self, life: u64, missing: Option<&str>, clock: Arc<dyn Clock>) -> Systems {
        let system = |name: &'static str| {
            Arc::new(System { name, spec: spec(name), world: self.clone(), life }) as Arc<dyn Link>
        };
        let there = SYSTEMS.into_iter().filter(|name| Some(*name) != missing);
        let mut systems: Vec<_> = there.map(|name| (name.to_owned(), system(name))).collect();
        if missing.is_none_or(|name| !MEMBERS.contains(&name)) {
            let group = Group::new(GROUP, MEMBERS.map(system).into(), Pick::Failover, clock).unwrap();
            systems.push((GROUP.to_owned(), Arc::new(group)));
        }
        Systems::new(systems)
    }

    fn dice(&self, operation: &str, mark: &str, nth: u64) -> dice::Dice {
        dice::of((self.0.seed, operation, mark, nth))
    }

    fn is_calm(&self) -> bool {
        self.now() >= self.0.calm
    }

    /// It lands after so long, whatever becomes of the process that asked.
    fn lands_after(&self, wait: Duration, system: &'static str, mark: &str, key: &str) {
        *self.ledger().underway.entry(mark.to_owned()).or_default() += 1;
        let (world, mark, key) = (self.clone(), mark.to_owned(), key.to_owned());
        tokio::spawn(async move {
            sleep(wait).await;
            let now = world.now();
            let mut ledger = world.ledger();
            *ledger.underway.entry(mark.clone()).or_default() -= 1;
            if !(system == "strict" && ledger.standing_at(system, &mark).next().is_some()) {
                ledger.land(system, &mark, &key, now);
                ledger.late += 1;
            }
        });
    }
}

/// One system, as one process reaches it.
struct System {
    name: &'static str,
    spec: Spec,
    world: World,
    life: u64,
}

impl System {
    /// A process that has died gets no further.
    async fn lives(&self) {
        if *self.world.0.living.borrow() != self.life {
            std::future::pending::<()>().await;
        }
    }

    async fn answer(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        self.lives().await;
        let kill = self.world.moment();
        if kill == Some(0) {
            self.world.dies();
            self.lives().await;
        }
        let (mark, key) =
            (wanted(&call.input), call.key.map(|key| key.as_str().to_owned()).unwrap_or_default());
        let operation = format!("{}.{}", self.name, call.operation);
        let nth = self.world.ledger().nth(&operation, &mark);
        let from = ctx.causation.as_deref().unwrap_or_default().to_owned();
        let ended = match &*call.operation {
            "put" => self.put(&operation, &mark, &key, nth),
            "drop" => self.drop_it(&operation, &mark, nth, &from),
            _ => self.find(&operation, &mark, nth),
        };
        let (wait, end, reply) = ended;
        let at = self.world.now();
        self.world.ledger().requests.push(Request { at, from, operation, mark, key, end });
        if kill == Some(1) {
            self.world.dies();
        }
        self.lives().await;
        // Whoever guards the call does not wait for ever, even when its step has no end.
        sleep(wait.unwrap_or(GIVEN_UP)).await;
        self.lives().await;
        reply
    }

    fn fate(&self, operation: &str, mark: &str, nth: u64) -> (Fate, dice::Dice) {
        let mut dice = self.world.dice(operation, mark, nth);
        if operation.ends_with("put")
            && let Some(fate) = self.world.0.script.lock().pop_front()
        {
            return (fate, dice);
        }
        if self.world.is_calm() || !dice.percent(self.world.0.faults) {
            return (Fate::Done, dice);
        }
        let fates = [
            Fate::Lost,
            Fate::Late,
            Fate::Late,
            Fate::Cut,
            Fate::Broken,
            Fate::Gone,
            Fate::Refused,
            Fate::Unreachable,
            Fate::Throttled,
            Fate::Hangs,
            Fate::Slow,
        ];
        let fate = *dice.pick(&fates);
        let late = matches!(fate, Fate::Late | Fate::Slow);
        (if late && !is_on("late") { Fate::Hangs } else { fate }, dice)
    }

    fn put(&self, operation: &str, mark: &str, key: &str, nth: u64) -> Ended {
        let (world, name) = (&self.world, self.name);
        let now = world.now();
        let (fate, mut dice) = self.fate(operation, mark, nth);
        let short = Duration::from_millis(1 + dice.below(1500));
        if let Some(ended) = self.seen_before(mark, key, short) {
            // What it says of an earlier request may be lost as well.
            return if fate == Fate::Lost || fate == Fate::Hangs { hangs("lost") } else { ended };
        }
        let lands = || world.ledger().land(name, mark, key, now);
        match fate {
            Fate::Done => done(short, lands()),
            Fate::Lost => {
                lands();
                hangs("lost")
            }
            Fate::Late => {
                let over = Duration::from_millis(dice.below(2500));
                world.lands_after(TIMEOUT + over, name, mark, key);
                hangs("late")
            }
            Fate::Cut => {
                lands();
                fails(short, "cut", Kind::Protocol, Landed::Yes)
            }
            Fate::Broken => {
                lands();
                fails(short, "broken", Kind::Unavailable, Landed::Unknown)
            }
            Fate::Gone => fails(short, "gone", Kind::Unavailable, Landed::Unknown),
            Fate::Refused => {
                world.ledger().refuse(mark);
                fails(short, "refused", Kind::Refused, Landed::No)
            }
            Fate::Unreachable => fails(short, "unreachable", Kind::Connect, Landed::No),
            Fate::Throttled => {
                let (wait, end, reply) = fails(short, "throttled", Kind::Throttled, Landed::No);
                (wait, end, reply.map_err(|fault| fault.after(Some(Duration::from_secs(2)))))
            }
            Fate::Hangs => hangs("hangs"),
            Fate::Slow if name == "keyed" => {
                world.lands_after(Duration::from_secs(5 + dice.below(55)), name, mark, key);
                hangs("slow")
            }
            Fate::Slow => hangs("hangs"),
        }
    }

    /// What a system says that knows of an earlier request for the same.
    fn seen_before(&self, mark: &str, key: &str, short: Duration) -> Option<Ended> {
        let ledger = self.world.ledger();
        if ledger.is_refused(mark) {
            return Some(fails(short, "refused again", Kind::Refused, Landed::No));
        }
        match self.name {
            "keyed" => match ledger.by_key("keyed", key) {
                Some(id) => Some(done(short, id)),
                None => ledger.is_underway(mark).then(|| in_progress(short)),
            },
            "strict" => {
                let there = ledger.standing_at("strict", mark).next().is_some();
                there.then(|| fails(short, "duplicate", Kind::Refused, Landed::No))
            }
            _ => None,
        }
    }

    /// Undoes what is there; knows nothing of what has not landed.
    fn drop_it(&self, operation: &str, mark: &str, nth: u64, from: &str) -> Ended {
        let (fate, mut dice) = self.fate(operation, mark, nth);
        let short = Duration::from_millis(1 + dice.below(1500));
        let by = from.split('/').next().unwrap_or_default();
        let mut ledger = self.world.ledger();
        match fate {
            Fate::Refused if dice.percent(70) => {}
            Fate::Refused => return fails(short, "refused", Kind::Refused, Landed::No),
            Fate::Unreachable | Fate::Throttled => {
                return fails(short, "unreachable", Kind::Connect, Landed::No);
            }
            Fate::Hangs | Fate::Gone => return hangs("hangs"),
            _ => {}
        }
        if self.name == "keyed" && ledger.is_underway(mark) {
            return in_progress(short);
        }
        let found = ledger.undo((self.name, mark), by);
        match (found, fate) {
            (false, _) => fails(short, "nothing there", Kind::NotFound, Landed::No),
            (true, Fate::Lost | Fate::Late | Fate::Slow) => hangs("undone, lost"),
            (true, Fate::Broken) => fails(short, "undone, broken", Kind::Unavailable, Landed::Unknown),
            (true, _) => (Some(short), "undone", Ok(reply(json!({ "undone": mark })))),
        }
    }

    /// Finds what stands, some seconds after it landed.
    fn find(&self, operation: &str, mark: &str, nth: u64) -> Ended {
        let (fate, mut dice) = self.fate(operation, mark, nth);
        let short = Duration::from_millis(1 + dice.below(500));
        let lag = if is_on("lag") { self.world.dice("lag", mark, 0).below(2000) } else { 0 };
        let lag = Duration::from_millis(lag);
        match fate {
            Fate::Lost | Fate::Hangs | Fate::Slow => return hangs("hangs"),
            Fate::Unreachable | Fate::Broken | Fate::Gone => {
                return fails(short, "unreachable", Kind::Connect, Landed::No);
            }
            _ => {}
        }
        let now = self.world.now();
        let ledger = self.world.ledger();
        let found = ledger.standing_at(self.name, mark).find(|effect| effect.at + lag <= now);
        match found {
            // Long after it would have settled: a system that is at it says so.
            None if self.name == "keyed" && ledger.is_underway(mark) => in_progress(short),
            Some(effect) => (Some(short), "found", Ok(reply(json!({ "id": effect.id.to_string() })))),
            None => fails(short, "not found", Kind::NotFound, Landed::No),
        }
    }
}

type Ended = (Option<Duration>, &'static str, Result<Reply, Fault>);

fn done(wait: Duration, id: u64) -> Ended {
    (Some(wait), "done", Ok(reply(json!({ "id": id.to_string() }))))
}

fn hangs(end: &'static str) -> Ended {
    (None, end, Err(Fault::new(Kind::Timeout, Landed::Unknown, end)))
}

fn fails(wait: Duration, end: &'static str, kind: Kind, landed: Landed) -> Ended {
    (Some(wait), end, Err(Fault::new(kind, landed, end)))
}

fn in_progress(wait: Duration) -> Ended {
    let fault = Fault::new(Kind::Conflict, Landed::Unknown, "in progress").status(409);
    (Some(wait), "in progress", Err(fault.after(Some(Duration::from_secs(3)))))
}

fn reply(output: Value) -> Reply {
    Reply { output, status: Some(port::Status::http(200)), ..Reply::default() }
}

fn wanted(input: &Value) -> String {
    input.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Link for System {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        self.answer(ctx, call).boxed()
    }

    fn probe<'a>(&'a self, _ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn outlook(&self, _operation: &str, _tenant: &str) -> Outlook {
        Outlook::Open
    }

    fn limit(&self, _operation: &str) -> Option<Duration> {
        None
    }

    fn first_asked(&self, _operation: &str) -> Option<Arc<str>> {
        None
    }
}

/// Everything that flows may name.
pub(crate) fn known() -> Known {
    let specs: Vec<Spec> = SYSTEMS.iter().map(|name| spec(name)).collect();
    let members = specs.iter().filter(|spec| MEMBERS.contains(&&*spec.system));
    let group = guard::group::check(GROUP, members, &Pick::Failover).unwrap();
    let mut known = Known::from_specs(specs.iter().chain([&group]));
    known.groups = [(GROUP.to_owned(), MEMBERS.map(str::to_owned).into())].into();
    known.flows = ["main", "child", "grandchild"].map(str::to_owned).into();
    known
}

fn spec(name: &str) -> Spec {
    let put = if name == "keyed" { Repeat::Keyed } else { Repeat::Never };
    let put = Operation { undo: Some("drop".into()), ..Operation::new("put", put) };
    let operations = vec![Operation::new("drop", Repeat::Safe), Operation::new("find", Repeat::Safe), put];
    Spec { system: name.into(), adapter: "world", version: "1.0.0", operations, probe_every: None }
}
