//! `port` says what an adapter, a guard and their callers agree on: a call, its reply, its fault, its context.
//!
//! It knows no vendor, no protocol, no store and no flow. Everything here is a shape; nothing here acts.

mod adapter;
mod answered;
mod blob;
mod call;
mod clock;
mod contract;
mod cost;
mod ctx;
mod fault;
mod outlook;
mod span;
mod spec;
mod systems;
mod witness;

pub use adapter::{Adapter, Link};
pub use answered::{Metadata, Status};
pub use blob::Blob;
pub use call::{Call, IdempotencyKey, Reply};
#[cfg(feature = "held")]
pub use clock::HeldClock;
pub use clock::{Clock, SystemClock};
pub use cost::Cost;
pub use ctx::{Ctx, Entropy, SeededEntropy, SystemEntropy, TraceContext};
pub use fault::{Fault, Kind, Landed, Rejection};
pub use outlook::Outlook;
pub use span::{Attribute, OpenSpan, Recorder, Span, SpanKind, Unrecorded};
pub use spec::{IN_PROGRESS_UNTIL, Operation, Repeat, SETTLES_WITHIN, Spec};
pub use systems::{Systems, normalised};
pub use witness::Witness;
