//! A guarded system: a link around a link.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use port::{
    Call, Clock, Ctx, Fault, Link, OpenSpan, Operation, Outlook, Repeat, Reply, SpanKind, Spec, TraceContext,
};

use crate::cache::Cache;
use crate::event::Listener;
use crate::gate::Gate;
use crate::lanes::Lanes;
use crate::median::Median;
use crate::pipeline::{Attempt, Pipeline, Request, World};
use crate::policy::{Per, Policy};
use crate::status::{Status, Switch};
use crate::sync::Lock;
use crate::tick::Tick;

/// The policies of one system: its own, and those of the operations that differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    /// Of every operation not named below.
    pub system: Policy,
    /// By operation.
    pub operations: BTreeMap<Arc<str>, Policy>,
}

impl Policies {
    /// The policy in force for an operation.
    pub fn of(&self, operation: &str) -> &Policy {
        self.operations.get(operation).unwrap_or(&self.system)
    }
}

impl From<Policy> for Policies {
    fn from(system: Policy) -> Self {
        Self { system, operations: BTreeMap::new() }
    }
}

/// A system behind its guard.
pub struct Guarded {
    link: Arc<dyn Link>,
    system: Way,
    operations: BTreeMap<Arc<str>, Way>,
    /// How long each operation of the spec usually takes. Per operation, because a system's quick reads and slow
    /// reports have no middle that means anything.
    usual: BTreeMap<Arc<str>, Median>,
    /// The operator's last word to all breakers.
    pub(crate) told: Lock<Switch>,
}

/// The way of the calls that one policy is for.
struct Way {
    pipeline: Pipeline,
    /// Outside of all stages: an answer that is there costs nobody anything.
    cache: Option<Cache<Reply>>,
}

