//! What an operator tells the breakers of a system, and which of them is meant.
//!
//! An operation is known from the configuration. A tenant or model is known from its first call; one that nobody has
//! called for is more likely a slip of the pen, so it is refused, and what is known is listed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use port::Link;

use crate::breaker::{Breaker, Change, Scene};
use crate::event::{Event, Place};
use crate::guarded::Guarded;
use crate::lane::Lane;
use crate::lanes::Lanes;
use crate::pipeline::World;
use crate::policy::Per;
use crate::status::{Named, Switch};
use crate::tick::Tick;

/// Which breakers of a system are meant: those that have every name given, so all of them when none is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Which<'a> {
    /// Those that only calls of this operation pass.
    pub operation: Option<&'a str>,
    /// Those that only calls of this tenant or model pass; also in operations that it has not called yet.
    pub key: Option<&'a str>,
}

impl Which<'_> {
    /// All breakers of the system, and those yet to come.
    pub const ALL: Which<'static> = Which { operation: None, key: None };
}

/// Which tenants and models may be named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Those that have called.
    Called,
    /// All.
    Any,
}

/// There is no breaker of the kind that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBreaker {
    /// The system has none.
    Off,
    /// None has these names.
    Unknown {
        /// What was asked for.
        asked: Named,
        /// What could be; empty when one breaker is for everything.
        known: Vec<Named>,
    },
}

/// Of more than these, the rest is only counted.
const MOST_LISTED: usize = 20;

impl fmt::Display for NoBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoBreaker::Unknown { asked, known } = self else {
            return f.write_str("the system has no circuit breaker");
        };
        write!(f, "the system has no circuit breaker for {asked}; ")?;
        if known.is_empty() {
            return f.write_str("the only one known is for everything");
        }
        let listed: Vec<String> = known.iter().take(MOST_LISTED).map(Named::to_string).collect();
        write!(f, "it has some for {}", listed.join(", "))?;
        match known.len().saturating_sub(MOST_LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Lanes that are told something.
enum Chosen<'a> {
    /// All of one policy, and those yet to come.
    All(&'a Lanes),
    One(Arc<Lane>),
}

impl Chosen<'_> {
    fn lanes(&self) -> Vec<Arc<Lane>> {
        match self {
            Chosen::All(lanes) => lanes.every(),
            Chosen::One(lane) => vec![Arc::clone(lane)],
        }
    }

    fn switch(&self, switch: Switch) {
        match self {
            Chosen::All(lanes) => lanes.switch(switch),
            Chosen::One(lane) => lane.breaker.iter().for_each(|own| own.set(switch)),
        }
    }
}

impl Guarded {
    /// Tells breakers what to do until they are told otherwise. What they had been told before; `None` when that was
    /// not the same for all.
    ///
    /// # Errors
    /// [`NoBreaker`]; nobody was told anything.
    pub fn tell(&self, which: Which<'_>, switch: Switch) -> Result<Option<Switch>, NoBreaker> {
        // Two operators at once: one after the other.
        let mut told = self.told.hold();
        let chosen = self.chosen(which, Keys::Called)?;
        let lanes: Vec<_> = chosen.iter().flat_map(Chosen::lanes).collect();
        let mut before = lanes.iter().filter_map(|lane| lane.breaker.as_deref().map(Breaker::switch));
        let was = before.next().filter(|first| before.all(|other| other == *first));
        chosen.iter().for_each(|chosen| chosen.switch(switch));
        if which == Which::ALL {
            *told = switch;
        }
        Ok(was)
    }

    /// Tells breakers again what they were told before this process began: nobody has called yet, so any key may be named.
    ///
    /// # Errors
    /// [`NoBreaker`]; nobody was told anything.
    pub fn restore(&self, which: Which<'_>, switch: Switch) -> Result<(), NoBreaker> {
        let mut told = self.told.hold();
        self.chosen(which, Keys::Any)?.iter().for_each(|chosen| chosen.switch(switch));
        if which == Which::ALL {
            *told = switch;
        }
        Ok(())
    }

    /// Closes breakers and forgets what they knew, a pause that the system asked for included; what they were told
    /// stays.
    ///
    /// # Errors
    /// [`NoBreaker`]; nothing was reset.
    pub fn reset(&self, which: Which<'_>) -> Result<(), NoBreaker> {
        let (world, now) = (self.world(), self.world().now());
        for lane in self.chosen(which, Keys::Called)?.iter().flat_map(Chosen::lanes) {
            let scene = Operator { world, system: self.system(), lane: &lane, now };
            lane.breaker.iter().for_each(|breaker| breaker.reset(&scene));
            lane.end_pause();
        }
        Ok(())
    }

