//! So many calls out, so many waiting, no more.

mod adaptive;
mod queue;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use adaptive::{Answer, Gradient};
use queue::Queue;
use slots::Slots;

use crate::classify::Verdict;
use crate::policy::{self, Priority};
use crate::sync::{AtomicU8, Lock, Ordering};
use crate::tick::Tick;

/// A bulkhead. Taking and leaving a free place is one compare-and-swap; only a full one takes a lock.
pub struct Bulkhead {
    slots: Slots,
    queue: Lock<Queue>,
    /// The least urgent priority in the queue, to be read without it; 0 when there is none less urgent than another.
    least_urgent: AtomicU8,
    max_queue: u32,
    max_wait: Duration,
    gradient: Option<Box<Gradient>>,
}

/// A place; dropping it lets the next call in.
pub struct Place<'a>(&'a Arc<Bulkhead>);

/// A place on its way to a waiter, who may have gone away meanwhile.
struct Handed(Option<Arc<Bulkhead>>);

/// The bulkhead and its queue are full, or the wait was too long, or somebody more urgent came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Bulkhead {
    /// An empty bulkhead.
    pub fn new(policy: &policy::Bulkhead) -> Arc<Self> {
        let adaptive = policy.adaptive.as_ref();
        let places = adaptive.map_or(policy.max_in_flight, |adaptive| adaptive.initial);
        let gradient = adaptive.map(|adaptive| Box::new(Gradient::new(adaptive, policy.max_in_flight)));
        Arc::new(Self {
            slots: Slots::new(places),
            queue: Lock::new(Queue::default()),
            least_urgent: AtomicU8::new(0),
            max_queue: policy.queue,
            max_wait: policy.max_wait,
            gradient,
        })
    }

    /// Takes a place if one is free and nobody waits for it.
    #[inline]
    pub fn try_enter(self: &Arc<Self>) -> Option<Place<'_>> {
        self.slots.take().then(|| Place(self))
    }

    /// Takes a place, waiting for it at most `limit` and the policy's longest wait. Dropping the future leaves the
    /// queue.
    ///
    /// # Errors
    /// [`Full`].
    pub async fn enter(
        self: &Arc<Self>,
        priority: Priority,
        limit: Option<Duration>,
    ) -> Result<Place<'_>, Full> {
        let ticket = loop {
            if let Some(place) = self.try_enter() {
                return Ok(place);
            }
            match self.line_up(priority) {
                Some(ticket) => break ticket,
                None if !self.has_room_to_wait(priority) => return Err(Full),
                // A place came free between the two looks.
                None => {}
            }
        };
        let wait = limit.map_or(self.max_wait, |limit| limit.min(self.max_wait));
        let handed = tokio::time::timeout(wait, ticket.called()).await.unwrap_or(Err(Full))?;
        handed.take();
        Ok(Place(self))
    }

    /// Joins the queue, in the stead of somebody less urgent if it is full. `None` when nobody is, or when a place came
    /// free meanwhile.
    fn line_up(self: &Arc<Self>, priority: Priority) -> Option<queue::Ticket> {
        let mut queue = self.queue.hold();
        let room = self.slots.wait(self.max_queue) || queue.turn_away(priority);
        let ticket = room.then(|| queue.push(priority, Arc::clone(self)));
        self.changed(&queue);
        ticket
    }

    /// The queue is another one.
    fn changed(&self, queue: &Queue) {
        self.least_urgent.store(queue.least_urgent(), Ordering::Relaxed);
    }

    /// Gives a place to whoever is first in line, or back.
    #[inline]
    fn leave(self: &Arc<Self>) {
        while !self.slots.give_back() {
            if let Some(waiter) = self.next(Slots::hand_over) {
                return self.call(waiter);
            }
        }
    }

    /// Changes how many calls may be out. Those out stay out.
    pub fn resize(self: &Arc<Self>, places: u32) {
        self.slots.resize(places);
        while let Some(waiter) = self.next(Slots::let_in) {
            self.call(waiter);
        }
    }

    /// An attempt came back now, after so long. With adaptive concurrency that may change how many calls may be out.
    #[inline]
    pub fn learn(
        self: &Arc<Self>,
        verdict: Verdict,
        took: Duration,
        now: Tick,
        chance: impl FnOnce() -> f64,
    ) {
        let Some(gradient) = &self.gradient else { return };
        let good = match verdict {
            Verdict::Good => true,
            Verdict::Bad { .. } => false,
            Verdict::Neutral | Verdict::Throttled { .. } => return,
        };
        let places = gradient.learn(&Answer { good, took, out: self.in_flight(), now }, chance);
        if places != self.places() {
            self.resize(places);
        }
    }

    /// Takes the first in line if the slots agree. The line and the count of those waiting change together.
    fn next(&self, agree: impl Fn(&Slots) -> bool) -> Option<queue::Waiter> {
        let mut queue = self.queue.hold();
        let first = agree(&self.slots).then(|| queue.pop()).flatten();
        self.changed(&queue);
        first
    }

    /// Hands a place over. If the waiter has just gone away, the place is dropped, and that calls the next one.
    fn call(self: &Arc<Self>, waiter: queue::Waiter) {
        drop(waiter.send(Handed(Some(Arc::clone(self)))));
    }

    /// Whether a call of that priority would neither find a place nor one to wait in.
    pub fn is_full(&self, priority: Priority) -> bool {
        self.in_flight() >= self.places() && !self.has_room_to_wait(priority)
    }

    /// Whether another call of that priority may wait for a place.
    #[inline]
    pub fn has_room_to_wait(&self, priority: Priority) -> bool {
        self.queued() < self.max_queue || (priority as u8) < self.least_urgent.load(Ordering::Relaxed)
    }

    /// Calls out.
    pub fn in_flight(&self) -> u32 {
        self.slots.taken()
    }

    /// Calls that may be out.
    pub fn places(&self) -> u32 {
        self.slots.places()
    }

    /// Calls waiting.
    pub fn queued(&self) -> u32 {
        self.slots.waiting()
    }
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Handed {
    /// It arrived: whoever took it leaves in its stead.
    fn take(mut self) {
        self.0 = None;
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if let Some(bulkhead) = &self.0 {
            bulkhead.leave();
        }
    }
}
