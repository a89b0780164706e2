//! The exact names, labels and buckets, as published by three traditions, and Cardan's own.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::labels::{
    Act, ActType, Adapter, AdapterError, AdapterState, Call, Error, Flow, FlowStatus, Integration, Latency,
    LimitFallback, LimitStore, Reason, Refused, Request, Status, Timed,
};

type Timer<L> = Family<L, Histogram, fn() -> Histogram>;

fn timer<L: Clone + std::hash::Hash + Eq>(make: fn() -> Histogram) -> Timer<L> {
    Family::new_with_constructor(make)
}

/// The Prometheus client's default buckets.
fn default_buckets() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

fn astra_buckets() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

fn rag_buckets() -> Histogram {
    Histogram::new([0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

fn fsm_buckets() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])
}

/// The ASTRA guide's series.
#[derive(Debug)]
pub(super) struct Astra {
    pub(super) acts: Family<Act, Counter>,
    pub(super) durations: Timer<ActType>,
    pub(super) calls: Family<Call, Counter>,
    pub(super) call_durations: Timer<Timed>,
    pub(super) active: Gauge,
    pub(super) errors: Family<Error, Counter>,
}

impl Default for Astra {
    fn default() -> Self {
        Self {
            acts: Family::default(),
            durations: timer(default_buckets),
            calls: Family::default(),
            call_durations: timer(astra_buckets),
            active: Gauge::default(),
            errors: Family::default(),
        }
    }
}

impl Astra {
    pub(super) fn register(&self, to: &mut Registry) {
        counter(to, "astra_acts_processed_total", "Acts handled, by type and outcome", &self.acts);
        plain(
            to,
            "astra_act_processing_duration_seconds",
            "Time from an act's arrival to its answer",
            &self.durations,
        );
        counter(to, "astra_integration_calls_total", "Attempts at external systems", &self.calls);
        plain(
            to,
            "astra_integration_duration_seconds",
            "Duration of attempts at external systems",
            &self.call_durations,
        );
        plain(to, "astra_active_conversations", "Conversations that are active", &self.active);
        counter(to, "astra_errors_total", "Errors by kind and system", &self.errors);
    }
}

/// The integration guide's series with the label `integration`.
#[derive(Debug)]
pub(super) struct Rag {
    pub(super) latencies: Timer<Latency>,
    pub(super) health: Family<Integration, Gauge>,
    pub(super) breakers: Family<Integration, Gauge>,
}

impl Default for Rag {
    fn default() -> Self {
        Self { latencies: timer(rag_buckets), health: Family::default(), breakers: Family::default() }
    }
}

impl Rag {
    pub(super) fn register(&self, to: &mut Registry) {
        plain(to, "integration_latency_seconds", "Duration of attempts", &self.latencies);
        plain(to, "integration_health", "1 healthy, 0 not, from what calls and probes showed", &self.health);
        plain(to, "circuit_breaker_state", "0 closed, 1 open, 2 half open", &self.breakers);
    }
}

/// The field service guide's series with the label `adapter_id`.
#[derive(Debug)]
pub(super) struct Fsm {
    pub(super) requests: Family<Request, Counter>,
    pub(super) durations: Timer<Adapter>,
    pub(super) errors: Family<AdapterError, Counter>,
    pub(super) retries: Family<Adapter, Counter>,
    pub(super) breakers: Family<Adapter, Gauge>,
    pub(super) breaker_info: Family<AdapterState, Gauge>,
}

impl Default for Fsm {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: timer(fsm_buckets),
            errors: Family::default(),
            retries: Family::default(),
            breakers: Family::default(),
            breaker_info: Family::default(),
        }
    }
}

impl Fsm {
    pub(super) fn register(&self, to: &mut Registry) {
        plain(to, "integration_request_duration_seconds", "Duration of attempts", &self.durations);
        counter(to, "integration_errors_total", "Errors by kind", &self.errors);
        counter(to, "integration_retries_total", "Repeated attempts", &self.retries);
        plain(to, "integration_circuit_breaker_state", "0 closed, 1 half open, 2 open", &self.breakers);
        let help = "1 for the state the breaker is in, 0 for the others";
        plain(to, "integration_circuit_breaker_state_info", help, &self.breaker_info);
    }
}

/// Two traditions share this name; the labels are their union.
pub(super) fn register_requests(requests: &Family<Request, Counter>, to: &mut Registry) {
    counter(to, "integration_requests_total", "Attempts at external systems", requests);
}