    /// What the operator told all breakers of this system, also those yet to come; `None` when it has none.
    pub fn mode(&self) -> Option<Switch> {
        self.lanes().any(Lanes::has_breakers).then(|| *self.told.hold())
    }

    fn chosen(&self, which: Which<'_>, keys: Keys) -> Result<Vec<Chosen<'_>>, NoBreaker> {
        if !self.lanes().any(Lanes::has_breakers) {
            return Err(NoBreaker::Off);
        }
        let chosen = match (which.operation, which.key) {
            (None, None) => self.lanes().map(Chosen::All).collect(),
            (Some(operation), None) => self.of_operation(operation),
            (operation, Some(key)) => self.of_key(operation, key, keys),
        };
        if chosen.is_empty() {
            let [operation, key] = [which.operation, which.key].map(|name| name.map(str::to_owned));
            return Err(NoBreaker::Unknown { asked: Named { operation, key }, known: self.known() });
        }
        Ok(chosen)
    }

    /// The breakers of an operation that has its own numbers; or its one, when each operation has one.
    fn of_operation(&self, operation: &str) -> Vec<Chosen<'_>> {
        match self.own(operation) {
            Some(own) => vec![Chosen::All(own)],
            None if self.has_one_each(operation) => {
                let each = |lanes: &&Lanes| lanes.breakers_per() == Per::Operation && lanes.is_for(operation);
                self.insist(self.lanes().filter(each), operation)
            }
            None => Vec::new(),
        }
    }

    /// The lanes of an operation with breakers that have their own numbers.
    fn own(&self, operation: &str) -> Option<&Lanes> {
        self.lanes().find(|lanes| lanes.operation() == Some(operation) && lanes.has_breakers())
    }

    /// Whether the system keeps one breaker for each operation, of which this is one.
    fn has_one_each(&self, operation: &str) -> bool {
        let mut every = self.lanes().filter(|lanes| lanes.operation().is_none() && lanes.has_breakers());
        every.any(|lanes| lanes.breakers_per() == Per::Operation)
            && self.spec().operation(operation).is_some()
    }

    /// The breakers of a tenant or model.
    fn of_key(&self, operation: Option<&str>, key: &str, keys: Keys) -> Vec<Chosen<'_>> {
        let known = |lanes: &Lanes| keys == Keys::Any || lanes.knows(key);
        let kept_by = |per| self.lanes().any(|lanes| lanes.breakers_per() == per && known(lanes));
        let kept = [Per::Tenant, Per::Model].map(|per| (per, kept_by(per)));
        let meant = self.lanes().filter(|lanes| kept.contains(&(lanes.breakers_per(), true)));
        match operation.map(|operation| self.own(operation)) {
            None => self.insist(meant, key),
            Some(own) => {
                self.insist(meant.filter(|lanes| own.is_some_and(|own| std::ptr::eq(own, *lanes))), key)
            }
        }
    }

    /// Lanes that pass on the system's breaker take after its lane when they are made.
    fn insist<'a>(&self, lanes: impl Iterator<Item = &'a Lanes>, key: &str) -> Vec<Chosen<'a>> {
        let now = self.world().now();
        let needed = lanes.filter(|lanes| lanes.has_breakers() || lanes.knows(key));
        needed.map(|lanes| Chosen::One(lanes.insist(key, now))).collect()
    }

    /// The names that breakers have.
    fn known(&self) -> Vec<Named> {
        let now = self.world().now();
        let judging = || self.lanes().filter(|lanes| lanes.has_breakers());
        let keyed = judging().filter(|lanes| lanes.breakers_per() != Per::System);
        let called = keyed.flat_map(|lanes| lanes.shown(now)).map(|(name, _)| name);
        let operations = self.spec().operations.iter().map(|operation| &*operation.name);
        let configured = operations.filter(|name| self.own(name).is_some() || self.has_one_each(name));
        let configured = configured.map(|name| Named { operation: Some(name.to_owned()), key: None });
        let mut known: BTreeSet<Named> = called.chain(configured).collect();
        known.remove(&Named::default());
        known.into_iter().collect()
    }
}

/// What a breaker is told when it is a person who changes it.
struct Operator<'a> {
    world: &'a World,
    system: &'a str,
    lane: &'a Lane,
    now: Tick,
}

impl Scene for Operator<'_> {
    fn now(&self) -> Tick {
        self.now
    }

    fn chance(&self) -> f64 {
        0.0
    }

    fn changed(&self, change: Change) {
        let place = &Place { system: self.system, operation: "", key: &self.lane.key };
        let Change { from, to, open_for } = change;
        self.world.listener.hear(&Event::Transition { place, from, to, open_for });
    }
}
