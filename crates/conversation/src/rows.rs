//! The rows that are a conversation: one for it, one for each of its entities, one that lists it with its tenant, and
//! one while it is active.
//!
//! They are what its events up to their position amount to, written in the same batch as the last of these; `known` says
//! how often. What came after is folded when they are read.

use std::collections::BTreeSet;

use react::{Conversation, EntityState, Event};
use store::{Batch, State, StateRow};

use crate::known::{Known, touched};
use crate::{Conversations, Error};

/// A conversation without its entities.
pub(crate) const CONVERSATION: &str = "conversation";
/// An entity of a conversation.
pub(crate) const ENTITY: &str = "entity";
/// That a tenant has a conversation.
pub(crate) const LISTED: &str = "conversation-of";

/// That a conversation is active; there are as many of these as active conversations.
const ACTIVE: &str = "conversation-active";

/// Rows read at once.
const PAGE: usize = 1000;

pub(crate) fn entity_id(conversation: &str, entity: &str) -> String {
    format!("{conversation}/{entity}")
}

/// The beginning of the ids under which a tenant's conversations are listed. A tenant's name may hold any letter,
/// so that which separates is written otherwise in it.
pub(crate) fn listed(tenant: &str) -> String {
    format!("{}/", tenant.replace('%', "%25").replace('/', "%2F"))
}

/// Adds the rows that are due after a change to its batch, whose events of the conversation have so many bytes.
pub(crate) fn write(
    batch: &mut Batch,
    talk: &mut Known,
    changed: &BTreeSet<String>,
    bytes: usize,
    new: bool,
) {
    let due = talk.grow(bytes, changed);
    for id in &due.entities {
        let Some(entity) = talk.entities.get(id) else { continue };
        let row = row(ENTITY, entity_id(&talk.id, id), entity);
        talk.entity_weighs(id, row.data.as_ref().map_or(0, Vec::len));
        batch.states.push(row);
    }
    if due.whole {
        // Entities have rows of their own; the conversation's stays small.
        let entities = std::mem::take(&mut talk.entities);
        let row = row(CONVERSATION, talk.id.to_string(), &**talk);
        talk.entities = entities;
        talk.weighs(row.data.as_ref().map_or(0, Vec::len));
        batch.states.push(row);
    }
    if new {
        let id = listed(&talk.tenant) + &talk.id;
        batch.states.push(State { kind: LISTED, id, data: Some(b"{}".to_vec()) });
    }
}

/// Adds or removes the row that says a conversation is active.
pub(crate) fn active(id: &str, active: bool) -> State {
    State { kind: ACTIVE, id: id.to_owned(), data: active.then(|| b"{}".to_vec()) }
}

fn row(kind: &'static str, id: String, value: &impl serde::Serialize) -> State {
    // Serialising plain data to a vector cannot fail.
    State { kind, id, data: Some(serde_json::to_vec(value).unwrap_or_default()) }
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(row: &StateRow) -> Result<T, Error> {
    serde_json::from_slice(&row.data).map_err(|error| {
        tracing::error!(row = row.id, %error, "reading a projection row");
        Error::Internal
    })
}

impl Conversations {
    /// Tells the telemetry how many conversations are active. Called once, before the first act is taken; from then on
    /// the telemetry is told of changes.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_active(&self) -> Result<(), store::Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self.store.states(ACTIVE, "", after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            self.telemetry.on_active(i64::try_from(page.len()).unwrap_or(i64::MAX));
        }
    }

    /// What is known of a conversation; of one that has not begun, nothing but its name.
    pub(crate) async fn load(&self, id: &str) -> Result<Known, Error> {
        let Some(row) = self.store.state(CONVERSATION, id).await? else { return Ok(Known::new(id)) };
        let mut known = Known::of(parse(&row)?, row.data.len());
        let prefix = entity_id(id, "");
        let mut after: Option<String> = None;
        loop {
            let page = self.store.states(ENTITY, &prefix, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for entity in &page {
                known.add(entity, parse(entity)?, row.position);
            }
        }
        self.follow(&known.stream(), known.version, |_, event, bytes| known.follow(&event, bytes)).await?;
        Ok(known)
    }

    /// A conversation without its entities, and the events that are not in their rows.
    pub(crate) async fn read(&self, id: &str) -> Result<Option<Header>, Error> {
        let Some(row) = self.store.state(CONVERSATION, id).await? else { return Ok(None) };
        let mut header = Header { talk: parse(&row)?, position: row.position, tail: Vec::new() };
        let (stream, version) = (header.talk.stream(), header.talk.version);
        self.follow(&stream, version, |position, event, _| header.follow(position, event)).await?;
        header.talk.entities.clear();
        Ok(Some(header))
    }

    /// Calls with each event after a version: its position, itself, and the bytes of its data.
    async fn follow(
        &self,
        stream: &str,
        mut after: u64,
        mut each: impl FnMut(u64, Event, usize) + Send,
    ) -> Result<(), Error> {
        loop {
            let page = self.store.stream(stream, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.version;
            for event in &page {
                let decoded = Event::decode(&event.type_, &event.data).map_err(|error| {
                    tracing::error!(%error, position = event.position, "reading a conversation");
                    Error::Internal
                })?;
                each(event.position, decoded, event.data.len());
            }
        }
    }
}

/// A conversation without its entities.
pub(crate) struct Header {
    pub(crate) talk: Conversation,
    /// The log up to here is contained.
    pub(crate) position: u64,
    /// Events that may not be in the rows of entities, with their positions.
    tail: Vec<(u64, Event)>,
}

impl Header {
    fn follow(&mut self, position: u64, event: Event) {
        self.talk.apply(&event);
        self.position = self.position.max(position);
        if touched(&event).is_some() {
            self.tail.push((position, event));
        }
    }

    /// An entity as its row, which was read after this, and the events after it have it.
    pub(crate) fn entity(&self, row: &StateRow) -> Result<EntityState, Error> {
        let mut entity: EntityState = parse(row)?;
        for (_, event) in self.tail.iter().filter(|(position, _)| *position > row.position) {
            entity.apply(event);
        }
        Ok(entity)
    }
}
