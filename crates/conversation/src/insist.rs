//! Work that goes on when whoever waits for it has left. A caller who closes the connection drops the future of the
//! request; what a batch on its way to disk sets in motion must not be dropped with it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Work that, once begun, is done: here, or when this is dropped, on a task of its own.
pub struct Insist<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    begun: bool,
}

/// Wraps `work`. Nothing happens before the first poll, nor when it is dropped before.
pub fn insist<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Insist<T> {
    Insist { work: Some(Box::pin(work)), begun: false }
}

impl<T: Send + 'static> Future for Insist<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        // Taken out while it is polled: work that panics is not gone on with.
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Insist<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take().filter(|_| self.begun) else { return };
        // Without a runtime the process is ending; what is durable is found again at the next start.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::task::Poll;
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::insist;

    /// Work that takes a second, and whether it is done.
    fn work() -> (impl Future<Output = u8> + Send + 'static, Arc<AtomicBool>) {
        let done = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&done);
        let work = async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            mark.store(true, Ordering::Relaxed);
            7
        };
        (work, done)
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told() {
        assert_eq!(insist(work().0).await, 7);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_leaves_work_that_is_done() {
        let (work, done) = work();
        assert!(insist(work).now_or_never().is_none());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn work_that_panics_is_over() {
        let polls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&polls);
        let work = insist(std::future::poll_fn(move |_| -> Poll<()> {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("a defect, meant by the test")
        }));
        let caught = std::panic::AssertUnwindSafe(work).catch_unwind().await;
        tokio::task::yield_now().await;
        assert!(caught.is_err() && polls.load(Ordering::Relaxed) == 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_begun_is_not_done() {
        let (work, done) = work();
        drop(insist(work));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!done.load(Ordering::Relaxed));
    }
}
