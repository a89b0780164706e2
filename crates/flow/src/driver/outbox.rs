//! The relay of `tell`: at least once, with backoff, then a dead letter. Rows outlive the run that wrote them. What is
//! for a system whose guard lets nothing out stays where it is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Fault, Kind, Landed, Rejection, Repeat};
use serde::Deserialize;
use serde_json::Value;
use store::{Batch, DeadLetter, DeadOp, DeadState, OutboxOp, OutboxRow, Tried, failpoint};
use tracing::Instrument;

use super::Engine;
use super::call::Cause;
use super::letter::letter_id;
use super::pace::Target;
use super::runner::stopped;
use crate::core::words;
use crate::definition::Retry;

const PAGE: usize = 100;
const LONGEST: Duration = Duration::from_secs(60);
/// How long until it is looked again whether the store can be written.
const UNREADY: Duration = Duration::from_millis(500);
/// How long one delivery may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a row of kind `tell` holds.
#[derive(Debug, Deserialize)]
struct Tell {
    input: Value,
    key: String,
    run: String,
    step: String,
    #[serde(default)]
    trace: Option<String>,
    /// Whether the run may undo it; messages that do not say so may have to be.
    #[serde(default = "perhaps")]
    undone: bool,
}

fn perhaps() -> bool {
    true
}

/// Delivers rows, for ever.
pub(super) async fn relay(engine: Engine) {
    let mut stopping = engine.0.stopping.subscribe();
    loop {
        let wait = match engine.relay_due().await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "reading the outbox");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep(wait) => {}
            () = engine.0.outbox_put.notified() => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

/// Whom a row is for.
fn target(row: &OutboxRow) -> Target<'_> {
    let (system, operation) = row.target.split_once('.').unwrap_or((&row.target, ""));
    Target { system, operation, tenant: &row.tenant }
}

/// The row stays where it is until then, and no attempt is counted.
fn postponed(row: OutboxRow, due: Timestamp) -> OutboxOp {
    let cause = row.cause.unwrap_or_else(|| "held back: its guard lets nothing out".to_owned());
    let blocked = row.blocked.or_else(|| Some(Rejection::BreakerOpen.as_str().to_owned()));
    let OutboxRow { id, attempts, sent, perhaps, .. } = row;
    OutboxOp::Retry { id, due, attempts, sent, cause, blocked, perhaps }
}

impl Engine {
    /// Whether messages are being delivered.
    pub(super) fn is_relaying(&self) -> bool {
        self.0.relays.available_permits() < self.0.limits.relays.max(1)
    }

    async fn relay_due(&self) -> Result<Duration, store::Error> {
        // What is sent and cannot be written down would be sent again.
        if !self.0.store.health().is_ready() {
            return Ok(UNREADY);
        }
        let now = self.0.clock.now();
        let mut held = Batch::default();
        for row in self.0.store.outbox_due(now, PAGE).await? {
            if row.kind != "tell" {
                continue;
            }
            let Some(claim) = self.0.claims.take(&row.id) else { continue };
            if let Some(due) = self.hold(&target(&row), now) {
                held.outbox.push(postponed(row, due));
                continue;
            }
            let Ok(place) = self.0.relays.clone().acquire_owned().await else { break };
            if self.is_stopping() {
                break;
            }
            let engine = self.clone();
            self.keep(async move {
                if let Err(error) = engine.deliver(&row).await {
                    tracing::error!(row = row.id, %error, "writing what became of a message; it is left alone");
                    claim.keep();
                }
                drop(place);
                engine.0.outbox_put.notify_one();
            });
        }
        if !held.is_empty() {
            self.0.store.commit(held).await?;
        }
        self.0.tasks.lock().retain(|task| !task.is_finished());
        let idle = self.0.claims.is_empty();
        Ok(match self.0.store.next_outbox().await? {
            Some(next) if idle || next > now => {
                Duration::try_from(next.duration_since(now)).unwrap_or(Duration::from_millis(50)).min(LONGEST)
            }
            _ => LONGEST,
        })
    }

    /// Sends a message and writes what became of it. An error means that this could not be written.
    async fn deliver(&self, row: &OutboxRow) -> Result<(), store::Error> {
        let tell = match serde_json::from_slice::<Tell>(&row.payload) {
            Ok(tell) => tell,
            Err(error) => {
                return Err(store::Error::Corrupt { what: format!("message {:?}: {error}", row.id) });
            }
        };
        let Some(batch) = self.attempt(row, &tell).await? else { return Ok(()) };
        failpoint("flow.relayed");
        let letters = batch.dead.clone();
        self.write(batch).await?;
        for letter in letters {
            if let DeadOp::Put(letter) = letter {
                self.0.listener.undeliverable(&letter);
            }
        }
        Ok(())
    }