/// Cardan's own series about flows.
#[derive(Debug)]
pub(super) struct Flows {
    pub(super) runs: Family<FlowStatus, Counter>,
    pub(super) durations: Timer<Flow>,
    pub(super) compensations: Family<Flow, Counter>,
    pub(super) dead: Family<Adapter, Counter>,
}

impl Default for Flows {
    fn default() -> Self {
        Self {
            runs: Family::default(),
            durations: timer(default_buckets),
            compensations: Family::default(),
            dead: Family::default(),
        }
    }
}

impl Flows {
    pub(super) fn register(&self, to: &mut Registry) {
        counter(to, "cardan_flow_runs_total", "Runs that ended, by final status", &self.runs);
        plain(to, "cardan_flow_duration_seconds", "Time from a run's start to its end", &self.durations);
        counter(to, "cardan_flow_compensations_total", "Compensations executed", &self.compensations);
        counter(to, "cardan_dead_letters_total", "Dead letters written", &self.dead);
    }
}

/// Cardan's own series about what is there now, asked for at each scrape.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) runs: Family<Status, Gauge>,
    pub(super) dead: Gauge,
    pub(super) stuck: Gauge,
    pub(super) outbox: Gauge,
    pub(super) outbox_age: Gauge,
    pub(super) lane: Family<Adapter, Gauge>,
    pub(super) lane_in_flight: Family<Adapter, Gauge>,
}

impl Present {
    pub(super) fn register(&self, to: &mut Registry) {
        plain(to, "cardan_live_runs", "Runs that have not ended, by status", &self.runs);
        plain(to, "cardan_open_dead_letters", "Dead letters that wait for a person", &self.dead);
        let help = "Age of the oldest run that does not go on as it should, 0 when there is none";
        plain(to, "cardan_oldest_stuck_run_age_seconds", help, &self.stuck);
        plain(to, "cardan_outbox_messages", "Messages that wait to be delivered", &self.outbox);
        let help = "Age of the oldest message that waits to be delivered, 0 when there is none";
        plain(to, "cardan_oldest_outbox_message_age_seconds", help, &self.outbox_age);
        let help = "Messages to a system that are not delivered, dead ones that hold others up among them";
        plain(to, "cardan_outbox_lane_messages", help, &self.lane);
        let help = "Messages that are being delivered to a system";
        plain(to, "cardan_outbox_lane_in_flight", help, &self.lane_in_flight);
    }
}

/// Cardan's own series about limits that several nodes count together.
#[derive(Debug, Default)]
pub(super) struct Counting {
    pub(super) stores: Family<LimitStore, Gauge>,
    pub(super) fallbacks: Family<LimitFallback, Counter>,
}

impl Counting {
    pub(super) fn register(&self, to: &mut Registry) {
        let help = "1, or 0 while calls show that the store of shared limits is away";
        plain(to, "cardan_limit_store_up", help, &self.stores);
        let help = "Calls of shared limits that the fallback decided";
        counter(to, "cardan_limit_fallbacks_total", help, &self.fallbacks);
    }
}

/// Cardan's own series about how much is asked of it at once.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) in_flight: Gauge,
    pub(super) shed: Counter,
    pub(super) refused: Family<Refused, Counter>,
}

impl Load {
    pub(super) fn register(&self, to: &mut Registry) {
        plain(to, "cardan_requests_in_flight", "Requests that are worked on", &self.in_flight);
        // The encoder appends `_total`.
        plain(to, "cardan_requests_shed", "Requests refused as too many at once", &self.shed);
        counter(to, "cardan_requests_refused_total", "Requests refused, by problem code", &self.refused);
    }
}

/// Cardan's own series about spans on their way to a collector.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) exported: Counter,
    pub(super) dropped: Family<Reason, Counter>,
}

impl Spans {
    pub(super) fn register(&self, to: &mut Registry) {
        // The encoder appends `_total`.
        plain(to, "cardan_spans_exported", "Spans that a collector has taken", &self.exported);
        let help = "Spans that were not exported: too many waited, or the collector was away or refused them";
        counter(to, "cardan_spans_dropped_total", help, &self.dropped);
    }
}

pub(super) fn plain<M: Metric + Clone>(to: &mut Registry, name: &str, help: &str, metric: &M) {
    to.register(name, help, metric.clone());
}

/// The encoder appends `_total` to counters by itself.
pub(super) fn counter<L>(to: &mut Registry, name: &str, help: &str, family: &Family<L, Counter>)
where
    L: Clone + std::hash::Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static,
{
    plain(to, name.strip_suffix("_total").unwrap_or(name), help, family);
}
