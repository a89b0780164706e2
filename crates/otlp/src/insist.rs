//! Sends a batch, and again while that may help: a bounded number of times, with growing waits.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use port::Entropy;
use tokio::sync::watch;

use crate::Settings;
use crate::exporter::closed;
use crate::transport::{Answer, Send, Trouble};

/// How often and how long a batch is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Attempts in all.
    pub attempts: u32,
    /// The wait after the first one; it doubles with each further one. A wait that the collector asks for goes first.
    pub first: Duration,
    /// The longest wait, also of those that the collector asks for.
    pub most: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 5, first: Duration::from_secs(1), most: Duration::from_secs(30) }
    }
}

/// Sends batches with patience, but for the last ones: when the process ends, each is tried once.
pub(crate) struct Insist<T> {
    transport: T,
    patience: Patience,
    timeout: Duration,
    closes: watch::Receiver<bool>,
    entropy: Arc<dyn Entropy>,
}

impl<T: Send> Insist<T> {
    pub(crate) fn new(
        transport: T,
        patience: Patience,
        settings: &Settings,
        closes: watch::Receiver<bool>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { transport, patience, timeout: settings.timeout, closes, entropy }
    }

    /// `failing` is told of each attempt after which another one follows.
    pub(crate) async fn send(
        &mut self,
        request: ExportTraceServiceRequest,
        mut failing: impl FnMut(&Trouble),
    ) -> Result<Answer, Trouble> {
        let payload = self.transport.prepare(request);
        let mut attempt = 1;
        loop {
            let trouble = match tokio::time::timeout(self.timeout, self.transport.send(&payload)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(trouble)) => trouble,
                Err(_) => Trouble::passing(format!("no answer within {:?}", self.timeout)),
            };
            if !trouble.passes || attempt >= self.patience.attempts || *self.closes.borrow() {
                return Err(trouble);
            }
            failing(&trouble);
            let wait = self.wait(attempt, trouble.after);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = closed(&mut self.closes) => {}
            }
            attempt += 1;
        }
    }

    /// Between half of the wait and all of it, so that not all who lost a collector come back to it at once.
    fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let Patience { first, most, .. } = self.patience;
        match asked {
            Some(asked) => asked.min(most),
            None => {
                let grown = first.saturating_mul(1 << (attempt - 1).min(16)).min(most);
                grown.mul_f64(0.5 + self.entropy.unit() / 2.0)
            }
        }
    }
}

#[cfg(test)]
mod tests;
