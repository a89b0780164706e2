//! A system made of time alone: it answers as a function of the moment and the call says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use guard::{Guarded, Listener, Policy, RuntimeClock};
use port::{Adapter, Call, Ctx, Fault, Kind, Landed, Link, Operation, Repeat, Reply, SeededEntropy, Spec};
use serde_json::Value;

use crate::ear::Ear;

type Behave = dyn Fn(Call) -> BoxFuture<'static, Result<Reply, Fault>> + Send + Sync;

/// Counts what arrives, and then does as it was made to.
struct Model {
    spec: Spec,
    behave: Box<Behave>,
    arrived: Arc<AtomicU64>,
}

impl Adapter for Model {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn call(&self, _ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        (self.behave)(call).await
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

/// A model behind a guard, on the runtime's clock.
pub(crate) struct Modelled {
    pub(crate) guarded: Guarded,
    pub(crate) ear: Arc<Ear>,
    arrived: Arc<AtomicU64>,
    ctx: Ctx,
}

impl Modelled {
    /// The dice start at `seed`.
    pub(crate) fn new<F>(
        policy: Policy,
        seed: u64,
        behave: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = Result<Reply, Fault>> + Send + 'static,
    {
        let behave: Box<Behave> = Box::new(move |call| Box::pin(behave(call)));
        let (ear, arrived) = (Arc::<Ear>::default(), Arc::<AtomicU64>::default());
        let (spec, clock) = (spec(), Arc::new(RuntimeClock::start()));
        let link: Arc<dyn Link> = Arc::new(Model { spec, behave, arrived: Arc::clone(&arrived) });
        let listener = Arc::clone(&ear) as Arc<dyn Listener>;
        let ctx = Ctx::held("acme", "matrix", Arc::clone(&clock) as _, Arc::new(SeededEntropy::new(seed)));
        Arc::new(Self { guarded: Guarded::new(link, policy, listener, clock), ear, arrived, ctx })
    }

    /// Calls `read`, which is safe to repeat.
    pub(crate) async fn read(&self, tenant: &str, input: Value) -> Result<(), Fault> {
        let ctx = Ctx { tenant: tenant.into(), ..self.ctx.clone() };
        self.guarded
            .call(&ctx, Call { operation: "read".into(), input: input.into(), key: None })
            .await
            .map(drop)
    }

    /// Calls that reached the system so far.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Calls that are out or wait for a place.
    pub(crate) fn busy(&self) -> u32 {
        self.guarded.status().lanes.iter().map(|lane| lane.in_flight + lane.queued).sum()
    }
}

fn spec() -> Spec {
    let operations = vec![Operation::new("read", Repeat::Safe)];
    Spec { system: "model".into(), adapter: "model", version: "1.0.0", operations, probe_every: None }
}

/// The system is there and cannot serve.
pub(crate) fn unavailable() -> Fault {
    Fault::new(Kind::Unavailable, Landed::Unknown, "modelled").status(500).with("answer", "no stock database")
}
