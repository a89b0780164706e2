//! One token bucket per principal. Knows no request; says only how long to wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::{Algorithm, Limit, Mode, Per, Tick, limit};
use parking_lot::Mutex;

use crate::{Limits, Principal};

/// Buckets kept; a full one is the same as none and is dropped first.
const MOST: usize = 10_000;
/// The longest that anybody is told to wait.
const LONGEST: Duration = Duration::from_secs(3600);

type Who = (Arc<str>, Arc<str>);

/// The buckets of everyone seen lately.
pub(crate) struct Buckets {
    rate: Option<Limit>,
    /// When the first was asked for; buckets count from there.
    base: Mutex<Option<Instant>>,
    buckets: Mutex<HashMap<Who, limit::Limit>>,
}

impl Buckets {
    pub(crate) fn new(limits: &Limits) -> Self {
        let rate = limits.rate.map(|rate| Limit {
            per: Per::System,
            capacity: rate.capacity,
            refill_per_second: rate.per_second,
            weight: 1,
            mode: Mode::Reject,
            algorithm: Algorithm::TokenBucket,
            shared: None,
        });
        Self { rate, base: Mutex::default(), buckets: Mutex::default() }
    }

    /// Takes one token, or says when there will be one.
    pub(crate) fn take(&self, who: &Principal, now: Instant) -> Result<(), Duration> {
        let Some(rate) = &self.rate else { return Ok(()) };
        let now = Tick::between(*self.base.lock().get_or_insert(now), now);
        let mut buckets = self.buckets.lock();
        let who = (who.tenant.clone(), who.subject.clone());
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| bucket.left(now) < rate.capacity);
        }
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            return Err(Duration::from_secs(1));
        }
        let bucket = buckets.entry(who).or_insert_with(|| limit::Limit::new(rate));
        bucket.take(now, now, None).map(drop).map_err(|late| late.retry_after.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;

    #[test]
    fn one_principal_waits_and_the_other_does_not() {
        let rate = Some(Rate { capacity: 2, per_second: 4.0 });
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
