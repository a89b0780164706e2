//! Cardan's own series about what stands before each system.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::families::{counter, plain};
use super::labels::{Adapter, AdapterState, Name};
use super::{Breaker, Metrics, labels};

/// What a guard looks like now, all its lanes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Retry tokens left.
    pub budget: u32,
    /// Calls out.
    pub in_flight: u32,
    /// Calls that wait for a place.
    pub queued: u32,
    /// Calls that may be out at once; `None` without a bulkhead.
    pub most: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Rejected {
    adapter_id: Name,
    reason: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Guarding {
    rejections: Family<Rejected, Counter>,
    transitions: Family<AdapterState, Counter>,
    hedges: Family<Adapter, Counter>,
    spent: Family<Adapter, Counter>,
    pauses: Family<Adapter, Counter>,
    budget: Family<Adapter, Gauge>,
    in_flight: Family<Adapter, Gauge>,
    queued: Family<Adapter, Gauge>,
    most: Family<Adapter, Gauge>,
}

impl Guarding {
    pub(super) fn register(&self, to: &mut Registry) {
        counter(
            to,
            "cardan_guard_rejections_total",
            "Calls that a guard kept in, by guard",
            &self.rejections,
        );
        counter(
            to,
            "cardan_breaker_transitions_total",
            "Changes of a breaker, by new state",
            &self.transitions,
        );
        counter(to, "cardan_hedges_total", "Second copies of slow calls", &self.hedges);
        counter(to, "cardan_retry_budget_spent_total", "Retries not made, the budget spent", &self.spent);
        counter(to, "cardan_pauses_total", "Pauses that a system asked for", &self.pauses);
        plain(to, "cardan_retry_budget_tokens", "Retry tokens left", &self.budget);
        plain(to, "cardan_calls_in_flight", "Calls that are out", &self.in_flight);
        plain(to, "cardan_calls_queued", "Calls that wait for a place", &self.queued);
        plain(to, "cardan_calls_allowed", "Calls that may be out at once, as adapted", &self.most);
    }
}

impl Metrics {
    /// A guard kept a call in; `reason` is a flow's `blocked_on`.
    pub fn rejection(&self, system: &str, reason: &'static str) {
        let label = Rejected { adapter_id: self.names.system(system), reason };
        self.guarding.rejections.get_or_create(&label).inc();
    }

    /// A breaker of a system changed its state.
    pub fn transition(&self, system: &str, to: Breaker) {
        let state =
            labels::BREAKER_STATES.iter().find(|(state, _)| *state == to).map_or("", |(_, text)| text);
        let label = AdapterState { adapter_id: self.names.system(system), state };
        self.guarding.transitions.get_or_create(&label).inc();
    }

    /// A second copy of a slow call was sent.
    pub fn hedged(&self, system: &str) {
        self.guarding.hedges.get_or_create(&self.adapter(system)).inc();
    }

    /// A call would have been tried again, but the retry budget was spent.
    pub fn budget_spent(&self, system: &str) {
        self.guarding.spent.get_or_create(&self.adapter(system)).inc();
    }

    /// A system asked for a pause.
    pub fn paused(&self, system: &str) {
        self.guarding.pauses.get_or_create(&self.adapter(system)).inc();
    }

    /// How a system's guard stands now.
    pub fn guard(&self, system: &str, standing: Standing) {
        let (guarding, label) = (&self.guarding, self.adapter(system));
        guarding.budget.get_or_create(&label).set(standing.budget.into());
        guarding.in_flight.get_or_create(&label).set(standing.in_flight.into());
        guarding.queued.get_or_create(&label).set(standing.queued.into());
        if let Some(most) = standing.most {
            guarding.most.get_or_create(&label).set(most.into());
        }
    }

    fn adapter(&self, system: &str) -> Adapter {
        Adapter { adapter_id: self.names.system(system) }
    }
}
