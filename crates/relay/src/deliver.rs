//! One row: claimed, read again, sent, and what became of it written with the row's end.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use port::{Fault, Landed, Repeat, Reply};
use store::{Batch, Claim, DeadOp, OutboxHead, OutboxOp, OutboxRow, OutboxStage, failpoint, mutant};

use crate::look::doubted;
use crate::round::{BLOCKED, LONGEST, UNREADY, later};
use crate::running::Relay;
use crate::send::{Asked, Target};
use crate::tell::Tell;
use crate::verdict::{End, Known, judge};

impl Relay {
    /// Delivers a row that is claimed, beside the others.
    pub(crate) fn begin_delivery(&self, lane: &str, head: &OutboxHead, claim: Claim) {
        let (relay, lane, head) = (self.clone(), lane.to_owned(), head.clone());
        self.fly(async move {
            match relay.deliver(&lane, &head).await {
                // In this order: whoever finds it unclaimed finds a place for its key.
                Ok(()) => {
                    relay.0.lanes.lock().end(&lane, &head.key);
                    drop(claim);
                }
                // It stays claimed: what is sent and not written down must not be sent again.
                Err(error) => {
                    claim.keep();
                    tracing::error!(row = head.id, %error, "writing what became of a message; it is left alone");
                }
            }
        });
    }

    /// An error means that what became of a message could not be written.
    async fn deliver(&self, lane: &str, head: &OutboxHead) -> Result<(), store::Error> {
        let Some(row) = self.reread(head).await? else { return Ok(()) };
        let Ok(tell) = serde_json::from_slice::<Tell>(&row.payload) else {
            tracing::error!(row = row.id, "a message cannot be read; it holds its key");
            return self.put_off(&row.id, "unreadable").await;
        };
        let target = Target::of(&row.target).at(tell.bound(&row));
        let Some(known) = self.known(target) else { return self.put_off(&row.id, BLOCKED).await };
        if known.repeat == Repeat::Never && row.perhaps && !tell.again {
            let end = self.look_up(&row, &tell, &known).await.at(tell.asked.clone());
            return self.written(lane, &row, &tell, end).await;
        }
        let Some(asked) = self.begun(&row, &tell, (target, &known)).await? else { return Ok(()) };
        // What need not be written before it is sent is sent only by the process that may.
        self.0.deps.store.must_hold()?;
        let (outcome, asked) = self.send(&row, &tell, target, asked).await;
        let member = asked.as_deref().filter(|_| may_have_landed(&outcome));
        // Whoever may have it repeats it as safely as it says; for a group of several nothing is.
        let known = member.and_then(|member| self.known(target.at(Some(member)))).unwrap_or(known);
        let moment = self.moment();
        let end = judge(&row, &tell, outcome, &known, &moment).at(asked);
        let never = known.repeat == Repeat::Never;
        let end = if never { doubted(end, &row, &tell, &known, &moment) } else { end };
        self.written(lane, &row, &tell, end).await
    }

    fn known(&self, target: Target<'_>) -> Option<Known> {
        self.operation(target).map(Known::from)
    }

    /// The row as it stands now that it is claimed: whoever had it before may have delivered it, or put it off.
    async fn reread(&self, head: &OutboxHead) -> Result<Option<OutboxRow>, store::Error> {
        match self.0.deps.store.outbox_one(&head.id).await {
            Ok(Some(row)) if mutant("tells-not-reread") => Ok(Some(row)),
            Ok(row) => {
                let now = self.0.deps.clock.now();
                Ok(row.filter(|row| row.stage == OutboxStage::Ready && row.due <= now))
            }
            Err(error @ store::Error::Corrupt { .. }) => {
                tracing::error!(row = head.id, %error, "a message is damaged; it holds its key");
                self.put_off(&head.id, "damaged").await.map(|()| None)
            }
            // Nothing was sent.
            Err(error) => {
                tracing::warn!(row = head.id, %error, "reading a message");
                Ok(None)
            }
        }
    }

