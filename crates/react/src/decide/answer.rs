//! Whose question this answers.
//!
//! An answer names its question: by its id in `metadata.cardan.question`, or, without, by its words and entity (a fact: by
//! its entity and field) where exactly one open question has them. Everything else answers nothing, and says so.

use act::{Act, Body, Issue};
use serde_json::{Value, json};

use super::{Decision, Refusal, Signal, Utterance};
use crate::question::Denied;
use crate::{Answered, Closing, Conversation, Event, Past, Question, Wait, Want};

/// Where an act names the question it answers.
const NAMED: &str = "/metadata/cardan/question";

/// Closes what the act, or what it changed and published, answers. Refuses an answer of somebody who may not give it.
pub(super) fn answer(talk: &Conversation, said: &Utterance, decision: &mut Decision) -> Result<(), Refusal> {
    let Some(gives) = Gives::of(talk, said, decision) else {
        unfit(talk, said, decision);
        events(talk, said, decision);
        return Ok(());
    };
    let answering = Answering { talk, said, gives };
    answering.questions(decision)?;
    answering.older(decision)?;
    events(talk, said, decision);
    Ok(())
}

/// What an act gives that may be an answer.
enum Gives {
    Word { entity: String, text: String, payload: Value },
    Field { entity: String, field: String, value: Value },
}

impl Gives {
    fn of(talk: &Conversation, said: &Utterance, decision: &Decision) -> Option<Self> {
        match &said.act.body {
            Body::Confirm(confirm) => Some(Self::Word {
                entity: confirm.entity.id().to_owned(),
                text: confirm.summary.clone(),
                payload: json!({ "confirmed": confirm.confirmed?, "reason": confirm.rejection_reason }),
            }),
            Body::Fact(_) => decision.events.iter().find_map(|event| match event {
                // A field that is gone answers nothing.
                Event::StateChanged(changed) if changed.operation != act::Operation::Delete => {
                    Some(Self::Field {
                        entity: changed.entity_id.clone(),
                        field: changed.field.clone(),
                        value: changed.value(talk).unwrap_or_default(),
                    })
                }
                _ => None,
            }),
            _ => None,
        }
    }

    /// The answer for this wait, as far as entity and field go.
    fn fits(&self, want: &Want) -> Option<&Value> {
        match (self, want) {
            (Self::Word { entity, payload, .. }, Want::Confirm { .. }) if want.is_about(entity) => {
                Some(payload)
            }
            (Self::Field { entity, field, value }, Want::Fact { field: wanted, .. })
                if want.is_about(entity) && field == wanted =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    /// Whether a question has the same words; what a fact says has none.
    fn reads(&self, question: &Question) -> bool {
        match self {
            Self::Word { text, .. } => question.reads(text),
            Self::Field { .. } => true,
        }
    }

    /// Whether this would have answered a question that is closed.
    fn is_late_for(&self, past: &Past) -> bool {
        let same = |entity: &str| past.entity.as_deref().is_none_or(|past| past == entity);
        match self {
            Self::Word { entity, text, .. } => past.field.is_none() && same(entity) && past.reads(text),
            // Who says a fact once more answers nothing and means nothing by it.
            Self::Field { entity, field, .. } => {
                past.how != Closing::Answered && past.field.as_deref() == Some(field) && same(entity)
            }
        }
    }

    fn is_word(&self) -> bool {
        matches!(self, Self::Word { .. })
    }
}

struct Answering<'a> {
    talk: &'a Conversation,
    said: &'a Utterance,
    gives: Gives,
}

impl<'a> Answering<'a> {
    fn questions(&self, decision: &mut Decision) -> Result<(), Refusal> {
        if let Some(id) = named(&self.said.act) {
            return self.named(id, decision);
        }
        let meant = self.open().filter(|(wait, question)| self.fits(wait) && self.gives.reads(question));
        let meant: Vec<_> = meant.filter(|(_, question)| !question.is_expired(self.said.at)).collect();
        match *meant {
            [(wait, question)] => self.give(wait, question, false, decision),
            [] => {
                self.missed(decision);
                Ok(())
            }
            [..] => {
                let message = format!(
                    "{} open questions have these words: name one in metadata.cardan.question; none was answered",
                    meant.len()
                );
                warn(decision, "", "question.ambiguous", message);
                Ok(())
            }
        }
    }

    fn named(&self, id: &str, decision: &mut Decision) -> Result<(), Refusal> {
        let Some((wait, question)) = self.open().find(|(_, question)| question.id == id) else {
            match self.talk.past(id) {
                Some(past) => late(decision, past.how),
                None => {
                    let message = format!("expected an open question of this conversation, found {id:?}");
                    warn(decision, NAMED, "question.unknown", message);
                }
            }
            return Ok(());
        };
        if !self.fits(wait) {
            let message = "the question is about another entity or field, or wants another kind of act; it was not answered";
            warn(decision, NAMED, "question.mismatch", message);
            return Ok(());
        }
        self.give(wait, question, true, decision)
    }

    /// Nothing open is answered by this: says why, where somebody may have thought so.
    fn missed(&self, decision: &mut Decision) {
        let expired = self.open().find(|(wait, question)| self.fits(wait) && self.gives.reads(question));
        if expired.is_some() {
            return late(decision, Closing::Expired);
        }
        if let Some(past) = self.talk.past.iter().rev().find(|past| self.gives.is_late_for(past)) {
            return late(decision, past.how);
        }
        if self.gives.is_word() && self.open().any(|(wait, _)| self.fits(wait)) {
            let message = "an open question about this entity has another summary; it was not answered";
            warn(decision, "/summary", "question.unmatched", message.to_owned());
        }
    }

