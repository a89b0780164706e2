//! A run: the fold of its journal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use expr::Scope;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::RunStatus;

use super::decided::Decided;
use super::event::Event;
use super::frame::{Activation, At, Id, Vars};
use super::machine::Machine;
use super::member::step_of;
use super::outcome::Ended;
use super::record::{Done, Record, Undo};
use super::start::{LinePlace, Start};
use super::timer::Timer as TimerKind;
use super::{Decision, Failure};
use crate::definition::{Call, Definition, Task};
use crate::view::BlockedOn;

/// Everything a run is. Made by its first event and changed by every further one.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) start: Arc<Start>,
    pub(crate) started: Timestamp,
    /// When the last event happened: the only time the core knows.
    pub(crate) now: Timestamp,
    pub(crate) taken: bool,
    pub(crate) paused: Option<Paused>,
    pub(crate) cancelling: Option<String>,
    pub(crate) breached: bool,
    /// Decided, and not yet written.
    pub(super) ending: Option<Ended>,
    pub(crate) ended: Option<Ended>,
    pub(crate) ended_at: Option<Timestamp>,
    /// How often it has ended.
    pub(crate) ends: u32,
    /// Why everything is, or was, undone after the run had ended.
    pub(super) undoing: Option<Failure>,
    /// How it stood before that, until it is this run's turn.
    pub(super) stood: Option<(Ended, Timestamp)>,
    /// What people decided about it, oldest first.
    pub(crate) decided: Vec<Decided>,
    /// A person has let others with the run's key pass.
    pub(crate) released: bool,
    pub(crate) records: Vec<Record>,
    pub(super) index: HashMap<Arc<str>, usize>,
    pub(super) active: BTreeMap<Id, Activation>,
    pub(super) leaves: HashMap<Arc<str>, Id>,
    pub(super) next: Id,
    pub(super) steps: Value,
    pub(super) vars: Value,
    pub(super) run: Value,
    pub(super) done: Vec<Done>,
    /// Outputs that a restart keeps.
    pub(super) kept: HashMap<Arc<str>, Arc<Value>>,
    /// How often a step was undone: done again it needs a new key.
    pub(super) undone: HashMap<Arc<str>, u32>,
    /// How many runs a step has begun.
    pub(super) begun: HashMap<Arc<str>, u32>,
    /// The steps of runs below of which nobody knows whether they landed, by the step that began the run.
    pub(super) below: BTreeMap<Arc<str>, Arc<str>>,
    /// The events of each topic that were taken, by their versions.
    pub(super) heard: HashMap<Arc<str>, BTreeSet<u64>>,
    /// How often a step has asked.
    pub(super) asked: HashMap<Arc<str>, u32>,
    /// The members of groups that acted, or may have, by the path of their call.
    pub(super) members: HashMap<Arc<str>, Arc<str>>,
    /// Whether something that is not `safe` has landed, or may have, or another run was begun.
    pub(super) acted: bool,
    /// What became of the messages of steps.
    pub(super) told: HashMap<Arc<str>, super::told::Told>,
    pub(super) count: usize,
}

/// Why a run is paused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Paused {
    pub(crate) reason: &'static str,
    pub(crate) step: Option<Arc<str>>,
    pub(crate) since: Timestamp,
}

impl State {
    /// The state before anything has been entered.
    pub(crate) fn new(start: Arc<Start>, at: Timestamp) -> Self {
        let run = json!({
            "id": start.run, "flow": start.flow, "tenant": start.tenant, "started": at.to_string(),
            "conversation": start.conversation, "commit": start.commit,
        });
        Self {
            start,
            started: at,
            now: at,
            taken: false,
            paused: None,
            cancelling: None,
            breached: false,
            ending: None,
            ended: None,
            ended_at: None,
            ends: 0,
            undoing: None,
            stood: None,
            decided: Vec::new(),
            released: false,
            records: Vec::new(),
            index: HashMap::new(),
            active: BTreeMap::new(),
            leaves: HashMap::new(),
            next: 0,
            steps: Value::Object(Map::new()),
            vars: Value::Object(Map::new()),
            run,
            done: Vec::new(),
            kept: HashMap::new(),
            undone: HashMap::new(),
            begun: HashMap::new(),
            below: BTreeMap::new(),
            heard: HashMap::new(),
            asked: HashMap::new(),
            members: HashMap::new(),
            acted: false,
            told: HashMap::new(),
            count: 0,
        }
    }

