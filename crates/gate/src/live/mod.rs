//! Live events: the log, followed from a position, as Server-Sent Events.
//!
//! Nothing is buffered for a subscriber: each reads the log at its own pace, a page at a time, and is woken when
//! the log grows. So none can slow another, none misses an event, and none sees one twice: the event's id is its
//! position, and `Last-Event-ID` goes on after it. Who takes nothing at all is disconnected by the server.

mod envelope;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use store::{Event, Store};
use tokio::sync::{OwnedSemaphorePermit, watch};

/// Events read from the store at once.
const PAGE: usize = 256;
/// Bytes sent in one piece, about.
const PIECE: usize = 64 << 10;

/// What a subscriber wants to see.
pub(crate) struct Wanted {
    pub(crate) tenant: Arc<str>,
    /// Only this stream; all of the tenant's otherwise.
    pub(crate) stream: Option<String>,
    /// The last position that was seen.
    pub(crate) after: u64,
}

/// The subscription as a response body.
pub(crate) fn follow(
    store: Store,
    wanted: Wanted,
    heartbeat: Duration,
    stopping: watch::Receiver<bool>,
    permit: OwnedSemaphorePermit,
) -> Body {
    let head = store.head();
    // A stream is read from its first event: only its versions can be sought, and positions are given.
    let reached = if wanted.stream.is_some() { 0 } else { wanted.after };
    let read = VecDeque::new();
    let follower =
        Follower { store, wanted, heartbeat, stopping, head, reached, version: 0, read, _permit: permit };
    Body::from_stream(stream::unfold(Some((follower, true)), |state| async move {
        let (mut follower, first) = state?;
        // A first comment at once, so that the subscriber knows that it is heard.
        let piece = if first { Some(Bytes::from_static(b": ok\n\n")) } else { follower.next().await };
        let piece = piece?;
        Some((Ok::<_, Infallible>(piece), Some((follower, false))))
    }))
}

struct Follower {
    store: Store,
    wanted: Wanted,
    heartbeat: Duration,
    stopping: watch::Receiver<bool>,
    head: watch::Receiver<u64>,
    /// The last position that was looked at.
    reached: u64,
    /// The last version that was looked at, when one stream is followed.
    version: u64,
    read: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next piece to send. `None` ends the subscription; the subscriber comes back with the last id.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.piece() {
                return Some(piece);
            }
            if *self.stopping.borrow() {
                return None;
            }
            let seen = *self.head.borrow_and_update();
            if seen > self.reached {
                self.page(seen).await?;
                continue;
            }
            tokio::select! {
                changed = self.head.changed() => changed.ok()?,
                _ = self.stopping.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep(self.heartbeat) => return Some(Bytes::from_static(b": beat\n\n")),
            }
        }
    }

    /// Reads on up to `head`, and remembers how far: also over what is not for this subscriber.
    async fn page(&mut self, head: u64) -> Option<()> {
        let page = match &self.wanted.stream {
            Some(stream) => self.store.stream(stream, self.version, PAGE).await,
            None => self.store.log(self.reached, PAGE).await,
        };
        let page = page.inspect_err(|error| tracing::warn!(error = %error, "following the log")).ok()?;
        match page.last() {
            Some(last) => (self.version, self.reached) = (last.version, last.position),
            None => self.reached = head,
        }
        let Wanted { tenant, after, .. } = &self.wanted;
        self.read.extend(page.into_iter().filter(|event| event.tenant == *tenant && event.position > *after));
        Some(())
    }

    fn piece(&mut self) -> Option<Bytes> {
        let mut piece = Vec::new();
        while piece.len() < PIECE
            && let Some(event) = self.read.pop_front()
        {
            envelope::write(&mut piece, &event);
        }
        (!piece.is_empty()).then(|| piece.into())
    }
}
