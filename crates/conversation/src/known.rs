//! What is known of a conversation, and how much of that lies in its rows.
//!
//! Rows are not written for each act: they are what the events up to their position amount to, and what came after (the
//! tail) is folded when they are read. Once the tail is as long as the rows that it changes, they are written again. So
//! what an act writes is bounded by what it says, and what a reader folds by what it reads.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use react::{Conversation, Event};
use store::StateRow;

/// A tail up to so many bytes is left as it is, however short the rows are.
const SHORT: usize = 8 << 10;

/// What is known of a conversation, and how much of that lies in its rows.
#[derive(Clone)]
pub(crate) struct Known {
    talk: Conversation,
    /// Bytes of the conversation's row.
    own: usize,
    /// Bytes of the rows of its entities.
    entities: HashMap<String, usize>,
    /// Entities whose rows are behind.
    behind: BTreeSet<String>,
    /// Bytes of the events after the rows.
    tail: usize,
}

impl Deref for Known {
    type Target = Conversation;

    fn deref(&self) -> &Conversation {
        &self.talk
    }
}

impl DerefMut for Known {
    fn deref_mut(&mut self) -> &mut Conversation {
        &mut self.talk
    }
}

impl Known {
    /// A conversation that has not begun: nothing but its name is known.
    pub(crate) fn new(id: impl Into<Arc<str>>) -> Self {
        Self::of(Conversation::new(id), 0)
    }

    /// What the conversation's row of so many bytes holds.
    pub(crate) fn of(talk: Conversation, own: usize) -> Self {
        Self { talk, own, entities: HashMap::new(), behind: BTreeSet::new(), tail: 0 }
    }

    /// Adds what the row of an entity holds, when the conversation's was written at a position. A row of later is of an
    /// entity that is new in the tail, which holds all that is known of it.
    pub(crate) fn add(&mut self, row: &StateRow, entity: react::EntityState, written: u64) {
        self.entities.insert(entity.id.clone(), row.data.len());
        if row.position <= written {
            self.talk.entities.insert(entity.id.clone(), entity);
        }
    }

    /// Folds an event of the tail, whose data has so many bytes.
    pub(crate) fn follow(&mut self, event: &Event, bytes: usize) {
        self.talk.apply(event);
        self.behind.extend(touched(event).map(str::to_owned));
        self.tail += bytes;
    }

    /// Takes note that events of so many bytes were added, which changed these entities. The rows to be written with
    /// them: of entities that have none yet, at once; of all that is behind, when the tail has grown long.
    pub(crate) fn grow(&mut self, bytes: usize, changed: &BTreeSet<String>) -> Due {
        self.tail += bytes;
        let new = changed.iter().filter(|id| !self.entities.contains_key(*id)).cloned();
        let mut entities: BTreeSet<String> = new.collect();
        self.behind.extend(changed.iter().cloned());
        let rows = self.own + self.behind.iter().filter_map(|id| self.entities.get(id)).sum::<usize>();
        let whole = self.own == 0 || self.tail > rows.max(SHORT);
        if whole {
            entities.append(&mut self.behind);
            self.tail = 0;
        }
        Due { entities, whole }
    }

    /// Takes note of how many bytes the conversation's row has.
    pub(crate) fn weighs(&mut self, bytes: usize) {
        self.own = bytes;
    }

    /// Takes note of how many bytes an entity's row has.
    pub(crate) fn entity_weighs(&mut self, id: &str, bytes: usize) {
        self.entities.insert(id.to_owned(), bytes);
    }
}

/// The rows that are due to be written.
pub(crate) struct Due {
    /// Of these entities.
    pub(crate) entities: BTreeSet<String>,
    /// And the conversation's.
    pub(crate) whole: bool,
}

/// The entity that an event may change.
pub(crate) fn touched(event: &Event) -> Option<&str> {
    match event {
        Event::StateChanged(changed) => Some(&changed.entity_id),
        Event::ActProcessed(processed) => processed.act.body.entity().map(act::EntityRef::id),
        _ => None,
    }
}
