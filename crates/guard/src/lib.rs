//! `guard` stands between a caller and an external system: deadline → retry (budget) → breaker → bulkhead → rate
//! limit → attempt timeout, in this order and no other.
//!
//! It reads an adapter's spec and its faults, never a concrete adapter. It knows no protocol, no store and no flow:
//! when it cannot let a call out it says so at once and says when to come back; keeping the call until then is
//! the caller's work.

mod event;
mod policy;
mod status;

pub use event::{Deaf, Event, Listener, Place, State};
pub use policy::{
    Adaptive, Algorithm, Batch, Breaker, Budget, Bulkhead, Cache, Conflict, ErrorRate, HalfOpen, Hedge,
    Jitter, Limit, Mode, Per, Policy, Priority, Retry, Slow, Window, profile, profiles,
};
pub use status::{LaneStatus, Status, Switch};
