//! A picture of a call at its worst: every attempt times out, every wait is as long as it computes.

use std::fmt;
use std::time::Duration;

use super::human;
use crate::backoff;
use crate::policy::Policy;

/// One row per attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeline {
    rows: Vec<Row>,
    end: Duration,
    attempts: u32,
    cut: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Row {
    from: Duration,
    until: Duration,
    next: Option<Duration>,
}

/// Columns of the picture.
const WIDTH: f64 = 48.0;
/// More attempts than this are told, not drawn.
const MOST_ROWS: usize = 10;

impl Timeline {
    pub(super) fn of(policy: &Policy) -> Self {
        let attempts = super::attempts(policy);
        let end = policy.deadline.unwrap_or(Duration::MAX);
        let mut rows = Vec::new();
        let mut now = Duration::ZERO;
        for number in 1..=attempts {
            let until = (now + policy.attempt_timeout).min(end);
            let next = (number < attempts).then(|| until + backoff::longest(&policy.retry, number + 1));
            let next = next.filter(|next| *next < end);
            rows.push(Row { from: now, until, next });
            match next {
                Some(next) => now = next,
                None => break,
            }
        }
        let cut = rows.len() < attempts as usize;
        let end = rows.last().map_or(Duration::ZERO, |row| row.until);
        Self { rows, end, attempts, cut }
    }

    /// When the last attempt in the picture ends.
    pub(super) fn end(&self) -> Duration {
        self.end
    }

    /// The column of a time.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 48")]
    fn column(&self, at: Duration) -> usize {
        let whole = self.end.as_secs_f64().max(f64::MIN_POSITIVE);
        (at.as_secs_f64() / whole * WIDTH).round() as usize
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, number: usize, row: &Row) -> fmt::Result {
        let (from, until) = (self.column(row.from), self.column(row.until));
        let next = row.next.map_or(until, |next| self.column(next));
        let bar = "█".repeat((until - from).max(1));
        let wait = "·".repeat(next - until);
        let drawn = from + (until - from).max(1) + (next - until);
        let rest = " ".repeat((WIDTH as usize).saturating_sub(drawn));
        let (blank, start, stop) = (" ".repeat(from), human(row.from), human(row.until));
        write!(f, "attempt {number:>2} |{blank}{bar}{wait}{rest}| {start} to {stop}")?;
        match row.next {
            Some(next) => writeln!(f, ", then waits up to {}", human(next.saturating_sub(row.until))),
            None => writeln!(f),
        }
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.rows.iter().take(MOST_ROWS).enumerate() {
            self.row(f, index + 1, row)?;
        }
        if let Some(more) = self.rows.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
            writeln!(f, "and {more} more, until {}", human(self.end))?;
        }
        if self.cut {
            let (made, planned) = (self.rows.len(), self.attempts);
            writeln!(f, "the deadline allows {made} of {planned} attempts when each of them times out")?;
        }
        Ok(())
    }
}
