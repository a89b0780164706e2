//! What it proves that a look-up has found nothing of an effect of which nobody knows whether it landed. Pure; for
//! messages, and for the calls of runs.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::round::later;

/// What is done when nothing was found once the outcome had settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFound {
    /// A person decides, after all look-ups.
    #[default]
    Park,
    /// It did not land: it is sent again.
    Send,
    /// It did not land: the step fails, or the message is dead.
    Fail,
}

/// How often it is looked, for how long, and what comes of finding nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looking {
    /// Until the first look-up.
    pub after: Duration,
    /// Between two.
    pub every: Duration,
    /// How long to go on.
    pub until: Duration,
    /// What is done then.
    pub not_found: NotFound,
}

/// The times of one look-up.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Since when it is looked.
    pub since: Timestamp,
    /// Before this, nothing found proves nothing.
    pub settles: Timestamp,
    /// When this look-up was sent.
    pub began: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// Dice in `0.0..1.0`, for jitter.
    pub unit: f64,
}

/// What comes of finding nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// Nothing yet: it is looked again then.
    Again(Timestamp),
    /// It did not land, and is sent again.
    Send,
    /// It did not land.
    Fail,
    /// A person decides.
    Park,
}

impl Looking {
    /// Until when it is looked: for as long as the operation says, and not before the outcome has settled.
    pub fn over(&self, times: &Times) -> Timestamp {
        let until = SignedDuration::try_from(self.until).unwrap_or(SignedDuration::MAX);
        later(times.since, until).max(times.settles)
    }

    /// What comes of a look-up that has found nothing.
    pub fn nothing(&self, times: &Times) -> Nothing {
        let settled = times.began >= times.settles;
        match self.not_found {
            NotFound::Send if settled => Nothing::Send,
            NotFound::Fail if settled => Nothing::Fail,
            NotFound::Park if settled && times.began >= self.over(times) => Nothing::Park,
            NotFound::Park | NotFound::Send | NotFound::Fail => Nothing::Again(self.next(times)),
        }
    }

    /// The first look-up that can prove something is made as soon as it can.
    fn next(&self, times: &Times) -> Timestamp {
        let next =
            later(times.now, SignedDuration::try_from(spread(self.every, times.unit)).unwrap_or_default());
        if times.settles > times.now { next.min(times.settles) } else { next }
    }
}

/// Up to a quarter longer, so that not all come back at once.
pub fn spread(wait: Duration, unit: f64) -> Duration {
    wait + wait.mul_f64(unit.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKING: Looking = Looking {
        after: Duration::from_secs(2),
        every: Duration::from_secs(4),
        until: Duration::from_secs(30),
        not_found: NotFound::Park,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or_default()
    }

    /// Begun at 0, settling at 10; the look-up was sent and answered then.
    fn times(second: i64) -> Times {
        Times { since: at(0), settles: at(10), began: at(second), now: at(second), unit: 0.0 }
    }

    #[test]
    fn nothing_found_before_it_has_settled_proves_nothing() {
        for not_found in [NotFound::Park, NotFound::Send, NotFound::Fail] {
            let looking = Looking { not_found, ..LOOKING };
            assert_eq!(looking.nothing(&times(2)), Nothing::Again(at(6)));
            assert_eq!(looking.nothing(&times(8)), Nothing::Again(at(10)), "as soon as it can");
            // It was sent before, whenever its answer came.
            let slow = Times { now: at(40), ..times(9) };
            assert_eq!(looking.nothing(&slow), Nothing::Again(at(44)));
        }
    }

    #[test]
    fn after_that_the_author_decides_and_a_person_when_the_time_is_over() {
        let then = |not_found, second| Looking { not_found, ..LOOKING }.nothing(&times(second));
        assert_eq!((then(NotFound::Send, 10), then(NotFound::Fail, 10)), (Nothing::Send, Nothing::Fail));
        assert_eq!(then(NotFound::Park, 10), Nothing::Again(at(14)));
        assert_eq!(then(NotFound::Park, 30), Nothing::Park);
    }
}
