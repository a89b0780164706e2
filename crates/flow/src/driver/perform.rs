//! Decisions into rows of the turn's batch, and into events that are true once it is committed.

use conversation::{Change, Closing, OutgoingClose};
use jiff::Timestamp;
use port::Repeat;
use serde_json::{Value, json};
use store::{Append, DeadOp, DeadState, Expected, NewEvent, OutboxOp, OutboxRow, SignalOp};

use super::RunId;
use super::due::Due;
use super::letter::letter_id;
use super::lines::Waiting;
use super::runner::{Runner, Stop};
use super::turn::Turn;
use crate::Error;
use crate::core::{Decision, Effect, Ended, Event, Failure, Parent, Start, TimerKind, Until, later};
use crate::definition::Retry;

impl Runner {
    pub(super) async fn perform(&mut self, turn: &mut Turn, decision: Decision) -> Result<(), Stop> {
        match decision {
            Decision::Call(effect) => self.call(turn, effect),
            Decision::TakeBack { path, step } => self.take_back(turn, path, step).await?,
            Decision::Again { path, until } => self.again(turn, &path, until),
            Decision::Settle { path } => self.settle(turn, &path),
            Decision::Tell(effect) => self.tell(turn, effect),
            Decision::Publish { path, topic, payload } => {
                turn.batch.appends.push(self.published(&path, &topic, &payload));
                self.succeed(turn, path, payload);
            }
            Decision::Say { path, speech, timeout } => {
                match self.may_not_begin(turn, &path, &speech).await? {
                    Some(error) => self.note(turn, Event::StepFailed { path, error, ms: 0 }),
                    None => self.say(turn, path, speech, timeout).await?,
                }
            }
            Decision::Withdraw { path, how, .. } => self.close_question(turn, &path, how),
            Decision::Agree { path, act } => self.agree(turn, &path, act),
            Decision::Listen { path, answer, timeout } => self.listen(turn, path, answer, timeout).await?,
            Decision::Timer { path, timer, due } => self.timer(turn, path, timer, due),
            Decision::Child { path, flow, input } => self.child(turn, path, &flow, input).await?,
            Decision::StopChild { run } => turn.stop_children.push(run),
            Decision::UndoChild { path, run } => self.undo_child(turn, path, run),
            Decision::AskChild { run } => turn.undo_children.push(run),
            Decision::Defer { path, error, until } => {
                self.note(turn, Event::StepUnfinished { path, error, until });
            }
            Decision::Park { path, error } => self.note(turn, Event::CompensationParked { path, error }),
            Decision::Interrupted { path, error } if path.ends_with("/undo") => {
                self.note(turn, Event::CompensationParked { path, error });
            }
            Decision::Interrupted { path, error } => self.note(turn, Event::StepUnknown { path, error }),
            Decision::Hold { path, reason, missing, error } => {
                self.note(turn, Event::StepHeld { path, reason, missing, error });
            }
            Decision::LookAgain { path } => self.look_again(turn, &path),
            Decision::Clear { path } => self.clear(turn, &path),
            Decision::End(ended) => self.end(turn, ended),
        }
        Ok(())
    }

    /// A call leaves after the commit. What changes something is written down in the same commit, before it leaves.
    pub(super) fn call(&mut self, turn: &mut Turn, effect: Effect) {
        if self.is_kept_back(turn, &effect) {
            return;
        }
        let first = if effect.purpose.asks() { None } else { self.engine.first_asked(&effect) };
        if (effect.written || first.is_some()) && !store::mutant("skip-intent") {
            let member = first.as_ref().or(effect.member.as_ref()).cloned();
            let leaves_until = Some(self.engine.leaves_until(&effect));
            let keyed_as = self.state.keyed_as(&effect.path);
            self.note(turn, Event::StepStarted { path: effect.path.clone(), member, leaves_until, keyed_as });
        }
        turn.launch.push(Effect { first, ..effect });
    }

    /// The run went another way: a call that only waits to be made again is dropped; one in flight comes home, and so does
    /// a child that this very turn has begun.
    fn settle(&mut self, turn: &mut Turn, path: &std::sync::Arc<str>) {
        if let Some(run) = self.state.child(path) {
            return turn.stop_children.push(run.clone());
        }
        let flying = self.out.contains(path) || turn.launch.iter().any(|effect| effect.path == *path);
        if !flying {
            self.clear(turn, path);
            self.note(turn, Event::StepDropped { path: path.clone() });
        }
    }

