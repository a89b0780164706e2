//! What a run says in its conversation, and what it then waits for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::runner::{Runner, Stop};
use super::turn::Turn;
use crate::core::{Event, Speech};
use crate::{Told, Wait, Want};

impl Runner {
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
        let waits = !matches!(speech, Speech::Emit(_));
        if waits && !self.engine.0.voice.is_heard(&conversation).await? {
            let said = "the conversation is over or unknown, so nobody would answer".to_owned();
            self.fail(turn, path, "flow.conversation_over", said);
            return Ok(());
        }
        self.tell_and_wait(turn, path, speech, timeout);
        Ok(())
    }

    fn tell_and_wait(&mut self, turn: &mut Turn, path: Arc<str>, speech: Speech, timeout: Option<Duration>) {
        let id = format!("{}/{path}~{}", self.run, self.state.generation(&path));
        turn.said.acts.push(Told { id, body: body(&speech) });
        let want = match speech {
            Speech::Emit(act) => return self.succeed(turn, path, act),
            Speech::Ask { entity, field, .. } => Want::Fact { entity: entity_id(&entity), field },
            Speech::Confirm { entity, .. } => Want::Confirm { entity: entity_id(&entity) },
        };
        let on = match &want {
            Want::Fact { entity, field } => json!({ "fact": field, "entity": entity }),
            Want::Confirm { entity } => json!({ "confirm": true, "entity": entity }),
        };
        turn.said.waits.push(Wait { run: self.run.clone(), step: path.to_string(), want });
        self.note(turn, Event::StepWaiting { path: path.clone(), on, after: 0 });
        self.time_out(turn, path, timeout);
    }
}

fn body(speech: &Speech) -> Value {
    match speech {
        Speech::Emit(act) => act.clone(),
        Speech::Ask { field, prompt, more, .. } => {
            with(json!({ "type": "ask", "field": field, "prompt": prompt }), more)
        }
        Speech::Confirm { entity, summary, more } => {
            let entity = entity_id(entity);
            with(json!({ "type": "confirm", "entity": entity, "summary": summary, "awaiting": true }), more)
        }
    }
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
