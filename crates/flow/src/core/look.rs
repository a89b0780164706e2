//! What a look-up says of a step of which nobody knows whether it landed. Found ends the doubt; nothing found proves
//! something only when it was asked for after the outcome had settled.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use port::{Fault, Kind, Landed, Repeat};
use serde_json::{Value, json};

use super::Effect;
use super::event::Event;
use super::failure::Failure;
use super::frame::Vars;
use super::member::step_of;
use super::state::State;
use super::time::later;
use super::verdict::{Verdict, began, spread};
use crate::definition::{Call, NotFound, Verify};

/// The longest answer of a look-up that is kept for people, in bytes.
const KEPT: usize = 2048;
/// The longest wait between two look-ups that could not be made.
const LONGEST: Duration = Duration::from_secs(60);
/// So many look-ups may fail after their time is over.
const FAILED: u32 = 10;

impl State {
    /// What the answer of a look-up amounts to.
    pub(super) fn looked(&self, effect: &Effect, output: Value, verdict: Verdict) -> Event {
        let path = &effect.path;
        let Some(verify) = self.verify(path) else {
            return Event::OutcomeFound { path: path.clone(), output: None };
        };
        match self.found_in(path, verify, &output) {
            Ok(Some(found)) => Event::OutcomeFound { path: path.clone(), output: Some(Arc::new(found)) },
            Ok(None) => self.found_nothing(effect, verify, output, verdict),
            Err(error) => {
                let error = Failure {
                    landed: Landed::Unknown,
                    ..Failure::new(path, "flow.expression", error.message)
                };
                self.given_up(effect, error)
            }
        }
    }

    /// The names of a step, and the `call` that a look-up looks for: its input and its key.
    pub(super) fn looking_for(&self, step: &str, call: &Call, vars: &Vars) -> Result<Vars, expr::Error> {
        let input = match self.leaf(step).and_then(|leaf| leaf.input.clone()) {
            Some(input) => input,
            None => call.with.as_ref().map_or(Ok(Value::Null), |with| with.eval(&self.scope(vars)))?,
        };
        Ok(vars.bind(&"call".into(), json!({ "input": input, "key": self.key(step) })))
    }

    /// The step's output, when the look-up's answer shows that it landed.
    fn found_in(&self, path: &str, verify: &Verify, output: &Value) -> Result<Option<Value>, expr::Error> {
        let active = self.leaves.get(path).and_then(|id| self.active.get(id));
        let mut vars = active.map(|active| active.vars.clone()).unwrap_or_default();
        if let Some(call) = self.task(path).and_then(|task| task.body.call()) {
            vars = self.looking_for(step_of(path), call, &vars)?;
        }
        let before = self.leaf(path).and_then(|leaf| leaf.before.clone()).unwrap_or_default();
        let vars = vars.bind(&"before".into(), Value::clone(&before)).bind(&"result".into(), output.clone());
        let scope = self.scope(&vars);
        let seen = match &verify.found {
            Some(found) => found.test(&scope)?,
            None => !output.is_null(),
        };
        match (seen != verify.absent, &verify.output) {
            (false, _) => Ok(None),
            (true, None) => Ok(Some(output.clone())),
            (true, Some(mapping)) => mapping.eval(&scope).map(Some),
        }
    }

    /// A look-up that was not answered. "Not found" is an answer.
    pub(super) fn looked_in_vain(
        &self,
        effect: &Effect,
        fault: &Fault,
        error: Failure,
        verdict: Verdict,
    ) -> Event {
        let path = effect.path.clone();
        let Some(verify) = self.verify(&path) else { return Event::OutcomeFound { path, output: None } };
        if fault.kind == Kind::NotFound {
            return match verify.absent {
                true => Event::OutcomeFound { path, output: Some(Arc::default()) },
                false => self.found_nothing(effect, verify, Value::Null, verdict),
            };
        }
        let looks = self.leaf(&path).map_or(0, |leaf| leaf.looks);
        let error = Failure { landed: Landed::Unknown, ..error };
        if verdict.now >= self.looked_until(&path, verify, verdict) && looks >= FAILED {
            return self.given_up(effect, error);
        }
        let doubled = verify.every.saturating_mul(1 << looks.min(6)).min(LONGEST);
        let wait = fault.retry_after.unwrap_or_default().clamp(doubled, LONGEST.max(doubled));
        let until = Some(later(verdict.now, spread(wait, verdict.unit)));
        Event::OutcomeLookedUp { path, answer: None, error: Some(error), until, before: false }
    }

