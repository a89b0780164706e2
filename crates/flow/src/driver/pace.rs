//! How what waits for a system is let out: nothing while its guard lets nothing out, a few calls to find out whether it
//! is back, and then twice as many each time.
//!
//! What is held back stays in its queue and gets a place in a plan: a time at which it is looked at again. That costs a
//! row, written together with those of all others, and no attempt, no entry of a journal.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Outlook, normalised};

use super::Engine;

/// Between two places of a plan.
const STEP: SignedDuration = SignedDuration::from_millis(250);
/// At most so many calls have the same place.
const MOST: u32 = 64;
/// After so long everything is looked at again, all of it at once: a person may have closed the breaker.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// Times that are no further apart are the same.
const NEAR: SignedDuration = SignedDuration::from_millis(10);
/// Added to a guard's time, so that nobody comes a moment too early.
const MARGIN: Duration = Duration::from_millis(5);

/// The plans, by system.
#[derive(Default)]
pub(super) struct Pace(HashMap<String, Plan>);

/// Whom a call is for that waits.
pub(super) struct Target<'a> {
    pub(super) system: &'a str,
    /// Empty when it is not known.
    pub(super) operation: &'a str,
    pub(super) tenant: &'a str,
}

struct Plan {
    /// The last place that was given.
    at: Timestamp,
    /// How many calls have it, and how many more may.
    size: u32,
    left: u32,
    /// How many calls were let out to try the system, since when.
    tried: (Timestamp, u32),
}

impl Pace {
    /// When a call is to be looked at again; `None` when it may go out now.
    pub(super) fn hold(&mut self, system: String, outlook: Outlook, now: Timestamp) -> Option<Timestamp> {
        let (earliest, tries) = match outlook {
            Outlook::Open => return None,
            Outlook::Probing(most) => (later(now, STEP), most),
            Outlook::Closed(wait) => match SignedDuration::try_from(wait + MARGIN) {
                Ok(wait) if wait <= LONGEST => (later(now, wait), 0),
                Ok(_) | Err(_) => return Some(next_look(now)),
            },
        };
        let plan = self.0.entry(system).or_insert_with(|| Plan::from(now));
        if plan.tries(tries, now) { None } else { Some(plan.place(earliest)) }
    }

    /// Begins a new plan: what waited for these systems need not wait any longer.
    pub(super) fn renew(&mut self, systems: impl IntoIterator<Item = String>, now: Timestamp) {
        self.0.extend(systems.into_iter().map(|system| (system, Plan::from(now))));
    }

    /// A place for a call that need not wait any longer.
    pub(super) fn place(&mut self, system: String, now: Timestamp) -> Timestamp {
        self.0.entry(system).or_insert_with(|| Plan::from(now)).place(now)
    }
}

impl Plan {
    /// With a place for one.
    fn from(at: Timestamp) -> Self {
        Self { at, size: 1, left: 1, tried: (at, 0) }
    }

    /// The next place, not before `earliest`, give or take how finely clocks are read.
    fn place(&mut self, earliest: Timestamp) -> Timestamp {
        if later(self.at, NEAR) < earliest {
            *self = Self { tried: self.tried, ..Self::from(earliest) };
        }
        if self.left == 0 {
            self.size = (self.size * 2).min(MOST);
            (self.at, self.left) = (later(self.at, STEP), self.size);
        }
        self.left -= 1;
        self.at
    }

    /// Whether this call may go out to try the system, beside those that went out just now.
    fn tries(&mut self, most: u32, now: Timestamp) -> bool {
        if later(self.tried.0, STEP) <= now {
            self.tried = (now, 0);
        }
        let may = self.tried.1 < most;
        self.tried.1 += u32::from(may);
        may
    }
}

/// The next of the times at which everything is looked at.
fn next_look(now: Timestamp) -> Timestamp {
    let every = LONGEST.as_secs();
    Timestamp::from_second((now.as_second() / every + 1) * every).unwrap_or(Timestamp::MAX)
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

impl Engine {
    /// When a call is to be looked at again that waits for this; `None` when it may go out now.
    pub(super) fn hold(&self, target: &Target<'_>, now: Timestamp) -> Option<Timestamp> {
        let link = self.0.systems.get(target.system)?;
        let outlook = link.outlook(target.operation, target.tenant);
        self.0.pace.lock().hold(normalised(target.system), outlook, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    fn millis(at: Timestamp) -> i64 {
        at.as_millisecond() - 1_000_000
    }

    /// When each of `calls` is looked at again that come at once.
    fn held(pace: &mut Pace, calls: usize, outlook: Outlook, now: i64) -> Vec<Option<i64>> {
        (0..calls).map(|_| pace.hold("s".into(), outlook, at(now)).map(millis)).collect()
    }

    #[test]
    fn what_is_open_lets_everything_out() {
        assert_eq!(held(&mut Pace::default(), 3, Outlook::Open, 0), [None; 3]);
    }

    #[test]
    fn when_a_closed_one_opens_one_call_tries_it_and_then_twice_as_many_each_time() {
        let mut pace = Pace::default();
        let closed = Outlook::Closed(Duration::from_millis(995));
        let places = [1000, 1250, 1250, 1500, 1500, 1500, 1500, 1750].map(Some);
        assert_eq!(held(&mut pace, 8, closed, 0), places);
        // The guard's clock is a little finer than ours.
        let closed = Outlook::Closed(Duration::from_micros(995_400));
        assert_eq!(held(&mut pace, 1, closed, 0), [Some(1750)], "after the others");
    }

    #[test]
    fn a_plan_that_is_over_begins_again_with_one() {
        let mut pace = Pace::default();
        let closed = Outlook::Closed(Duration::from_millis(995));
        held(&mut pace, 20, closed, 0);
        assert_eq!(held(&mut pace, 2, closed, 5000), [Some(6000), Some(6250)]);
        pace.renew(["s".to_owned()], at(5500));
        let woken: Vec<_> = (0..3).map(|_| millis(pace.place("s".into(), at(5500)))).collect();
        assert_eq!(woken, [5500, 5750, 5750]);
    }

    #[test]
    fn a_system_is_tried_by_no_more_than_its_guard_lets_out() {
        let mut pace = Pace::default();
        assert_eq!(held(&mut pace, 4, Outlook::Probing(2), 0), [None, None, Some(250), Some(500)]);
        assert!(held(&mut pace, 1, Outlook::Probing(2), 100)[0].is_some(), "two have just gone out");
        assert_eq!(held(&mut pace, 1, Outlook::Probing(2), 260), [None]);
    }

    #[test]
    fn what_is_closed_for_long_is_looked_at_once_a_minute_and_all_at_once() {
        let mut pace = Pace::default();
        let long = Outlook::Closed(Duration::from_secs(3600));
        let looked = |now: i64| Timestamp::from_second(now).unwrap();
        for (now, next) in [(0, 60), (1, 60), (59, 60), (60, 120)] {
            assert_eq!(pace.hold("s".into(), long, looked(now)), Some(looked(next)), "at {now}");
        }
    }
}