    /// Folds one event and says what to do next.
    pub(crate) fn apply(&mut self, definition: &Definition, event: &Event, at: Timestamp) -> Vec<Decision> {
        self.now = self.now.max(at);
        Machine::new(definition, self).apply(event)
    }

    /// What is to be done by a driver that has just read this state back.
    pub(crate) fn outstanding(&mut self, definition: &Definition, now: Timestamp) -> Vec<Decision> {
        self.now = self.now.max(now);
        Machine::new(definition, self).outstanding()
    }

    /// The decision to make the step's call, when its time has come.
    pub(crate) fn again(&mut self, definition: &Definition, path: &str, now: Timestamp) -> Vec<Decision> {
        self.now = self.now.max(now);
        Machine::new(definition, self).again(path)
    }

    /// The place that the run has, or waits for, among those with its key.
    pub(crate) fn place(&self) -> Option<LinePlace> {
        self.start.place().filter(|_| !self.released)
    }

    /// The call of an active step, as it is sent.
    pub(crate) fn own_call(&self, definition: &Definition, path: &str) -> Option<super::Effect> {
        Machine::new(definition, &mut self.clone()).own_call(path)
    }

    /// Where the run stands.
    pub(crate) fn status(&self) -> RunStatus {
        match (&self.ended, &self.paused) {
            (Some(ended), _) => ended.status,
            (None, _) if !self.taken => RunStatus::Queued,
            (None, Some(_)) => RunStatus::Paused,
            (None, None) if self.is_undoing() => RunStatus::Compensating,
            (None, None) if self.is_waiting() => RunStatus::Waiting,
            (None, None) => RunStatus::Running,
        }
    }

    fn is_undoing(&self) -> bool {
        use super::frame::{Frame, ROOT, Stage};
        match self.active.get(&ROOT).map(|root| &root.frame) {
            Some(Frame::Scope(scope)) => {
                matches!(scope.stage, Stage::Draining { .. } | Stage::Undoing { .. })
            }
            _ => false,
        }
    }

    fn is_waiting(&self) -> bool {
        let mut leaves = self.leaves().peekable();
        leaves.peek().is_some()
            && leaves.all(|(_, leaf)| matches!(leaf.at, At::Waiting | At::Until(_) | At::Blocked))
    }

    pub(super) fn leaves(&self) -> impl Iterator<Item = (&Activation, &super::frame::Leaf)> {
        self.active.values().filter_map(|active| active.leaf().map(|leaf| (active, leaf)))
    }

