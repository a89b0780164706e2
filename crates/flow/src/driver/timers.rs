//! The one task that waits for timers, and what a due timer means for its run. A step that would ask a system again
//! whose guard lets nothing out is held back here, and its run is not even read.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use store::{Batch, Timer, TimerOp};

use super::Engine;
use super::pace::Target;
use super::runs::Message;

/// The longest sleep; a clock that is set forward is noticed after it.
const LONGEST: Duration = Duration::from_secs(60);
/// A timer that its run has not cleared by then is told again.
const AGAIN: Duration = Duration::from_secs(5);
const PAGE: usize = 1000;
/// Between two rounds when more is due than one page holds.
const BREATH: Duration = Duration::from_millis(250);
/// Between the path of a step and whom its call is for.
const AGAIN_AT: &str = "#again@";

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
            biased;
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
        let held = tell(engine, told, due, now);
        if !held.is_empty() {
            engine.0.store.commit(held).await?;
        }
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

/// Tells runs of what is due; returns what is held back, put off in one commit.
fn tell(engine: &Engine, told: &mut HashMap<String, Timestamp>, due: Vec<Timer>, now: Timestamp) -> Batch {
    let mut held = Batch::default();
    for timer in due.into_iter().filter(|timer| !told.contains_key(&timer.id)).collect::<Vec<_>>() {
        match target(&timer.step).and_then(|target| engine.hold(&target, now)) {
            Some(due) => held.timers.push(TimerOp::Set(Timer { due, ..timer })),
            None => {
                told.insert(timer.id.clone(), now);
                engine.send(&timer.run, Message::Due { id: timer.id, step: timer.step });
            }
        }
    }
    held
}

/// What is written as the step of the timer after which a call is made again.
pub(super) fn again(path: &str, target: &Target<'_>) -> String {
    let Target { system, operation, tenant } = target;
    format!("{path}{AGAIN_AT}{system}.{operation} {tenant}")
}

/// The path of the step whose call is made again, when it is that timer.
pub(super) fn path_again(step: &str) -> Option<&str> {
    step.split_once(AGAIN_AT).map(|(path, _)| path).or_else(|| step.strip_suffix("#again"))
}

/// Whom the call is for. Timers that were set before that was written say nothing.
fn target(step: &str) -> Option<Target<'_>> {
    let (call, tenant) = step.split_once(AGAIN_AT)?.1.split_once(' ')?;
    let (system, operation) = call.split_once('.')?;
    Some(Target { system, operation, tenant })
}

fn until(now: Timestamp, next: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}
