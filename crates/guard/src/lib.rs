//! `guard` stands between a caller and an external system: deadline → retry (budget) → breaker → bulkhead → rate
//! limit → attempt timeout, in this order and no other.
//!
//! It reads an adapter's spec and its faults, never a concrete adapter. It knows no protocol, no store and no flow:
//! when it cannot let a call out it says so at once and says when to come back; keeping the call until then is
//! the caller's work.
//!
//! Words of this crate:
//! - **way**: what one policy's calls go through: its pipeline of stages, and its cache.
//! - **lane**: what the calls of one key (system, operation, tenant or model) share: a breaker, a bulkhead and a limit.
//! - **place**: room for one call in a bulkhead; dropping it lets the next call in.
//! - **turn**: the moment at which a limit lets a call out; once taken it is not given back.
//! - **till**: the shared store in which the limits of one policy are counted for all nodes, and under which name.
//! - **purse**: the retry budget of a system: retries take tokens out, successes pay in.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a failed test should panic"))]

mod apart;
mod explain;
mod guarded;
mod pipeline;
mod run;

mod backoff;
pub mod batch;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod cache;
mod classify;
mod gate;
pub mod group;
mod hedge;
mod landed;
mod lane;
mod lanes;
pub mod limit;
mod limiter;
mod median;
pub mod shared;

mod policy;

mod clock;
mod event;
mod status;
mod switches;
mod sync;
mod tick;

pub use classify::Verdict;
pub use clock::RuntimeClock;
pub use event::{Deaf, Event, Listener, Place, State};
pub use explain::{Explanation, GroupExplanation, Number, Subject, explain, explain_group};
pub use gate::Gate;
pub use group::{Group, GroupStatus, MemberStatus, Pick};
pub use guarded::{Guarded, Policies};
pub use median::Median;
pub use pipeline::{Attempt, Pipeline, Request, World};
pub use policy::{
    Adaptive, Algorithm, Batch, Breaker, Budget, Bulkhead, Cache, Class, Classify, Conflict, ErrorRate,
    Fallback, HalfOpen, Hedge, Jitter, Limit, Mode, Per, Policy, Priority, Retry, Shared, Sign, Slow, Window,
    profile, profiles,
};
pub use status::{LaneStatus, Named, Status, Switch};
pub use switches::{NoBreaker, Which};
pub use tick::Tick;
