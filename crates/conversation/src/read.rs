//! What can be asked about conversations.

use std::sync::Arc;

use act::Act;
use react::{Conversation, EntityState, Event, Want};
use serde_json::{Map, Value, json};

use crate::{Caller, Code, Conversations, Error, rows};

/// Events read at once.
const PAGE: usize = 1000;

/// A page of something, and where the next begins.
pub struct Page {
    /// What is on it.
    pub items: Vec<Value>,
    /// After what the next one begins, when there is one.
    pub next: Option<String>,
}

/// A conversation as the data model has it.
pub struct Document {
    /// The conversation with its acts.
    pub json: Value,
    /// The log up to here is contained.
    pub position: u64,
    /// The version after which the next page of acts begins, when there are more.
    pub next: Option<u64>,
}

impl Conversations {
    /// What is known of a conversation, but for its entities; and the position up to which.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationDenied`], and the store's.
    pub async fn header(&self, caller: &Caller, id: &str) -> Result<(Conversation, u64), Error> {
        self.admitted(caller, id).await.map(|header| (header.talk, header.position))
    }

    async fn admitted(&self, caller: &Caller, id: &str) -> Result<rows::Header, Error> {
        let header = self.read(id).await?.ok_or_else(|| Error::new(Code::ConversationUnknown))?;
        caller.belongs_to(&header.talk.tenant)?;
        Ok(header)
    }

    /// The whole conversation, with up to `limit` acts after a version of its stream.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationDenied`], [`Code::PositionAhead`], and the store's.
    pub async fn document(
        &self,
        caller: &Caller,
        id: &str,
        after: u64,
        limit: usize,
    ) -> Result<Document, Error> {
        let (talk, position) = self.header(caller, id).await?;
        if after > talk.version {
            let detail = format!("expected a version up to {}: {after} is of another history", talk.version);
            return Err(Error::because(Code::PositionAhead, detail));
        }
        let (acts, next) = self.acts(&talk, after, limit).await?;
        Ok(Document { json: document(&talk, &acts), position, next })
    }

    async fn acts(
        &self,
        talk: &Conversation,
        mut after: u64,
        limit: usize,
    ) -> Result<(Vec<Arc<Act>>, Option<u64>), Error> {
        let mut acts = Vec::new();
        loop {
            let page = self.store.stream(&talk.stream(), after, PAGE).await?;
            if page.is_empty() {
                return Ok((acts, None));
            }
            for event in page {
                // What was written after the header was read is left for the next reading.
                if event.version > talk.version {
                    return Ok((acts, None));
                }
                if acts.len() == limit {
                    return Ok((acts, Some(after)));
                }
                after = event.version;
                match Event::decode(&event.type_, &event.data) {
                    Ok(Event::ActProcessed(processed)) => acts.push(processed.act),
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, position = event.position, "reading a conversation");
                        return Err(Error::Internal);
                    }
                }
            }
        }
    }

    /// An entity, its tag, and the position up to which it is contained.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationDenied`], [`Code::EntityUnknown`], and the store's.
    pub async fn entity(&self, caller: &Caller, id: &str, entity: &str) -> Result<(EntityState, u64), Error> {
        let header = self.admitted(caller, id).await?;
        let row = self.store.state(rows::ENTITY, &rows::entity_id(id, entity)).await?;
        let row = row.ok_or_else(|| Error::new(Code::EntityUnknown))?;
        Ok((header.entity(&row)?, row.position.max(header.position)))
    }

    /// A page of a conversation's entities.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationDenied`], and the store's.
    pub async fn entities(
        &self,
        caller: &Caller,
        id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, Error> {
        let header = self.admitted(caller, id).await?;
        let after = after.map(|entity| rows::entity_id(id, entity));
        let page = self.store.states(rows::ENTITY, &rows::entity_id(id, ""), after.as_deref(), limit).await?;
        let entities: Vec<EntityState> =
            page.iter().map(|row| header.entity(row)).collect::<Result<_, _>>()?;
        let next = entities.last().filter(|_| entities.len() == limit).map(|entity| entity.id.clone());
        Ok(Page { items: entities.iter().map(entity_json).collect(), next })
    }

    /// A page of the organisation's conversations, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, caller: &Caller, after: Option<&str>, limit: usize) -> Result<Page, Error> {
        let prefix = rows::listed(&caller.tenant);
        let after = after.map(|id| format!("{prefix}{id}"));
        let page = self.store.states(rows::LISTED, &prefix, after.as_deref(), limit).await?;
        let next = page.last().filter(|_| page.len() == limit).map(|row| row.id[prefix.len()..].to_owned());
        let mut items = Vec::with_capacity(page.len());
        for row in &page {
            let (talk, _) = self.header(caller, &row.id[prefix.len()..]).await?;
            items.push(summary(&talk));
        }
        Ok(Page { items, next })
    }

    /// What runs wait to hear in a conversation.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationDenied`], and the store's.
    pub async fn awaited(&self, caller: &Caller, id: &str) -> Result<Vec<Value>, Error> {
        self.header(caller, id).await.map(|(talk, _)| next_actions(&talk))
    }
}

/// An entity as it is shown.
pub fn entity_json(entity: &EntityState) -> Value {
    json!({
        "id": entity.id, "type": entity.type_, "external_id": entity.external_id, "version": entity.version,
        "fields": entity.fields, "updated": entity.updated.map(|at| at.to_string()),
    })
}

/// What runs wait to hear.
pub(crate) fn next_actions(talk: &Conversation) -> Vec<Value> {
    let action = |wait: &react::Wait| {
        let (run, step) = (&wait.run, &wait.step);
        let mut action = match &wait.want {
            Want::Fact { entity, field } => json!({"type": "fact", "entity": entity, "field": field}),
            Want::Confirm { entity } => json!({"type": "confirm", "entity": entity}),
            Want::Event { topic } => json!({"type": "event", "topic": topic}),
        };
        if let Some(members) = action.as_object_mut() {
            members.insert("run".to_owned(), json!(run));
            members.insert("step".to_owned(), json!(step));
            members.extend(wait.question.as_deref().into_iter().flat_map(asked));
        }
        action
    };
    talk.waits.iter().map(action).collect()
}

/// What a question says of itself.
fn asked(question: &react::Question) -> Vec<(String, Value)> {
    let mut members = vec![("question", json!(question.id)), ("text", json!(question.text))];
    if let Some(expires) = question.expires {
        members.push(("expires", expires.to_string().into()));
    }
    if !question.by.is_anybody() {
        members.push(("by", json!(question.by)));
    }
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn summary(talk: &Conversation) -> Value {
    let mut document = document(talk, &[]);
    if let Some(members) = document.as_object_mut() {
        members.remove("acts");
    }
    document
}

pub(crate) fn document(talk: &Conversation, acts: &[Arc<Act>]) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), json!(talk.id));
    members.insert("participants".into(), talk.participants.values().map(|one| json!(one)).collect());
    members.insert("acts".into(), acts.iter().map(|act| act.to_value()).collect());
    members.insert("status".into(), json!(talk.status));
    members.insert("metadata".into(), Value::Object(talk.metadata()));
    let mut offer = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    offer("started_at", talk.started_at.map(|at| at.to_string().into()));
    offer("ended_at", talk.ended_at.map(|at| at.to_string().into()));
    offer("channel", talk.channel.clone().map(Value::from));
    offer("context", talk.context.clone().map(Value::Object));
    offer("final_state", talk.error.as_ref().map(|error| json!({"error": error})));
    Value::Object(members)
}
