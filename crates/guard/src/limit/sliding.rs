//! A sliding window: never more than `capacity` calls in any stretch of its length. A ring of turns, so that looking
//! one window back is one read.

use crate::sync::Lock;

pub(super) struct Sliding {
    log: Lock<Log>,
    /// Nanoseconds.
    length: u64,
}

/// The latest turns, oldest at `next`; `FREE` where none was taken yet.
struct Log {
    turns: Box<[u64]>,
    next: usize,
}

const FREE: u64 = u64::MAX;

impl Sliding {
    pub(super) fn new(capacity: u32, per_second: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is above zero; `as` saturates"
        )]
        let length = (1e9 * f64::from(capacity) / per_second) as u64;
        let turns = vec![FREE; capacity as usize].into();
        Self { log: Lock::new(Log { turns, next: 0 }), length: length.max(1) }
    }

    /// Takes `weight` turns. Returns when they come; if that is after `latest`, nothing is taken and it is an error.
    pub(super) fn take(&self, from: u64, weight: u32, latest: u64) -> Result<u64, u64> {
        let mut log = self.log.hold();
        let capacity = log.turns.len();
        let weight = (weight as usize).clamp(1, capacity);
        let last = log.turns[(log.next + weight - 1) % capacity];
        let newest = log.turns[(log.next + capacity - 1) % capacity];
        // Turns are in order, so a turn is never before the one that was taken last.
        let turn = from.max(self.out(last)).max(if newest == FREE { 0 } else { newest });
        if turn > latest {
            return Err(turn);
        }
        for _ in 0..weight {
            let at = log.next;
            log.turns[at] = turn;
            log.next = (at + 1) % capacity;
        }
        Ok(turn)
    }

    /// When a turn no longer counts.
    fn out(&self, turn: u64) -> u64 {
        if turn == FREE { 0 } else { turn.saturating_add(self.length) }
    }

    pub(super) fn left(&self, now: u64) -> u32 {
        let log = self.log.hold();
        let free = log.turns.iter().filter(|turn| self.out(**turn) <= now).count();
        u32::try_from(free).unwrap_or(u32::MAX)
    }
}
