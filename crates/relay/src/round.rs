//! Which rows go now: a round over the lanes, each by itself.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use port::{Outlook, Rejection};
use store::{Batch, OutboxHead, OutboxOp, Work};
use tokio::sync::watch;

use crate::running::Relay;
use crate::send::Target;
use crate::tell::KIND;

/// The longest sleep, and the longest that a row is put off; a clock that is set forward is noticed after it.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// No row is put off for longer than this by a clock that is right.
const FARTHEST: SignedDuration = SignedDuration::from_secs(90);
/// How long until it is looked again whether the store can be written.
pub(crate) const UNREADY: Duration = Duration::from_millis(500);
/// How long until it is looked again whether a system that is being tried is back.
const STEP: Duration = Duration::from_millis(250);
/// Added to a guard's time, so that nobody comes a moment too early.
const MARGIN: Duration = Duration::from_millis(5);
/// Rows of a lane that are looked at together, beside those in flight.
const PAGE: usize = 64;
/// A wall clock that falls behind the monotonic one by more than this was set back.
const JUMP: SignedDuration = SignedDuration::from_millis(500);
/// What keeps a row in whose system or operation is not configured.
pub(crate) const BLOCKED: &str = "blocked";

/// Delivers rows, for ever.
pub(crate) async fn follow(relay: Relay) {
    let mut stopping = relay.0.stopping.subscribe();
    let mut clocks = Clocks::read(&relay);
    relay.begin().await;
    loop {
        let wait = match relay.round(&mut clocks).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "reading the outbox");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => return,
            () = tokio::time::sleep(wait) => {}
            () = relay.0.deps.bell.notified() => {}
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Both clocks at one moment, to notice that the wall clock was set back.
struct Clocks {
    wall: Timestamp,
    instant: Instant,
}

impl Clocks {
    fn read(relay: &Relay) -> Self {
        let clock = &relay.0.deps.clock;
        Self { wall: clock.now(), instant: clock.instant() }
    }

    /// Whether the wall clock was set back since the last time.
    fn fell_back(&mut self, relay: &Relay) -> bool {
        let before = std::mem::replace(self, Self::read(relay));
        let passed = self.instant.saturating_duration_since(before.instant);
        let passed = SignedDuration::try_from(passed).unwrap_or_default();
        self.wall.duration_since(before.wall) + JUMP < passed
    }
}

impl Relay {
    /// What a wrong clock, or a configuration that was mended, has put off is looked at again.
    async fn begin(&self) {
        let now = self.0.deps.clock.now();
        let farthest = later(now, FARTHEST);
        let blocked = OutboxOp::Recall { after: now, blocked: Some(BLOCKED.to_owned()), now };
        let ahead = OutboxOp::Recall { after: farthest, blocked: None, now };
        self.recall(vec![blocked, ahead]).await;
    }

    async fn recall(&self, outbox: Vec<OutboxOp>) {
        if let Err(error) = self.0.deps.store.commit(Batch { outbox, ..Batch::default() }).await {
            tracing::warn!(%error, "recalling messages");
        }
    }

    /// Begins what can go now. How long until there is more to do, unless something comes home before.
    async fn round(&self, clocks: &mut Clocks) -> Result<Duration, store::Error> {
        let store = &self.0.deps.store;
        // What is sent and cannot be written down would be sent again.
        if !store.health().is_ready() {
            return Ok(UNREADY);
        }
        if clocks.fell_back(self) {
            let now = self.0.deps.clock.now();
            self.recall(vec![OutboxOp::Recall { after: now, blocked: None, now }]).await;
        }
        let mut wait = LONGEST;
        for lane in store.outbox_lanes(KIND).await? {
            let now = self.0.deps.clock.now();
            if self.is_stopping() {
                break;
            }
            wait = wait.min(match until(now, lane.due) {
                Some(later) => later,
                None => self.fill(&lane.lane, now).await?,
            });
        }
        Ok(wait)
    }

    /// Begins what can go in one lane. How long until there is more to do in it, unless something comes home before.
    async fn fill(&self, lane: &str, now: Timestamp) -> Result<Duration, store::Error> {
        let (free, out) = {
            let mut lanes = self.0.lanes.lock();
            (lanes.free(lane), lanes.in_flight(lane))
        };
        if free == 0 {
            return Ok(LONGEST);
        }
        let heads = self.0.deps.store.outbox_heads(KIND, lane, out + PAGE).await?;
        let full = heads.len() == out + PAGE;
        let (mut wait, mut held) = (LONGEST, Vec::new());
        for head in heads {
            if let Some(later) = until(now, head.due) {
                wait = wait.min(later);
                break;
            }
            match self.admit(lane, &head, now) {
                Admitted::Gone => {}
                Admitted::Full => break,
                Admitted::Later => wait = wait.min(STEP),
                Admitted::Held(due) => {
                    wait = wait.min(until(now, due).unwrap_or_default());
                    held.push(postponed(&head, due));
                }
            }
        }
        if !held.is_empty() {
            // What comes after a page of rows that are all kept in is looked at at once.
            wait = if full { Duration::ZERO } else { wait };
            self.0.deps.store.commit(Batch { outbox: held, ..Batch::default() }).await?;
        }
        Ok(wait)
    }

    /// Begins a delivery, unless somebody works on it, the lane is full or the system's guard lets nothing out.
    fn admit(&self, lane: &str, head: &OutboxHead, now: Timestamp) -> Admitted {
        let mut lanes = self.0.lanes.lock();
        let Some(claim) = self.0.deps.store.claim(Work::Outbox, &head.id) else { return Admitted::Gone };
        match self.outlook(head) {
            Outlook::Closed(wait) => {
                lanes.troubled(lane);
                let wait = (wait + MARGIN).min(LONGEST);
                return Admitted::Held(later(now, SignedDuration::try_from(wait).unwrap_or_default()));
            }
            Outlook::Probing(most) => {
                lanes.troubled(lane);
                if lanes.in_flight(lane) >= most as usize {
                    return Admitted::Later;
                }
            }
            Outlook::Open => {}
        }
        if lanes.free(lane) == 0 {
            return Admitted::Full;
        }
        if lanes.begin(lane, &head.key) {
            drop(lanes);
            self.begin_delivery(lane, head, claim);
        }
        Admitted::Gone
    }

    fn outlook(&self, head: &OutboxHead) -> Outlook {
        let Target { system, operation } = Target::of(&head.target);
        let link = self.0.deps.systems.get(system);
        link.map_or(Outlook::Open, |link| link.outlook(operation, &head.tenant))
    }
}

/// What became of a row that is due.
enum Admitted {
    /// It is on its way, or was before.
    Gone,
    /// No place is free in its lane.
    Full,
    /// Enough are trying the system already.
    Later,
    /// Its guard lets nothing out before then.
    Held(Timestamp),
}

fn postponed(head: &OutboxHead, due: Timestamp) -> OutboxOp {
    OutboxOp::Postpone { id: head.id.clone(), due, blocked: Rejection::BreakerOpen.as_str().to_owned() }
}

/// How long until then; `None` when it has come.
fn until(now: Timestamp, due: Timestamp) -> Option<Duration> {
    Duration::try_from(due.duration_since(now)).ok().filter(|wait| !wait.is_zero())
}

pub(crate) fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
