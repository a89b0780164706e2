//! `conversation` takes acts: it admits, decides, commits and answers them, each batch as a whole or not at all.
//!
//! Read in this order: [`ConversationPort`] (how a run speaks), [`Motion`] (what acts set in motion), [`Error`].
//!
//! It knows neither doors nor protocols nor flows: a door hands acts over, and whoever knows flows plans what they set in
//! motion.

mod error;
mod motion;
mod outgoing;

pub use act::CommitError;
pub use error::{Code, Error, Refusal};
pub use motion::{Motion, Plan, Start};
pub use outgoing::{ConversationPort, Outgoing, OutgoingAct, OutgoingClose, OutgoingQuestion, OutgoingWait};
pub use react::{By, Change, Closing, Signal, Want};
