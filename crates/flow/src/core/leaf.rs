//! Leaves: what is asked of the world for a step, and what its answers mean.

use std::sync::Arc;

use jiff::Timestamp;
use port::{Landed, Rejection, Repeat};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::enter::text;
use super::event::{Failure, Timer};
use super::frame::{Activation, At, Id, Leaf, Slot, Vars};
use super::machine::{Machine, Work};
use super::record::{RecordStatus, Undo};
use super::{Decision, Effect, Purpose, Speech, Until};
use crate::definition::{Body, Call, OnExhausted, Pause, Task, Utterance};

impl Machine<'_> {
    /// A leaf has been entered: a restart may know its output already.
    pub(super) fn first(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        match self.state.kept.remove(&active.path) {
            Some(output) => self.finish_leaf(id, &output),
            None => self.decide(id),
        }
    }

    /// Asks for what the leaf needs next, or holds it while the run is paused.
    pub(super) fn decide(&mut self, id: Id) {
        let held = self.state.paused.is_some();
        let Some(active) = self.state.active.get_mut(&id) else { return };
        let Some(leaf) = active.leaf_mut() else { return };
        leaf.at = if held { At::Held } else { At::Flying };
        let (path, task) = (active.path.clone(), active.task.clone());
        self.with_record(&path, |record| {
            record.status = if held { RecordStatus::Blocked } else { RecordStatus::Running };
        });
        let Some(task) = task else { return };
        if !held {
            self.ask_world(id, &path, &task);
        }
    }

    fn ask_world(&mut self, id: Id, path: &Arc<str>, task: &Arc<Task>) {
        let Some(active) = self.state.active.get(&id) else { return };
        let vars = active.vars.clone();
        let Some(leaf) = active.leaf().cloned() else { return };
        if let Some(at) = leaf.undoes {
            return self.ask_undo(id, path, task, &leaf, at);
        }
        let decided = match &task.body {
            Body::Call(call) => return self.ask_call(id, path, task, call, &leaf, &vars),
            Body::Tell(call) => self.effect(path, path, call, &vars, None).map(Decision::Tell),
            Body::Publish { topic, with } => self
                .value(with.as_ref(), &vars)
                .map(|payload| Decision::Publish { path: path.clone(), topic: topic.clone(), payload }),
            Body::Emit(act) => self.value(Some(act), &vars).map(|act| Decision::Say {
                path: path.clone(),
                speech: Speech::Emit(act),
                timeout: None,
            }),
            Body::Ask(said) => self.speech(said, &vars, true).map(|speech| Decision::Say {
                path: path.clone(),
                speech,
                timeout: task.timeout,
            }),
            Body::Confirm(said) => self.speech(said, &vars, false).map(|speech| Decision::Say {
                path: path.clone(),
                speech,
                timeout: task.timeout,
            }),
            Body::Wait(pause) => match self.pause_for(path, pause, &vars) {
                Ok(due) => Ok(Decision::Timer { path: path.clone(), timer: Timer::Wait, due }),
                Err(error) => return self.fail_leaf(id, error),
            },
            Body::Listen(hears) => {
                Ok(Decision::Listen { path: path.clone(), answer: hears.from.clone(), timeout: task.timeout })
            }
            Body::Run { flow, with } => self.value(with.as_ref(), &vars).map(|input| Decision::Child {
                path: path.clone(),
                flow: flow.clone(),
                input,
            }),
            Body::Require(_) | Body::Set(_) | Body::Do { .. } | Body::Switch(_) => return,
            Body::Fork { .. } | Body::Try(_) | Body::Raise { .. } => return,
        };
        match decided {
            Ok(decision) => self.out.push(decision),
            Err(error) => self.unsound_leaf(id, path, &error),
        }
    }

    fn ask_call(&mut self, id: Id, path: &Arc<str>, task: &Task, call: &Call, leaf: &Leaf, vars: &Vars) {
        let verify = task.verify.as_ref().filter(|_| leaf.probing);
        let effect = match verify {
            Some(verify) => self.effect(path, path, &verify.call, vars, None),
            None => self.effect(path, path, call, vars, leaf.input.clone()),
        };
        let purpose = if verify.is_some() { Purpose::Verify } else { Purpose::Do };
        match effect {
            Ok(effect) => self.out.push(Decision::Call(Effect { purpose, timeout: task.timeout, ..effect })),
            Err(error) => self.unsound_leaf(id, path, &error),
        }
    }

    fn unsound_leaf(&mut self, id: Id, path: &Arc<str>, error: &expr::Error) {
        let error = Failure::new(path, "flow.expression", format!("{}: {}", error.code, error.message));
        self.fail_leaf(id, error);
    }

    /// Undoes a step. When the input needs an output that never came, it asks for that first; else it is parked.
    fn ask_undo(&mut self, id: Id, path: &Arc<str>, task: &Arc<Task>, leaf: &Leaf, at: usize) {
        let Some(undo) = Self::compensation(task) else { return };
        let Some(active) = self.state.active.get(&id) else { return };
        let (step_vars, scope) = (active.vars.clone(), active.parent);
        let vars = self.undo_vars(at, &step_vars, scope);
        let effect = match &leaf.input {
            Some(input) => self.effect(path, path, &undo.call, &vars, Some(input.clone())),
            None => self.effect(path, path, &undo.call, &vars, None),
        };
        match (effect, task.body.call()) {
            (Ok(effect), _) => {
                let effect = Effect { purpose: Purpose::Undo, timeout: undo.timeout, ..effect };
                self.out.push(Decision::Call(effect));
            }
            (Err(_), Some(call)) if self.may_recall(at) => self.recall(id, path, call, &step_vars, at),
            (Err(error), _) => {
                let said = format!("compensating needs what is not known: {}", error.message);
                let error =
                    Failure { landed: Landed::Unknown, ..Failure::new(path, "flow.expression", said) };
                self.out.push(Decision::Park { path: path.clone(), error });
            }
        }
    }

    fn recall(&mut self, id: Id, path: &Arc<str>, call: &Call, vars: &Vars, at: usize) {
        let step = self.state.done[at].path.clone();
        if let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) {
            leaf.probing = true;
        }
        match self.effect(path, &step, call, vars, None) {
            Ok(effect) => self.out.push(Decision::Call(Effect { purpose: Purpose::Recall, ..effect })),
            Err(error) => {
                let error = Failure::new(path, "flow.expression", error.message);
                self.out.push(Decision::Park { path: path.clone(), error });
            }
        }
    }

    /// A call for `path`, under the key of `keyed`.
    fn effect(
        &self,
        path: &Arc<str>,
        keyed: &str,
        call: &Call,
        vars: &Vars,
        input: Option<Value>,
    ) -> Result<Effect, expr::Error> {
        let input = match input {
            Some(input) => input,
            None => self.value(call.with.as_ref(), vars)?,
        };
        Ok(Effect {
            path: path.clone(),
            system: call.system.clone(),
            operation: call.operation.clone(),
            input,
            key: self.key(keyed),
            repeat: call.repeat,
            timeout: None,
            purpose: Purpose::Do,
        })
    }

    /// The idempotency key of a path: the same on every attempt, after every crash and replay.
    fn key(&self, path: &str) -> String {
        let start = &self.state.start;
        let step = path.strip_suffix("/undo").unwrap_or(path);
        let again = match self.state.undone.get(step) {
            Some(times) => format!("~{times}"),
            None => String::new(),
        };
        let base = match &start.idempotency_key {
            Some(own) => format!("{}.{}.{own}", start.tenant, start.flow),
            None => start.run.clone(),
        };
        let key = format!("{base}/{path}{again}");
        match port::IdempotencyKey::new(&key) {
            Some(_) => key,
            None => format!("cardan-{:032x}", xxh3_128(key.as_bytes())),
        }
    }

    fn value(&self, mapping: Option<&expr::Mapping>, vars: &Vars) -> Result<Value, expr::Error> {
        mapping.map_or(Ok(Value::Null), |mapping| mapping.eval(&self.state.scope(vars)))
    }

    fn speech(&self, said: &Utterance, vars: &Vars, ask: bool) -> Result<Speech, expr::Error> {
        let own = self.state.start.input.get("entity").cloned().unwrap_or(Value::Null);
        let entity = match &said.entity {
            Some(entity) => self.value(Some(entity), vars)?,
            None => own,
        };
        let more = self.value(said.more.as_ref(), vars)?;
        let words = text(&self.value(Some(&said.text), vars)?);
        let field = text(&self.value(said.field.as_ref(), vars)?);
        Ok(if ask {
            Speech::Ask { entity, field, prompt: words, more }
        } else {
            Speech::Confirm { entity, summary: words, more }
        })
    }

    fn pause_for(&self, path: &Arc<str>, pause: &Pause, vars: &Vars) -> Result<Until, Failure> {
        let unsound = |error: expr::Error| Failure::new(path, "flow.expression", error.message);
        match pause {
            Pause::For(length) => {
                let written = text(&self.value(Some(length), vars).map_err(unsound)?);
                let length = diag::units::duration(&written);
                length
                    .map(Until::After)
                    .map_err(|why| Failure::new(path, "flow.wait", format!("{written:?}: {why}")))
            }
            Pause::Until(time) => {
                let written = text(&self.value(Some(time), vars).map_err(unsound)?);
                let time = written.parse::<Timestamp>();
                time.map(Until::At)
                    .map_err(|_| Failure::new(path, "flow.wait", format!("{written:?} is no RFC 3339 time")))
            }
        }
    }

    pub(super) fn with_leaf(&mut self, path: &str, change: impl FnOnce(&mut Leaf)) {
        let id = self.state.leaves.get(path);
        if let Some(leaf) = id.and_then(|id| self.state.active.get_mut(id)).and_then(Activation::leaf_mut) {
            change(leaf);
        }
    }

    pub(super) fn blocked(&mut self, path: &Arc<str>, until: Timestamp, guard: Option<Rejection>) {
        self.with_leaf(path, |leaf| {
            leaf.at = At::Until(until);
            leaf.guard = guard;
            leaf.intent = false;
        });
        self.with_record(path, |record| record.status = RecordStatus::Blocked);
        self.out.push(Decision::Again { path: path.clone(), until });
    }

    pub(super) fn retried(&mut self, path: &Arc<str>, error: &Failure, until: Timestamp) {
        self.with_leaf(path, |leaf| {
            leaf.rounds += 1;
            leaf.perhaps |= error.landed != Landed::No;
        });
        self.blamed(path, error);
        self.blocked(path, until, None);
    }

    fn blamed(&mut self, path: &Arc<str>, error: &Failure) {
        let now = self.state.now;
        self.with_record(path, |record| {
            record.attempts += error.attempts;
            record.history.push((now, error.clone()));
            record.error = Some(error.clone());
        });
    }

    pub(super) fn succeeded(&mut self, path: &Arc<str>, output: &Arc<Value>, attempts: u32, ms: u64) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.with_record(path, |record| {
            record.attempts += attempts;
            record.ms = Some(ms);
            record.error = None;
        });
        self.finish_leaf(id, output);
    }

    /// A leaf has its output.
    pub(super) fn finish_leaf(&mut self, id: Id, output: &Arc<Value>) {
        let Some(active) = self.state.active.get(&id) else { return };
        let path = active.path.clone();
        let acts =
            matches!(active.task.as_deref().map(|task| &task.body), Some(Body::Call(_) | Body::Tell(_)));
        if acts {
            self.remember(id, output, true);
        }
        let now = self.state.now;
        self.with_record(&path, |record| {
            record.status = RecordStatus::Succeeded;
            record.ended = Some(now);
            record.output = Some(output.clone());
        });
        self.agenda.push_back(Work::Leave { id, output: output.clone() });
    }

    pub(super) fn failed(&mut self, path: &Arc<str>, error: &Failure, ms: u64) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.blamed(path, error);
        self.with_record(path, |record| record.ms = Some(ms));
        self.fail_leaf(id, error.clone());
    }

    pub(super) fn fail_leaf(&mut self, id: Id, error: Failure) {
        let Some(active) = self.state.active.get(&id) else { return };
        let (path, now) = (active.path.clone(), self.state.now);
        let orphan = active.slot == Slot::Orphan;
        let perhaps = active.leaf().is_some_and(|leaf| leaf.perhaps);
        if orphan && (error.landed != Landed::No || perhaps) {
            self.remember(id, &Arc::new(Value::Null), false);
        }
        self.with_record(&path, |record| {
            record.status =
                if error.landed == Landed::Unknown { RecordStatus::Unknown } else { RecordStatus::Failed };
            record.ended = Some(now);
            record.error = Some(error.clone());
        });
        self.agenda.push_back(Work::Raise { id, error });
    }

    /// Nobody knows whether a step landed that must not be repeated: verified, or the run decides as when exhausted.
    pub(super) fn unknown(&mut self, path: &Arc<str>, error: &Failure) {
        let verifies = self.state.task(path).is_some_and(|task| task.verify.is_some());
        if !verifies {
            return self.stuck(path, error, "outcome_unknown", RecordStatus::Unknown);
        }
        self.blamed(path, error);
        self.with_leaf(path, |leaf| {
            leaf.probing = true;
            leaf.intent = false;
            leaf.perhaps = true;
        });
        if let Some(id) = self.state.leaves.get(path).copied() {
            self.decide(id);
        }
    }

    /// A step cannot go on by itself.
    pub(super) fn stuck(
        &mut self,
        path: &Arc<str>,
        error: &Failure,
        why: &'static str,
        status: RecordStatus,
    ) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.blamed(path, error);
        let Some(active) = self.state.active.get(&id) else { return };
        let Some(task) = active.task.clone() else { return };
        if active.slot == Slot::Orphan {
            return self.fail_leaf(id, error.clone());
        }
        match self.policy(&task) {
            OnExhausted::Compensate => self.fail_leaf(id, error.clone()),
            OnExhausted::Fail => self.give_up(id, error),
            OnExhausted::Pause => {
                self.with_leaf(path, |leaf| {
                    leaf.at = At::Stuck;
                    leaf.intent = false;
                });
                self.with_record(path, |record| record.status = status);
                self.pause(why, Some(path.clone()));
            }
        }
    }

    /// Ends the run as failed; what was done stays done.
    fn give_up(&mut self, id: Id, error: &Failure) {
        let Some(active) = self.state.active.get(&id) else { return };
        let path = active.path.clone();
        self.with_record(&path, |record| record.status = RecordStatus::Failed);
        self.remove(id);
        self.drain(super::frame::ROOT, error.clone(), super::frame::Undoing::Nothing);
    }

    /// What a verification or a recall found.
    pub(super) fn found(&mut self, path: &Arc<str>, output: Option<&Arc<Value>>) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) else { return };
        leaf.probing = false;
        leaf.rounds = 0;
        match (leaf.undoes, output) {
            (Some(at), Some(output)) => {
                self.state.done[at].output = output.clone();
                self.state.done[at].known = true;
                self.decide(id);
            }
            (Some(_), None) => self.close_undo(path, Undo::Nothing, |record, now| {
                record.status = RecordStatus::Skipped;
                record.ended = Some(now);
            }),
            (None, Some(output)) => self.finish_leaf(id, output),
            (None, None) => {
                leaf.perhaps = false;
                self.decide(id);
            }
        }
    }

    /// The step was waiting to be tried again when the run went another way.
    pub(super) fn dropped(&mut self, path: &Arc<str>) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        let Some(leaf) = self.state.active.get(&id).and_then(Activation::leaf) else { return };
        if leaf.perhaps {
            self.remember(id, &Arc::new(Value::Null), false);
        }
        self.with_record(path, |record| record.status = RecordStatus::Dropped);
        if let Some(gone) = self.remove(id) {
            self.child_done(gone.parent, gone.slot, None, &Arc::new(Value::Null));
        }
    }

    pub(super) fn waiting(&mut self, path: &Arc<str>, on: &Value, after: u64) {
        self.with_leaf(path, |leaf| {
            leaf.at = At::Waiting;
            leaf.on = Some(on.clone());
            leaf.after = after;
        });
        self.with_record(path, |record| record.status = RecordStatus::Waiting);
    }

    /// An answer has come: a fact's value, a confirmation, an event, or a child run's end.
    pub(super) fn answered(&mut self, path: &Arc<str>, payload: &Value) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        let Some(active) = self.state.active.get(&id) else { return };
        let refused = match active.task.as_deref().map(|task| &task.body) {
            Some(Body::Confirm(said))
                if said.give_up && payload.get("confirmed") == Some(&Value::Bool(false)) =>
            {
                let why = payload.get("reason").and_then(Value::as_str).unwrap_or("no reason given");
                Some(Failure::new(path, "flow.rejected", format!("not confirmed: {why}")))
            }
            Some(Body::Run { .. }) => payload.get("error").and_then(|error| {
                let error: Option<Failure> = serde_json::from_value(error.clone()).ok();
                error.map(|error| Failure { step: format!("{path}/{}", error.step).into(), ..error })
            }),
            _ => None,
        };
        self.out.push(Decision::Clear { path: path.clone() });
        let output = match active.task.as_deref().map(|task| &task.body) {
            Some(Body::Run { .. }) => payload.get("result").cloned().unwrap_or(Value::Null),
            _ => payload.clone(),
        };
        match refused {
            Some(error) => self.fail_leaf(id, error),
            None => self.finish_leaf(id, &Arc::new(output)),
        }
    }

    /// What a driver that has just read the state back must do about a leaf.
    pub(super) fn recover(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        let (path, orphan) = (active.path.clone(), active.slot == Slot::Orphan);
        let Some(leaf) = active.leaf().cloned() else { return };
        match leaf.at {
            At::Until(until) => self.out.push(Decision::Again { path: path.clone(), until }),
            At::Flying if leaf.intent && !leaf.probing && self.is_final(id) => {
                let error = Failure {
                    landed: Landed::Unknown,
                    kind: Some(port::Kind::Internal),
                    ..Failure::new(
                        &path,
                        "flow.interrupted",
                        "stopped between sending the call and writing its outcome",
                    )
                };
                self.out.push(Decision::Interrupted { path: path.clone(), error });
            }
            At::Flying if leaf.child.is_none() => self.decide(id),
            At::Flying | At::Held | At::Waiting | At::Stuck => {}
        }
        if orphan {
            self.settle(id);
        }
    }

    fn is_final(&self, id: Id) -> bool {
        let Some(active) = self.state.active.get(&id) else { return false };
        let Some(task) = active.task.as_deref() else { return false };
        let call = match active.leaf().and_then(|leaf| leaf.undoes) {
            Some(_) => task.compensate.as_ref().map(|undo| &undo.call),
            None => task.body.call(),
        };
        call.is_some_and(|call| call.repeat == Repeat::Never)
    }
}
