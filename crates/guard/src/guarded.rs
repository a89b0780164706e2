//! A guarded system: a link around a link.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use port::{Call, Clock, Ctx, Fault, Link, Repeat, Reply, Spec};

use crate::breaker::{Breaker, Change, Scene};
use crate::event::{Event, Listener, Place};
use crate::lane::Lane;
use crate::pipeline::{Attempt, Pipeline, Request, World};
use crate::policy::{Per, Policy};
use crate::status::{Status, Switch};
use crate::tick::Tick;

/// The policies of one system: its own, and those of the operations that differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    /// Of every operation not named below.
    pub system: Policy,
    /// By operation.
    pub operations: BTreeMap<Arc<str>, Policy>,
}

impl From<Policy> for Policies {
    fn from(system: Policy) -> Self {
        Self { system, operations: BTreeMap::new() }
    }
}

/// A system behind its guard.
pub struct Guarded {
    link: Arc<dyn Link>,
    system: Pipeline,
    operations: BTreeMap<Arc<str>, Pipeline>,
}

impl Guarded {
    /// Puts `link` behind `policies`. The clock must be the one that contexts carry and must agree with the
    /// runtime's timers ([`port::SystemClock`], or [`crate::RuntimeClock`] in a test that pauses time).
    pub fn new(
        link: Arc<dyn Link>,
        policies: impl Into<Policies>,
        listener: Arc<dyn Listener>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let policies = policies.into();
        let system = Pipeline::new(&link.spec().system, policies.system, World::new(clock, listener));
        let operations = policies.operations.into_iter();
        let operations = operations.map(|(name, policy)| (name, system.operation(policy))).collect();
        Self { link, system, operations }
    }

    fn pipeline(&self, operation: &str) -> &Pipeline {
        self.operations.get(operation).unwrap_or(&self.system)
    }

    async fn guarded(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let pipeline = self.pipeline(&call.operation);
        let request = Request {
            operation: &call.operation,
            key: key(pipeline.lanes.per(), ctx, &call),
            // An operation that the spec does not know is the adapter's to refuse, and nobody's to repeat.
            repeat: self.link.spec().operation(&call.operation).map_or(Repeat::Never, |known| known.repeat),
            keyed: call.key.is_some(),
            deadline: ctx.deadline,
            entropy: &*ctx.entropy,
        };
        pipeline.call(&request, |attempt| self.send(ctx, &call, attempt)).await
    }

    /// One attempt: the adapter is told which one it is, and when it will be dropped.
    async fn send(&self, ctx: &Ctx, call: &Call, attempt: Attempt) -> Result<Reply, Fault> {
        let ctx = Ctx { deadline: Some(attempt.deadline), attempt: attempt.number, ..ctx.clone() };
        self.link.call(&ctx, call.clone()).await
    }

    /// What the guard looks like now.
    pub fn status(&self) -> Status {
        let now = self.system.world.now();
        let (purse, lanes) = (&self.system.purse, self.lanes());
        Status {
            system: self.system.system.to_string(),
            budget: purse.left(),
            budget_capacity: purse.capacity(),
            lanes: lanes.iter().map(|lane| lane.status(now)).collect(),
        }
    }

    /// Closes every breaker of this system and forgets what it knew.
    pub fn reset(&self) {
        self.each_breaker(|breaker, scene| breaker.reset(scene));
    }

    /// Rejects every call until told otherwise.
    pub fn force_open(&self) {
        self.switch(Switch::ForcedOpen);
    }

    /// Lets every call pass and judges none.
    pub fn disable(&self) {
        self.switch(Switch::Disabled);
    }

    /// Judges and reports, but lets every call pass.
    pub fn observe_only(&self) {
        self.switch(Switch::ObserveOnly);
    }

    /// Judges and acts again.
    pub fn automatic(&self) {
        self.switch(Switch::Auto);
    }

    fn switch(&self, switch: Switch) {
        self.each_breaker(|breaker, _| breaker.set(switch));
    }

    fn each_breaker(&self, tell: impl Fn(&Breaker, &Operator<'_>)) {
        let now = self.system.world.now();
        for lane in self.lanes() {
            let scene = Operator { pipeline: &self.system, lane: &lane, now };
            lane.breaker.iter().for_each(|breaker| tell(breaker, &scene));
        }
    }

    fn lanes(&self) -> Vec<Arc<Lane>> {
        let pipelines = std::iter::once(&self.system).chain(self.operations.values());
        pipelines.flat_map(|pipeline| pipeline.lanes.all()).collect()
    }
}

impl Link for Guarded {
    fn spec(&self) -> &Spec {
        self.link.spec()
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(self.guarded(ctx, call))
    }
}

fn key<'a>(per: Per, ctx: &'a Ctx, call: &'a Call) -> &'a str {
    match per {
        Per::System => "",
        Per::Operation => &call.operation,
        Per::Tenant => &ctx.tenant,
        Per::Model => call.input.get("model").and_then(|model| model.as_str()).unwrap_or_default(),
    }
}

/// What a breaker is told when it is a person who changes it.
struct Operator<'a> {
    pipeline: &'a Pipeline,
    lane: &'a Lane,
    now: Tick,
}

impl Scene for Operator<'_> {
    fn now(&self) -> Tick {
        self.now
    }

    fn chance(&self) -> f64 {
        0.0
    }

    fn changed(&self, change: Change) {
        let place = Place { system: &self.pipeline.system, operation: "", key: &self.lane.key };
        let Change { from, to, open_for } = change;
        self.pipeline.world.listener.hear(&Event::Transition { place, from, to, open_for });
    }
}
