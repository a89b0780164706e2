//! How many requests are worked on at once: each holds a turn while it is. Who finds none free is refused at once and
//! comes back; who only waits (for a body, for a position, for a run) gives its turn back meanwhile. Some turns are kept
//! for operators: a crowd of callers cannot take them.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::poll_immediate;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Whose;
use crate::{Code, Observer, Problem};

/// The turns there are.
#[derive(Clone)]
pub(crate) struct Turns {
    /// For whoever comes.
    free: Arc<Semaphore>,
    /// For operators, when those are taken.
    kept: Arc<Semaphore>,
    observer: Arc<dyn Observer>,
}

/// A request's turn. Its clones are the same turn; it is free again when the last of them is dropped, so also when
/// the caller leaves or the handler panics.
#[derive(Clone)]
pub(crate) struct Turn(Arc<Place>);

struct Place {
    turns: Turns,
    whose: Whose,
    /// Of one request alone, so never fought over.
    held: Mutex<Option<Held>>,
}

/// While it lives, one turn less is free.
struct Held {
    _permit: OwnedSemaphorePermit,
    observer: Arc<dyn Observer>,
}

impl Turns {
    /// So many turns for whoever comes, and so many more for operators.
    pub(crate) fn new(free: usize, kept: usize, observer: Arc<dyn Observer>) -> Self {
        let [free, kept] = [free, kept].map(|turns| Arc::new(Semaphore::new(turns)));
        Self { free, kept, observer }
    }

    /// Takes a turn, or refuses: nobody waits here.
    pub(crate) fn take(&self, whose: Whose) -> Result<Turn, Problem> {
        let held = Mutex::new(Some(self.free_one(whose)?));
        Ok(Turn(Arc::new(Place { turns: self.clone(), whose, held })))
    }

    fn free_one(&self, whose: Whose) -> Result<Held, Problem> {
        let kept = || match whose {
            Whose::Operators => self.kept.clone().try_acquire_owned().ok(),
            Whose::Callers => None,
        };
        if let Some(permit) = self.free.clone().try_acquire_owned().ok().or_else(kept) {
            return Ok(self.held(permit));
        }
        self.observer.shed();
        Err(Problem::new(Code::Overloaded))
    }

    fn held(&self, permit: OwnedSemaphorePermit) -> Held {
        self.observer.working(1);
        Held { _permit: permit, observer: self.observer.clone() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.observer.working(-1);
    }
}

impl Turn {
    /// Waits for what must be there before anything is done; without a turn, unless it is there at once. When no turn
    /// is free afterwards the request is refused: nothing was done, so nothing is lost by coming back.
    pub(crate) async fn before<T>(&self, awaited: impl Future<Output = T>) -> Result<T, Problem> {
        let mut awaited = pin!(awaited);
        if let Some(there) = poll_immediate(&mut awaited).await {
            return Ok(there);
        }
        self.rest();
        let there = awaited.await;
        let held = self.0.turns.free_one(self.0.whose)?;
        *self.0.held.lock() = Some(held);
        Ok(there)
    }

    /// Waits for what follows when something was done already; without a turn, unless it is there at once. What was
    /// taken is not refused any more, so it waits for a turn afterwards, before all who are new.
    pub(crate) async fn after<T>(&self, awaited: impl Future<Output = T>) -> T {
        let mut awaited = pin!(awaited);
        let there = match poll_immediate(&mut awaited).await {
            Some(there) => there,
            None => {
                self.rest();
                awaited.await
            }
        };
        self.resume().await;
        there
    }

    /// Gives the turn back, until [`Turn::resume`].
    pub(crate) fn rest(&self) {
        self.0.held.lock().take();
    }

    /// Waits for a turn, when it is given back.
    pub(crate) async fn resume(&self) {
        let given_back = self.0.held.lock().is_none();
        // The semaphore is never closed.
        if given_back && let Ok(permit) = self.0.turns.free.clone().acquire_owned().await {
            *self.0.held.lock() = Some(self.0.turns.held(permit));
        }
    }
}