    /// Until when it is looked: for as long as the operation says, and not before the outcome has settled.
    fn looked_until(&self, path: &str, verify: &Verify, verdict: Verdict) -> Timestamp {
        let since = self.leaf(path).and_then(|leaf| leaf.looking).unwrap_or(verdict.now);
        later(since, verify.until).max(self.settles(path).unwrap_or(verdict.now))
    }

    fn found_nothing(&self, effect: &Effect, verify: &Verify, answer: Value, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let settled = began(verdict) >= self.settles(&path).unwrap_or(verdict.now);
        let over = settled && began(verdict) >= self.looked_until(&path, verify, verdict);
        let refusal = self.leaf(&path).and_then(|leaf| leaf.refusal.clone());
        match (refusal, verify.not_found) {
            // Its key was refused, and nothing of it is there: the refusal counts for all sends.
            (Some(error), _) if settled && effect.repeat_of_step(self) == Repeat::Keyed => {
                Event::StepFailed { path, error, ms: 0 }
            }
            (_, NotFound::Send) if settled => self.send_again(effect),
            (_, NotFound::Fail) if settled => {
                let said = "it did not land: a look-up after it had settled found nothing";
                self.did_not_land(effect, Failure::new(&path, "flow.not_found", said))
            }
            (_, NotFound::Park) if over => {
                let said = "looked up until its time was over, and nothing was found";
                let error = Failure::new(&path, "flow.outcome_unknown", said);
                self.given_up(effect, Failure { landed: Landed::Unknown, ..error })
            }
            _ => {
                let next = later(verdict.now, spread(verify.every, verdict.unit));
                // The first look-up that can prove something is made as soon as it can.
                let until = match self.settles(&path).filter(|settles| *settles > verdict.now) {
                    Some(settles) => next.min(settles),
                    None => next,
                };
                let answer = Some(Arc::new(shortened(answer)));
                Event::OutcomeLookedUp { path, answer, error: None, until: Some(until), before: false }
            }
        }
    }

    fn send_again(&self, effect: &Effect) -> Event {
        let path = effect.path.clone();
        if path.ends_with("/undo") {
            return Event::OutcomeFound { path, output: None };
        }
        let attempts = self.task(&path).map_or(1, |task| task.retry.attempts).max(2);
        let sent = self.leaf(&path).map_or(0, |leaf| leaf.rounds) + 1;
        if sent < attempts {
            return Event::OutcomeFound { path, output: None };
        }
        let error = Failure::new(&path, "flow.not_found", format!("sent {sent} times, and never found"));
        Event::StepExhausted { path, error }
    }

    fn did_not_land(&self, effect: &Effect, error: Failure) -> Event {
        let path = effect.path.clone();
        match path.ends_with("/undo") {
            true => Event::OutcomeFound { path, output: None },
            false => Event::StepFailed { path, error, ms: 0 },
        }
    }

    /// No look-up told; what is to be undone is undone without.
    pub(super) fn given_up(&self, effect: &Effect, error: Failure) -> Event {
        let path = effect.path.clone();
        match path.ends_with("/undo") {
            true => {
                Event::OutcomeLookedUp { path, answer: None, error: Some(error), until: None, before: false }
            }
            false => Event::StepExhausted { path, error },
        }
    }
}

impl Effect {
    /// How safely the step may be repeated that this look-up is about.
    fn repeat_of_step(&self, state: &State) -> Repeat {
        state.repeat_of(step_of(&self.path))
    }
}

fn shortened(answer: Value) -> Value {
    let text = answer.to_string();
    if text.len() <= KEPT {
        return answer;
    }
    Value::String(text.chars().take(KEPT / 4).chain(['…']).collect())
}