impl From<Pipeline> for Way {
    fn from(pipeline: Pipeline) -> Self {
        let cache = pipeline.policy.cache.clone().map(Cache::new);
        Self { pipeline, cache }
    }
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
        Self::within(World::new(clock, listener), link, policies)
    }

    /// Puts `link` behind `policies` in a world of which more is known: the stores of shared limits.
    pub fn within(world: World, link: Arc<dyn Link>, policies: impl Into<Policies>) -> Self {
        let policies = policies.into();
        let system = Pipeline::new(&link.spec().system, policies.system, world);
        let operations = policies.operations.into_iter();
        let operations = operations
            .map(|(name, policy)| (Arc::clone(&name), system.operation(&name, policy).into()))
            .collect();
        let known = link.spec().operations.iter();
        let usual = known.map(|operation| (Arc::clone(&operation.name), Median::new())).collect();
        Self { link, system: system.into(), operations, usual, told: Lock::new(Switch::Auto) }
    }

    /// Tells a source that feeds this operation whether to bring more. `key` is the breaker's: the operation, tenant or
    /// model; ignored when there is one for all.
    pub fn gate(&self, operation: &str, key: &str) -> Gate {
        let pipeline = &self.way(operation).pipeline;
        let world = pipeline.world.clone();
        let priority = pipeline.policy.priority;
        Gate { lane: pipeline.lanes.keep(key, world.now()), world, priority, operation: operation.into() }
    }

    fn way(&self, operation: &str) -> &Way {
        self.operations.get(operation).unwrap_or(&self.system)
    }

    async fn guarded(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        self.link.spec().admits(&call.operation, &call.input)?;
        let Way { pipeline, cache } = self.way(&call.operation);
        let kept = !ctx.fresh && self.repeat(&call) == Repeat::Safe;
        match cache.as_ref().filter(|_| kept) {
            Some(cache) => self.cached(cache, pipeline, ctx, call).await,
            None => self.past_cache(pipeline, ctx, call).await,
        }
    }

    /// Waiting for an answer that another caller asked for is part of the call, so its time is bounded here.
    async fn cached(
        &self,
        cache: &Cache<Reply>,
        pipeline: &Pipeline,
        ctx: &Ctx,
        call: Call,
    ) -> Result<Reply, Fault> {
        let (world, limit) = (&pipeline.world, pipeline.policy.deadline);
        let ctx = &limit.map_or_else(|| ctx.clone(), |limit| ctx.within(limit));
        let until = ctx.deadline.map_or(Tick::NEVER, |deadline| world.tick(deadline));
        let question = format!("{}\n{}\n{}", ctx.tenant, call.operation, call.input);
        cache.through(&question, || world.now(), until, || self.past_cache(pipeline, ctx, call)).await
    }

    /// An operation that the spec does not know is the adapter's to refuse, and nobody's to repeat.
    fn repeat(&self, call: &Call) -> Repeat {
        self.link.spec().operation(&call.operation).map_or(Repeat::Never, |known| known.repeat)
    }

    /// The whole call is one span when somebody records it, and the attempts are part of it.
    async fn recorded(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let trace = ctx.trace.child(&*ctx.entropy);
        let Some(span) = self.open(ctx, trace) else { return self.guarded(ctx, call).await };
        let span = span
            .named(SpanKind::Internal, "integration.execute".to_owned())
            .with("adapter.id", self.system())
            .with("adapter.version", self.link.spec().version)
            .with("correlation.id", &*ctx.correlation)
            .with("tenant.id", &*ctx.tenant);
        let span = match &ctx.causation {
            Some(causation) => span.with("causation.id", &**causation),
            None => span,
        };
        let outcome = self.guarded(&Ctx { trace, ..ctx.clone() }, call).await;
        span.end_as(&outcome);
        outcome
    }

    fn open<'a>(&'a self, ctx: &'a Ctx, trace: TraceContext) -> Option<OpenSpan<'a>> {
        OpenSpan::begin(&*self.world().recorder, &*ctx.clock, trace, Some(ctx.trace.span_id))
    }

    async fn past_cache(&self, pipeline: &Pipeline, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let known = self.link.spec().operation(&call.operation);
        let request = Request {
            operation: &call.operation,
            key: key(pipeline.lanes.per(), ctx, &call, known),
            repeat: known.map_or(Repeat::Never, |known| known.repeat),
            keyed: call.key.is_some(),
            cost: known.map_or(1, |known| known.cost_of(&call.input)),
            deadline: ctx.deadline,
            usual: self.usual.get(&call.operation),
            entropy: &*ctx.entropy,
        };
        pipeline.call(&request, |attempt| self.send(ctx, &call, attempt)).await
    }

    /// One attempt: the adapter is told which one it is, which span, and when it will be dropped. An answer that breaks
    /// the operation's schema is lost before anybody keeps it.
    async fn send(&self, ctx: &Ctx, call: &Call, attempt: Attempt) -> Result<Reply, Fault> {
        let trace = ctx.trace.child(&*ctx.entropy);
        let span = self.open(ctx, trace).map(|span| {
            span.named(SpanKind::Client, format!("{}.{}", self.system(), call.operation))
                .with("integration.name", self.system())
                .with("integration.operation", &*call.operation)
                .with("integration.attempt", attempt.number)
        });
        let ctx = Ctx { deadline: Some(attempt.deadline()), attempt: attempt.number, trace, ..ctx.clone() };
        let reply = self.link.call(&ctx, call.clone()).await;
        let outcome = reply.and_then(|reply| self.link.spec().understands(&call.operation, reply));
        if let Some(span) = span {
            span.end_as(&outcome);
        }
        Ok(Reply { attempts: attempt.number, ..outcome? })
    }

    /// What the guard looks like now.
    pub fn status(&self) -> Status {
        let now = self.world().now();
        let usual = self.usual.iter().filter_map(|(name, median)| Some((name.to_string(), median.get()?)));
        let purse = &self.system.pipeline.purse;
        let lanes: Vec<_> = self.lanes().flat_map(|lanes| lanes.shown(now)).collect();
        // Several lanes may share a bulkhead.
        let mut crowds: Vec<_> = lanes.iter().filter_map(|(_, lane)| lane.bulkhead.as_ref()).collect();
        crowds.sort_by_key(|crowd| Arc::as_ptr(crowd));
        crowds.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let in_flight = crowds.iter().map(|crowd| crowd.in_flight()).sum();
        let max_in_flight = crowds.iter().map(|crowd| crowd.places()).reduce(u32::saturating_add);
        let queued = crowds.iter().map(|crowd| crowd.queued()).sum();
        Status {
            system: self.system().to_owned(),
            mode: self.mode(),
            budget: purse.left(),
            budget_capacity: purse.capacity(),
            usual: usual.collect(),
            in_flight,
            max_in_flight,
            queued,
            lanes: lanes.into_iter().map(|(name, lane)| lane.status(name, now)).collect(),
        }
    }

    pub(crate) fn system(&self) -> &str {
        &self.system.pipeline.system
    }

    pub(crate) fn world(&self) -> &World {
        &self.system.pipeline.world
    }

    /// The lanes of each policy, the system's first.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = &Lanes> {
        self.ways().map(|way| &*way.pipeline.lanes)
    }

    fn ways(&self) -> impl Iterator<Item = &Way> {
        std::iter::once(&self.system).chain(self.operations.values())
    }
}

impl Link for Guarded {
    fn spec(&self) -> &Spec {
        self.link.spec()
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(self.recorded(ctx, call))
    }

    /// Past every stage: a probe takes no place and no token, and tells no breaker.
    fn probe<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        self.link.probe(ctx)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.link.close()
    }

    fn limit(&self, operation: &str) -> Option<Duration> {
        let policy = &self.way(operation).pipeline.policy;
        let copies = policy.hedge.as_ref().map_or(0, |hedge| hedge.max);
        Some(crate::explain::longest(policy, copies))
    }

    fn outlook(&self, operation: &str, tenant: &str) -> Outlook {
        let key = match self.way(operation).pipeline.lanes.per() {
            Per::System => "",
            // What is not said cannot be told.
            Per::Operation if operation.is_empty() => return Outlook::Open,
            Per::Operation => operation,
            Per::Tenant => tenant,
            Per::Model => return Outlook::Open,
        };
        self.gate(operation, key).outlook()
    }

    fn first_asked(&self, operation: &str) -> Option<Arc<str>> {
        self.link.first_asked(operation)
    }
}

fn key<'a>(per: Per, ctx: &'a Ctx, call: &'a Call, known: Option<&Operation>) -> &'a str {
    match per {
        Per::System => "",
        Per::Operation => &call.operation,
        Per::Tenant => &ctx.tenant,
        Per::Model => known.map(|known| known.partition_of(&call.input)).unwrap_or_default(),
    }
}