    /// A message leaves by the relay. A letter about an earlier one of the same step is superseded.
    fn tell(&mut self, turn: &mut Turn, effect: Effect) {
        if self.is_kept_back(turn, &effect) {
            return;
        }
        let (start, now) = (&self.state.start, self.engine.0.clock.now());
        let task = self.state.task(&effect.path);
        let look = self.state.look_later(&effect);
        let tell = relay::Tell {
            input: effect.input,
            key: effect.key,
            run: self.run.clone(),
            step: effect.path.to_string(),
            trace: self.state.step_trace(&effect.path),
            // Whether it arrived matters to its undoing, and to whoever would send it again.
            undone: task.is_some_and(|task| task.compensate.is_some()) || effect.repeat == Repeat::Never,
            holds: task.is_none_or(|task| !task.skips_dead),
            look,
            asked: None,
            again: false,
        };
        let id = format!("{}/{}", self.run, effect.path);
        let settle = DeadOp::Settle { id: letter_id(&id), how: DeadState::Replayed, at: now };
        turn.batch.dead.push(settle);
        turn.batch.outbox.push(OutboxOp::Put(OutboxRow {
            id,
            kind: relay::KIND.to_owned(),
            lane: effect.system.to_string(),
            key: self.order(),
            target: format!("{}.{}", effect.system, effect.operation),
            payload: serde_json::to_vec(&tell).unwrap_or_default(),
            tenant: start.tenant.clone(),
            correlation: start.correlation.clone(),
            created: now,
            due: now,
            ..OutboxRow::default()
        }));
        turn.told = true;
        self.succeed(turn, effect.path, Value::Null);
    }

    /// Messages of one run arrive in order; those of all runs with one key of one key space as well.
    fn order(&self) -> String {
        let start = &self.state.start;
        match &start.key {
            Some(key) => json!([start.tenant, start.space.as_ref().unwrap_or(&start.flow), key]).to_string(),
            None => self.run.clone(),
        }
    }

    pub(super) fn succeed(&mut self, turn: &mut Turn, path: std::sync::Arc<str>, output: Value) {
        self.note(
            turn,
            Event::StepSucceeded {
                path,
                output: output.into(),
                attempts: 0,
                ms: 0,
                member: None,
                answered: None,
            },
        );
    }

    pub(super) fn fail(&mut self, turn: &mut Turn, path: std::sync::Arc<str>, code: &str, said: String) {
        let error = Failure::new(&path, code, said);
        self.note(turn, Event::StepFailed { path, error, ms: 0 });
    }

    fn published(&self, path: &str, topic: &str, payload: &Value) -> Append {
        let start = &self.state.start;
        let event = NewEvent {
            type_: "Published".into(),
            data: payload.to_string().into_bytes(),
            at: self.engine.0.clock.now(),
            tenant: start.tenant.as_str().into(),
            correlation: start.correlation.as_str().into(),
            causation: Some(format!("{}/{path}", self.run).into()),
        };
        Append { stream: format!("topic-{topic}"), expected: Expected::Any, events: vec![event] }
    }

    pub(super) fn time_out(
        &mut self,
        turn: &mut Turn,
        path: std::sync::Arc<str>,
        timeout: Option<std::time::Duration>,
    ) {
        if let Some(timeout) = timeout {
            self.timer(turn, path, TimerKind::Timeout, Until::After(timeout));
        }
    }

    pub(super) fn timer(&mut self, turn: &mut Turn, path: std::sync::Arc<str>, timer: TimerKind, due: Until) {
        let now = self.engine.0.clock.now();
        let due = match due {
            Until::At(time) => time,
            Until::After(wait) => later(now, wait),
            Until::Backoff { round, wait, max } => {
                let retry = Retry { wait, max, ..Retry::STEP };
                later(now, retry.backoff(round, self.engine.0.entropy.unit()))
            }
        };
        turn.set(Due::step(&path, timer).row(&self.run, due));
        self.note(turn, Event::TimerSet { path, timer, due });
    }

    /// The timer after which a step's call is made again says whom that is for, and since when a guard keeps it in, so
    /// that it goes when it is its turn.
    fn again(&self, turn: &mut Turn, path: &str, due: Timestamp) {
        let asked = self.asked(path);
        let held = asked.as_ref().and_then(|asked| Some((asked.whom(), asked.held?)));
        let timer = Due::again(path, asked);
        if let Some((whom, (since, guard))) = held {
            let (id, run, path) = (timer.id(&self.run), self.run.clone(), path.to_owned());
            turn.held.push((whom, Waiting { id, run, path, since, due, guard: Some(guard) }));
        }
        turn.set(timer.row(&self.run, due));
    }

    fn clear(&self, turn: &mut Turn, path: &str) {
        let again = Due::again(path, None);
        let kinds = [TimerKind::Wait, TimerKind::Retry, TimerKind::Timeout];
        turn.batch.timers.push(again.clear(&self.run));
        turn.batch.timers.extend(kinds.map(|kind| Due::step(path, kind).clear(&self.run)));
        self.engine.0.lines.lock().forget(&again.id(&self.run));
    }

