//! Signals from outside: sent to a run or to the runs of a key, kept until a `listen` takes them, known by their id.

use serde_json::Value;
use store::{Batch, RunFilter, RunRow, RunStatus, Signal, SignalOp};

use super::Engine;
use super::runs::Message;
use crate::Error;
use crate::core::SENT;

/// The statuses of a run that may still hear something.
const HEARING: [RunStatus; 5] =
    [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting, RunStatus::Paused, RunStatus::Compensating];
const PAGE: usize = 1000;

/// A signal that is sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The name that a `listen` waits for.
    pub name: &'a str,
    /// Known by it: the same id twice for one run has no effect, also after it was taken.
    pub id: &'a str,
    /// What the `listen` gives.
    pub payload: &'a Value,
}

impl Engine {
    /// Sends a signal to a run. One that nobody waits for yet is kept until somebody does, or the run ends.
    ///
    /// # Errors
    /// [`Error::UnknownRun`]; [`Error::Status`] when the run has ended; [`Error::Signals`] when too many wait,
    /// [`Error::SignalSize`]; and the store's.
    pub async fn send_signal(&self, run: &str, sent: Sent<'_>) -> Result<(), Error> {
        let row = self.0.store.run(run).await?.ok_or_else(|| Error::UnknownRun(run.to_owned()))?;
        if !HEARING.contains(&row.status) {
            let wanted = "only a run that has not ended can hear a signal";
            return Err(Error::Status { run: run.to_owned(), status: row.status.as_str(), wanted });
        }
        let payload = sent.payload.to_string().into_bytes();
        self.has_room(run, &sent, payload.len()).await?;
        let (run_, id, name) = (run.to_owned(), sent.id.to_owned(), format!("{SENT}{}", sent.name));
        let put = SignalOp::Put(Signal { run: run_, id, name, payload });
        self.0.store.commit(Batch { signals: vec![put], ..Batch::default() }).await?;
        self.send(run, Message::Look);
        Ok(())
    }

    async fn has_room(&self, run: &str, sent: &Sent<'_>, size: usize) -> Result<(), Error> {
        let limits = &self.0.limits;
        if size > limits.signal {
            return Err(Error::SignalSize { size, limit: limits.signal });
        }
        let (known, waiting) = self.0.store.signal_known(run, sent.id).await?;
        if !known && waiting >= limits.signals as u64 {
            return Err(Error::Signals { run: run.to_owned(), waiting });
        }
        Ok(())
    }

    /// The runs of a key that hear signals: of each flow the one whose turn it is, oldest first. Those behind it in the
    /// queue hear nothing that is meant for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn hearing(&self, tenant: &str, flow: Option<&str>, key: &str) -> Result<Vec<RunRow>, Error> {
        let mut filter = RunFilter {
            tenant: Some(tenant.to_owned()),
            flow: flow.map(str::to_owned),
            key: Some(key.to_owned()),
            status: HEARING.to_vec(),
            limit: PAGE,
            ..RunFilter::default()
        };
        let mut hearing: Vec<RunRow> = Vec::new();
        loop {
            // The newest come first: each that waits for its turn gives way to what was begun before it.
            let page = self.0.store.runs(&filter).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.position);
            for row in page {
                hearing.retain(|other| other.flow != row.flow || other.status != RunStatus::Queued);
                hearing.push(row);
            }
        }
        hearing.reverse();
        Ok(hearing)
    }
}
