//! What operators may ask of guards.

use std::collections::BTreeMap;
use std::sync::Arc;

use gate::Mode;
use guard::{Group, Guarded, LaneStatus, State, Switch};
use port::normalised;
use serde_json::Value;
use watch::health::Seen;
use watch::metrics::Breaker;

/// The guards by system.
#[derive(Clone)]
pub(super) struct Guards {
    guards: Arc<BTreeMap<String, Arc<Guarded>>>,
    /// Groups have no breaker of their own; they only tell how they see their members.
    groups: Arc<BTreeMap<String, Arc<Group>>>,
}

impl Guards {
    pub(super) fn new(guards: BTreeMap<String, Arc<Guarded>>, groups: BTreeMap<String, Arc<Group>>) -> Self {
        Self { guards: Arc::new(guards), groups: Arc::new(groups) }
    }

    fn get(&self, system: &str) -> Option<&Arc<Guarded>> {
        self.guards.get(&normalised(system))
    }

    /// How each system's breaker lets calls out now, for the gauges: that of its worst key.
    pub(super) fn breakers(&self) -> impl Iterator<Item = (&str, Breaker)> {
        let judged = self.guards.iter().filter(|(_, guarded)| guarded.mode().is_some());
        judged.map(|(name, guarded)| (name.as_str(), worst(&guarded.status().lanes)))
    }

    /// What a system's breaker says of it now, where that is not simply well: whatever its last call showed.
    pub(super) fn standing(&self, system: &str) -> Option<Seen> {
        let guarded = self.get(system)?;
        let open = match guarded.mode()? {
            Switch::ForcedOpen => return Some(Seen::Fail("breaker is forced open")),
            // Nothing is kept in.
            Switch::Disabled | Switch::ObserveOnly => return None,
            Switch::Auto => worst(&guarded.status().lanes),
        };
        match open {
            Breaker::Open => Some(Seen::Fail("breaker is open")),
            Breaker::HalfOpen => Some(Seen::Warn("breaker is half open")),
            Breaker::Closed => None,
        }
    }
}

impl gate::Control for Guards {
    fn status(&self, system: &str) -> Value {
        let status = match (self.get(system), self.groups.get(&normalised(system))) {
            (Some(guarded), _) => serde_json::to_value(guarded.status()),
            (None, Some(group)) => serde_json::to_value(group.status()),
            (None, None) => Ok(Value::Null),
        };
        status.unwrap_or(Value::Null)
    }

    fn reset(&self, system: &str) -> bool {
        let guarded = self.get(system).filter(|guarded| guarded.mode().is_some());
        guarded.inspect(|guarded| guarded.reset()).is_some()
    }

    fn switch(&self, system: &str, mode: Mode) -> Option<Mode> {
        let guarded = self.get(system)?;
        let was = told(guarded.mode()?);
        match mode {
            Mode::Automatic => guarded.automatic(),
            Mode::ForcedOpen => guarded.force_open(),
            Mode::Disabled => guarded.disable(),
            Mode::ObserveOnly => guarded.observe_only(),
        }
        Some(was)
    }
}

fn told(switch: Switch) -> Mode {
    match switch {
        Switch::Auto => Mode::Automatic,
        Switch::ForcedOpen => Mode::ForcedOpen,
        Switch::Disabled => Mode::Disabled,
        Switch::ObserveOnly => Mode::ObserveOnly,
    }
}

fn worst(lanes: &[LaneStatus]) -> Breaker {
    let any = |state| lanes.iter().any(|lane| shown(lane) == state);
    match (any(State::Open), any(State::HalfOpen)) {
        (true, _) => Breaker::Open,
        (false, true) => Breaker::HalfOpen,
        (false, false) => Breaker::Closed,
    }
}

/// Forced open is open whatever the breaker would judge, and disabled is closed.
fn shown(lane: &LaneStatus) -> State {
    match lane.mode {
        Switch::ForcedOpen => State::Open,
        Switch::Disabled => State::Closed,
        Switch::Auto | Switch::ObserveOnly => lane.state,
    }
}
