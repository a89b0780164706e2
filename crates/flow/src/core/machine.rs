//! One turn of the core: an event goes in, its consequences are worked off, decisions come out.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::event::Event;
use super::failure::Failure;
use super::frame::{Activation, At, Frame, Id, ROOT, Scope, Slot, Stage, Vars};
use super::outcome::Ended;
use super::question::QuestionEnd;
use super::record::{Record, RecordStatus};
use super::state::{Paused, State};
use super::timer::Timer;
use super::{Decision, Until};
use crate::definition::{Body, Definition, OnExhausted, OnTimeout, Task};

/// The most steps one run may enter.
const MAX_STEPS: usize = 100_000;

pub(super) struct Machine<'a> {
    pub(super) definition: &'a Definition,
    pub(super) state: &'a mut State,
    pub(super) agenda: VecDeque<Work>,
    pub(super) out: Vec<Decision>,
}

/// What is worked off before a turn ends.
pub(super) enum Work {
    Enter {
        task: Arc<Task>,
        parent: Id,
        slot: Slot,
        prefix: Arc<str>,
        vars: Vars,
    },
    Next(Id),
    Leave {
        id: Id,
        output: Arc<Value>,
    },
    Raise {
        id: Id,
        error: Failure,
    },
    /// A task cannot be entered because of our own fault.
    Fault(Box<super::held::Fault>),
}

impl<'a> Machine<'a> {
    pub(super) fn new(definition: &'a Definition, state: &'a mut State) -> Self {
        Self { definition, state, agenda: VecDeque::new(), out: Vec::new() }
    }

    pub(super) fn apply(mut self, event: &Event) -> Vec<Decision> {
        self.fold(event);
        self.work_off();
        self.out
    }

    pub(super) fn work_off(&mut self) {
        while let Some(work) = self.agenda.pop_front() {
            match work {
                Work::Enter { task, parent, slot, prefix, vars } => {
                    self.enter(&task, parent, slot, &prefix, &vars)
                }
                Work::Next(id) => self.next(id),
                Work::Leave { id, output } => self.leave(id, output),
                Work::Raise { id, error } => self.raise(id, error),
                Work::Fault(fault) => self.fault(*fault),
            }
        }
    }

