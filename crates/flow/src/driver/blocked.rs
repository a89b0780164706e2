//! What a step needs and the configuration lacks: asked before anything is written or sent for it.

use std::sync::Arc;

use super::Engine;
use super::runner::Runner;
use super::turn::Turn;
use crate::core::{Effect, Event, Held, Purpose, blocked};

impl Engine {
    /// The operation, when there is none of this name.
    pub(super) fn lacks(&self, system: &str, operation: &str) -> Option<String> {
        let link = self.0.systems.get(system);
        let there = link.is_some_and(|link| link.spec().operation(operation).is_some());
        (!there).then(|| format!("{system}.{operation}"))
    }
}

impl Runner {
    /// What an active step needs and is not there.
    pub(super) fn lacking(&self, path: &str) -> Option<String> {
        if let Some(flow) = self.state.begins(path) {
            return self.engine.flow(flow).is_none().then(|| format!("flow {flow}"));
        }
        let (system, call) = (self.state.asked_at(path)?, self.state.asked(path)?);
        self.engine.lacks(&system, &call.operation)
    }

    /// Looks again whether a blocked step can go on.
    pub(super) fn look_again(&mut self, turn: &mut Turn, path: &str) {
        if self.lacking(path).is_none() {
            let decisions = self.state.again(&self.definition, path, self.engine.0.clock.now());
            turn.decisions.extend(decisions);
        }
    }

    /// A step that cannot be done because of our own fault: nothing is sent, no attempt is spent, nothing is undone.
    pub(super) fn block(&mut self, turn: &mut Turn, path: Arc<str>, missing: String) {
        let error = blocked(&path, &missing);
        self.note(turn, Event::StepHeld { path, reason: Held::Blocked, missing: Some(missing), error });
    }

    /// Whether a call is not made because of our own fault: nothing of that name is configured, or its input does not fit.
    pub(super) fn is_kept_back(&mut self, turn: &mut Turn, effect: &Effect) -> bool {
        if let Some(missing) = self.engine.lacks(&effect.system, &effect.operation) {
            if store::mutant("missing-is-a-no") {
                self.fail(turn, effect.path.clone(), "call.invalid", missing);
                return true;
            }
            self.block(turn, effect.path.clone(), missing);
            return true;
        }
        let unfit = self.misfit(effect).filter(|_| effect.purpose == Purpose::Do);
        let kept_back = unfit.is_some();
        if let Some(said) = unfit {
            self.fail(turn, effect.path.clone(), "flow.input", said);
        }
        kept_back
    }

    /// What the operation's schema says against an input.
    fn misfit(&self, effect: &Effect) -> Option<String> {
        let link = self.engine.0.systems.get(&effect.system)?;
        let fault = link.spec().admits(&effect.operation, &effect.input).err()?;
        Some(format!("{}.{}: {}", effect.system, effect.operation, fault.words()))
    }
}
