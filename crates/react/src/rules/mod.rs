//! What a deployment says about its entities, acts and commits; compiled once.

mod derive;
mod entity;
mod route;

use std::collections::{BTreeMap, BTreeSet};

use act::{EntityRef, UnknownSpeaker};

use crate::Conversation;

pub use derive::{DeriveRule, derive_shape};
pub use entity::{EntityRules, entity_shape};
pub(crate) use entity::{Moment, unmet};
pub use route::Route;

/// What a deployment says about its entities, acts and commits.
///
/// An entity's type is the one an object reference gives it, first said wins. An entity that is only ever named by
/// its text has the declared type its name begins with, followed by `_`, `-`, `:` or `/` (`order_41` is an `order`
/// where `order` is declared; of several, the longest). Otherwise it is untyped, and no rule applies to it.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What must hold for entities, by type.
    pub entities: BTreeMap<String, EntityRules>,
    /// What is published beside an act.
    pub derive: Vec<DeriveRule>,
    /// Which flows take which commits.
    pub routes: Vec<Route>,
    /// Other names of systems, normalised: `-` is `_`.
    pub aliases: BTreeMap<String, String>,
    /// Types of act this deployment knows beside the five; acts of other types are stored and go nowhere.
    pub custom: BTreeSet<String>,
    /// What becomes of a speaker who is no participant.
    pub speakers: UnknownSpeaker,
    /// How much one conversation may hold.
    pub limits: Limits,
}

/// How much one conversation may hold. What does not fit is refused with `conversation.full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entities (default 1000).
    pub entities: usize,
    /// Fields of one entity (default 1000).
    pub fields: usize,
    /// Participants (default 1000).
    pub participants: usize,
    /// Waiting steps (default 1000).
    pub waits: usize,
    /// Asks whose demands are open (default 1000).
    pub asks: usize,
    /// Commits that runs are at work on (default 1000).
    pub commits: usize,
    /// Bytes of one field (default 1 MiB); more is refused with `field.too_large`.
    pub field_bytes: usize,
    /// Bytes of all fields of an entity (default 4 MiB); more is refused with `entity.too_large`.
    pub entity_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let most = 1000;
        Self {
            entities: most,
            fields: most,
            participants: most,
            waits: most,
            asks: most,
            commits: most,
            field_bytes: 1 << 20,
            entity_bytes: 4 << 20,
        }
    }
}

impl Rules {
    /// The type of an entity as this act names it; what was said before counts more than what is said now.
    pub(crate) fn type_of<'a>(&'a self, talk: &'a Conversation, entity: &'a EntityRef) -> Option<&'a str> {
        let known = talk.entities.get(entity.id()).and_then(|held| held.type_.as_deref());
        known.or(entity.type_()).or_else(|| self.type_by_name(entity.id()))
    }

    fn type_by_name(&self, id: &str) -> Option<&str> {
        let named = |type_: &&String| {
            id.strip_prefix(type_.as_str()).is_some_and(|rest| rest.starts_with(['_', '-', ':', '/']))
        };
        self.entities.keys().filter(named).max_by_key(|type_| type_.len()).map(String::as_str)
    }

    /// The one name of a system: `-` is `_`, and aliases are followed once.
    pub fn system(&self, name: &str) -> String {
        let name = name.replace('-', "_");
        self.aliases.get(&name).cloned().unwrap_or(name)
    }
}
