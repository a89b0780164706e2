//! How often, how soon, and out of which purse a call is tried again.

use std::num::NonZeroU32;
use std::time::Duration;

/// Tries again what did not land, or what may be repeated; see [`port::Fault::may_resend`].
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first one included. Default: 3. Limit: 100.
    pub max_attempts: NonZeroU32,
    /// The wait before the second attempt, before jitter. Default: 50 ms.
    pub initial: Duration,
    /// The same after the system asked for a pause without saying how long. Default: 1 s.
    pub initial_throttled: Duration,
    /// No computed wait is longer, jitter included. Default: 20 s.
    pub max: Duration,
    /// Each wait is this many times the one before. Default: 2. Limit: 1–10.
    pub multiplier: f64,
    /// How waits are spread, so that callers do not come back together. Default: full.
    pub jitter: Jitter,
    /// A `Retry-After` longer than this is not waited for here: the call ends, and the wait is handed to the
    /// caller. Default: 30 s.
    pub max_retry_after: Duration,
    /// What retries may cost while the system is failing. Default: see [`Budget`].
    pub budget: Budget,
}

impl Default for Retry {
    /// The standard mode of the AWS SDKs in its 2026 form (aws/aws-sdk-cpp issue 3832).
    fn default() -> Self {
        Self {
            max_attempts: NonZeroU32::MIN.saturating_add(2),
            initial: Duration::from_millis(50),
            initial_throttled: Duration::from_secs(1),
            max: Duration::from_secs(20),
            multiplier: 2.0,
            jitter: Jitter::Full,
            max_retry_after: Duration::from_secs(30),
            budget: Budget::default(),
        }
    }
}

/// How a computed wait is spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// Anything between nothing and the computed wait.
    Full,
    /// The computed wait, and up to this part of it more.
    Factor(f64),
    /// The computed wait, and up to this much more.
    UpTo(Duration),
    /// The computed wait. For tests and single callers only.
    None,
}

/// A purse of tokens that all callers of one system share: retries take out, successes pay in.
///
/// In an outage the purse empties and calls fail at once instead of multiplying the load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What the purse holds when full; it starts full. Default: 500. `0` means no retries at all.
    pub capacity: u32,
    /// What a retry costs; given back when that retry succeeds. Default: 14.
    pub cost: u32,
    /// What a retry costs after the system asked for a pause. Default: 5.
    pub cost_throttled: u32,
    /// What a success at the first attempt pays in. Default: 1.
    pub refund: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { capacity: 500, cost: 14, cost_throttled: 5, refund: 1 }
    }
}
