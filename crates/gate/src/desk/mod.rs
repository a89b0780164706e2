//! What people at the desk look at: one list of everything that waits for a person.

mod candidates;
mod commands;
mod entries;

pub(crate) use candidates::{Candidate, Candidates};
pub(crate) use entries::{Entry, of_letter, of_run, unreadable};
