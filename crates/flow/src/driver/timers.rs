//! The one task that waits for timers, and what a due timer means for its run.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use store::Timer;

use super::Engine;
use super::runs::Message;

/// The longest sleep; a clock that is set forward is noticed after it.
const LONGEST: Duration = Duration::from_secs(60);
/// A timer that its run has not cleared by then is told again.
const AGAIN: Duration = Duration::from_secs(5);
const PAGE: usize = 1000;
/// Between two rounds when more is due than one page holds.
const BREATH: Duration = Duration::from_millis(250);

/// Tells runs of due timers, for ever. A timer stays in the store until its run has written that it fired.
pub(super) async fn follow(engine: Engine) {
    let mut told: HashMap<String, Timestamp> = HashMap::new();
    loop {
        let wait = match round(&engine, &mut told).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "reading timers");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = engine.0.timer_set.notified() => {}
        }
    }
}

async fn round(engine: &Engine, told: &mut HashMap<String, Timestamp>) -> Result<Duration, store::Error> {
    let now = engine.0.clock.now();
    told.retain(|_, at| *at + AGAIN > now);
    let (mut after, mut pages) = (None, 0);
    loop {
        let due = engine.0.store.timers_due(now, after, PAGE).await?;
        let Some(last) = due.last().cloned() else { break };
        tell(engine, told, due, now);
        (after, pages) = (Some(last), pages + 1);
    }
    if pages > 1 {
        tokio::time::sleep(BREATH).await;
    }
    let next = engine.0.store.next_timer_after(now).await?;
    let wait = next.map_or(LONGEST, |next| until(now, next).min(LONGEST));
    // What was told and is not cleared by its run is told again.
    Ok(if pages > 0 { wait.min(AGAIN) } else { wait })
}

fn tell(engine: &Engine, told: &mut HashMap<String, Timestamp>, due: Vec<Timer>, now: Timestamp) {
    for timer in due {
        if !told.contains_key(&timer.id) {
            told.insert(timer.id.clone(), now);
            engine.send(&timer.run, Message::Due { id: timer.id, step: timer.step });
        }
    }
}

fn until(now: Timestamp, next: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}
