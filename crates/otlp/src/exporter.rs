//! The queue between calls and the collector, and the task that empties it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use port::{Entropy, Recorder, Span};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

use crate::insist::{Insist, Patience};
use crate::sender::Sender;
use crate::transport::Transport;
use crate::{Loss, Settings, Told, Unusable};

/// Exports spans. Handing one in costs a place in a queue, or nothing when there is none left.
pub struct Exporter {
    queue: mpsc::Sender<Span>,
    /// Below this, the last 56 bits of a trace's id leave it out.
    threshold: u64,
    ledger: Arc<Ledger>,
    closing: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Counts spans in and out, so that none is lost without being counted.
pub(crate) struct Ledger {
    told: Arc<dyn Told>,
    inside: AtomicU64,
}

impl Ledger {
    pub(crate) fn exported(&self, spans: u64) {
        self.inside.fetch_sub(spans, Ordering::Relaxed);
        self.told.exported(spans);
    }

    pub(crate) fn dropped(&self, spans: u64, why: Loss) {
        self.inside.fetch_sub(spans, Ordering::Relaxed);
        self.told.dropped(spans, why);
    }

    fn left(&self) {
        let left = self.inside.swap(0, Ordering::Relaxed);
        if left > 0 {
            self.told.dropped(left, Loss::Closed);
        }
    }
}

/// The bits of a trace's id that are random whoever made it (W3C Trace Context, level 2).
const RANDOM: u64 = (1 << 56) - 1;

impl Exporter {
    /// Starts exporting, on the runtime that this is called on. Nothing is connected before the first span.
    ///
    /// # Errors
    /// When no client can be made for the collector.
    pub fn start(
        settings: &Settings,
        patience: Patience,
        told: Arc<dyn Told>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Unusable> {
        let transport = Transport::new(settings)?;
        let (queue, spans) = mpsc::channel(settings.queue.max(1));
        let (closing, closes) = watch::channel(false);
        let ledger = Arc::new(Ledger { told, inside: AtomicU64::new(0) });
        let insist = Insist::new(transport, patience, settings, closes.clone(), entropy);
        let sender = Sender::new(settings, spans, closes, insist, ledger.clone());
        let task = Mutex::new(Some(tokio::spawn(sender.run())));
        Ok(Self { queue, threshold: threshold(settings.sample), ledger, closing, task })
    }

    /// Sends what waits, each batch once, for at most `patience`; what is left then is dropped. Takes nothing any more.
    pub async fn close(&self, patience: Duration) {
        let Some(mut task) = self.task.lock().await.take() else { return };
        self.closing.send_replace(true);
        if tokio::time::timeout(patience, &mut task).await.is_err() {
            task.abort();
            // What it is just counting it counts to the end.
            let _aborted = task.await;
        }
        self.ledger.left();
    }
}

impl Recorder for Exporter {
    fn wants(&self) -> bool {
        true
    }

    fn samples(&self, trace_id: u128) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "the last bits are what is meant")]
        let random = trace_id as u64 & RANDOM;
        random >= self.threshold
    }

    fn record(&self, span: Span) {
        // Before it is sent: the task may be quicker than this line.
        self.ledger.inside.fetch_add(1, Ordering::Relaxed);
        match self.queue.try_send(span) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => self.ledger.dropped(1, Loss::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => self.ledger.dropped(1, Loss::Closed),
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("threshold", &self.threshold).finish_non_exhaustive()
    }
}

/// Resolves when nothing more is taken.
pub(crate) async fn closed(closes: &mut watch::Receiver<bool>) {
    // Whoever would close it may be gone.
    let _ = closes.wait_for(|closes| *closes).await;
}

/// As OpenTelemetry's consistent probability sampling has it: of two samplers the one with the higher ratio takes all
/// that the other one takes.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio needs no more than 52 bits, and is between 0 and 1"
)]
fn threshold(sample: f64) -> u64 {
    ((1.0 - sample.clamp(0.0, 1.0)) * (RANDOM + 1) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::{RANDOM, threshold};

    #[test]
    fn a_ratio_takes_its_part_of_all_traces() {
        assert_eq!((threshold(1.0), threshold(0.0)), (0, RANDOM + 1));
        assert_eq!(threshold(0.25), (RANDOM + 1) / 4 * 3);
    }
}
