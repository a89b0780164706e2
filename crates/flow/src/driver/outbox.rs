//! The relay of `tell`: at least once, with backoff, then a dead letter. Rows outlive the run that wrote them.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use port::{Fault, Repeat};
use serde::Deserialize;
use serde_json::Value;
use store::{Batch, DeadLetter, DeadOp, DeadState, OutboxOp, OutboxRow, Tried, failpoint};
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::Engine;
use super::call::Cause;
use super::letter::letter_id;
use crate::core::words;
use crate::definition::Retry;

const PAGE: usize = 100;
const LONGEST: Duration = Duration::from_secs(60);
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
}

/// Delivers rows, for ever.
pub(super) async fn relay(engine: Engine) {
    let places = Arc::new(Semaphore::new(engine.0.limits.relays.max(1)));
    loop {
        let wait = match engine.relay_due(&places).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "reading the outbox");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = engine.0.outbox_put.notified() => {}
        }
    }
}

impl Engine {
    async fn relay_due(&self, places: &Arc<Semaphore>) -> Result<Duration, store::Error> {
        let now = self.0.clock.now();
        for row in self.0.store.outbox_due(now, PAGE).await? {
            let Some(claim) = self.0.claims.take(&row.id).filter(|_| row.kind == "tell") else { continue };
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let engine = self.clone();
            self.keep(async move {
                engine.deliver(&row).await;
                drop((claim, place));
                engine.0.outbox_put.notify_one();
            });
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

    async fn deliver(&self, row: &OutboxRow) {
        let batch = match serde_json::from_slice::<Tell>(&row.payload) {
            Ok(tell) => {
                let outcome = self.hand_over(row, &tell).await;
                self.delivered(row, &tell, outcome)
            }
            Err(error) => {
                tracing::error!(row = row.id, %error, "reading an outbox row");
                return;
            }
        };
        failpoint("flow.relayed");
        let letters = batch.dead.clone();
        if let Err(error) = self.0.store.commit(batch).await {
            tracing::warn!(row = row.id, %error, "writing what became of an outbox row");
            return tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for letter in letters {
            if let DeadOp::Put(letter) = letter {
                self.0.listener.undeliverable(&letter);
            }
        }
    }

    async fn hand_over(&self, row: &OutboxRow, tell: &Tell) -> Result<(), Fault> {
        let (system, operation) = row.target.split_once('.').unwrap_or((&row.target, ""));
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
            let retry = OutboxOp::Retry { id, due, attempts, sent, cause: fault.to_string(), blocked };
            return Batch { outbox: vec![retry], ..Batch::default() };
        }
        let letter = self.undeliverable(row, tell, &fault);
        Batch { outbox: vec![OutboxOp::Done { id }], dead: vec![DeadOp::Put(letter)], ..Batch::default() }
    }

    fn repeat(&self, target: &str) -> Repeat {
        let (system, operation) = target.split_once('.').unwrap_or((target, ""));
        let link = self.0.systems.get(system);
        link.and_then(|link| Some(link.spec().operation(operation)?.repeat)).unwrap_or(Repeat::Never)
    }

    fn undeliverable(&self, row: &OutboxRow, tell: &Tell, fault: &Fault) -> DeadLetter {
        let now = self.0.clock.now();
        let (system, operation) = row.target.split_once('.').unwrap_or((&row.target, ""));
        let code = format!("call.{}", fault.kind.as_str());
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
