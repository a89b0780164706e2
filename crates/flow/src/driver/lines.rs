//! Calls that a guard keeps in wait in lines, one for each system, operation and organisation. Who was held first goes
//! first, newcomers included; when the system is back, one goes, and with each success twice as many, so that what waited
//! is done as fast as the system takes it.
//!
//! What waits is named in the store by its timer; a line only says when that is told to its run. It is kept in memory, and
//! made of the timers again when a process starts. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Outlook, Rejection, normalised};

/// Calls that are let out at once at most.
const MOST: usize = 256;
/// So many waiting calls are kept in memory; the rest stay with their timers until there is room.
const ROOM: usize = 100_000;
/// A run that was told and makes no call by then has none to make.
const TOLD: SignedDuration = SignedDuration::from_secs(5);
/// No guard puts a call off for longer; a later time comes from a clock that was wrong.
const FARTHEST: SignedDuration = SignedDuration::from_secs(90);
/// So that nobody comes a moment too early.
const MARGIN: Duration = Duration::from_millis(5);
/// How long until it is looked again whether a system that is being tried is back.
const STEP: Duration = Duration::from_millis(250);

/// Whom a call is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Whom {
    pub(super) system: String,
    pub(super) operation: String,
    pub(super) tenant: String,
}

impl Whom {
    pub(super) fn of(system: &str, operation: &str, tenant: &str) -> Self {
        Self { system: normalised(system), operation: operation.to_owned(), tenant: tenant.to_owned() }
    }
}

/// A call that waits, by its timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The timer's id.
    pub(super) id: String,
    pub(super) run: String,
    /// The step whose call is made again.
    pub(super) path: String,
    /// Since when it waits, over all its rounds.
    pub(super) since: Timestamp,
    pub(super) due: Timestamp,
    /// The guard that keeps it in; `None` when it only waits between two rounds.
    pub(super) guard: Option<Rejection>,
}

impl Waiting {
    /// Whether it goes as soon as the system is back, before its time.
    fn opens(&self) -> bool {
        self.guard == Some(Rejection::BreakerOpen)
    }
}

/// Every line in which something waits.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: HashMap<Whom, Line>,
    /// Where each waiting, or just released, call is.
    places: HashMap<String, Place>,
}

#[derive(Clone, Debug)]
struct Place {
    whom: Whom,
    since: Timestamp,
    due: Timestamp,
}

#[derive(Debug)]
struct Line {
    /// Due, in the order in which they were held.
    ready: BTreeMap<(Timestamp, String), Waiting>,
    /// Not due, by their time.
    later: BTreeMap<(Timestamp, String), Waiting>,
    /// How many of these go as soon as the system is back.
    opening: usize,
    /// Released, and since when; `None` for one whose call is out.
    out: HashMap<String, Option<Timestamp>>,
    window: usize,
    /// The guard was seen to let nothing out, or little.
    closed: bool,
    /// When one was last let out to try the system.
    tried: Option<Timestamp>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            ready: BTreeMap::new(),
            later: BTreeMap::new(),
            opening: 0,
            out: HashMap::new(),
            window: MOST,
            closed: false,
            tried: None,
        }
    }
}

