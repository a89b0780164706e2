//! Dead letters of runs: written with the entry that says that a step cannot go on by itself.

use std::sync::Arc;

use serde_json::Value;
use store::{Batch, DeadLetter, DeadOp, DeadState, OutboxOp, Tried};

use super::runner::Runner;
use super::runs::{Command, What};
use super::turn::Turn;
use crate::core::{Event, Failure, step_of};

/// The one letter of a step, however often it dies.
pub(super) fn letter_id(source: &str) -> String {
    DeadLetter::id_of(source)
}

impl Runner {
    /// Adds a dead letter when an event says that nothing more will be tried.
    pub(super) fn letter(&self, turn: &mut Turn, event: &Event) {
        let (path, error) = match event {
            Event::StepSucceeded { path, .. } | Event::OutcomeFound { path, output: Some(_) } => {
                return self.no_letter(turn, path);
            }
            Event::StepExhausted { path, error } | Event::CompensationParked { path, error } => (path, error),
            Event::StepUnknown { path, error } => {
                if self.state.can_verify(path, error) {
                    return;
                }
                (path, error)
            }
            _ => return,
        };
        turn.batch.dead.push(DeadOp::Put(self.dead(path, error)));
    }

    /// What became of the step is known: a letter about it is settled.
    fn no_letter(&self, turn: &mut Turn, path: &Arc<str>) {
        let step = step_of(path);
        if self.state.record(step).is_some_and(|record| !record.history.is_empty() || record.error.is_some())
        {
            let (id, at) = (letter_id(&format!("{}/{step}", self.run)), self.engine.0.clock.now());
            turn.batch.dead.push(DeadOp::Settle { id, how: DeadState::Replayed, at });
        }
    }

    fn dead(&self, path: &Arc<str>, error: &Failure) -> DeadLetter {
        let start = &self.state.start;
        let now = self.engine.0.clock.now();
        let source = format!("{}/{path}", self.run);
        let held = self.aloft.get(path).filter(|effect| !effect.purpose.asks());
        let made = || self.state.own_call(&self.definition, path).map(Arc::new);
        // Without one a replay makes its input anew.
        let effect = held.cloned().or_else(made);
        let call = self.state.call(path);
        let (system, operation) = call.map_or_else(Default::default, |call| {
            let member = error.member.as_ref().or_else(|| self.state.acted(path));
            (member.unwrap_or(&call.system).to_string(), call.operation.to_string())
        });
        let record = self.state.record(path);
        let mut history: Vec<Tried> =
            record.map(|record| record.history.iter().map(tried).collect()).unwrap_or_default();
        history.push(tried(&(now, error.clone())));
        DeadLetter {
            id: letter_id(&source),
            tenant: start.tenant.clone(),
            source,
            system,
            operation,
            code: error.code.clone(),
            message: error.message.clone(),
            first: history.first().map_or(now, |tried| tried.at),
            history,
            input: effect.as_ref().map_or(&Value::Null, |effect| &effect.input).to_string().into_bytes(),
            key: effect.as_ref().map(|effect| effect.key.clone()),
            correlation: start.correlation.clone(),
            last: now,
            state: DeadState::Open,
            resolved: None,
        }
    }
}

fn tried((at, error): &(jiff::Timestamp, Failure)) -> Tried {
    Tried { at: *at, code: error.code.clone(), message: error.message.clone(), attempts: error.attempts }
}

impl Runner {
    /// The rows that become true with a command: letters about the steps that it decides about are resolved.
    pub(super) fn rows(&self, command: &Command) -> Batch {
        let at = self.engine.0.clock.now();
        let (how, steps) = match &command.what {
            What::Pause | What::Undo { .. } | What::ReleaseKey => return Batch::default(),
            What::Resume { send_again, step } => {
                (DeadState::Replayed, self.freed(*send_again, step.as_deref()))
            }
            What::Cancel => (DeadState::Discarded, self.state.stuck_steps()),
            What::Restart { step, .. } => (DeadState::Replayed, self.state.given_up_since(step)),
            What::Replay { step, .. } => (DeadState::Replayed, self.state.freed_with(step)),
            What::Settle { step, .. } => {
                let undo = (!step.ends_with("/undo")).then(|| format!("{step}/undo").into());
                (DeadState::Discarded, undo.into_iter().chain([step.as_str().into()]).collect())
            }
        };
        let mut dead = Vec::new();
        if let What::Replay { letter, .. } = &command.what {
            dead.push(DeadOp::Resolve { id: letter.clone(), how, at });
        }
        let settle = |path| DeadOp::Settle { id: letter_id(&format!("{}/{path}", self.run)), how, at };
        dead.extend(steps.iter().map(settle));
        // A message that is dead is told again, or not at all.
        let discard = |path| OutboxOp::Discard { id: format!("{}/{path}", self.run) };
        let outbox = steps.iter().map(discard).collect();
        Batch { dead, outbox, ..Batch::default() }
    }

    /// The steps that a resumed run begins again.
    fn freed(&self, send_again: bool, step: Option<&str>) -> Vec<Arc<str>> {
        let unsettled = self.state.still_unsettled(send_again, step);
        self.state.stuck_steps().into_iter().filter(|step| !unsettled.contains(step)).collect()
    }
}