    /// What one attempt came to; `None` when the message was taken back.
    async fn attempt(&self, row: &OutboxRow, tell: &Tell) -> Result<Option<Batch>, store::Error> {
        let never = self.repeat(&row.target) == Repeat::Never;
        if never && row.perhaps {
            return Ok(Some(self.given_up(row, tell, "flow.interrupted".to_owned(), &interrupted())));
        }
        if never || tell.undone {
            match self.write(begin(row)).await {
                Err(store::Error::Gone { .. }) => return Ok(None),
                begun => begun?,
            }
        }
        let outcome = self.hand_over(row, tell).await;
        Ok(Some(self.delivered(row, tell, outcome)))
    }

    /// Commits; waits for a store that is busy or full, for it recovers.
    async fn write(&self, batch: Batch) -> Result<(), store::Error> {
        let mut wait = Duration::from_millis(5);
        loop {
            match self.0.store.commit(batch.clone()).await {
                Err(store::Error::Busy | store::Error::Full) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(UNREADY);
                }
                done => return done.map(drop),
            }
        }
    }

    async fn hand_over(&self, row: &OutboxRow, tell: &Tell) -> Result<(), Fault> {
        let Target { system, operation, .. } = target(row);
        let cause = Cause {
            tenant: &row.tenant,
            correlation: &row.correlation,
            trace: tell.trace.as_deref(),
            run: &tell.run,
            step: &tell.step,
        };
        let _permit = self.0.calls.acquire().await;
        let ctx = self.ctx(&cause, Some(TIMEOUT));
        let calling = self.call(&ctx, system, operation, tell.input.clone(), Some(&tell.key));
        calling.instrument(cause.span(&ctx)).await.map(drop)
    }

    /// The rows that say what became of a delivery.
    fn delivered(&self, row: &OutboxRow, tell: &Tell, outcome: Result<(), Fault>) -> Batch {
        let id = row.id.clone();
        let Err(fault) = outcome else {
            return Batch { outbox: vec![OutboxOp::Done { id }], ..Batch::default() };
        };
        // A guard that kept the call in spends no attempt, unless the call had been made before.
        let attempts = row.attempts + u32::from(fault.rejection.is_none() || fault.attempts > 0);
        if fault.may_resend(self.repeat(&row.target), true) && attempts < self.0.limits.tells {
            let wait = Retry::STEP
                .backoff(attempts.max(1), self.0.entropy.unit())
                .max(fault.retry_after.unwrap_or_default().min(LONGEST));
            let sent = row.sent + fault.attempts;
            let due = self.0.clock.now() + SignedDuration::try_from(wait).unwrap_or_default();
            let blocked = fault.rejection.map(|guard| guard.as_str().to_owned());
            let perhaps = row.perhaps || fault.landed != Landed::No;
            let retry =
                OutboxOp::Retry { id, due, attempts, sent, cause: fault.to_string(), blocked, perhaps };
            return Batch { outbox: vec![retry], ..Batch::default() };
        }
        self.given_up(row, tell, format!("call.{}", fault.kind.as_str()), &fault)
    }

    /// Nothing more is tried: a person decides.
    fn given_up(&self, row: &OutboxRow, tell: &Tell, code: String, fault: &Fault) -> Batch {
        let letter = self.undeliverable(row, tell, code, fault);
        let done = OutboxOp::Done { id: row.id.clone() };
        Batch { outbox: vec![done], dead: vec![DeadOp::Put(letter)], ..Batch::default() }
    }

    fn repeat(&self, target: &str) -> Repeat {
        let (system, operation) = target.split_once('.').unwrap_or((target, ""));
        let link = self.0.systems.get(system);
        link.and_then(|link| Some(link.spec().operation(operation)?.repeat)).unwrap_or(Repeat::Never)
    }

    fn undeliverable(&self, row: &OutboxRow, tell: &Tell, code: String, fault: &Fault) -> DeadLetter {
        let now = self.0.clock.now();
        let Target { system, operation, .. } = target(row);
        let mut history: Vec<Tried> = Vec::new();
        history.extend(row.cause.as_ref().map(|cause| Tried {
            at: row.due,
            code: "earlier".into(),
            message: cause.clone(),
            attempts: row.sent,
        }));
        history.push(Tried { at: now, code: code.clone(), message: words(fault), attempts: fault.attempts });
        DeadLetter {
            id: letter_id(&row.id),
            tenant: row.tenant.clone(),
            source: row.id.clone(),
            // Sent again, it goes to the member that may have acted.
            system: fault.member.as_deref().unwrap_or(system).to_owned(),
            operation: operation.to_owned(),
            code,
            message: words(fault),
            first: history.first().map_or(now, |tried| tried.at),
            history,
            input: tell.input.to_string().into_bytes(),
            key: Some(tell.key.clone()),
            correlation: row.correlation.clone(),
            last: now,
            state: DeadState::Open,
            resolved: None,
        }
    }
}

/// From here on the message may have landed. What must not be sent twice, or may have to be undone, says so first.
fn begin(row: &OutboxRow) -> Batch {
    Batch { outbox: vec![OutboxOp::Begin { id: row.id.clone() }], ..Batch::default() }
}

fn interrupted() -> Fault {
    Fault::new(Kind::Internal, Landed::Unknown, "stopped between sending the message and writing its outcome")
}
