//! What a look-up says of a step of which nobody knows whether it landed. Found ends the doubt; nothing found proves
//! something only when it was asked for after the outcome had settled.

use std::sync::Arc;
use std::time::Duration;

use port::{Fault, Kind, Landed, Repeat};
use relay::{Nothing, Times, spread};
use serde_json::{Value, json};

use super::Effect;
use super::event::Event;
use super::failure::Failure;
use super::frame::Vars;
use super::member::step_of;
use super::state::State;
use super::time::later;
use super::verdict::{Verdict, began};
use crate::definition::{Call, Verify};

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
        self.seen(verify, &vars.bind(&"before".into(), Value::clone(&before)), output)
    }

    /// The output that a look-up's answer shows.
    fn seen(&self, verify: &Verify, vars: &Vars, output: &Value) -> Result<Option<Value>, expr::Error> {
        let vars = vars.bind(&"result".into(), output.clone());
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

    /// What is kept with a message that must not be sent twice, so that it can be looked up when its step is long over.
    /// Nothing was looked up before it, so that a look-up which compares with that tells nothing.
    pub(crate) fn look_later(&self, effect: &Effect) -> Option<relay::Look> {
        let task = self.task(&effect.path)?;
        let (verify, call) = (task.verify.as_ref()?, task.body.call()?);
        if effect.repeat != Repeat::Never || verify.before || verify.call.members.are_several() {
            return None;
        }
        let active = self.leaves.get(&effect.path).and_then(|id| self.active.get(id))?;
        let named = self.looking_for(&effect.path, call, &active.vars).ok()?;
        let with = verify.call.with.as_ref().map_or(Ok(Value::Null), |with| with.eval(&self.scope(&named)));
        let names = active.vars.all().into_iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let relay::Looking { after, every, until, not_found } = verify.looking;
        Some(relay::Look {
            after_ms: ms(after),
            every_ms: ms(every),
            until_ms: ms(until),
            not_found,
            with: with.ok()?,
            names: names.collect::<serde_json::Map<_, _>>().into(),
        })
    }

    /// What the answer of a look-up shows of a message; without an answer there is nothing.
    pub(crate) fn message_seen(
        &self,
        tell: &relay::Tell,
        look: &relay::Look,
        answer: Option<&Value>,
    ) -> Result<Option<Value>, expr::Error> {
        let Some(verify) = self.verify(&tell.step) else { return Ok(None) };
        let Some(answer) = answer else { return Ok(verify.absent.then_some(Value::Null)) };
        let named = look.names.as_object().into_iter().flatten();
        let vars =
            named.fold(Vars::NONE, |vars, (name, value)| vars.bind(&name.as_str().into(), value.clone()));
        let call = json!({ "input": tell.input, "key": tell.key });
        let vars = vars.bind(&"call".into(), call).bind(&"before".into(), Value::Null);
        self.seen(verify, &vars, answer)
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
        if verdict.now >= verify.looking.over(&self.times(&path, verdict)) && looks >= FAILED {
            return self.given_up(effect, error);
        }
        let doubled = verify.looking.every.saturating_mul(1 << looks.min(6)).min(LONGEST);
        let wait = fault.retry_after.unwrap_or_default().clamp(doubled, LONGEST.max(doubled));
        let until = Some(later(verdict.now, spread(wait, verdict.unit)));
        Event::OutcomeLookedUp { path, answer: None, error: Some(error), until, before: false }
    }

    fn times(&self, path: &str, verdict: Verdict) -> Times {
        Times {
            since: self.leaf(path).and_then(|leaf| leaf.looking).unwrap_or(verdict.now),
            settles: self.settles(path).unwrap_or(verdict.now),
            began: began(verdict),
            now: verdict.now,
            unit: verdict.unit,
        }
    }

    fn found_nothing(&self, effect: &Effect, verify: &Verify, answer: Value, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let times = self.times(&path, verdict);
        let leaf = self.leaf(&path);
        let refusal = leaf.and_then(|leaf| leaf.refusal.clone());
        let resent = leaf.is_some_and(|leaf| leaf.resent);
        // Its key was refused, or it was for a second time, and nothing of it is there: the refusal counts for all sends.
        if let Some(error) = refusal.filter(|_| times.began >= times.settles)
            && (resent || effect.repeat_of_step(self) == Repeat::Keyed)
        {
            return Event::StepFailed { path, error, ms: 0 };
        }
        match verify.looking.nothing(&times) {
            Nothing::Send => self.send_again(effect),
            Nothing::Fail => {
                let said = "it did not land: a look-up after it had settled found nothing";
                self.did_not_land(effect, Failure::new(&path, "flow.not_found", said))
            }
            Nothing::Park => {
                let said = "looked up until its time was over, and nothing was found";
                let error = Failure::new(&path, "flow.outcome_unknown", said);
                self.given_up(effect, Failure { landed: Landed::Unknown, ..error })
            }
            Nothing::Again(until) => {
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
