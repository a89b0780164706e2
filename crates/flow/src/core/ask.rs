//! What is asked of the world for a leaf: its call under its key, its words, its timer.

use std::sync::Arc;

use jiff::Timestamp;
use port::{Landed, Repeat};
use serde_json::Value;

use super::enter::text;
use super::failure::Failure;
use super::frame::{Activation, Id, Leaf, Vars};
use super::machine::Machine;
use super::member::step_of;
use super::question::Failed;
use super::timer::Timer;
use super::{Decision, Effect, Purpose, Shown, Speech, Until, time};
use crate::definition::{Body, Call, Pause, Task, Utterance, Verify};

impl Machine<'_> {
    pub(super) fn ask_world(&mut self, id: Id, path: &Arc<str>, task: &Arc<Task>) {
        let Some(active) = self.state.active.get(&id) else { return };
        let vars = active.vars.clone();
        let Some(leaf) = active.leaf().cloned() else { return };
        if let Some(at) = leaf.undoes {
            return self.ask_undo(id, path, task, &leaf, at);
        }
        let decided = match &task.body {
            Body::Call(call) => return self.ask_call(id, path, task, call, &leaf, &vars),
            Body::Tell(call) => self.effect(Purpose::Do, (path, path), call, &vars, None).map(Decision::Tell),
            Body::Publish { topic, with } => self
                .value(with.as_ref(), &vars)
                .map(|payload| Decision::Publish { path: path.clone(), topic: topic.clone(), payload }),
            Body::Emit(act) => self.value(Some(act), &vars).map(|act| Decision::Say {
                path: path.clone(),
                speech: Speech::Emit(act),
                timeout: None,
            }),
            Body::Ask(said) | Body::Confirm(said) => return self.question(id, path, task, said, &vars),
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
        let vars = &self.with_before(leaf, vars);
        let effect = match &task.verify {
            Some(verify) if leaf.probing => self.look(Purpose::Verify, path, call, verify, vars),
            Some(verify) if leaf.looks_first(verify) => self.look(Purpose::Before, path, call, verify, vars),
            _ => match self.expected(task, leaf, vars) {
                Ok(true) => self.effect(Purpose::Do, (path, path), call, vars, leaf.input.clone()),
                Ok(false) => return self.moved(id, path),
                Err(error) => Err(error),
            },
        };
        match effect {
            Ok(effect) => self.out.push(Decision::Call(Effect { timeout: task.timeout, ..effect })),
            Err(error) => self.unsound_leaf(id, path, &error),
        }
    }

    /// The look-up that tells whether a step landed. It may name the step's `call`: its input and key.
    fn look(
        &self,
        purpose: Purpose,
        path: &Arc<str>,
        call: &Call,
        verify: &Verify,
        vars: &Vars,
    ) -> Result<Effect, expr::Error> {
        let vars = self.state.looking_for(step_of(path), call, vars)?;
        self.effect(purpose, (path, path), &verify.call, &vars, None)
    }

    fn with_before(&self, leaf: &Leaf, vars: &Vars) -> Vars {
        match &leaf.before {
            Some(before) => vars.bind(&"before".into(), Value::clone(before)),
            None => vars.clone(),
        }
    }

    /// Whether the world is still as the step expects it. Asked once, before its first send.
    fn expected(&self, task: &Task, leaf: &Leaf, vars: &Vars) -> Result<bool, expr::Error> {
        match &task.expect {
            Some(expect) if leaf.is_unsent() => expect.test(&self.state.scope(vars)),
            _ => Ok(true),
        }
    }

    fn moved(&mut self, id: Id, path: &Arc<str>) {
        let said = "what the step expects does not hold any more, so it was not sent";
        self.fail_leaf(id, Failure::new(path, "flow.moved", said));
    }

    /// The call of a step or of its undoing, as it is sent; `None` when its input has no value.
    pub(super) fn own_call(&self, path: &str) -> Option<Effect> {
        let (path, id) = self.state.leaves.get_key_value(path)?;
        let active = self.state.active.get(id)?;
        let leaf = active.leaf()?;
        let (purpose, vars) = match leaf.undoes {
            Some(at) => (Purpose::Undo, self.undo_vars(at, &active.vars, active.parent)),
            None => (Purpose::Do, self.with_before(leaf, &active.vars)),
        };
        self.effect(purpose, (path, path), self.state.call(path)?, &vars, leaf.input.clone()).ok()
    }

    fn unsound_leaf(&mut self, id: Id, path: &Arc<str>, error: &expr::Error) {
        let error = Failure::new(path, "flow.expression", format!("{}: {}", error.code, error.message));
        self.fail_leaf(id, error);
    }

    /// Undoes a step. One of which nobody knows whether it landed is looked up first; without a look-up it is undone
    /// once its outcome has settled, when that needs no output, or asked for again under its key; else it is parked.
    fn ask_undo(&mut self, id: Id, path: &Arc<str>, task: &Arc<Task>, leaf: &Leaf, at: usize) {
        if self.takes_back(path, at) {
            return;
        }
        let Some(undo) = Self::compensation(task) else { return self.ask_child(path, at) };
        let Some(active) = self.state.active.get(&id) else { return };
        let (step_vars, scope) = (active.vars.clone(), active.parent);
        let vars = self.undo_vars(at, &step_vars, scope);
        if self.state.cannot_undo(path, &undo.call) {
            let said = format!("nobody knows which member of `{}` acted", undo.call.system);
            let error = Failure { landed: Landed::Unknown, ..Failure::new(path, "flow.no_member", said) };
            return self.out.push(Decision::Park { path: path.clone(), error });
        }
        let (known, settles) = (self.state.done[at].known, self.state.done[at].settles);
        if let (false, false, Some(call), Some(verify)) =
            (known, leaf.looked_out, task.body.call(), &task.verify)
            && self.state.may_look(path, call, verify)
        {
            return self.look_before_undo(id, path, call, verify, &step_vars);
        }
        let effect = self.effect(Purpose::Undo, (path, path), &undo.call, &vars, leaf.input.clone());
        match (effect, task.body.call()) {
            (Ok(_), _) if !known && settles.is_some_and(|settles| settles > self.state.now) => {
                self.defer(path, settles.unwrap_or(self.state.now));
            }
            (Ok(effect), _) => {
                self.out.push(Decision::Call(Effect { timeout: undo.timeout, ..effect }));
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

    fn look_before_undo(&mut self, id: Id, path: &Arc<str>, call: &Call, verify: &Verify, vars: &Vars) {
        if let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) {
            leaf.probing = true;
        }
        match self.look(Purpose::Verify, path, call, verify, vars) {
            Ok(effect) => self.out.push(Decision::Call(effect)),
            Err(error) => {
                let error = Failure::new(path, "flow.expression", error.message);
                self.out.push(Decision::Park { path: path.clone(), error });
            }
        }
    }

    /// An undo that overtook its step would undo nothing.
    fn defer(&mut self, path: &Arc<str>, until: Timestamp) {
        let said = "nobody knows whether the step landed; it is undone once that has settled";
        let error = Failure { landed: Landed::Unknown, ..Failure::new(path, "flow.settling", said) };
        self.out.push(Decision::Defer { path: path.clone(), error, until });
    }

    fn recall(&mut self, id: Id, path: &Arc<str>, call: &Call, vars: &Vars, at: usize) {
        let step = self.state.done[at].path.clone();
        if let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) {
            leaf.probing = true;
        }
        match self.effect(Purpose::Recall, (path, &step), call, vars, None) {
            Ok(effect) => self.out.push(Decision::Call(effect)),
            Err(error) => {
                let error = Failure::new(path, "flow.expression", error.message);
                self.out.push(Decision::Park { path: path.clone(), error });
            }
        }
    }

    /// A call for `path`, under the key of `keyed`; to the member it must go to, when there is one.
    fn effect(
        &self,
        purpose: Purpose,
        (path, keyed): (&Arc<str>, &str),
        call: &Call,
        vars: &Vars,
        input: Option<Value>,
    ) -> Result<Effect, expr::Error> {
        let input = match input {
            Some(input) => input,
            None => self.value(call.with.as_ref(), vars)?,
        };
        let leaf = self.state.leaf(path);
        let undone = self.state.task(path).is_some_and(|task| task.compensate.is_some());
        let acts = call.repeat != Repeat::Safe || undone;
        let member = self.state.member(path, purpose, call).cloned();
        Ok(Effect {
            path: path.clone(),
            system: member.as_ref().unwrap_or(&call.system).clone(),
            operation: call.operation.clone(),
            input,
            key: self.state.key(keyed),
            repeat: member.as_deref().map_or(call.repeat, |member| call.members.repeat_at(member)),
            member,
            members: call.members.clone(),
            first: None,
            perhaps: !purpose.asks() && leaf.is_some_and(|leaf| leaf.perhaps),
            written: leaf.is_some_and(|leaf| leaf.waited) || (acts && !purpose.asks()),
            timeout: None,
            purpose,
        })
    }

    fn value(&self, mapping: Option<&expr::Mapping>, vars: &Vars) -> Result<Value, expr::Error> {
        mapping.map_or(Ok(Value::Null), |mapping| mapping.eval(&self.state.scope(vars)))
    }

    /// Asks somebody in the conversation.
    fn question(&mut self, id: Id, path: &Arc<str>, task: &Task, said: &Utterance, vars: &Vars) {
        let ask = matches!(task.body, Body::Ask(_));
        let speech = self.by(said, vars).and_then(|by| {
            let shows = self.value(said.shows.as_ref(), vars).map_err(Failed::Unsound)?;
            self.speech(said, vars, ask, Shown { shows, by }).map_err(Failed::Unsound)
        });
        match speech {
            Ok(speech) => {
                let timeout = [task.timeout, speech.patience()].into_iter().flatten().min();
                self.out.push(Decision::Say { path: path.clone(), speech, timeout });
            }
            Err(Failed::Unsound(error)) => self.unsound_leaf(id, path, &error),
            Err(Failed::Nobody(said)) => self.fail_leaf(id, Failure::new(path, "flow.input", said)),
        }
    }

    fn speech(&self, said: &Utterance, vars: &Vars, ask: bool, shown: Shown) -> Result<Speech, expr::Error> {
        let own = self.state.start.input.get("entity").cloned().unwrap_or(Value::Null);
        let entity = match &said.entity {
            Some(entity) => self.value(Some(entity), vars)?,
            None => own,
        };
        let more = self.value(said.more.as_ref(), vars)?;
        let words = text(&self.value(Some(&said.text), vars)?);
        let field = text(&self.value(said.field.as_ref(), vars)?);
        Ok(if ask {
            Speech::Ask { entity, field, prompt: words, more, shown }
        } else {
            Speech::Confirm { entity, summary: words, more, shown }
        })
    }

    fn pause_for(&self, path: &Arc<str>, pause: &Pause, vars: &Vars) -> Result<Until, Failure> {
        let unsound = |error: expr::Error| Failure::new(path, "flow.expression", error.message);
        match pause {
            Pause::For(length) => {
                let written = text(&self.value(Some(length), vars).map_err(unsound)?);
                let bad = |why: String| Failure::new(path, "flow.wait", format!("{written:?}: {why}"));
                let length = diag::units::duration(&written).map_err(|why| bad(why.to_string()))?;
                match time::after(self.state.now, length) {
                    Some(_) => Ok(Until::After(length)),
                    None => Err(bad("too far away".to_owned())),
                }
            }
            Pause::Until(time) => {
                let written = text(&self.value(Some(time), vars).map_err(unsound)?);
                time::instant(&written).map(Until::At).map_err(|why| Failure::new(path, "flow.wait", why))
            }
        }
    }
}
