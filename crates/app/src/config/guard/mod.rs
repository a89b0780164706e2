//! The numbers of a guard, as they are written: under `guard:` of a system and in a profile.

mod apply;
mod shape;

use guard::{Algorithm, Fallback, Per, Priority};

pub(super) use apply::apply;
pub(super) use shape::fields;

const PERS: [(&str, Per); 4] =
    [("system", Per::System), ("operation", Per::Operation), ("tenant", Per::Tenant), ("model", Per::Model)];
const PRIORITIES: [(&str, Priority); 3] =
    [("high", Priority::High), ("normal", Priority::Normal), ("low", Priority::Low)];
const ALGORITHMS: [(&str, Algorithm); 2] =
    [("token_bucket", Algorithm::TokenBucket), ("sliding_window", Algorithm::SlidingWindow)];
const FALLBACKS: [(&str, Fallback); 2] = [("open", Fallback::Open), ("closed", Fallback::Closed)];