    /// What expressions outside any loop see.
    pub(crate) fn outer_scope(&self) -> Scope<'_> {
        static NONE: Vars = Vars::NONE;
        self.scope(&NONE)
    }

    /// What expressions see.
    pub(super) fn scope<'a>(&'a self, vars: &'a Vars) -> Scope<'a> {
        let null = &Value::Null;
        let input = &self.start.input;
        let scope = Scope::new()
            .bind("input", input)
            .bind("entity", input.get("entity").unwrap_or(null))
            .bind("act", input.get("act").unwrap_or(null))
            .bind("run", &self.run)
            .bind("vars", &self.vars)
            .bind("steps", &self.steps);
        vars.all().into_iter().fold(scope, |scope, (name, value)| scope.bind(name, value))
    }

    /// Whether something could not be undone, or nobody knows whether it is to be.
    pub(crate) fn has_parked(&self) -> bool {
        self.done.iter().any(|done| done.undo.is_left())
    }

    pub(super) fn has_compensated(&self) -> bool {
        self.done.iter().any(|done| done.undo == Undo::Compensated)
    }

    /// The step of a path, with `/undo` taken off.
    pub(crate) fn task(&self, path: &str) -> Option<&Arc<Task>> {
        let path = step_of(path);
        self.index.get(path).map(|index| &self.records[*index].task)
    }

    /// The call that a path makes: the step's own, or the one that undoes it.
    pub(crate) fn call(&self, path: &str) -> Option<&Call> {
        let task = self.task(path)?;
        match path.ends_with("/undo") {
            true => task.compensate.as_ref().map(|undo| &undo.call),
            false => task.body.call(),
        }
    }

    /// Whether an active path finds out whether its step landed, before it does or undoes anything.
    pub(crate) fn verifies(&self, path: &str) -> bool {
        self.leaf(path).is_some_and(|leaf| leaf.probing)
    }

    pub(super) fn leaf(&self, path: &str) -> Option<&super::frame::Leaf> {
        self.leaves.get(path).and_then(|id| self.active.get(id)?.leaf())
    }

    pub(crate) fn record(&self, path: &str) -> Option<&Record> {
        self.index.get(path).map(|index| &self.records[*index])
    }

    /// The error of a step that waits for a person.
    pub(crate) fn stuck(&self, path: &str) -> Option<&Failure> {
        self.record(path)?.error.as_ref()
    }

    /// Whether a leaf of this path is active.
    pub(crate) fn is_active(&self, path: &str) -> bool {
        self.leaves.contains_key(path)
    }
}

/// What the driver asks of a state.
impl State {
    /// The event that a due timer of a step amounts to; none when nothing waits for it any more.
    pub(crate) fn fired(&self, path: &str, timer: TimerKind) -> Option<Event> {
        let (path, id) = self.leaves.get_key_value(path)?;
        let leaf = self.active.get(id)?.leaf()?;
        let (timer, _) = leaf.timers.iter().rev().find(|(set, _)| *set == timer)?;
        Some(Event::TimerFired { path: path.clone(), timer: *timer })
    }

    /// The timers that are set: of which step, what for, and when they are due. Of two of a kind the later one counts.
    pub(crate) fn timers(&self) -> BTreeMap<(Arc<str>, TimerKind), Timestamp> {
        let set = self.leaves().flat_map(|(active, leaf)| {
            leaf.timers.iter().map(|(kind, due)| ((active.path.clone(), *kind), *due))
        });
        set.collect()
    }

    /// The steps that will ask again at a set time, or when the configuration has what they need.
    pub(crate) fn asleep(&self) -> impl Iterator<Item = Arc<str>> {
        let asleep = self.leaves().filter(|(_, leaf)| matches!(leaf.at, At::Until(_) | At::Blocked));
        asleep.map(|(active, _)| active.path.clone())
    }

    /// What the first waiting leaf waits for.
    pub(crate) fn waits(&self) -> Option<BlockedOn> {
        let waits = |at: &At| matches!(at, At::Waiting | At::Until(_) | At::Blocked);
        let waiting = self.leaves().filter(|(_, leaf)| waits(&leaf.at));
        let mut waiting = waiting.peekable();
        let (active, leaf) = *waiting.peek()?;
        let timer_only = waiting.all(|(_, leaf)| leaf.on.is_none()) && self.is_waiting();
        let until = match leaf.at {
            At::Until(until) => Some(until),
            _ => leaf.timers.last().map(|(_, due)| *due),
        };
        let reason = match (&leaf.at, &leaf.on) {
            (At::Until(_), _) => "retry",
            (At::Blocked, _) => "blocked",
            (_, Some(_)) => "answer",
            _ => "timer",
        };
        let record = self.record(&active.path);
        Some(BlockedOn {
            reason: match (leaf.guard, leaf.probing) {
                (Some(guard), _) => guard.as_str(),
                (None, true) if reason != "blocked" => "verifying",
                (None, _) => reason,
            },
            step: Some(active.path.to_string()),
            system: self.asked_at(&active.path).map(|system| system.to_string()),
            verifying: leaf.probing,
            on: leaf.on.clone(),
            since: record.map_or(self.now, |record| record.started),
            until,
            timer_only,
            letter: None,
        })
    }
}
