//! One token bucket per principal. Knows no request; says only how long to wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{Limits, Principal};

/// Buckets kept; a full one is the same as none and is dropped first.
const MOST: usize = 10_000;

type Who = (Arc<str>, Arc<str>);

/// The buckets of everyone seen lately.
pub(crate) struct Buckets {
    rate: Option<crate::Rate>,
    buckets: Mutex<HashMap<Who, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { rate: limits.rate, buckets: Mutex::default() }
    }

    /// Takes one token, or says when there will be one.
    pub(crate) fn take(&self, who: &Principal, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let refilled = |bucket: &Bucket| {
            let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.tokens + passed * rate.per_second).min(rate.capacity)
        };
        let mut buckets = self.buckets.lock();
        let who = (who.tenant.clone(), who.subject.clone());
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| refilled(bucket) < rate.capacity);
        }
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            return Err(Duration::from_secs(1));
        }
        let bucket = buckets.entry(who).or_insert(Bucket { tokens: rate.capacity, at: now });
        *bucket = Bucket { tokens: refilled(bucket), at: now };
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64(
                ((1.0 - bucket.tokens) / rate.per_second.max(1e-3)).min(3600.0),
            ));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;

    #[test]
    fn one_principal_waits_and_the_other_does_not() {
        let rate = Some(Rate { capacity: 2.0, per_second: 4.0 });
        let buckets = Buckets::new(&Limits { rate, ..Limits::default() });
        let ada = Principal::local();
        let bob = Principal { subject: "bob".into(), ..Principal::local() };
        let now = port::Clock::instant(&port::SystemClock);
        assert_eq!((buckets.take(&ada, now), buckets.take(&ada, now)), (Ok(()), Ok(())));
        assert_eq!(buckets.take(&ada, now), Err(Duration::from_millis(250)));
        assert_eq!(buckets.take(&bob, now), Ok(()));
        assert_eq!(buckets.take(&ada, now + Duration::from_millis(250)), Ok(()));
    }
}
