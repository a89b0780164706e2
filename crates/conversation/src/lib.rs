//! `conversation` takes acts: it admits, decides, commits and answers them, each batch as a whole or not at all.
//!
//! For each conversation there is one lock. Under it acts are decided in order (by `react`), and all that follows from them
//! is one [`store::Batch`]: the acts and events, the new state, the starts of runs, the signals to waiting runs, and the
//! record of each act's id. Either all of it is committed or none. Only then are runs woken and the caller answered.
//!
//! Read in this order: `take` (the way of acts), [`Motion`] (what they set in motion), `work` (what a batch is made of),
//! `rows` and `known` (how it is kept), `ids` (acts that were seen before), `named` (commits whose key was seen before),
//! [`ConversationPort`] and `say` (how a run speaks), `asked` (where questions are found), `read` (what can be asked).
//!
//! It knows neither doors nor protocols nor flows: a door hands acts over, and whoever knows flows plans what they set in
//! motion.

mod caller;
mod conversations;
mod deciding;
mod error;
mod integration;
mod limits;
mod motion;
mod outgoing;
mod submission;
mod telemetry;

mod admit;
mod arrival;
mod asked;
mod backfill;
mod cache;
mod create;
mod identity;
mod ids;
mod insist;
mod known;
mod lasting;
mod may_say;
mod named;
mod questions;
mod read;
mod refusal;
mod rows;
mod say;
mod share;
mod spans;
mod take;
mod work;

pub use act::CommitError;
pub use react::{By, Change, Closing, Signal, Want};

pub use asked::{Found, QuestionFilter};
pub use caller::{Caller, Request, Rights};
pub use conversations::Conversations;
pub use create::{Keep, NewConversation};
pub use deciding::Deciding;
pub use error::{Code, Error, Refusal};
pub use identity::digest;
pub use insist::{Insist, insist};
pub use integration::{ActAnswer, Integration, IntegrationState};
pub use lasting::{Lasting, record_name};
pub use limits::Limits;
pub use motion::{Motion, ONCE, Plan, Start};
pub use outgoing::{
    ConversationPort, NotSaid, Outgoing, OutgoingAct, OutgoingClose, OutgoingQuestion, OutgoingWait,
};
pub use read::{Document, Page, entity_json};
pub use submission::{Answer, Answering, Started, Submission, Taken, Verdict};
pub use telemetry::{Noop, Telemetry};
