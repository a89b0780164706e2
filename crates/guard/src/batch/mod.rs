//! Collects single items into one call: by size, by time, and at the end.
//!
//! A batch that the system refuses is halved until the item at fault fails alone. A batch that may have landed, or
//! that failed for a passing reason, is not sent again here: retries have one owner, and it is not this.

mod batched;
#[cfg(all(test, not(loom)))]
mod random;
#[cfg(all(test, not(loom)))]
mod tests;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::FusedFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use port::{Fault, Kind, Landed};
use tokio::sync::{mpsc, oneshot};

use crate::policy;

pub use batched::{Batched, Collect};

type Answer<R> = oneshot::Sender<Result<R, Fault>>;

/// Where items are handed in. Clone it freely.
pub struct Batcher<T, R> {
    queue: mpsc::Sender<(T, Answer<R>)>,
}

impl<T, R> Clone for Batcher<T, R> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

/// Sends the batches; somebody must run it.
pub struct Worker<T, R, S> {
    inlet: Inlet<T, R>,
    in_flight: usize,
    send: S,
}

/// Where items become batches.
struct Inlet<T, R> {
    queue: mpsc::Receiver<(T, Answer<R>)>,
    size: usize,
    timeout: Duration,
}

/// A batcher and its worker. `send` answers with one result per item, in order.
pub fn batcher<T, R, S>(policy: &policy::Batch, send: S) -> (Batcher<T, R>, Worker<T, R, S>) {
    let (sender, queue) = mpsc::channel(policy.queue.get() as usize);
    let inlet = Inlet { queue, size: policy.size.get() as usize, timeout: policy.timeout };
    (Batcher { queue: sender }, Worker { inlet, in_flight: policy.in_flight.get() as usize, send })
}

impl<T, R> Batcher<T, R> {
    /// Hands an item in and waits for its own result. When the queue is full it waits for room. An item whose caller
    /// goes away after that is still sent.
    ///
    /// # Errors
    /// The fault of its batch, or of this item alone.
    pub async fn push(&self, item: T) -> Result<R, Fault> {
        match self.hand_in(item).await {
            Ok(answer) => answer.await,
            Err(_) => Err(gone(Landed::No)),
        }
    }

    /// Hands an item in; what comes back waits for its result. The item itself comes back when there is no worker.
    async fn hand_in(&self, item: T) -> Result<impl Future<Output = Result<R, Fault>> + use<T, R>, T> {
        let (answer, heard) = oneshot::channel();
        self.queue.send((item, answer)).await.map_err(|unsent| unsent.0.0)?;
        Ok(async { heard.await.unwrap_or_else(|_| Err(gone(Landed::Unknown))) })
    }
}

fn gone(landed: Landed) -> Fault {
    Fault::new(Kind::Internal, landed, "what sent the batch is gone")
}

impl<T, R, S, F> Worker<T, R, S>
where
    T: Clone,
    S: Fn(Vec<T>) -> F,
    F: Future<Output = Result<Vec<R>, Fault>>,
{
    /// Sends batches until `shutdown`, then what is already there, without waiting for more. Also ends when every
    /// [`Batcher`] is gone. While as many batches are out as may be, items wait in the queue, so that the next batch is
    /// as full as it can be.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { mut inlet, in_flight, send } = self;
        let mut shutdown = pin!(shutdown.fuse());
        let mut out = FuturesUnordered::new();
        while let Some(batch) = beside(&mut out, inlet.batch(&mut shutdown)).await {
            // Whose batch a panic took down hears that it is gone; nobody else's is.
            out.push(AssertUnwindSafe(deliver(&send, batch)).catch_unwind());
            while out.len() >= in_flight {
                out.next().await;
            }
        }
        while out.next().await.is_some() {}
    }
}

/// Waits for `work` while the batches that are out come home.
async fn beside<F: Future, T>(out: &mut FuturesUnordered<F>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            Some(_home) = out.next(), if !out.is_empty() => {}
        }
    }
}

impl<T, R> Inlet<T, R> {
    /// The next batch; `None` when no more can come.
    async fn batch(
        &mut self,
        shutdown: &mut (impl FusedFuture<Output = ()> + Unpin),
    ) -> Option<Vec<(T, Answer<R>)>> {
        let first = self.next(shutdown).await?;
        Some(self.collect(first, shutdown).await)
    }

    /// The next item. At the shutdown the queue takes no more, and what is in it comes at once.
    async fn next(
        &mut self,
        shutdown: &mut (impl FusedFuture<Output = ()> + Unpin),
    ) -> Option<(T, Answer<R>)> {
        if !shutdown.is_terminated() {
            tokio::select! {
                biased;
                item = self.queue.recv() => return item,
                () = shutdown => self.queue.close(),
            }
        }
        self.queue.recv().await
    }

    /// Adds what comes until the batch is full, or the first item has waited long enough, or no more can come.
    async fn collect(
        &mut self,
        first: (T, Answer<R>),
        shutdown: &mut (impl FusedFuture<Output = ()> + Unpin),
    ) -> Vec<(T, Answer<R>)> {
        let mut batch = vec![first];
        let mut until = pin!(tokio::time::sleep(self.timeout));
        while batch.len() < self.size {
            tokio::select! {
                biased;
                item = self.next(shutdown) => match item {
                    Some(item) => batch.push(item),
                    None => break,
                },
                () = &mut until => break,
            }
        }
        batch
    }
}

/// Sends a batch; halves it while that may single out the item at fault.
async fn deliver<T, R, S, F>(send: &S, batch: Vec<(T, Answer<R>)>)
where
    T: Clone,
    S: Fn(Vec<T>) -> F,
    F: Future<Output = Result<Vec<R>, Fault>>,
{
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        let items = part.iter().map(|(item, _)| item.clone()).collect();
        match send(items).await {
            Ok(results) => answer(part, results),
            Err(fault) if part.len() > 1 && is_poisoned(&fault) => {
                let second = part.split_off(part.len() / 2);
                parts.extend([second, part]);
            }
            Err(fault) => {
                let size = part.len().to_string();
                let fault = fault.with("batch", size);
                part.into_iter().for_each(|(_, answer)| drop(answer.send(Err(fault.clone()))));
            }
        }
    }
}

/// The system understood and refused the batch, and did nothing: some item in it is at fault. Credentials are not an
/// item's.
fn is_poisoned(fault: &Fault) -> bool {
    let refused = !fault.kind.may_pass() && fault.kind != Kind::Unauthorised;
    refused && fault.landed == Landed::No && fault.rejection.is_none()
}

fn answer<T, R>(part: Vec<(T, Answer<R>)>, results: Vec<R>) {
    let mut results = results.into_iter();
    for (_, answer) in part {
        let missing = || Fault::new(Kind::Protocol, Landed::Yes, "fewer results than items in the batch");
        // A caller that went away does not hear it.
        drop(answer.send(results.next().ok_or_else(missing)));
    }
}
