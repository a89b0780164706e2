//! What travels with a call: who, why, until when, and the clock and dice to use.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{Clock, SystemClock, Witness};

/// Chance. Nothing below the wiring rolls its own dice.
pub trait Entropy: Send + Sync + 'static {
    /// 64 random bits.
    fn bits(&self) -> u64;

    /// A number in `0.0..1.0`.
    fn unit(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let mantissa = (self.bits() >> 11) as f64;
        mantissa / (1u64 << 53) as f64
    }
}

/// The process's own generator; not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u64 {
        fastrand::u64(..)
    }
}

/// A generator that repeats itself from its seed.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<fastrand::Rng>);

impl SeededEntropy {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn bits(&self) -> u64 {
        self.0.lock().u64(..)
    }
}

/// W3C Trace Context: 128-bit trace id, 64-bit span id, sampled or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Never zero.
    pub trace_id: u128,
    /// Never zero.
    pub span_id: u64,
    /// Whether the caller records this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// A new root.
    pub fn root(entropy: &dyn Entropy) -> Self {
        let trace_id = (u128::from(entropy.bits()) << 64 | u128::from(entropy.bits())).max(1);
        Self { trace_id, span_id: entropy.bits().max(1), sampled: true }
    }

    /// A child span of this one.
    #[must_use]
    pub fn child(self, entropy: &dyn Entropy) -> Self {
        Self { span_id: entropy.bits().max(1), ..self }
    }

    /// Reads a `traceparent` header of version 00. `None` when it is malformed or its ids are zero.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let shaped = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
        if !shaped || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        if ![version, trace, span, flags].into_iter().all(lower_hex) {
            return None;
        }
        let trace_id = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace_id, span_id, sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1 })
    }
}

impl fmt::Display for TraceContext {
    /// The `traceparent` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// What travels with a call.
#[derive(Clone)]
pub struct Ctx {
    /// The organisation on whose behalf; `default` without authentication.
    pub tenant: Arc<str>,
    /// Who caused it, as authenticated.
    pub principal: Option<Arc<str>>,
    /// One id for everything that one request set in motion.
    pub correlation: Arc<str>,
    /// What directly caused this: an act id, a run and step.
    pub causation: Option<Arc<str>>,
    /// The trace to continue.
    pub trace: TraceContext,
    /// Nothing may start after this and every wait ends by it.
    pub deadline: Option<Instant>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Who must know which member of a group is asked, before it is; `None` when nobody does.
    pub witness: Option<Arc<dyn Witness>>,
    /// Whether only what is true now will do, as for whoever must know whether a call landed: no answer kept from before.
    pub fresh: bool,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub entropy: Arc<dyn Entropy>,
}

impl Ctx {
    /// A fresh context for `tenant`, with the machine's clocks and dice and a new trace.
    pub fn new(tenant: impl Into<Arc<str>>, correlation: impl Into<Arc<str>>) -> Self {
        Self::held(tenant, correlation, Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// A fresh context with the given clock and dice.
    pub fn held(
        tenant: impl Into<Arc<str>>,
        correlation: impl Into<Arc<str>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            tenant: tenant.into(),
            principal: None,
            correlation: correlation.into(),
            causation: None,
            trace: TraceContext::root(&*entropy),
            deadline: None,
            attempt: 1,
            witness: None,
            fresh: false,
            clock,
            entropy,
        }
    }

    /// How long until the deadline; `None` without one; zero when it has passed.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(self.clock.instant()))
    }

    /// The same context, ending no later than `limit` from now.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        let ours = self.clock.instant() + limit;
        let deadline = self.deadline.map_or(ours, |theirs| theirs.min(ours));
        Self { deadline: Some(deadline), ..self.clone() }
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("tenant", &self.tenant)
            .field("correlation", &self.correlation)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