    fn fold(&mut self, event: &Event) {
        self.acted(event);
        self.came_home(event);
        self.note_decision(event);
        match event {
            Event::RunStarted(_) => {}
            Event::RunTaken => self.taken(),
            Event::StepStarted { path, member, leaves_until, keyed_as } => {
                self.sent(path, member, *leaves_until, keyed_as.as_ref());
            }
            Event::StepUnfinished { path, error, until } => self.unfinished(path, error, *until),
            Event::OutcomeLookedUp { path, answer, error, until, before } => {
                self.looked_up(path, answer.as_ref(), error.as_ref(), *until, *before)
            }
            Event::StepSettled { path, landed, output, by } => {
                self.settled_by(path, landed.then_some(output), by)
            }
            Event::StepBlocked { path, reason, until, perhaps, .. } => {
                if *perhaps {
                    self.doubt(path);
                }
                self.blocked(path, *until, Some(*reason));
            }
            Event::TellDelivered { path, output, attempts, .. } => self.delivered(path, output, *attempts),
            Event::TellDied { path, error } => self.died(path, error),
            Event::TellLost { path } => self.lost(path),
            Event::DeliveryAwaited { path, until } => self.blocked(path, *until, None),
            Event::StepRetried { path, error, until } => self.retried(path, error, *until),
            Event::StepSucceeded { path, output, attempts, ms, answered, .. } => {
                self.tells(path);
                self.with_record(path, |record| record.answered.clone_from(answered));
                self.succeeded(path, output, *attempts, *ms)
            }
            Event::StepFailed { path, error, ms } => self.failed(path, error, *ms),
            Event::StepExhausted { path, error } => self.exhausted(path, error),
            Event::StepUnknown { path, error } => self.unknown(path, error),
            Event::OutcomeFound { path, output } => self.found(path, output.as_ref()),
            Event::StepDropped { path } => self.dropped(path),
            Event::StepWaiting { path, on, after } => self.waiting(path, on, *after),
            Event::QuestionAsked { path, question, on } => self.question_asked(path, question, on),
            Event::QuestionClosed { path, how, by, reason } => {
                self.question_closed(path, *how, by.as_deref(), reason.as_deref());
            }
            Event::ChildStarted { path, run } => {
                self.state.acted = true;
                *self.state.begun.entry(path.clone()).or_default() += 1;
                self.with_leaf(path, |leaf| leaf.child = Some(run.clone()));
            }
            Event::ChildUnknown { path, step } => self.child_unknown(path, step.as_ref()),
            Event::TimerSet { path, timer, due } => self.timer_set(path, *timer, *due),
            Event::TimerFired { path, timer } => self.fired(path, *timer),
            Event::TopicRead { .. } => self.read(event),
            Event::StepHeld { path, reason, missing, error } => {
                self.held(path, *reason, missing.as_deref(), error)
            }
            Event::SignalTaken { path, id, payload } => {
                self.heard(path, id);
                self.answered(path, payload);
            }
            Event::StepCompensated { path, attempts, ms, .. } => self.compensated(path, *attempts, *ms),
            Event::CompensationParked { path, error } => self.parked(path, error),
            Event::StepReplayed { path, input, .. } => self.replayed(path, input.as_ref()),
            Event::RunPaused { .. } => self.pause("by a person", None),
            Event::RunResumed { send_again, step, .. } => self.resume(*send_again, step.as_deref()),
            Event::RunCancelling { by } => self.cancel(&by.by),
            Event::RunRestarted { path, .. } => self.restart(path),
            Event::RunUndoing { by, force } => self.undo_run(by, *force),
            Event::UndoRefused { .. } => self.undo_refused(),
            Event::KeyReleased { .. } => self.state.released = true,
            Event::SlaBreached => self.state.breached = true,
            Event::RunEnded(ended) => self.end(ended),
        }
    }

    /// Enters the root. Also after a restart.
    pub(super) fn begin(&mut self) {
        self.state.taken = true;
        let scope = Scope { stage: Stage::Body, rounds: 0, chain: [].into() };
        let id =
            self.activate(ROOT, Slot::Body, None, "".into(), "".into(), Vars::default(), Frame::Scope(scope));
        debug_assert_eq!(id, ROOT);
        if let Some(error) = self.state.start.refused.clone() {
            return self.agenda.push_back(Work::Raise { id: ROOT, error });
        }
        let block = self.definition.tasks.clone();
        self.block(ROOT, Slot::Body, None, "".into(), block, Vars::default());
    }

    fn end(&mut self, ended: &Ended) {
        self.state.ending = None;
        self.state.ended = Some(ended.clone());
        self.state.ended_at = Some(self.state.now);
        self.state.ends += 1;
        if let Some(root) = self.state.active.get_mut(&ROOT).and_then(Activation::scope_mut) {
            root.stage = Stage::Ended;
        }
    }

    pub(super) fn pause(&mut self, reason: &'static str, step: Option<Arc<str>>) {
        self.state.paused = Some(Paused { reason, step, since: self.state.now });
    }