impl Line {
    fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.later.is_empty() && self.out.is_empty()
    }

    fn insert(&mut self, waiting: Waiting, now: Timestamp) {
        if waiting.due <= now {
            self.ready.insert((waiting.since, waiting.id.clone()), waiting);
        } else {
            self.opening += usize::from(waiting.opens());
            self.later.insert((waiting.due, waiting.id.clone()), waiting);
        }
    }

    fn remove(&mut self, id: &str, place: &Place) {
        self.ready.remove(&(place.since, id.to_owned()));
        if let Some(gone) = self.later.remove(&(place.due, id.to_owned())) {
            self.opening -= usize::from(gone.opens());
        }
        self.out.remove(id);
    }

    /// Makes those ready whose time has come, or that need not wait for it.
    fn ripen(&mut self, ripe: impl Fn(&Waiting) -> bool) {
        let (ripe, later): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.later).into_iter().partition(|(_, waiting)| ripe(waiting));
        self.later = later;
        for (_, waiting) in ripe {
            self.opening -= usize::from(waiting.opens());
            self.ready.insert((waiting.since, waiting.id.clone()), waiting);
        }
    }

    /// The system is back: who waits for that waits for no time.
    fn opens(&mut self) {
        if self.opening > 0 {
            self.ripen(|waiting| waiting.opens());
        }
    }

    /// How many may go now, and when to look again.
    fn room(&mut self, outlook: Outlook, now: Timestamp) -> (usize, Option<Duration>) {
        let out = self.out.len();
        match outlook {
            Outlook::Closed(wait) => {
                (self.window, self.closed) = (1, true);
                (0, Some(wait.max(MARGIN)))
            }
            Outlook::Probing(most) => {
                (self.window, self.closed) = (1, true);
                self.opens();
                let step = SignedDuration::try_from(STEP).unwrap_or_default();
                let soon = self.tried.is_some_and(|tried| later(tried, step) > now);
                let room = if soon { 0 } else { (most as usize).saturating_sub(out) };
                self.tried = if room > 0 && !self.ready.is_empty() { Some(now) } else { self.tried };
                (room, Some(STEP))
            }
            Outlook::Open => {
                if std::mem::take(&mut self.closed) {
                    self.opens();
                }
                (self.window.saturating_sub(out), Some(STEP * 4))
            }
        }
    }

    /// Lets those go that may; and how long until there may be more.
    fn release(&mut self, outlook: Outlook, now: Timestamp) -> (Vec<Waiting>, Option<Duration>) {
        while let Some(first) = self.later.first_entry().filter(|first| first.get().due <= now) {
            let waiting = first.remove();
            self.opening -= usize::from(waiting.opens());
            self.ready.insert((waiting.since, waiting.id.clone()), waiting);
        }
        let (room, again) = self.room(outlook, now);
        let mut gone = Vec::new();
        while gone.len() < room
            && let Some((_, waiting)) = self.ready.pop_first()
        {
            self.out.insert(waiting.id.clone(), Some(now));
            gone.push(waiting);
        }
        let due = self.later.first_key_value().map(|((due, _), _)| until(now, *due));
        let again = again.filter(|_| !self.ready.is_empty() || !self.out.is_empty());
        (gone, [due, again].into_iter().flatten().min())
    }

    /// Those that were told a while ago and had no call to make.
    fn idle(&self, now: Timestamp) -> Vec<String> {
        let idle = |told: &Option<Timestamp>| told.is_some_and(|told| later(told, TOLD) <= now);
        self.out.iter().filter(|(_, told)| idle(told)).map(|(id, _)| id.clone()).collect()
    }
}

