//! A system that follows a script, a listener that remembers, and a paused clock.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use guard::{Event, Guarded, Listener, Policies, Policy, RuntimeClock};
use port::{
    Adapter, Call, Ctx, Fault, IdempotencyKey, Kind, Landed, Link, Operation, Repeat, Reply, SeededEntropy,
    Spec,
};
use serde_json::Value;

type Script = dyn Fn(u32, Ctx) -> BoxFuture<'static, Result<Reply, Fault>> + Send + Sync;

/// Answers as its script says; counts what reached it, and what is still there.
pub(crate) struct Scripted {
    spec: Spec,
    script: Box<Script>,
    pub(crate) calls: AtomicU32,
    pub(crate) inside: AtomicU32,
}

impl Adapter for Scripted {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn call(&self, ctx: &Ctx, _call: Call) -> Result<Reply, Fault> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.inside.fetch_add(1, Ordering::Relaxed);
        let _leaving = Leaving(&self.inside);
        (self.script)(number, ctx.clone()).await
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

struct Leaving<'a>(&'a AtomicU32);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Remembers what it heard, one word per event.
#[derive(Default)]
pub(crate) struct Ear(Mutex<Vec<String>>, Mutex<Vec<Duration>>);

impl Ear {
    pub(crate) fn heard(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// How long each attempt and each call took.
    pub(crate) fn durations(&self) -> Vec<Duration> {
        self.1.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, word: &str) -> usize {
        self.heard().iter().filter(|heard| *heard == word).count()
    }
}

impl Listener for Ear {
    fn hear(&self, event: &Event<'_>) {
        if let Event::AttemptFinished { duration, .. } | Event::CallFinished { duration, .. } = event {
            self.1.lock().unwrap().push(*duration);
        }
        let word = match event {
            Event::AttemptStarted { .. } => "started".into(),
            Event::AttemptFinished { outcome: Ok(()), .. } => "good".into(),
            Event::AttemptFinished { outcome: Err(fault), .. } => fault.kind.as_str().into(),
            Event::RetryScheduled { delay, .. } => format!("retry in {delay:?}"),
            Event::BudgetSpent { .. } => "budget spent".into(),
            Event::Hedged { .. } => "hedged".into(),
            Event::CopyDropped { attempt, .. } => format!("copy {attempt} dropped"),
            Event::Transition { from, to, .. } => format!("{} to {}", from.as_str(), to.as_str()),
            Event::Rejected { by, .. } => by.as_str().into(),
            Event::Paused { pause, .. } => format!("pause of {pause:?}"),
            Event::LimitStore { store, away: Some(_) } => format!("{store} is away"),
            Event::LimitStore { store, away: None } => format!("{store} is back"),
            Event::LimitFallback { fallback, .. } => fallback.as_str().into(),
            Event::CallAbandoned { attempts, .. } => format!("abandoned after {attempts}"),
            Event::CallFinished { attempts, .. } => format!("finished after {attempts}"),
        };
        self.0.lock().unwrap().push(word);
    }
}

/// A guarded scripted system.
pub(crate) struct World {
    pub(crate) guarded: Arc<Guarded>,
    pub(crate) system: Arc<Scripted>,
    pub(crate) ear: Arc<Ear>,
    pub(crate) clock: RuntimeClock,
}

impl World {
    pub(crate) fn new<F>(
        policies: impl Into<Policies>,
        script: impl Fn(u32, Ctx) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Reply, Fault>> + Send + 'static,
    {
        let script: Box<Script> = Box::new(move |number, ctx| Box::pin(script(number, ctx)));
        let (calls, inside) = (AtomicU32::new(0), AtomicU32::new(0));
        let system = Arc::new(Scripted { spec: spec(), script, calls, inside });
        let (ear, clock) = (Arc::new(Ear::default()), RuntimeClock::start());
        let link = Arc::clone(&system) as Arc<dyn Link>;
        let guarded =
            Arc::new(Guarded::new(link, policies, Arc::clone(&ear) as Arc<dyn Listener>, Arc::new(clock)));
        Self { guarded, system, ear, clock }
    }

    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::held("acme", "test", Arc::new(self.clock), Arc::new(SeededEntropy::new(1)))
    }

    pub(crate) async fn call(&self, operation: &str) -> Result<Reply, Fault> {
        self.guarded.call(&self.ctx(), call(operation)).await
    }

    pub(crate) async fn keyed(&self, operation: &str) -> Result<Reply, Fault> {
        let call = Call { key: IdempotencyKey::new("k1"), ..call(operation) };
        self.guarded.call(&self.ctx(), call).await
    }

    pub(crate) fn calls(&self) -> u32 {
        self.system.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn inside(&self) -> u32 {
        self.system.inside.load(Ordering::Relaxed)
    }
}

pub(crate) fn call(operation: &str) -> Call {
    Call { operation: operation.into(), input: Value::Null.into(), key: None }
}

fn spec() -> Spec {
    let operations = vec![
        Operation::new("charge", Repeat::Keyed),
        Operation::new("post", Repeat::Never),
        Operation::new("read", Repeat::Safe),
    ];
    Spec { system: "crm".into(), adapter: "scripted", version: "1.0.0", operations, probe_every: None }
}

/// A bare policy: one stage at a time is added by the test that is about it.
pub(crate) fn bare() -> Policy {
    Policy { breaker: None, bulkhead: None, limit: None, ..Policy::default() }
}

pub(crate) fn fault(kind: Kind, landed: Landed) -> Fault {
    Fault::new(kind, landed, "scripted")
}

pub(crate) async fn hang() -> Result<Reply, Fault> {
    std::future::pending().await
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
