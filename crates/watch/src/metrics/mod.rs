//! What is counted and timed. One method per thing that happens; it feeds every series that tells of it.

mod families;
mod guarding;
mod labels;
mod names;
mod text;

use std::time::Duration;

use prometheus_client::registry::Registry;

use families::{Astra, Counting, Flows, Fsm, Load, Present, Rag, Spans};
use guarding::Guarding;
use labels::{
    Act, ActType, Adapter, AdapterError, AdapterState, Call, CallStatus, Error, Flow, FlowStatus,
    LimitFallback, LimitStore, Reason, Refused, Request, Status,
};
use names::Names;

pub use guarding::Standing;
pub use text::Format;

/// Which families of names are exported. All by default: dashboards of three traditions keep working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compat {
    /// `astra_…`, the ASTRA guide's names.
    pub astra: bool,
    /// `integration_latency_seconds`, `integration_health`, `circuit_breaker_state`.
    pub rag: bool,
    /// `integration_request_duration_seconds`, `integration_errors_total` and their siblings.
    pub fsm: bool,
}

impl Default for Compat {
    fn default() -> Self {
        Self { astra: true, rag: true, fsm: true }
    }
}

/// How a call to a system, or the handling of an act, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As asked.
    Success,
    /// Otherwise.
    Failure,
}

/// A circuit breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// Calls go out.
    Closed,
    /// Calls are kept in.
    Open,
    /// Probes go out.
    HalfOpen,
}

/// Every series this process exports. Recording is lock-light and never fails; share it in an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    names: Names,
    astra: Astra,
    rag: Rag,
    fsm: Fsm,
    flows: Flows,
    counting: Counting,
    guarding: Guarding,
    load: Load,
    present: Present,
    spans: Spans,
}

impl Metrics {
    /// Registers the families that `compat` asks for, and Cardan's own.
    pub fn new(compat: Compat) -> Self {
        let mut registry = Registry::default();
        let (astra, rag) = (Astra::default(), Rag::default());
        let (fsm, flows, counting) = (Fsm::default(), Flows::default(), Counting::default());
        let (guarding, load, present) = (Guarding::default(), Load::default(), Present::default());
        let spans = Spans::default();
        if compat.astra {
            astra.register(&mut registry);
        }
        if compat.rag {
            rag.register(&mut registry);
        }
        if compat.fsm {
            fsm.register(&mut registry);
        }
        if compat.rag || compat.fsm {
            families::register_requests(&fsm.requests, &mut registry);
        }
        flows.register(&mut registry);
        counting.register(&mut registry);
        guarding.register(&mut registry);
        load.register(&mut registry);
        present.register(&mut registry);
        spans.register(&mut registry);
        let names = Names::default();
        Self { registry, names, astra, rag, fsm, flows, counting, guarding, load, present, spans }
    }

    /// One act was handled, or refused.
    pub fn act(&self, act_type: &str, outcome: Outcome, took: Duration) {
        let act_type = self.names.act_type(act_type);
        let status = call_status(outcome);
        self.astra
            .durations
            .get_or_create(&ActType { act_type: act_type.clone() })
            .observe(took.as_secs_f64());
        self.astra.acts.get_or_create(&Act { act_type, status }).inc();
    }

    /// One attempt at an external system ended. Recorded once, exported under all three traditions' names.
    pub fn attempt(&self, system: &str, operation: &str, outcome: Outcome, took: Duration) {
        let (system, operation) = (self.names.system(system), self.names.operation(operation));
        let seconds = took.as_secs_f64();
        let call =
            Call { system: system.clone(), operation: operation.clone(), status: call_status(outcome) };
        self.astra.calls.get_or_create(&call).inc();
        self.fsm.requests.get_or_create(&Request::new(&system, &operation, outcome)).inc();
        self.fsm.durations.get_or_create(&Adapter { adapter_id: system.clone() }).observe(seconds);
        let timed = labels::Timed { system, operation };
        self.astra.call_durations.get_or_create(&timed).observe(seconds);
        self.rag.latencies.get_or_create(&timed.into()).observe(seconds);
    }

    /// An attempt is about to be repeated.
    pub fn retry(&self, system: &str) {
        self.fsm.retries.get_or_create(&Adapter { adapter_id: self.names.system(system) }).inc();
    }

    /// Something failed for good, by its kind. `recoverable` says whether trying again may help.
    pub fn error(&self, error_type: &str, system: &str, recoverable: bool) {
        let (error_type, system) = (self.names.error(error_type), self.names.system(system));
        let failed = AdapterError { adapter_id: system.clone(), error_type: error_type.clone() };
        self.fsm.errors.get_or_create(&failed).inc();
        self.astra.errors.get_or_create(&Error { error_type, system, recoverable }).inc();
    }

