//! From JSON values to the types: every member is taken once, and what is left over is unexpected.

mod act;
mod body;
mod constraint;
mod conversation;
mod entity;
mod members;
mod open;
mod participant;
mod scalar;

pub(crate) use act::{BASE_METADATA, act};
pub(crate) use constraint::constraint;
pub(crate) use conversation::{CONTEXT, METADATA, conversation};
pub(crate) use entity::{entity, entity_ref};
pub(crate) use open::{Form, OpenMember};
pub(crate) use participant::{PREFERENCES, participant};
