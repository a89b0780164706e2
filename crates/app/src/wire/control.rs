//! What operators may ask of guards.

use std::collections::BTreeMap;
use std::sync::Arc;

use gate::Mode;
use guard::{Group, Guarded, LaneStatus, NoBreaker, State, Switch, Which};
use port::normalised;
use serde_json::Value;
use watch::health::Seen;
use watch::metrics::{Breaker, Standing};

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

    /// A group has no guard of its own.
    fn judged(&self, system: &str) -> Result<&Arc<Guarded>, String> {
        self.get(system).ok_or_else(|| NoBreaker::Off.to_string())
    }

    /// How each system's breaker lets calls out now, for the gauges: that of its worst key.
    pub(super) fn breakers(&self) -> impl Iterator<Item = (&str, Breaker)> {
        let judged = self.guards.iter().filter(|(_, guarded)| guarded.mode().is_some());
        judged.map(|(name, guarded)| (name.as_str(), worst(&guarded.status().lanes)))
    }

    /// How each system's guard stands now, for the gauges: all its lanes together.
    pub(super) fn standings(&self) -> impl Iterator<Item = (&str, Standing)> {
        self.guards.iter().map(|(name, guarded)| {
            let guard::Status { budget, in_flight, queued, max_in_flight: most, .. } = guarded.status();
            (name.as_str(), Standing { budget, in_flight, queued, most })
        })
    }

    /// What a system's breakers say of it now, where that is not simply well: whatever its last call showed.
    pub(super) fn standing(&self, system: &str) -> Option<Seen> {
        let guarded = self.get(system)?;
        let mut lanes = guarded.status().lanes;
        let told = |switch| lanes.iter().any(|lane| lane.mode == Some(switch));
        let forced = told(Switch::ForcedOpen);
        if guarded.mode()? == Switch::ForcedOpen && !told(Switch::Auto) && !told(Switch::ObserveOnly) {
            return Some(Seen::Fail("breaker is forced open"));
        }
        // Others keep nothing in.
        lanes.retain(|lane| lane.mode == Some(Switch::Auto));
        match worst(&lanes) {
            Breaker::Open => Some(Seen::Fail("breaker is open")),
            Breaker::HalfOpen => Some(Seen::Warn("breaker is half open")),
            // Somebody wants it so, and the others pass.
            Breaker::Closed => forced.then_some(Seen::Warn("some of its breakers are forced open")),
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

    fn reset(&self, system: &str, which: &gate::Which) -> Result<(), String> {
        let reset = self.judged(system)?.reset(meant(which));
        reset.map_err(|none| none.to_string())
    }

    fn switch(&self, system: &str, which: &gate::Which, mode: Mode) -> Result<Option<Mode>, String> {
        let was = self.judged(system)?.tell(meant(which), wanted(mode));
        was.map(|was| was.map(told)).map_err(|none| none.to_string())
    }

    fn restore(&self, system: &str, which: &gate::Which, mode: Mode) -> Result<(), String> {
        self.judged(system)?.restore(meant(which), wanted(mode)).map_err(|none| none.to_string())
    }
}

fn wanted(mode: Mode) -> Switch {
    match mode {
        Mode::Automatic => Switch::Auto,
        Mode::ForcedOpen => Switch::ForcedOpen,
        Mode::Disabled => Switch::Disabled,
        Mode::ObserveOnly => Switch::ObserveOnly,
    }
}

fn meant(which: &gate::Which) -> Which<'_> {
    Which { operation: which.operation.as_deref(), key: which.key.as_deref() }
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
        Some(Switch::ForcedOpen) => State::Open,
        Some(Switch::Disabled) | None => State::Closed,
        Some(Switch::Auto | Switch::ObserveOnly) => lane.state,
    }
}
