//! What a run says in its conversation, and what it then waits for.

use std::sync::Arc;
use std::time::Duration;

use conversation::{
    Closing, NotSaid, Outgoing, OutgoingAct, OutgoingClose, OutgoingQuestion, OutgoingWait, Want,
};
use serde_json::{Map, Value, json};
use store::{Batch, Receipt};

use super::motion::Below;
use super::runner::{Runner, Stop};
use super::turn::Turn;
use crate::QuestionEnd;
use crate::core::{Event, Shown, Speech, TimerKind, Until, later};

impl Runner {
    /// Says what a turn has gathered, in one commit with what it writes.
    pub(super) async fn say_all(
        &mut self,
        outgoing: &Outgoing,
        batch: Batch,
    ) -> Result<Receipt, store::Error> {
        let outgoing = self.addressed(outgoing);
        let below = Below { engine: self.engine.clone(), lineage: self.state.start.below() };
        self.engine.0.conversations.say(outgoing, batch, &below).await
    }

    /// What is said, with who says it and where.
    fn addressed(&self, outgoing: &Outgoing) -> Outgoing {
        let start = &self.state.start;
        Outgoing {
            tenant: start.tenant.clone(),
            conversation: start.conversation.clone().unwrap_or_default(),
            commit: start.commit.clone(),
            run: start.run.clone(),
            speaker: start.flow.clone(),
            correlation: start.correlation.clone(),
            trace: start.trace.clone(),
            ..outgoing.clone()
        }
    }

    pub(super) async fn say(
        &mut self,
        turn: &mut Turn,
        path: Arc<str>,
        speech: Speech,
        timeout: Option<Duration>,
    ) -> Result<(), Stop> {
        let Some(conversation) = self.state.start.conversation.clone() else {
            let said = "the run belongs to no conversation".to_owned();
            self.fail(turn, path, "flow.no_conversation", said);
            return Ok(());
        };
        let tenant = self.state.start.tenant.clone();
        let waits = !matches!(speech, Speech::Emit(_));
        if waits && !self.engine.0.conversations.is_open(&tenant, &conversation).await? {
            let said = "the conversation is over or unknown, so nobody would answer".to_owned();
            self.fail(turn, path, "flow.conversation_over", said);
            return Ok(());
        }
        match speech {
            Speech::Emit(act) => self.emit(turn, path, act).await?,
            Speech::Ask { .. } | Speech::Confirm { .. } => self.ask(turn, path, speech, timeout),
        }
        Ok(())
    }

    /// Says an act. A commit that the conversation would not take fails its step: what it wants is not done. Without anything
    /// else that it would not take the run goes on, and the log says so.
    async fn emit(&mut self, turn: &mut Turn, path: Arc<str>, act: Value) -> Result<(), Stop> {
        let id = format!("{}/{path}~{}", self.run, self.state.generation(&path));
        let said = OutgoingAct { id, body: act.clone() };
        let commits = act.get("type").and_then(Value::as_str) == Some("commit");
        let not_said = if commits { self.may_say(said.clone()).await? } else { None };
        match not_said {
            Some(NotSaid { code, message }) => self.fail(turn, path, &code, message),
            None => {
                turn.outgoing.acts.push(said);
                self.succeed(turn, path, act);
            }
        }
        Ok(())
    }

    async fn may_say(&mut self, act: OutgoingAct) -> Result<Option<NotSaid>, Stop> {
        let outgoing = self.addressed(&Outgoing { acts: vec![act], ..Outgoing::default() });
        let below = Below { engine: self.engine.clone(), lineage: self.state.start.below() };
        Ok(self.engine.0.conversations.may_say(outgoing, &below).await?)
    }

    fn ask(&mut self, turn: &mut Turn, path: Arc<str>, speech: Speech, timeout: Option<Duration>) {
        let question = self.state.next_question(&path);
        let id = format!("{}/{path}~{}", self.run, self.state.askings(&path));
        turn.outgoing.acts.push(OutgoingAct { id, body: body(&speech, &question) });
        let expires = timeout.map(|timeout| later(self.engine.0.clock.now(), timeout));
        let (want, text, shown, on) = match speech {
            Speech::Ask { entity, field, prompt, shown, .. } => {
                let entity = entity_id(&entity);
                let on = json!({ "fact": field, "entity": entity, "question": question });
                (Want::Fact { entity, field }, prompt, shown, on)
            }
            Speech::Confirm { entity, summary, shown, .. } => {
                let entity = entity_id(&entity);
                let on =
                    json!({ "confirm": true, "entity": entity, "summary": summary, "question": question });
                (Want::Confirm { entity }, summary, shown, on)
            }
            Speech::Emit(_) => return,
        };
        let Shown { shows, by } = shown;
        let committer = self.state.committer().map(str::to_owned);
        let asked = OutgoingQuestion { id: question.clone(), text, shows, by, committer, expires };
        let wait = OutgoingWait { run: self.run.clone(), step: path.to_string(), want, question: asked };
        turn.outgoing.waits.push(wait);
        self.note(turn, Event::QuestionAsked { path: path.clone(), question: question.into(), on });
        if let Some(due) = expires {
            self.timer(turn, path, TimerKind::Timeout, Until::At(due));
        }
    }

    /// The step waits for no answer any more.
    pub(super) fn close_question(&self, turn: &mut Turn, path: &str, how: QuestionEnd) {
        turn.outgoing.closes.push(OutgoingClose { step: Some(path.to_owned()), how: closing(how) });
    }

    /// Silence was taken for a yes.
    pub(super) fn agree(&self, turn: &mut Turn, path: &str, act: Value) {
        let id = format!("{}/{path}~{}/timeout", self.run, self.state.askings(path));
        turn.outgoing.acts.push(OutgoingAct { id, body: act });
    }
}

fn closing(how: QuestionEnd) -> Closing {
    match how {
        QuestionEnd::Expired => Closing::Expired,
        QuestionEnd::Withdrawn => Closing::Withdrawn,
        QuestionEnd::Changed => Closing::Changed,
        QuestionEnd::Ended => Closing::Ended,
    }
}

fn body(speech: &Speech, question: &str) -> Value {
    let (act, more, shown) = match speech {
        Speech::Emit(act) => return act.clone(),
        Speech::Ask { field, prompt, more, shown, .. } => {
            (json!({ "type": "ask", "field": field, "prompt": prompt }), more, shown)
        }
        Speech::Confirm { entity, summary, more, shown } => {
            let entity = entity_id(entity);
            let act = json!({ "type": "confirm", "entity": entity, "summary": summary, "awaiting": true });
            (act, more, shown)
        }
    };
    named(with(act, more), question, &shown.shows)
}

/// Acts are closed: what names the question stands in the metadata.
fn named(mut act: Value, question: &str, shows: &Value) -> Value {
    let mut cardan = json!({ "question": question });
    if !shows.is_null() {
        cardan["shows"] = shows.clone();
    }
    if let Some(members) = act.as_object_mut() {
        let metadata = members.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("cardan".to_owned(), cardan);
        }
    }
    act
}

fn with(mut act: Value, more: &Value) -> Value {
    if let (Some(act), Value::Object(more)) = (act.as_object_mut(), more) {
        let more: Map<String, Value> = more.clone();
        act.extend(more);
    }
    act
}

fn entity_id(entity: &Value) -> Option<String> {
    entity.as_str().or_else(|| entity.get("id").and_then(Value::as_str)).map(str::to_owned)
}
