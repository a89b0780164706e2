//! The stages of a guard around any attempt, unboxed.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use port::{Clock, Entropy, Fault, Recorder, Repeat, Unrecorded};

use crate::budget::Purse;
use crate::event::Listener;
use crate::lanes::{LaneRef, Lanes};
use crate::median::Median;
use crate::policy::Policy;
use crate::run::{End, First, Pass, Run};
use crate::shared::{Store, Till};
use crate::tick::Tick;

/// The stages of one policy. Makes no allocation on the way of a call that succeeds or is rejected.
pub struct Pipeline {
    pub(crate) system: Arc<str>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) purse: Arc<Purse>,
    pub(crate) world: World,
}

/// What a guard needs of the world.
#[derive(Clone)]
pub struct World {
    /// Must be the clock that contexts carry, and must agree with the runtime's timers.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub listener: Arc<dyn Listener>,
    /// Takes the span of each call and attempt.
    pub(crate) recorder: Arc<dyn Recorder>,
    /// Tick zero, as the clock's instant and as its nanoseconds.
    pub(crate) base: Instant,
    origin: u64,
    /// Where shared limits are counted, by name.
    stores: Arc<BTreeMap<Box<str>, Arc<Store>>>,
}

impl World {
    /// A world whose tick zero is now.
    pub fn new(clock: Arc<dyn Clock>, listener: Arc<dyn Listener>) -> Self {
        let (base, origin) = (clock.instant(), clock.nanos());
        Self { clock, listener, recorder: Arc::new(Unrecorded), base, origin, stores: Arc::default() }
    }

    /// The same world, with stores that shared limits may name. Give all guards the same stores, so that they learn
    /// from each other that one is away. A limit that names another store has its fallback for good.
    pub fn sharing(self, stores: impl IntoIterator<Item = Arc<Store>>) -> Self {
        let stores = stores.into_iter().map(|store| (store.name().into(), store)).collect();
        Self { stores: Arc::new(stores), ..self }
    }

    /// The same world, with someone who takes the spans of calls and attempts.
    pub fn recording(self, recorder: Arc<dyn Recorder>) -> Self {
        Self { recorder, ..self }
    }

    /// Where the limit of `policy` is counted, when that is not here.
    fn till(&self, policy: &Policy, scope: String, common: &str) -> Option<Till> {
        let shared = policy.limit.as_ref()?.shared.as_ref()?;
        let found = self.stores.get(&*shared.store).cloned();
        let store = found.unwrap_or_else(|| Arc::new(Store::missing(&shared.store)));
        Some(Till { store, scope, common: common.into() })
    }

    #[inline]
    pub(crate) fn now(&self) -> Tick {
        Tick::from_nanos(self.clock.nanos().saturating_sub(self.origin))
    }

    #[inline]
    pub(crate) fn tick(&self, instant: Instant) -> Tick {
        Tick::between(self.base, instant)
    }
}

/// One call, as far as a guard needs to know it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The operation called.
    pub operation: &'a str,
    /// The operation, tenant or model, as the policy's `per` says; ignored when there is one for all.
    pub key: &'a str,
    /// How safe a repeat is.
    pub repeat: Repeat,
    /// Whether an idempotency key is sent.
    pub keyed: bool,
    /// What the call takes of a limit, times the policy's weight; at least 1. More than a capacity is all of it.
    pub cost: u32,
    /// The caller's deadline.
    pub deadline: Option<Instant>,
    /// How long this operation usually takes, and where that is learned; without it, short deadlines are not judged.
    pub usual: Option<&'a Median>,
    /// The dice.
    pub entropy: &'a dyn Entropy,
}

/// One attempt, as the closure that makes it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    pub(crate) base: Instant,
    pub(crate) until: Tick,
}

impl Attempt {
    /// When the guard will drop it.
    pub fn deadline(&self) -> Instant {
        self.base + self.until.since(Tick::default())
    }
}

impl Pipeline {
    /// The stages of `policy` for a system of that name.
    pub fn new(system: &str, policy: Policy, world: World) -> Self {
        let policy = Arc::new(policy);
        let till = world.till(&policy, system.to_owned(), system);
        let lanes = Arc::new(Lanes::new(system, Arc::clone(&policy), None, till));
        let purse = Arc::new(Purse::new(policy.retry.budget.clone()));
        Self { system: system.into(), policy, lanes, purse, world }
    }

    /// The stages of another policy for one operation, `name`, of the same system. The retry budget is shared, and so is every
    /// stage with the same numbers.
    pub fn operation(&self, name: &str, policy: Policy) -> Self {
        let policy = Arc::new(policy);
        let till = self.world.till(&policy, format!("{}.{name}", self.system), name);
        let lanes = Lanes::new(name, Arc::clone(&policy), Some(Arc::clone(&self.lanes)), till);
        let (system, purse, world) = (Arc::clone(&self.system), Arc::clone(&self.purse), self.world.clone());
        Self { system, policy, lanes: Arc::new(lanes), purse, world }
    }

    /// Makes a call: as many attempts as the policy, the budget and the deadline allow.
    ///
    /// Dropping the future drops the attempt that is out and gives everything back that was taken for it.
    ///
    /// # Errors
    /// The last attempt's fault, with the number of attempts made and the worst of what may have landed; or a
    /// rejection, when a guard kept the call in.
    pub async fn call<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        request: &Request<'_>,
        send: impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let started = self.world.now();
        let lane = self.lane(request.key, started);
        let run = Run::new(self, request, &lane, started);
        let end = End::of(&run);
        // From here on a result stays where it is: to move it on costs more than a stage does.
        let mut result = match run.first() {
            First::Alone => match run.pass() {
                Ok(Pass::Clear(cleared)) => run.send(cleared, &send).await,
                Ok(Pass::Wait(wait)) => Box::pin(run.after(wait, &send)).await,
                Err(refused) => return end.refused(refused),
            },
            First::Hedged(hedge) => Box::pin(run.race(hedge, &send)).await,
        };
        match &mut result {
            Ok(_) => run.succeeded(),
            Err(fault) => {
                if let Some(next) = run.again(fault) {
                    let retried = Box::pin(run.retry(next, fault, &send)).await;
                    result = retried;
                } else {
                    fault.attempts = run.attempts();
                }
            }
        }
        end.with(&result);
        result
    }

    #[inline]
    pub(crate) fn lane(&self, key: &str, now: Tick) -> LaneRef<'_> {
        self.lanes.get(key, now)
    }
}
