//! Systems that are asked now and then whether they are well, each as often as its section says.

use std::sync::Arc;
use std::time::Duration;

use port::{Ctx, Fault, Link, Systems};
use tokio::time::MissedTickBehavior;
use watch::health::Seen;

use super::chores::Chores;
use super::hear::Ears;

/// How long one probe may take, whatever the adapter allows.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks every system whose spec says how often, the first time at once.
pub(super) fn begin(chores: &mut Chores, systems: &Systems, ears: &Arc<Ears>) {
    for (_, link) in systems.iter() {
        if let Some(every) = link.spec().probe_every {
            chores.spawn(follow(link.clone(), every, ears.clone()));
        }
    }
}

async fn follow(link: Arc<dyn Link>, every: Duration, ears: Arc<Ears>) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let ctx = Ctx::new("default", "probe").within(PATIENCE);
        let begun = ctx.clock.instant();
        let found = link.probe(&ctx).await;
        let took = ctx.clock.instant().saturating_duration_since(begun);
        ears.probed(&link.spec().system, found.map(|()| took));
    }
}

impl Ears {
    /// Takes what a probe found. The log has a line when it is another than before.
    fn probed(&self, system: &str, found: Result<Duration, Fault>) {
        let (seen, fault) = match found {
            Ok(took) => (Seen::Pass(took), None),
            Err(fault) => (Seen::Fail(fault.kind.as_str()), Some(fault)),
        };
        let was_failing = matches!(self.saw(system, seen), Some(Seen::Fail(_)));
        match fault {
            Some(fault) if !was_failing => {
                tracing::warn!(integration_system = system, error_type = fault.kind.as_str(), %fault, "probe failed");
            }
            None if was_failing => tracing::info!(integration_system = system, "probe answered again"),
            Some(_) | None => {}
        }
    }
}
