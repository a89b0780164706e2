//! The one task that waits for timers, and what a due timer means for its run. A step that would ask a system again
//! waits for its turn among those that a guard keeps in (`lines.rs`), and its run is not even read before.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use port::{Clock, Rejection};
use store::{Timer, Work};

use super::Engine;
use super::due::Due;
use super::lines::Waiting;
use super::runs::{self, Message};

/// The longest sleep; a clock that is set forward is noticed after it.
const LONGEST: Duration = Duration::from_secs(60);
/// Then it is looked again whether runs have cleared what they were told of.
const AGAIN: Duration = Duration::from_secs(5);
const PAGE: usize = 1000;
/// Between two rounds when more is due than one page holds.
const BREATH: Duration = Duration::from_millis(250);
/// A wall clock that falls behind the monotonic one by more than this was set back.
const JUMP: SignedDuration = SignedDuration::from_millis(500);

/// Tells runs of due timers, for ever. A timer stays in the store until its run has written that it fired.
pub(super) async fn follow(engine: Engine) {
    let mut clocks = Clocks::read(&*engine.0.clock);
    loop {
        if clocks.fell_back(&*engine.0.clock) {
            engine.0.lines.lock().recompute();
        }
        let wait = match round(&engine).await {
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

/// Both clocks at one moment, to notice that the wall clock was set back.
struct Clocks {
    wall: Timestamp,
    instant: Instant,
}

impl Clocks {
    fn read(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), instant: clock.instant() }
    }

    /// Whether the wall clock was set back since the last time.
    fn fell_back(&mut self, clock: &dyn Clock) -> bool {
        let before = std::mem::replace(self, Self::read(clock));
        let passed = self.instant.saturating_duration_since(before.instant);
        self.wall.duration_since(before.wall) + JUMP < SignedDuration::try_from(passed).unwrap_or_default()
    }
}

/// What a guard kept in before this process began takes its place in line again.
pub(super) async fn line_up(engine: &Engine) -> Result<(), store::Error> {
    let mut after = None;
    loop {
        let page = engine.0.store.timers_due(Timestamp::MAX, after, PAGE).await?;
        let Some(last) = page.last().cloned() else { return Ok(()) };
        let now = engine.0.clock.now();
        let mut lines = engine.0.lines.lock();
        for timer in page {
            if let Some(Due::Again { path, asked: Some(asked) }) = Due::read(&timer.step)
                && asked.held.is_some()
                && !lines.knows(&timer.id)
            {
                lines.hold(&asked.whom(), waiting(timer, path, asked.held), now);
            }
        }
        after = Some(last);
    }
}

async fn round(engine: &Engine) -> Result<Duration, store::Error> {
    let now = engine.0.clock.now();
    let (mut after, mut pages) = (None, 0);
    loop {
        let due = engine.0.store.timers_due(now, after, PAGE).await?;
        let Some(last) = due.last().cloned() else { break };
        tell(engine, due, now);
        (after, pages) = (Some(last), pages + 1);
    }
    let turns = engine.release(engine.0.clock.now());
    if pages > 1 {
        tokio::time::sleep(BREATH).await;
    }
    let next = engine.0.store.next_timer_after(now).await?;
    let wait = next.map_or(LONGEST, |next| until(now, next).min(LONGEST));
    let wait = turns.map_or(wait, |turns| wait.min(turns));
    // What was told and is not cleared by its run, though that has it in hand no more, is told again.
    Ok(if pages > 0 { wait.min(AGAIN) } else { wait })
}

/// Tells runs of what is due. A call that would be made again takes its place in line.
fn tell(engine: &Engine, due: Vec<Timer>, now: Timestamp) {
    for timer in due {
        match Due::read(&timer.step) {
            Some(Due::Again { path, asked: Some(asked) }) => {
                let mut lines = engine.0.lines.lock();
                if !lines.knows(&timer.id) {
                    lines.hold(&asked.whom(), waiting(timer, path, asked.held), now);
                }
            }
            due => engine.tell_due(timer.id, &timer.run, due),
        }
    }
}

impl Engine {
    /// Tells a run of a due timer, unless it has that in hand.
    pub(super) fn tell_due(&self, id: String, run: &str, due: Option<Due>) {
        if let Some(claim) = self.0.store.claim(Work::Timer, &id) {
            self.send(run, Message::Due(Box::new(runs::Timer { id, due, _claim: claim })));
        }
    }
}

fn waiting(timer: Timer, path: String, held: Option<(Timestamp, Rejection)>) -> Waiting {
    let Timer { id, run, due, .. } = timer;
    Waiting { id, run, path, due, since: held.map_or(due, |held| held.0), guard: held.map(|held| held.1) }
}

fn until(now: Timestamp, next: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}