    /// A breaker changed its state. Two encodings exist in the field, so both are exported, and a one-hot third.
    pub fn breaker(&self, system: &str, state: Breaker) {
        let name = self.names.system(system);
        let (rag, fsm) = match state {
            Breaker::Closed => (0, 0),
            Breaker::Open => (1, 2),
            Breaker::HalfOpen => (2, 1),
        };
        self.rag.breakers.get_or_create(&labels::Integration { integration: name.clone() }).set(rag);
        self.fsm.breakers.get_or_create(&Adapter { adapter_id: name.clone() }).set(fsm);
        for (candidate, text) in labels::BREAKER_STATES {
            let label = AdapterState { adapter_id: name.clone(), state: text };
            self.fsm.breaker_info.get_or_create(&label).set(i64::from(candidate == state));
        }
    }

    /// Whether a system is believed healthy, from what calls and probes showed.
    pub fn health(&self, system: &str, healthy: bool) {
        let label = labels::Integration { integration: self.names.system(system) };
        self.rag.health.get_or_create(&label).set(i64::from(healthy));
    }

    /// So many conversations began to be active (or, negative, ceased to be).
    pub fn active_conversations(&self, change: i64) {
        self.astra.active.inc_by(change);
    }

    /// So many requests more (or, negative, fewer) are worked on.
    pub fn requests_in_flight(&self, change: i64) {
        self.load.in_flight.inc_by(change);
    }

    /// A request was refused because too many were worked on.
    pub fn request_shed(&self) {
        self.load.shed.inc();
    }

    /// A request was refused at the door: no system is to blame, so no series about integrations tells of it.
    pub fn request_refused(&self, code: &str) {
        self.load.refused.get_or_create(&Refused { code: self.names.error(code) }).inc();
    }

    /// A run ended. `status` is its final status (`succeeded`, `failed`, `compensated`, `cancelled`, `parked`).
    pub fn run_ended(&self, flow: &str, status: &str, took: Duration) {
        let (flow, status) = (self.names.flow(flow), self.names.error(status));
        self.flows.durations.get_or_create(&Flow { flow: flow.clone() }).observe(took.as_secs_f64());
        self.flows.runs.get_or_create(&FlowStatus { flow, status }).inc();
    }

    /// A compensation was executed.
    pub fn compensated(&self, flow: &str) {
        self.flows.compensations.get_or_create(&Flow { flow: self.names.flow(flow) }).inc();
    }

    /// A dead letter was written.
    pub fn dead_letter(&self, system: &str) {
        self.flows.dead.get_or_create(&Adapter { adapter_id: self.names.system(system) }).inc();
    }

    /// So many runs are in a status now.
    pub fn live_runs(&self, status: &'static str, count: u64) {
        let runs = self.present.runs.get_or_create(&Status { status });
        runs.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// So many dead letters wait for a person now.
    pub fn open_dead_letters(&self, count: u64) {
        self.present.dead.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The oldest run that does not go on as it should was begun so long ago; zero when there is none.
    pub fn oldest_stuck_run(&self, age: Duration) {
        self.present.stuck.set(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    }

    /// So many messages wait in the outbox now, the oldest for so long; zero when there is none.
    pub fn outbox(&self, count: u64, age: Duration) {
        self.present.outbox.set(i64::try_from(count).unwrap_or(i64::MAX));
        self.present.outbox_age.set(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    }

    /// How many messages wait for each system now, and how many are being delivered; a system that is not named has none.
    pub fn outbox_lanes<'a>(
        &self,
        waiting: impl Iterator<Item = (&'a str, u64)>,
        in_flight: impl Iterator<Item = (&'a str, u64)>,
    ) {
        self.present.lane.clear();
        self.present.lane_in_flight.clear();
        for (lane, count) in waiting {
            let label = Adapter { adapter_id: self.names.system(lane) };
            self.present.lane.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        for (lane, count) in in_flight {
            let label = Adapter { adapter_id: self.names.system(lane) };
            self.present.lane_in_flight.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// A store of shared limits went away, or is back.
    pub fn limit_store(&self, store: &str, there: bool) {
        let label = LimitStore { store: self.names.store(store) };
        self.counting.stores.get_or_create(&label).set(i64::from(there));
    }

    /// A shared limit's store did not answer, so `fallback` (`local_share`, `open`, `closed`) decided a call.
    pub fn limit_fallback(&self, store: &str, system: &str, fallback: &'static str) {
        let (store, adapter_id) = (self.names.store(store), self.names.system(system));
        self.counting.fallbacks.get_or_create(&LimitFallback { store, adapter_id, fallback }).inc();
    }

    /// A collector has taken so many spans.
    pub fn spans_exported(&self, spans: u64) {
        self.spans.exported.inc_by(spans);
    }

    /// So many spans are lost; `reason` is `full`, `away`, `refused` or `closed`.
    pub fn spans_dropped(&self, reason: &'static str, spans: u64) {
        self.spans.dropped.get_or_create(&Reason { reason }).inc_by(spans);
    }

    /// The scrape: its content type and its text.
    pub fn scrape(&self, format: Format) -> (&'static str, String) {
        text::render(&self.registry, format)
    }
}

fn call_status(outcome: Outcome) -> CallStatus {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failure => "error",
    }
}

#[cfg(test)]
mod tests;
