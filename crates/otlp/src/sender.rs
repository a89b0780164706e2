//! Takes spans from the queue in batches and has them sent, one batch after another.

use std::sync::Arc;
use std::time::Duration;

use port::Span;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use crate::exporter::{Ledger, closed};
use crate::insist::Insist;
use crate::transport::Send;
use crate::voice::Voice;
use crate::{Loss, Settings, encode};

/// The task.
pub(crate) struct Sender<T> {
    spans: mpsc::Receiver<Span>,
    closes: watch::Receiver<bool>,
    insist: Insist<T>,
    ledger: Arc<Ledger>,
    voice: Voice,
    encode: encode::Sender,
    batch: usize,
    interval: Duration,
}

impl<T: Send> Sender<T> {
    pub(crate) fn new(
        settings: &Settings,
        spans: mpsc::Receiver<Span>,
        closes: watch::Receiver<bool>,
        insist: Insist<T>,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            spans,
            closes,
            insist,
            ledger,
            voice: Voice::new(&settings.endpoint),
            encode: encode::Sender::new(settings),
            batch: settings.batch.max(1),
            interval: settings.interval,
        }
    }

    pub(crate) async fn run(mut self) {
        loop {
            let batch = self.gather().await;
            if batch.is_empty() {
                return;
            }
            self.deliver(batch).await;
        }
    }

    /// The next batch: when it is full, or its first span has waited long enough. Empty when there will be none any more.
    async fn gather(&mut self) -> Vec<Span> {
        let mut batch = Vec::new();
        self.more(&mut batch).await;
        let until = Instant::now() + self.interval;
        while !batch.is_empty() && batch.len() < self.batch {
            match timeout_at(until, self.more(&mut batch)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        batch
    }

    /// Safe under cancellation: what was received is in the batch.
    async fn more(&mut self, batch: &mut Vec<Span>) -> usize {
        let room = self.batch - batch.len();
        if *self.closes.borrow() {
            self.spans.close();
            return self.spans.recv_many(batch, room).await;
        }
        tokio::select! {
            biased;
            count = self.spans.recv_many(batch, room) => return count,
            () = closed(&mut self.closes) => {}
        }
        self.spans.close();
        self.spans.recv_many(batch, room).await
    }

    async fn deliver(&mut self, batch: Vec<Span>) {
        let count = batch.len() as u64;
        let request = self.encode.request(batch);
        let voice = &mut self.voice;
        match self.insist.send(request, |trouble| voice.failing(&trouble.cause)).await {
            Ok(answer) => {
                let refused = answer.refused.min(count);
                self.ledger.exported(count - refused);
                if refused == 0 {
                    return self.voice.well();
                }
                self.ledger.dropped(refused, Loss::Refused);
                self.voice.failing(&format!("{refused} spans of {count} refused: {}", answer.said));
            }
            Err(trouble) => {
                self.ledger.dropped(count, if trouble.passes { Loss::Away } else { Loss::Refused });
                self.voice.failing(&trouble.cause);
            }
        }
    }
}
