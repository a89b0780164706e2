//! The rows that are a conversation: one for it, one for each of its entities, one that lists it with its tenant, and
//! one while it is active.
//!
//! They are what its events amount to, written in the same batch, so that nobody has to fold a stream to read it.

use std::collections::BTreeSet;

use react::{Conversation, EntityState};
use store::{Batch, State, StateRow};

use super::Conversations;
use crate::{Code, Problem};

/// A conversation without its entities.
pub(super) const CONVERSATION: &str = "conversation";
/// An entity of a conversation.
pub(super) const ENTITY: &str = "entity";
/// That a tenant has a conversation.
pub(super) const LISTED: &str = "conversation-of";

/// That a conversation is active; there are as many of these as active conversations.
const ACTIVE: &str = "conversation-active";

/// Rows read at once.
const PAGE: usize = 1000;

pub(super) fn entity_id(conversation: &str, entity: &str) -> String {
    format!("{conversation}/{entity}")
}

/// The beginning of the ids under which a tenant's conversations are listed. A tenant's name may hold any letter,
/// so that which separates is written otherwise in it.
pub(super) fn listed(tenant: &str) -> String {
    format!("{}/", tenant.replace('%', "%25").replace('/', "%2F"))
}

/// Adds the rows of a changed conversation to its batch.
pub(super) fn write(batch: &mut Batch, talk: &mut Conversation, changed: &BTreeSet<String>, new: bool) {
    for id in changed {
        if let Some(entity) = talk.entities.get(id) {
            batch.states.push(row(ENTITY, entity_id(&talk.id, id), entity));
        }
    }
    // Entities have rows of their own; the conversation's stays small.
    let entities = std::mem::take(&mut talk.entities);
    batch.states.push(row(CONVERSATION, talk.id.to_string(), &*talk));
    talk.entities = entities;
    if new {
        let id = listed(&talk.tenant) + &talk.id;
        batch.states.push(State { kind: LISTED, id, data: Some(b"{}".to_vec()) });
    }
}

/// Adds or removes the row that says a conversation is active.
pub(super) fn active(id: &str, active: bool) -> State {
    State { kind: ACTIVE, id: id.to_owned(), data: active.then(|| b"{}".to_vec()) }
}

fn row(kind: &'static str, id: String, value: &impl serde::Serialize) -> State {
    // Serialising plain data to a vector cannot fail.
    State { kind, id, data: Some(serde_json::to_vec(value).unwrap_or_default()) }
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(row: &StateRow) -> Result<T, Problem> {
    serde_json::from_slice(&row.data).map_err(|error| {
        tracing::error!(row = row.id, %error, "reading a projection row");
        Problem::new(Code::Internal)
    })
}

impl Conversations {
    /// Tells the observer how many conversations are active. Called once, before the first act is taken; from then on
    /// the observer is told of changes.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_active(&self) -> Result<(), store::Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self.store.states(ACTIVE, "", after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            self.observer.conversations(i64::try_from(page.len()).unwrap_or(i64::MAX));
        }
    }

    /// What is known of a conversation; of one that has not begun, nothing but its name.
    pub(super) async fn load(&self, id: &str) -> Result<Conversation, Problem> {
        let Some(row) = self.store.state(CONVERSATION, id).await? else { return Ok(Conversation::new(id)) };
        let mut talk: Conversation = parse(&row)?;
        let prefix = entity_id(id, "");
        let mut after: Option<String> = None;
        loop {
            let page = self.store.states(ENTITY, &prefix, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(talk) };
            after = Some(last.id.clone());
            for row in &page {
                let entity: EntityState = parse(row)?;
                talk.entities.insert(entity.id.clone(), entity);
            }
        }
    }
}