    /// From here on the message may have landed. What must not be sent twice, may have to be undone, or goes to one member
    /// of a group, says so first, and to whom. `None` when it was taken back.
    async fn begun(
        &self,
        row: &OutboxRow,
        tell: &Tell,
        (target, known): (Target<'_>, &Known),
    ) -> Result<Option<Asked>, store::Error> {
        let link = self.0.deps.systems.get(target.system);
        let first = link.and_then(|link| link.first_asked(target.operation));
        let asked = match &first {
            Some(first) => Asked::First(Arc::clone(first)),
            None => Asked::Bound(tell.bound(row).map(str::to_owned)),
        };
        let says_so = known.repeat == Repeat::Never || tell.undone || first.is_some();
        if !says_so || mutant("tells-not-begun") {
            return Ok(Some(asked));
        }
        let member = first.as_deref().or(tell.bound(row));
        match self.begins(row, tell, member, known.settles).await {
            Err(store::Error::Gone { .. }) => Ok(None),
            begun => begun.map(|()| Some(asked)),
        }
    }

    /// Writes down that a message may land from now on, and the member of a group that is asked.
    pub(crate) async fn begins(
        &self,
        row: &OutboxRow,
        tell: &Tell,
        member: Option<&str>,
        settles: Duration,
    ) -> Result<(), store::Error> {
        let within = SignedDuration::try_from(self.0.deps.limits.timeout + settles).unwrap_or_default();
        let settles = later(self.0.deps.clock.now(), within);
        let changed = tell.again || member.is_some();
        let tell = || Tell { asked: member.map(str::to_owned), again: false, ..tell.clone() };
        let payload = changed.then(|| serde_json::to_vec(&tell()).unwrap_or_default());
        let begin = OutboxOp::Begin { id: row.id.clone(), settles, payload };
        self.write(Batch { outbox: vec![begin], ..Batch::default() }).await
    }

    /// Puts a row off that cannot be sent for a reason of ours. It holds its key, and no attempt is spent.
    async fn put_off(&self, id: &str, blocked: &str) -> Result<(), store::Error> {
        let wait = SignedDuration::try_from(LONGEST).unwrap_or_default();
        let due = later(self.0.deps.clock.now(), wait);
        let postpone = OutboxOp::Postpone { id: id.to_owned(), due, blocked: blocked.to_owned() };
        self.write(Batch { outbox: vec![postpone], ..Batch::default() }).await
    }

    async fn written(&self, lane: &str, row: &OutboxRow, tell: &Tell, end: End) -> Result<(), store::Error> {
        {
            let mut lanes = self.0.lanes.lock();
            match &end {
                End::Delivered { .. } => lanes.took(lane),
                End::Again { trouble: true, .. } => lanes.troubled(lane),
                End::Again { .. } | End::Dead { .. } => {}
            }
        }
        let ended = !matches!(end, End::Again { .. });
        let batch = end.batch(row, tell, self.0.deps.clock.now());
        let letters = batch.dead.clone();
        self.write(batch).await?;
        failpoint("relay.written");
        for letter in letters {
            if let DeadOp::Put(letter) = letter {
                self.0.deps.listener.undeliverable(&letter);
            }
        }
        if ended {
            self.0.deps.listener.settled(&tell.run);
        }
        Ok(())
    }

    /// Commits; waits for a store that is busy or full, for it recovers.
    async fn write(&self, batch: Batch) -> Result<(), store::Error> {
        let mut wait = Duration::from_millis(5);
        loop {
            match self.0.deps.store.commit(batch.clone()).await {
                Err(store::Error::Busy | store::Error::Full) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(UNREADY);
                }
                done => return done.map(drop),
            }
        }
    }
}

fn may_have_landed(outcome: &Result<Reply, Fault>) -> bool {
    outcome.as_ref().is_err_and(|fault| fault.landed != Landed::No)
}
