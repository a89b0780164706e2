//! What the rooms tell: counted, written to the log, and remembered for the health pages.
//!
//! Every line says to which correlation id it belongs: of runs because the engine says so, of calls because the engine
//! makes them in a span that does.

mod calls;
mod runs;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use port::{Clock, Recorder};
use watch::Metrics;
use watch::health::Seen;
use watch::metrics::Outcome;

use crate::config::Config;

/// Hears the guards, the engine, the conversations and the gate.
pub(super) struct Ears {
    pub(super) metrics: Arc<Metrics>,
    /// Who takes the spans of acts, runs and steps.
    recorder: Arc<dyn Recorder>,
    /// How each configured system looked when it was last heard of.
    seen: HashMap<String, Mutex<Option<Seen>>>,
    runs: Mutex<HashMap<String, Instant>>,
    clock: Arc<dyn Clock>,
}

impl Ears {
    pub(super) fn new(
        config: &Config,
        metrics: Arc<Metrics>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let seen = config.systems.values().map(|system| (system.name.clone(), Mutex::default())).collect();
        config.limit_stores.keys().for_each(|store| metrics.limit_store(store, true));
        Self { metrics, recorder, seen, runs: Mutex::default(), clock }
    }

    /// How the systems that were called looked last.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&str, Seen)> {
        self.seen.iter().filter_map(|(system, seen)| Some((system.as_str(), (*seen.lock())?)))
    }

    /// Takes how a system looked, and tells how it looked before.
    pub(super) fn saw(&self, system: &str, seen: Seen) -> Option<Seen> {
        self.metrics.health(system, matches!(seen, Seen::Pass(_)));
        self.seen.get(system).and_then(|last| last.lock().replace(seen))
    }
}

impl conversation::Telemetry for Ears {
    fn on_act(&self, act_type: &str, ok: bool, took: Duration) {
        let outcome = if ok { Outcome::Success } else { Outcome::Failure };
        self.metrics.act(act_type, outcome, took);
    }

    fn on_active(&self, change: i64) {
        self.metrics.active_conversations(change);
    }

    fn recorder(&self) -> &dyn Recorder {
        &*self.recorder
    }
}

impl gate::Observer for Ears {
    fn refused(&self, code: &'static str) {
        self.metrics.request_refused(code);
    }

    fn shed(&self) {
        self.metrics.request_shed();
    }

    fn working(&self, change: i64) {
        self.metrics.requests_in_flight(change);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
