//! The table cause × ending: one list, from which both the page and a scripted test of each cell come.

mod page;
mod plays;

use serde_json::{Value, json};

use crate::world::Fate;

/// Where an effect comes from.
pub(crate) struct Cause {
    pub(crate) name: &'static str,
    /// What is written: the task whose effects are looked at.
    pub(crate) task: fn() -> Value,
    pub(crate) kind: Kind,
    /// How many effects it has.
    pub(crate) effects: usize,
}

/// What the rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A system that honours keys.
    Keyed,
    /// A system that acts each time, and can be looked up; what is not found is sent again.
    Verified,
    /// A system that acts each time, and cannot.
    Final,
    Told,
    /// A system that honours keys, in a run below.
    Child,
    /// The branch that loses.
    Loser,
    /// What a `catch` undoes.
    Caught,
    /// An event on a topic.
    Published,
    /// An act in the conversation.
    Emitted,
}

/// How a run's way ends, or is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Success,
    LaterFailure,
    Cancel,
    LateTimeout,
    Crash,
    Restart,
    PauseResume,
    Replay,
    Discard,
}

/// What is so in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The run has succeeded, each effect stands once.
    Stands,
    /// The run is over, and nothing stands.
    Undone,
    /// The run has succeeded, and a message waits for a person as a dead letter.
    Letter,
    /// The run is not over and says this.
    Waits(&'static str),
    /// One or the other: nobody knows before it is looked at.
    StandsOr(&'static str),
    /// The run is over, and what it said was said so often.
    Said(usize),
}

pub(crate) const ENDINGS: [Ending; 9] = [
    Ending::Success,
    Ending::LaterFailure,
    Ending::Cancel,
    Ending::LateTimeout,
    Ending::Crash,
    Ending::Restart,
    Ending::PauseResume,
    Ending::Replay,
    Ending::Discard,
];

/// Cells that are not kept yet: the page says so, and the test of the cell wants them to fail, so that this list can only
/// become shorter.
const NOT_YET: &[(Kind, Ending)] = &[];

pub(crate) fn is_kept(cause: &Cause, ending: Ending) -> bool {
    !NOT_YET.contains(&(cause.kind, ending))
}

pub(crate) const CAUSES: [Cause; 11] = [
    Cause { name: "`call`, keyed", task: || call("s1", "keyed", &[]), kind: Kind::Keyed, effects: 1 },
    Cause {
        name: "`call`, never, with `verify` (`not_found: send`)",
        task: verified,
        kind: Kind::Verified,
        effects: 1,
    },
    Cause { name: "`call`, never", task: || call("s1", "plain", &[]), kind: Kind::Final, effects: 1 },
    Cause { name: "`tell`", task: tell, kind: Kind::Told, effects: 1 },
    Cause {
        name: "`run` (a child)",
        task: || json!({ "c1": { "run": "child" } }),
        kind: Kind::Child,
        effects: 1,
    },
    Cause { name: "`for`, each round", task: rounds, kind: Kind::Keyed, effects: 2 },
    Cause { name: "`fork`, each branch", task: branches, kind: Kind::Keyed, effects: 2 },
    Cause { name: "`race`, the branch that loses", task: loser, kind: Kind::Loser, effects: 1 },
    Cause { name: "`try`, undone by its `catch`", task: caught, kind: Kind::Caught, effects: 1 },
    Cause {
        name: "`publish`",
        task: || json!({ "p1": { "publish": "news", "with": { "n": 1 } } }),
        kind: Kind::Published,
        effects: 0,
    },
    Cause { name: "`emit`", task: emit, kind: Kind::Emitted, effects: 0 },
];

impl Ending {
    /// What answers the system gives, in their order; afterwards it does what it is asked.
    pub(crate) fn script(self) -> Vec<Fate> {
        match self {
            Self::LateTimeout => vec![Fate::Late],
            Self::Replay => vec![Fate::Unreachable; 4],
            Self::Discard => vec![Fate::Unreachable; 12],
            _ => Vec::new(),
        }
    }

    /// What is to be so in the end, when the run ends so.
    pub(crate) fn then(self, kind: Kind) -> Then {
        let effectless = matches!(kind, Kind::Loser | Kind::Caught);
        match (self, kind) {
            (Self::Restart, Kind::Published) => Then::Said(2),
            (_, Kind::Published | Kind::Emitted) => Then::Said(1),
            (Self::LaterFailure | Self::Cancel, _) => Then::Undone,
            (Self::LateTimeout, Kind::Final) => Then::Waits("outcome_unknown"),
            (Self::Crash, Kind::Final) => Then::StandsOr("outcome_unknown"),
            (Self::Replay | Self::Discard, Kind::Loser) => Then::Undone,
            (Self::Discard, Kind::Told) => Then::Letter,
            (Self::Discard, Kind::Child) => Then::Waits("answer"),
            (Self::Discard, _) => Then::Waits("exhausted"),
            _ if effectless => Then::Undone,
            _ => Then::Stands,
        }
    }
}

fn call(name: &str, system: &str, vars: &[&str]) -> Value {
    let mark: String = [format!("${{ run.id }}/{name}")]
        .into_iter()
        .chain(vars.iter().map(|var| format!("/${{ {var} }}")))
        .collect();
    let with = json!({ "id": mark });
    json!({ name: {
        "call": format!("{system}.put"), "with": with, "timeout": "10s", "retry": { "attempts": 3, "wait": "2s" },
        "compensate": { "call": format!("{system}.drop"), "with": with },
    } })
}

fn verified() -> Value {
    let mut task = call("s1", "plain", &[]);
    task["s1"]["verify"] =
        json!({ "call": "plain.find", "with": { "id": "${ run.id }/s1" }, "not_found": "send" });
    task
}

fn tell() -> Value {
    let with = json!({ "id": "${ run.id }/s1" });
    json!({ "s1": { "tell": "keyed.put", "with": with, "compensate": { "call": "keyed.drop", "with": with } } })
}

fn emit() -> Value {
    json!({ "e1": { "emit": { "type": "fact", "entity": "order-1", "field": "n", "value": 1 } } })
}

fn rounds() -> Value {
    json!({ "f1": { "for": { "each": "i", "in": [0, 1] }, "do": [call("s1", "keyed", &["i"])] } })
}

fn branches() -> Value {
    json!({ "k1": { "fork": { "a": [call("s1", "keyed", &[])], "b": [call("s2", "keyed", &[])] } } })
}

/// The one branch acts and goes on waiting; the other is done first.
fn loser() -> Value {
    let slow = [call("s1", "keyed", &[]), json!({ "w1": { "wait": "1h" } })];
    json!({ "k1": { "fork": { "a": slow, "b": [{ "w2": { "wait": "90s" } }] }, "race": true } })
}

fn caught() -> Value {
    let tried = [call("s1", "keyed", &[]), json!({ "raise": { "code": "no", "message": "not this way" } })];
    json!({ "t1": { "try": tried, "catch": { "do": [{ "set": { "other": true } }], "compensate": true } } })
}

/// The flow of a cell, and its child.
pub(crate) fn flows(cause: &Cause, ending: Ending) -> [(&'static str, Value); 2] {
    let mut tasks = vec![(cause.task)()];
    match ending {
        Ending::LaterFailure => {
            tasks.push(json!({ "raise": { "code": "no", "message": "it is not to be" } }))
        }
        Ending::Cancel | Ending::PauseResume => tasks.push(json!({ "w9": { "wait": "10m" } })),
        _ => {}
    }
    [("main", json!({ "do": tasks })), ("child", json!({ "do": [call("s1", "keyed", &[])] }))]
}