    async fn child(
        &mut self,
        turn: &mut Turn,
        path: std::sync::Arc<str>,
        flow: &str,
        input: Value,
    ) -> Result<(), Stop> {
        // Done again, it is the same effect: the run that did it stands.
        if let Some(output) = self.state.child_stands(&path) {
            self.succeed(turn, path, Value::clone(&output));
            return Ok(());
        }
        let lineage = self.state.start.below();
        let refused = match self.engine.too_deep(&lineage, flow) {
            None => self.too_many(turn, &path).await?,
            Some(error) => Some(Failure { step: path.clone(), ..error }),
        };
        if let Some(error) = refused {
            self.note(turn, Event::StepFailed { path, error, ms: 0 });
            return Ok(());
        }
        let own = &self.state.start;
        let id = RunId::of_child(&self.run, &format!("{path}~{}", self.state.children(&path)));
        let start = Start {
            run: id.to_string(),
            flow: flow.to_owned(),
            tenant: own.tenant.clone(),
            conversation: own.conversation.clone(),
            correlation: own.correlation.clone(),
            trace: self.state.step_trace(&path),
            about: own.root_entity(),
            input: child_input(own, input),
            lineage: Some(lineage),
            held: own.held.iter().cloned().chain(self.state.place()).collect(),
            ..Start::default()
        };
        let parent = Parent { run: self.run.clone(), path: path.to_string() };
        match self.begin_child(turn, &path, start, parent).await {
            Ok(id) => {
                self.note(turn, Event::ChildStarted { path: path.clone(), run: id.to_string() });
                self.note(turn, Event::StepWaiting { path, on: json!({ "run": id.as_str() }), after: 0 });
                turn.children.push(id);
            }
            Err(Error::UnknownFlow(flow)) => self.block(turn, path, format!("flow {flow}")),
            Err(error @ Error::Store(_)) => return Err(error.into()),
            Err(error) => self.fail(turn, path, error.code(), error.to_string()),
        }
        Ok(())
    }

    /// Adds the rows that begin a run below this one. One of a key of which there is one run ever may stand in the place of
    /// what the same step began before, when that came to nothing.
    async fn begin_child(
        &mut self,
        turn: &mut Turn,
        path: &str,
        start: Start,
        parent: Parent,
    ) -> Result<RunId, Error> {
        let mut run = self.engine.beginning(start, Some(parent))?;
        let before = |n| RunId::of_child(&self.run, &format!("{path}~{n}")).to_string();
        let replaces: Vec<String> = (0..self.state.children(path)).map(before).collect();
        self.engine.must_be_first(&mut run, &[&turn.batch], &replaces).await?;
        Ok(self.engine.write_beginning(&mut turn.batch, run))
    }

    fn end(&mut self, turn: &mut Turn, ended: Box<Ended>) {
        self.tell_end(turn, &ended);
        if self.state.has_asked() {
            turn.outgoing.closes.push(OutgoingClose { step: None, how: Closing::Withdrawn });
        }
        let start = &self.state.start;
        if let Some(parent) = start.parent.as_ref().filter(|_| !store::mutant("forget-parent")) {
            turn.batch.signals.push(SignalOp::Put(self.told_to(parent, &ended)));
        }
        self.note(turn, Event::RunEnded(ended));
    }

    /// That nobody knows is told once.
    fn tell_end(&mut self, turn: &mut Turn, ended: &Ended) {
        let change = ended.change(&self.state);
        let unknown = matches!(change, Change::Unknown { .. });
        if self.answers() && !(unknown && self.unknown) {
            turn.outgoing.change = Some(change);
        }
        self.unknown = unknown;
    }

    /// What its parent is told of a run's end. The first is the answer of the step that began it, a later one is about
    /// that step's undo.
    fn told_to(&self, parent: &Parent, ended: &Ended) -> store::Signal {
        let (id, name) = match self.state.ends {
            0 => (self.run.clone(), parent.path.clone()),
            ends => (format!("{}~{ends}", self.run), format!("{}/undo", parent.path)),
        };
        let payload = json!({ "result": ended.result, "error": ended.error, "status": ended.status });
        store::Signal { run: parent.run.clone(), id, name, payload: payload.to_string().into_bytes() }
    }

    /// The step's child is asked after the commit; the step waits for what it tells.
    fn undo_child(&mut self, turn: &mut Turn, path: std::sync::Arc<str>, run: String) {
        self.note(turn, Event::StepWaiting { path, on: json!({ "run": run }), after: 0 });
        turn.undo_children.push(run);
    }
}

/// A child sees what it was given as its entity, or its parent's input when it was given nothing.
fn child_input(own: &Start, input: Value) -> Value {
    match input {
        Value::Null => own.input.clone(),
        input => json!({ "entity": input, "act": own.input.get("act") }),
    }
}
