//! What guards tell of calls. They know nothing of runs: the span around each call says whose it is.

use std::time::Duration;

use guard::{Event, Place};
use watch::health::Seen;
use watch::metrics::Outcome;

use super::{Ears, millis};

impl guard::Listener for Ears {
    fn hear(&self, event: &Event<'_>) {
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
                self.metrics.transition(place.system, shown(*to));
                let (integration_system, breaker_key) = (place.system, place.key);
                tracing::warn!(integration_system, breaker_key, ?from, ?to, "breaker changed");
            }
            Event::Rejected { place, by, retry_after } => self.rejected(place, *by, *retry_after),
            Event::Hedged { place } => self.metrics.hedged(place.system),
            Event::BudgetSpent { place } => {
                self.metrics.budget_spent(place.system);
                let (integration_system, integration_operation) = (place.system, place.operation);
                tracing::warn!(
                    integration_system,
                    integration_operation,
                    "not tried again, retry budget is spent"
                );
            }
            Event::Paused { place, pause } => {
                self.metrics.paused(place.system);
                let (integration_system, pause_ms) = (place.system, millis(*pause));
                tracing::info!(integration_system, pause_ms, "system asked for a pause");
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
            Event::CopyDropped { place, attempt, duration } => {
                let (integration_system, integration_operation) = (place.system, place.operation);
                let duration_ms = millis(*duration);
                tracing::debug!(
                    integration_system,
                    integration_operation,
                    attempt,
                    duration_ms,
                    "another copy was quicker"
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
            Event::CallFinished { place, outcome, attempts, duration } => {
                if let Err(fault) = outcome {
                    let error_type = fault.rejection.map_or(fault.kind.as_str(), port::Rejection::as_str);
                    self.metrics.error(error_type, place.system, fault.kind.may_pass());
                }
                finished(place, *attempts, outcome.is_ok(), *duration);
            }
            _ => {}
        }
    }
}

impl Ears {
    fn attempt(&self, place: &Place<'_>, attempt: u32, fault: Option<&port::Fault>, took: Duration) {
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
                let seen =
                    if fault.kind.may_pass() { Seen::Warn(fault.kind.as_str()) } else { Seen::Pass(took) };
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

    fn rejected(&self, place: &Place<'_>, by: port::Rejection, retry_after: Option<Duration>) {
        self.metrics.rejection(place.system, by.as_str());
        tracing::info!(
            integration_system = place.system,
            integration_operation = place.operation,
            rejection = by.as_str(),
            retry_after_ms = retry_after.map(millis),
            "call kept in"
        );
    }
}

fn shown(state: guard::State) -> watch::metrics::Breaker {
    match state {
        guard::State::Closed => watch::metrics::Breaker::Closed,
        guard::State::Open => watch::metrics::Breaker::Open,
        guard::State::HalfOpen => watch::metrics::Breaker::HalfOpen,
    }
}

/// A call of one attempt, or of none, has been told already.
fn finished(place: &Place<'_>, attempts: u32, success: bool, took: Duration) {
    if attempts > 1 {
        tracing::info!(
            integration_system = place.system,
            integration_operation = place.operation,
            duration_ms = millis(took),
            attempts,
            success,
            "call is over"
        );
    }
}