impl Lines {
    /// A call waits. One that waited already has a new time.
    pub(super) fn hold(&mut self, whom: &Whom, waiting: Waiting, now: Timestamp) {
        if self.places.len() >= ROOM || self.is_told(&waiting.id) {
            return;
        }
        self.forget(&waiting.id);
        let waiting = Waiting { due: waiting.due.min(later(now, FARTHEST)), ..waiting };
        let place = Place { whom: whom.clone(), since: waiting.since, due: waiting.due };
        self.places.insert(waiting.id.clone(), place);
        self.lines.entry(whom.clone()).or_default().insert(waiting, now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lets a call go before all others: a person says so.
    pub(super) fn let_go(&mut self, whom: &Whom, id: &str, now: Timestamp) {
        self.forget(id);
        if let Some(line) = self.lines.get_mut(whom) {
            line.out.insert(id.to_owned(), Some(now));
            let place = Place { whom: whom.clone(), since: now, due: now };
            self.places.insert(id.to_owned(), place);
        }
    }

    /// Whether its timer is known, so that it need not be told of again.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    /// Whether its run was told that it is its turn, and has not made the call yet: one that is read back for it says
    /// first once more that it waits.
    fn is_told(&self, id: &str) -> bool {
        let line = self.places.get(id).and_then(|place| self.lines.get(&place.whom));
        line.is_some_and(|line| matches!(line.out.get(id), Some(Some(_))))
    }

    /// A call does not wait any more.
    pub(super) fn forget(&mut self, id: &str) {
        let Some(place) = self.places.remove(id) else { return };
        let Some(line) = self.lines.get_mut(&place.whom) else { return };
        line.remove(id, &place);
        if line.is_empty() {
            self.lines.remove(&place.whom);
        }
    }

    /// The guard that keeps in those which a call has to wait behind, because they were held before it. One that was let
    /// out goes.
    pub(super) fn holds_back(&mut self, whom: &Whom, id: &str, since: Timestamp) -> Option<Rejection> {
        if store::mutant("newcomers-overtake") {
            return None;
        }
        let released = self.places.get(id).map(|place| place.whom.clone());
        if let Some(told) =
            released.and_then(|whom| self.lines.get_mut(&whom)).and_then(|line| line.out.get_mut(id))
        {
            *told = None;
            return None;
        }
        // Who has a place in line and comes by another way leaves it, and is compared with the others.
        self.forget(id);
        let line = self.lines.get(whom)?;
        let earlier = line.ready.first_key_value().filter(|((first, _), _)| *first < since);
        let earlier = earlier.map(|(_, waiting)| waiting.guard.unwrap_or(Rejection::BreakerOpen));
        earlier.or((line.opening > 0).then_some(Rejection::BreakerOpen))
    }

    /// A call to this one has ended. Well: twice as many may go, and nobody need wait for a time. In trouble: one.
    /// Lets those go that may.
    pub(super) fn landed(
        &mut self,
        (whom, id): (&Whom, &str),
        well: Option<bool>,
        outlook: Outlook,
        now: Timestamp,
    ) -> Vec<Waiting> {
        let out = self.places.get(id).map(|place| place.whom.clone());
        if out.and_then(|out| self.lines.get(&out)).is_some_and(|line| line.out.contains_key(id)) {
            self.forget(id);
        }
        let Some(line) = self.lines.get_mut(whom) else { return Vec::new() };
        match well {
            Some(true) => {
                line.window = (line.window * 2).min(MOST);
                line.opens();
            }
            Some(false) => line.window = 1,
            None => {}
        }
        line.release(outlook, now).0
    }

    /// What waits for one of these systems need not wait for its time. Returns how many.
    pub(super) fn open(&mut self, is_one: impl Fn(&str) -> bool) -> usize {
        let lines = self.lines.iter_mut().filter(|(whom, _)| is_one(&whom.system));
        let opened = lines.map(|(_, line)| {
            line.opens();
            line.ready.values().filter(|waiting| waiting.opens()).count()
        });
        opened.sum()
    }

    /// The wall clock was set back: no time that was set before counts.
    pub(super) fn recompute(&mut self) {
        for line in self.lines.values_mut() {
            line.ripen(|_| true);
        }
    }

    /// Lets those go that may, of every line; and how long until there may be more.
    pub(super) fn release(
        &mut self,
        outlook: impl Fn(&Whom) -> Outlook,
        now: Timestamp,
    ) -> (Vec<Waiting>, Option<Duration>) {
        let idle: Vec<String> = self.lines.values().flat_map(|line| line.idle(now)).collect();
        idle.iter().for_each(|id| self.forget(id));
        let (mut gone, mut next) = (Vec::new(), None::<Duration>);
        for (whom, line) in &mut self.lines {
            let (released, again) = line.release(outlook(whom), now);
            gone.extend(released);
            next = [next, again].into_iter().flatten().min();
        }
        (gone, next)
    }
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn until(now: Timestamp, due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    fn whom() -> Whom {
        Whom::of("pay", "charge", "acme")
    }

    fn waiting(number: i64, due: i64) -> Waiting {
        Waiting {
            id: format!("run_{number:03}/charge#again"),
            run: format!("run_{number:03}"),
            path: String::new(),
            since: at(number),
            due: at(due),
            guard: Some(Rejection::BreakerOpen),
        }
    }

    fn held(calls: i64, due: i64) -> Lines {
        let mut lines = Lines::default();
        (0..calls).rev().for_each(|number| lines.hold(&whom(), waiting(number, due + number), at(0)));
        lines
    }

    fn released(lines: &mut Lines, outlook: Outlook, now: i64) -> Vec<String> {
        lines.release(|_| outlook, at(now)).0.into_iter().map(|waiting| waiting.run).collect()
    }

    #[test]
    fn when_a_system_is_back_one_goes_and_then_twice_as_many_with_each_success_the_first_held_first() {
        let mut lines = held(20, 1000);
        assert_eq!(released(&mut lines, Outlook::Closed(Duration::from_secs(1)), 500), [""; 0]);
        assert_eq!(released(&mut lines, Outlook::Probing(1), 1100), ["run_000"]);
        assert_eq!(released(&mut lines, Outlook::Probing(1), 1200), [""; 0], "one is out");
        let mut order = vec!["run_000".to_owned()];
        for number in 0..20 {
            let id = waiting(number, 0).id;
            assert!(lines.holds_back(&whom(), &id, at(number)).is_none(), "{number} was let out");
            let next = lines.landed((&whom(), &id), Some(true), Outlook::Open, at(1300));
            order.extend(next.into_iter().map(|waiting| waiting.run));
        }
        let expected: Vec<_> = (0..20).map(|number| waiting(number, 0).run).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn a_newcomer_waits_behind_those_that_were_held_and_goes_when_there_are_none() {
        let mut lines = held(1, 1000);
        assert!(lines.holds_back(&whom(), "new", at(500)).is_some());
        assert!(
            lines.holds_back(&Whom::of("mail", "send", "acme"), "new", at(500)).is_none(),
            "to another system"
        );
        assert_eq!(lines.open(|system| system == "pay"), 1);
        assert!(lines.holds_back(&whom(), "new", at(500)).is_some());
        assert_eq!(released(&mut lines, Outlook::Open, 600), ["run_000"]);
        assert!(lines.holds_back(&whom(), "new", at(500)).is_none());
    }

    #[test]
    fn what_was_told_and_makes_no_call_holds_nobody_up() {
        let mut lines = held(3, 0);
        assert_eq!(released(&mut lines, Outlook::Probing(1), 10), ["run_000"]);
        assert_eq!(released(&mut lines, Outlook::Probing(1), 4000), [""; 0]);
        assert_eq!(released(&mut lines, Outlook::Probing(1), 5010), ["run_001"]);
        lines.forget("run_002/charge#again");
        lines.landed((&whom(), "run_001/charge#again"), None, Outlook::Open, at(5020));
        assert!(lines.lines.is_empty() && lines.places.is_empty());
    }

    #[test]
    fn a_run_that_is_read_back_because_it_is_its_turn_does_not_wait_behind_itself() {
        let mut lines = held(2, 0);
        assert_eq!(released(&mut lines, Outlook::Probing(1), 10), ["run_000"]);
        lines.hold(&whom(), waiting(0, 5000), at(11));
        assert!(lines.holds_back(&whom(), &waiting(0, 0).id, at(0)).is_none());
        assert!(lines.holds_back(&whom(), &waiting(1, 0).id, at(1)).is_none(), "it comes by another way");
    }

    #[test]
    fn no_time_of_a_clock_that_ran_ahead_is_waited_for() {
        let mut lines = Lines::default();
        lines.hold(&whom(), waiting(0, 3_600_000), at(0));
        assert_eq!(released(&mut lines, Outlook::Open, 90_000), ["run_000"], "ninety seconds at most");
        lines.hold(&whom(), waiting(1, 3_600_000), at(3_590_000));
        lines.recompute();
        assert_eq!(released(&mut lines, Outlook::Open, 0), ["run_001"]);
    }
}
