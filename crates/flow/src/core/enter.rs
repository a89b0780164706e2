//! Entering a task: its condition, its loop, its body.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::failure::Failure;
use super::frame::{Frame, Id, Scope, Slot, Stage, Vars};
use super::machine::{Machine, Work};
use super::record::RecordStatus;
use crate::definition::{Block, Body, Race, Task};

/// Where a task is entered.
pub(super) struct Place<'a> {
    pub(super) parent: Id,
    pub(super) slot: Slot,
    pub(super) path: Arc<str>,
    pub(super) prefix: Arc<str>,
    pub(super) vars: &'a Vars,
}

impl Machine<'_> {
    pub(super) fn enter(&mut self, task: &Arc<Task>, parent: Id, slot: Slot, prefix: &Arc<str>, vars: &Vars) {
        let path: Arc<str> =
            if prefix.is_empty() { task.name.clone() } else { format!("{prefix}{}", task.name).into() };
        if !self.state.active.contains_key(&parent) {
            return; // what it belongs to went another way in this same turn
        }
        if !self.counted() {
            let error = Failure::new(&path, "flow.too_many_steps", "the run has entered 100000 steps");
            return self.agenda.push_back(Work::Raise { id: parent, error });
        }
        self.note(&path, task, RecordStatus::Running);
        let place = Place { parent, slot, path, prefix: prefix.clone(), vars };
        match task.when.as_ref().map(|when| when.test(&self.state.scope(vars))) {
            Some(Err(error)) => self.unsound(task, &place, &error),
            Some(Ok(false)) => self.skip(task, place),
            Some(Ok(true)) | None => self.enter_loop(task, place),
        }
    }

    /// An expression that has no value fails its step.
    fn unsound(&mut self, task: &Arc<Task>, place: &Place<'_>, error: &expr::Error) {
        let said = format!("{}: {}", error.code, error.message);
        self.faulty(task, place, Failure::new(&place.path, "flow.expression", said));
    }

    fn skip(&mut self, task: &Arc<Task>, place: Place<'_>) {
        if let Body::Do { otherwise: Some(otherwise), .. } = &task.body {
            return self.sequence(task, &place, otherwise.clone());
        }
        let now = self.state.now;
        self.with_record(&place.path, |record| {
            record.status = RecordStatus::Skipped;
            record.ended = Some(now);
        });
        self.child_done(place.parent, place.slot, Some(task), &Arc::new(Value::Null));
    }

    fn enter_loop(&mut self, task: &Arc<Task>, place: Place<'_>) {
        let Some(each) = &task.each else { return self.body(task, place) };
        let items = match each.over.eval(&self.state.scope(place.vars)) {
            Ok(Value::Array(items)) => items,
            // In 0.1.0 what was missing counted as empty; runs of then keep that.
            Ok(Value::Null) if self.state.start.language == 0 => Vec::new(),
            Ok(other) => {
                let said = format!("`for` goes over a list, not over {}", word(&other));
                let error = Failure::new(&place.path, "flow.expression", said);
                return self.faulty(task, &place, error);
            }
            Err(error) => return self.unsound(task, &place, &error),
        };
        let frame = Frame::Loop { items, next: 0, outputs: Vec::new() };
        let id = self.place(task, &place, frame);
        self.agenda.push_back(Work::Next(id));
    }

    pub(super) fn place(&mut self, task: &Arc<Task>, place: &Place<'_>, frame: Frame) -> Id {
        let (path, prefix) = (place.path.clone(), place.prefix.clone());
        self.activate(place.parent, place.slot, Some(task.clone()), path, prefix, place.vars.clone(), frame)
    }

    /// Performs what can be done at once; makes an activation for everything else.
    pub(super) fn body(&mut self, task: &Arc<Task>, place: Place<'_>) {
        match &task.body {
            Body::Require(fields) => self.require(task, place, fields),
            Body::Set(mapping) => self.set(task, place, mapping),
            Body::Raise { code, message } => self.raised(task, &place, code, message),
            Body::Do { block, .. } => self.sequence(task, &place, block.clone()),
            Body::Switch(cases) => self.switch(task, place, cases),
            Body::Fork { branches, race } => self.fork(task, &place, branches, *race),
            Body::Try(attempt) => self.attempt(task, &place, attempt.block.clone()),
            Body::Call(_)
            | Body::Tell(_)
            | Body::Publish { .. }
            | Body::Emit(_)
            | Body::Ask(_)
            | Body::Confirm(_)
            | Body::Wait(_)
            | Body::Listen(_)
            | Body::Run { .. } => {
                let id = self.place(task, &place, Frame::Leaf(Box::default()));
                self.first(id);
            }
        }
    }

    fn require(&mut self, task: &Arc<Task>, place: Place<'_>, fields: &[String]) {
        let entity = self.state.start.input.get("entity");
        let missing = |field: &&String| match entity
            .and_then(|entity| field.split('.').try_fold(entity, |at, name| at.get(name)))
        {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(_) => false,
        };
        let missing: Vec<&str> = fields.iter().filter(missing).map(String::as_str).collect();
        if missing.is_empty() {
            return self.instant(task, place, Value::Null);
        }
        let said = format!("missing fields: {}", missing.join(", "));
        self.instant_failure(&place, Failure::new(&place.path, "flow.missing", said));
    }

    fn set(&mut self, task: &Arc<Task>, place: Place<'_>, mapping: &expr::Mapping) {
        match mapping.eval(&self.state.scope(place.vars)) {
            Ok(value) => {
                if let (Value::Object(vars), Value::Object(set)) = (&mut self.state.vars, &value) {
                    vars.extend(set.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                self.instant(task, place, value);
            }
            Err(error) => self.unsound(task, &place, &error),
        }
    }

    fn raised(&mut self, task: &Arc<Task>, place: &Place<'_>, code: &expr::Mapping, message: &expr::Mapping) {
        let scope = self.state.scope(place.vars);
        match code.eval(&scope).and_then(|code| Ok((code, message.eval(&scope)?))) {
            Ok((code, message)) => {
                let error = Failure::new(&place.path, text(&code), text(&message));
                self.instant_failure(place, error);
            }
            Err(error) => self.unsound(task, place, &error),
        }
    }

    fn instant(&mut self, task: &Arc<Task>, place: Place<'_>, output: Value) {
        let output = Arc::new(output);
        let now = self.state.now;
        self.with_record(&place.path, |record| {
            record.status = RecordStatus::Succeeded;
            record.ended = Some(now);
            record.output = Some(output.clone());
        });
        self.child_done(place.parent, place.slot, Some(task), &output);
    }

    fn instant_failure(&mut self, place: &Place<'_>, error: Failure) {
        let now = self.state.now;
        self.with_record(&place.path, |record| {
            record.status = RecordStatus::Failed;
            record.ended = Some(now);
            record.error = Some(error.clone());
        });
        self.agenda.push_back(Work::Raise { id: place.parent, error });
    }

    fn sequence(&mut self, task: &Arc<Task>, place: &Place<'_>, block: Block) {
        let id = self.place(task, place, Frame::Block { block, next: 0, last: Arc::new(Value::Null) });
        self.agenda.push_back(Work::Next(id));
    }

    fn switch(&mut self, task: &Arc<Task>, place: Place<'_>, cases: &[(Option<expr::Program>, Block)]) {
        for (when, block) in cases {
            match when.as_ref().map(|when| when.test(&self.state.scope(place.vars))) {
                Some(Err(error)) => return self.unsound(task, &place, &error),
                Some(Ok(false)) => {}
                Some(Ok(true)) | None => return self.sequence(task, &place, block.clone()),
            }
        }
        self.instant(task, place, Value::Null);
    }

    fn fork(
        &mut self,
        task: &Arc<Task>,
        place: &Place<'_>,
        branches: &[(Arc<str>, Block)],
        race: Option<Race>,
    ) {
        let frame = Frame::Fork { outputs: Map::new(), live: branches.len(), race };
        let id = self.place(task, place, frame);
        for (at, (_, block)) in branches.iter().enumerate() {
            let slot = Slot::Branch(at);
            let (parent, slot) = match race {
                None => (id, slot),
                Some(_) => (self.scope_of_branch(id, slot, place), Slot::Body),
            };
            self.block(parent, slot, None, place.prefix.clone(), block.clone(), place.vars.clone());
        }
        if branches.is_empty() {
            self.agenda.push_back(Work::Leave { id, output: Arc::new(Value::Null) });
        }
    }

    /// A branch of a race can be undone for itself.
    fn scope_of_branch(&mut self, fork: Id, slot: Slot, place: &Place<'_>) -> Id {
        let scope = Scope { stage: Stage::Body, rounds: 0, chain: self.chain(fork) };
        let (prefix, vars) = (place.prefix.clone(), place.vars.clone());
        self.activate(fork, slot, None, prefix.clone(), prefix, vars, Frame::Scope(scope))
    }

    fn attempt(&mut self, task: &Arc<Task>, place: &Place<'_>, block: Block) {
        let chain = self.chain(place.parent);
        let id = self.place(task, place, Frame::Scope(Scope { stage: Stage::Body, rounds: 0, chain }));
        self.block(id, Slot::Body, None, place.prefix.clone(), block, place.vars.clone());
    }

    /// Tasks in sequence below `parent`.
    pub(super) fn block(
        &mut self,
        parent: Id,
        slot: Slot,
        task: Option<Arc<Task>>,
        prefix: Arc<str>,
        block: Block,
        vars: Vars,
    ) {
        let frame = Frame::Block { block, next: 0, last: Arc::new(Value::Null) };
        let id = self.activate(parent, slot, task, prefix.clone(), prefix, vars, frame);
        self.agenda.push_back(Work::Next(id));
    }

    /// The scopes an activation is in, its own included, outermost first.
    pub(super) fn chain(&self, id: Id) -> Arc<[Id]> {
        let mut at = id;
        loop {
            let Some(active) = self.state.active.get(&at) else { return [].into() };
            if let Frame::Scope(scope) = &active.frame {
                return scope.chain.iter().copied().chain([at]).collect();
            }
            at = active.parent;
        }
    }
}

/// A value as text, without quotes when it is text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