    pub(super) fn leaf_ids(&self, wanted: impl Fn(&At) -> bool) -> Vec<Id> {
        let leaves = self.state.active.iter().filter_map(|(id, active)| Some((*id, active.leaf()?)));
        leaves.filter(|(_, leaf)| wanted(&leaf.at)).map(|(id, _)| id).collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an activation is made in one place, with everything it has"
    )]
    pub(super) fn activate(
        &mut self,
        parent: Id,
        slot: Slot,
        task: Option<Arc<Task>>,
        path: Arc<str>,
        prefix: Arc<str>,
        vars: Vars,
        frame: Frame,
    ) -> Id {
        let id = self.state.next;
        self.state.next += 1;
        if matches!(frame, Frame::Leaf(_)) {
            self.state.leaves.insert(path.clone(), id);
        }
        self.state.active.insert(id, Activation { parent, slot, task, path, prefix, vars, frame });
        id
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<Activation> {
        self.withdraw(id, QuestionEnd::Withdrawn);
        let gone = self.state.active.remove(&id)?;
        if gone.leaf().is_some() {
            self.state.leaves.remove(&gone.path);
        }
        Some(gone)
    }

    /// Counts an entered step. `false` when the run has had enough.
    pub(super) fn counted(&mut self) -> bool {
        self.state.count += 1;
        self.state.count <= MAX_STEPS
    }

    /// Remembers a step for people. A step that is entered again starts afresh.
    pub(super) fn note(&mut self, path: &Arc<str>, task: &Arc<Task>, status: RecordStatus) {
        let record = Record {
            path: path.clone(),
            task: task.clone(),
            status,
            started: self.state.now,
            ended: None,
            ms: None,
            attempts: 0,
            member: self.state.members.get(path).cloned(),
            answered: None,
            output: None,
            error: None,
            history: Vec::new(),
            looks: Vec::new(),
            settled: None,
            settled_as: None,
            sent: None,
        };
        match self.state.index.get(path) {
            Some(index) => self.state.records[*index] = record,
            None => {
                self.state.index.insert(path.clone(), self.state.records.len());
                self.state.records.push(record);
            }
        }
    }

    pub(super) fn with_record(&mut self, path: &str, change: impl FnOnce(&mut Record)) {
        if let Some(index) = self.state.index.get(path) {
            change(&mut self.state.records[*index]);
        }
    }

    pub(super) fn policy(&self, task: &Task) -> OnExhausted {
        task.on_exhausted.unwrap_or(self.definition.on_exhausted)
    }

    fn timer_set(&mut self, path: &Arc<str>, timer: Timer, due: jiff::Timestamp) {
        self.with_leaf(path, |leaf| {
            leaf.timers.push((timer, due));
            if timer == Timer::Wait {
                leaf.at = At::Waiting;
            }
        });
        self.with_record(path, |record| record.status = RecordStatus::Waiting);
    }

    /// The timer of a `wait` or of an answer that does not come.
    fn fired(&mut self, path: &Arc<str>, timer: Timer) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        match timer {
            Timer::Wait => self.finish_leaf(id, &Arc::new(Value::Null)),
            Timer::Retry => self.decide(id),
            Timer::Timeout => self.timed_out(id),
            Timer::Sla => {}
        }
    }

    fn timed_out(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        let path = active.path.clone();
        let give_up = match active.task.as_deref().map(|task| &task.body) {
            Some(Body::Ask(said) | Body::Confirm(said)) => said.on_timeout != OnTimeout::Continue,
            Some(Body::Listen(hears)) => hears.give_up,
            _ => true,
        };
        self.out.push(Decision::Clear { path: path.clone() });
        if self.question_expired(id) {
            let yes = json!({ "confirmed": true, "reason": null, "method": "timeout" });
            self.finish_leaf(id, &Arc::new(yes));
        } else if give_up {
            let error = Failure {
                kind: Some(port::Kind::Timeout),
                ..Failure::new(&path, "flow.timeout", "no answer came in time")
            };
            self.fail_leaf(id, error);
        } else {
            self.finish_leaf(id, &Arc::new(Value::Null));
        }
    }

    /// Asks for a timer after the backoff of a round.
    pub(super) fn backoff(&mut self, path: &Arc<str>, round: u32, retry: &crate::definition::Retry) {
        let due = Until::Backoff { round, wait: retry.wait, max: retry.max };
        self.out.push(Decision::Timer { path: path.clone(), timer: Timer::Retry, due });
    }
}
