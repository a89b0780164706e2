//! The line before a full bulkhead: by priority, then by arrival.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Bulkhead, Full, Handed};
use crate::policy::Priority;

pub(super) type Waiter = oneshot::Sender<Handed>;

/// One line per priority.
#[derive(Default)]
pub(super) struct Queue {
    lines: [VecDeque<(u64, Waiter)>; 3],
    next: u64,
}

impl Queue {
    pub(super) fn push(&mut self, priority: Priority, bulkhead: Arc<Bulkhead>) -> Ticket {
        let (waiter, heard) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.lines[priority as usize].push_back((number, waiter));
        Ticket { heard, number, priority, bulkhead }
    }

    /// Takes the first in line.
    pub(super) fn pop(&mut self) -> Option<Waiter> {
        self.lines.iter_mut().find_map(VecDeque::pop_front).map(|(_, waiter)| waiter)
    }

    /// Turns the last of the least urgent away, if it is less urgent than `priority`; whether there was one. It finds its
    /// line closed.
    pub(super) fn turn_away(&mut self, priority: Priority) -> bool {
        let less_urgent = &mut self.lines[priority as usize + 1..];
        less_urgent.iter_mut().rev().find_map(VecDeque::pop_back).is_some()
    }

    /// The least urgent priority in line; 0 in an empty one.
    pub(super) fn least_urgent(&self) -> u8 {
        let waiting = (0..).zip(&self.lines).filter(|(_, line)| !line.is_empty());
        waiting.map(|(priority, _)| priority).last().unwrap_or(0)
    }

    /// Takes a waiter out of the line; whether it was still there.
    fn remove(&mut self, number: u64, priority: Priority) -> bool {
        let line = &mut self.lines[priority as usize];
        let at = line.iter().position(|(waiting, _)| *waiting == number);
        at.and_then(|at| line.remove(at)).is_some()
    }
}

/// A place in the line. Dropping it leaves the line; a place that was already on its way is handed on.
pub(super) struct Ticket {
    heard: oneshot::Receiver<Handed>,
    number: u64,
    priority: Priority,
    bulkhead: Arc<Bulkhead>,
}

impl Ticket {
    pub(super) async fn called(mut self) -> Result<Handed, Full> {
        (&mut self.heard).await.map_err(|_| Full)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut queue = self.bulkhead.queue.hold();
        if queue.remove(self.number, self.priority) {
            self.bulkhead.slots.give_up();
            self.bulkhead.changed(&queue);
        }
    }
}
