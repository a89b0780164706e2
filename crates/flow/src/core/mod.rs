//! The pure core: definition, state and event to decisions. No clock, no dice, no I/O, no async.
//!
//! A run is an activation tree ([`frame`]): sequences, loops, branches and scopes, with leaves that wait for the
//! world. [`State::apply`] folds one journal event into it and answers what to do next; what it says depends on
//! nothing but the definition and the events, so a run that is read back from its journal stands where it stood.

mod answered;
mod ask;
mod author;
mod below;
mod called;
mod children;
mod commanded;
mod decided;
mod decision;
mod doubt;
mod effects;
mod enter;
mod entry;
mod event;
mod failure;
mod found;
mod frame;
mod hear;
mod held;
mod key;
mod leaf;
mod leave;
mod leftover;
mod lineage;
mod look;
mod machine;
mod member;
mod outcome;
mod question;
mod race;
mod raise;
mod record;
mod recover;
mod restart;
mod rollback;
mod start;
mod state;
mod stuck;
mod time;
mod timer;
mod told;
mod undo;
mod undo_run;
mod undone;
mod verdict;

#[cfg(test)]
mod tests;

pub use answered::Answered;
pub use author::Author;
pub(crate) use below::{is_about_unknown, name_of_unknown, told_unknown, unknown_told};
pub use decided::Decided;
pub(crate) use decision::{Decision, Effect, Purpose, Shown, Speech, Until};
pub use effects::{EffectView, KnownBy, Landing, UndoView, Undone};
pub(crate) use event::Event;
pub use failure::Failure;
pub(crate) use hear::{Listening, SENT};
pub(crate) use held::{Held, blocked};
pub(crate) use key::SCHEME;
pub use lineage::Lineage;
pub(crate) use member::step_of;
pub(crate) use outcome::Ended;
pub use question::QuestionEnd;
pub(crate) use question::{About, answer, closed, closed_step};
pub(crate) use record::{Record, RecordStatus};
pub use rollback::Rollback;
pub use start::Start;
pub(crate) use start::{LinePlace, Parent};
pub(crate) use state::State;
pub(crate) use time::later;
pub(crate) use timer::Timer as TimerKind;
pub(crate) use told::Told;
pub(crate) use verdict::Verdict;
