//! What the rooms tell: counted, written to the log, and remembered for the health pages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use port::Clock;
use store::RunStatus;
use watch::Metrics;
use watch::health::Seen;
use watch::metrics::Outcome;

use crate::config::Config;

/// Runs whose duration is being measured; beyond these a run's duration is not counted.
const MOST_RUNS: usize = 100_000;

/// Hears the guards, the engine and the gate.
pub(super) struct Ears {
    pub(super) metrics: Metrics,
    seen: Mutex<HashMap<String, Seen>>,
    runs: Mutex<HashMap<String, Instant>>,
    clock: Arc<dyn Clock>,
}

impl Ears {
    pub(super) fn new(config: &Config, clock: Arc<dyn Clock>) -> Self {
        let (seen, runs) = (Mutex::default(), Mutex::default());
        let metrics = Metrics::new(config.metrics);
        config.limit_stores.keys().for_each(|store| metrics.limit_store(store, true));
        Self { metrics, seen, runs, clock }
    }

    /// How systems looked since this was last asked.
    pub(super) fn take_seen(&self) -> HashMap<String, Seen> {
        std::mem::take(&mut *self.seen.lock())
    }

    /// How a system looked.
    pub(super) fn saw(&self, system: &str, seen: Seen) {
        self.metrics.health(system, matches!(seen, Seen::Pass(_)));
        self.seen.lock().insert(system.to_owned(), seen);
    }
}

impl guard::Listener for Ears {
    fn hear(&self, event: &guard::Event<'_>) {
        use guard::Event;
        match event {
            Event::AttemptFinished { place, outcome, duration, attempt } => {
                self.attempt(place, *attempt, outcome.err(), *duration);
            }
            Event::RetryScheduled { place, delay, .. } => {
                self.metrics.retry(place.system);
                let delay_ms = millis(*delay);
                tracing::debug!(
                    integration_system = place.system,
                    integration_operation = place.operation,
                    delay_ms,
                    "trying again"
                );
            }
            Event::Transition { place, from, to, .. } => {
                tracing::warn!(integration_system = place.system, ?from, ?to, "breaker changed");
                if *to == guard::State::Open {
                    self.saw(place.system, Seen::Fail("breaker is open".to_owned()));
                }
            }
            Event::Rejected { place, by, .. } => {
                self.metrics.error(by.as_str(), place.system, true);
            }
            Event::LimitStore { store, away: Some(away) } => {
                self.metrics.limit_store(store, false);
                tracing::warn!(store = *store, %away, "store of shared limits is away, fallbacks apply");
            }
            Event::LimitStore { store, away: None } => {
                self.metrics.limit_store(store, true);
                tracing::info!(store = *store, "store of shared limits is back");
            }
            Event::LimitFallback { place, store, fallback } => {
                self.metrics.limit_fallback(store, place.system, fallback.as_str());
                let (integration_system, integration_operation) = (place.system, place.operation);
                let (store, fallback) = (*store, fallback.as_str());
                tracing::debug!(
                    integration_system,
                    integration_operation,
                    store,
                    fallback,
                    "fallback decided a shared limit"
                );
            }
            Event::CallAbandoned { place, attempts, duration } => {
                let (integration_system, integration_operation) = (place.system, place.operation);
                let duration_ms = millis(*duration);
                tracing::debug!(
                    integration_system,
                    integration_operation,
                    attempts,
                    duration_ms,
                    "caller went away"
                );
            }
            Event::CallFinished { place, outcome: Err(fault), .. } => {
                self.metrics.error(fault.kind.as_str(), place.system, fault.kind.may_pass());
            }
            _ => {}
        }
    }
}

impl Ears {
    fn attempt(&self, place: &guard::Place<'_>, attempt: u32, fault: Option<&port::Fault>, took: Duration) {
        let outcome = if fault.is_none() { Outcome::Success } else { Outcome::Failure };
        self.metrics.attempt(place.system, place.operation, outcome, took);
        let (integration_system, integration_operation, duration_ms) =
            (place.system, place.operation, millis(took));
        match fault {
            None => {
                self.saw(place.system, Seen::Pass(took));
                tracing::info!(
                    integration_system,
                    integration_operation,
                    duration_ms,
                    attempt,
                    success = true,
                    "call answered"
                );
            }
            Some(fault) => {
                // A refusal is an answer: the system is well.
                let seen = if fault.kind.may_pass() {
                    Seen::Warn(fault.kind.as_str().to_owned())
                } else {
                    Seen::Pass(took)
                };
                self.saw(place.system, seen);
                let error_type = fault.kind.as_str();
                tracing::error!(
                    integration_system,
                    integration_operation,
                    duration_ms,
                    attempt,
                    success = false,
                    error_type,
                    "call failed"
                );
            }
        }
    }
}

impl flow::Listener for Ears {
    fn wrote(&self, transition: &flow::Transition<'_>) {
        let (run, flow) = (transition.run, transition.flow);
        match transition.event {
            "RunStarted" => {
                let mut runs = self.runs.lock();
                if runs.len() < MOST_RUNS {
                    runs.insert(run.to_owned(), self.clock.instant());
                }
            }
            "RunEnded" => self.ended(transition),
            "StepCompensated" => self.metrics.compensated(flow),
            "StepExhausted" | "CompensationParked" => {
                self.metrics.dead_letter(transition.system.unwrap_or(flow));
                tracing::error!(
                    run,
                    flow,
                    step = transition.step,
                    event = transition.event,
                    "needs a person: see `cardan dead list`"
                );
            }
            "StepUnknown" | "SlaBreached" => {
                tracing::warn!(
                    run,
                    flow,
                    step = transition.step,
                    event = transition.event,
                    "run needs attention"
                );
            }
            _ => tracing::debug!(run, flow, step = transition.step, event = transition.event, "run went on"),
        }
    }
}

impl Ears {
    fn ended(&self, transition: &flow::Transition<'_>) {
        let started = self.runs.lock().remove(transition.run);
        let took = started.map(|started| self.clock.instant().saturating_duration_since(started));
        let status = transition.status.as_str();
        self.metrics.run_ended(transition.flow, status, took.unwrap_or_default());
        let (run, flow, duration_ms) = (transition.run, transition.flow, took.map(millis));
        match transition.status {
            RunStatus::Succeeded => tracing::info!(run, flow, status, duration_ms, "run ended"),
            _ => tracing::warn!(run, flow, status, duration_ms, "run ended"),
        }
    }
}

impl gate::Observer for Ears {
    fn act(&self, act_type: &str, ok: bool, took: Duration) {
        let outcome = if ok { Outcome::Success } else { Outcome::Failure };
        self.metrics.act(act_type, outcome, took);
    }

    fn refused(&self, code: &'static str, recoverable: bool) {
        self.metrics.error(code, "cardan", recoverable);
    }

    fn conversations(&self, change: i64) {
        self.metrics.active_conversations(change);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