    fn give(
        &self,
        wait: &Wait,
        question: &Question,
        named: bool,
        decision: &mut Decision,
    ) -> Result<(), Refusal> {
        let (act, standing) = (&self.said.act, &self.said.standing);
        if question.is_expired(self.said.at) {
            late(decision, Closing::Expired);
            return Ok(());
        }
        match question.denied(self.talk, &act.speaker, standing) {
            None => self.close(wait, decision),
            Some(Denied::Stranger) => return Err(stranger()),
            // A fact is one whoever says it; only the question stays open.
            Some(Denied::Other(expected)) if !named && !self.gives.is_word() => {
                let message = format!("a question waits for this from {expected}; it was not answered");
                warn(decision, "/speaker", "question.not_allowed", message);
            }
            Some(Denied::Other(expected)) => {
                let message = format!("expected the answer from {expected}");
                return Err(Refusal { pointer: "/speaker", ..Refusal::new("question.not_allowed", message) });
            }
        }
        Ok(())
    }

    /// Waits that are older than questions: whatever says yes or no about the entity answers them.
    fn older(&self, decision: &mut Decision) -> Result<(), Refusal> {
        let older: Vec<&Wait> =
            self.talk.waits.iter().filter(|wait| wait.question.is_none() && self.fits(wait)).collect();
        if !older.is_empty() && !self.talk.has(&self.said.act.speaker, &self.said.standing) {
            return Err(stranger());
        }
        older.into_iter().for_each(|wait| self.close(wait, decision));
        Ok(())
    }

    fn close(&self, wait: &Wait, decision: &mut Decision) {
        if let Some(payload) = self.gives.fits(&wait.want) {
            answered(wait, &self.said.act, payload.clone(), decision);
        }
    }

    fn fits(&self, wait: &Wait) -> bool {
        self.gives.fits(&wait.want).is_some()
    }

    fn open(&self) -> impl Iterator<Item = (&'a Wait, &'a Question)> {
        self.talk.waits.iter().filter_map(|wait| Some((wait, wait.question.as_deref()?)))
    }
}

/// What was published answers those who wait for its topic.
fn events(talk: &Conversation, said: &Utterance, decision: &mut Decision) {
    for wait in &talk.waits {
        let Want::Event { topic } = &wait.want else { continue };
        let payload = decision.published().find(|published| published.topic == *topic);
        if let Some(payload) = payload.map(|published| published.payload.clone()) {
            answered(wait, &said.act, payload, decision);
        }
    }
}

fn answered(wait: &Wait, act: &Act, payload: Value, decision: &mut Decision) {
    decision.signals.push(Signal::answer(wait, act, payload));
    let question = wait.question.as_ref().map(|question| question.id.clone());
    let by = question.is_some().then(|| act.speaker.clone());
    let (run, step, act_id) = (wait.run.clone(), wait.step.clone(), act.id.as_str().to_owned());
    decision.push(Answered { run, step, act_id, question, by });
}

/// Says of a fact that changed nothing which question it was meant for, and why it does not answer that.
fn unfit(talk: &Conversation, said: &Utterance, decision: &mut Decision) {
    let Body::Fact(fact) = &said.act.body else { return };
    let Some(errors) = decision.events.iter().find_map(|event| match event {
        Event::ValidationError(found) => Some(&found.errors),
        _ => None,
    }) else {
        return;
    };
    let about = |wait: &Wait| match &wait.want {
        Want::Fact { field, .. } => *field == fact.field && wait.want.is_about(fact.entity.id()),
        _ => false,
    };
    let meant = |wait: &&Wait| match (named(&said.act), wait.question.as_deref()) {
        (Some(id), Some(question)) => question.id == id,
        (None, Some(_)) => about(wait),
        (_, None) => false,
    };
    if talk.waits.iter().any(|wait| meant(&wait)) {
        let why: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        let message = format!("{}; the question was not answered", why.join("; "));
        warn(decision, "/value", "question.invalid", message);
    }
}

/// The question that an act names.
fn named(act: &Act) -> Option<&str> {
    act.meta("cardan")?.get("question")?.as_str()
}

fn late(decision: &mut Decision, how: Closing) {
    let (code, message) = match how {
        Closing::Answered => ("question.answered", "the question was answered before; this changed nothing"),
        Closing::Expired => ("question.expired", "the question could be answered until its time was over"),
        Closing::Changed => (
            "question.withdrawn",
            "what the question showed has changed since; it is asked again under a new id",
        ),
        Closing::Withdrawn | Closing::Ended => ("question.withdrawn", "the question was withdrawn"),
    };
    warn(decision, "", code, message.to_owned());
}

fn warn(decision: &mut Decision, pointer: &str, code: &'static str, message: impl Into<String>) {
    decision.warnings.push(Issue { pointer: pointer.to_owned(), code, message: message.into() });
}

fn stranger() -> Refusal {
    let message = "expected the answer from a participant of this conversation";
    Refusal { pointer: "/speaker", ..Refusal::new("question.not_participant", message) }
}
