//! Numbers that cannot go together, found before anything is built.

use std::time::Duration;

use super::{
    Algorithm, Breaker, Bulkhead, Classify, Fallback, HalfOpen, Jitter, Limit, Mode, Per, Policy, Window,
};

/// What waits longer than this is not a guard's business.
const LONGEST: Duration = Duration::from_secs(86_400);

/// A number, or a pair of numbers, that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The key, dotted (`limit.weight`).
    pub at: &'static str,
    /// What is wrong and what would be right; reads after a colon.
    pub message: String,
}

impl Policy {
    /// Finds every number that cannot be used. Empty for every built-in profile.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = Findings(Vec::new());
        found.retry(self);
        self.breaker.iter().for_each(|breaker| found.breaker(breaker));
        self.bulkhead.iter().for_each(|bulkhead| found.bulkhead(bulkhead));
        self.limit.iter().for_each(|limit| found.limit(limit));
        found.pers(self);
        found.times(self);
        found.classify(&self.classify);
        found.0
    }
}

struct Findings(Vec<Conflict>);

impl Findings {
    fn unless(&mut self, right: bool, at: &'static str, message: impl FnOnce() -> String) {
        if !right {
            self.0.push(Conflict { at, message: message() });
        }
    }

    fn retry(&mut self, policy: &Policy) {
        let retry = &policy.retry;
        let attempts = retry.max_attempts.get();
        self.unless(attempts <= 100, "retry.max_attempts", || format!("{attempts} attempts; at most 100"));
        let multiplier = retry.multiplier;
        self.unless((1.0..=10.0).contains(&multiplier), "retry.multiplier", || {
            format!("{multiplier} is outside 1 to 10")
        });
        self.unless(retry.initial <= retry.max, "retry.initial", || {
            format!("the first wait of {:?} is longer than the longest, {:?}", retry.initial, retry.max)
        });
        let spread = match retry.jitter {
            Jitter::Factor(factor) => (0.0..=1.0).contains(&factor),
            Jitter::UpTo(most) => most <= LONGEST,
            Jitter::Full | Jitter::None => true,
        };
        self.unless(spread, "retry.jitter", || "a factor is 0 to 1, an addition at most 24h".into());
        self.unless(retry.max <= LONGEST, "retry.max", || format!("{:?} is longer than 24h", retry.max));
        let budget = &retry.budget;
        let affordable = budget.capacity == 0 || budget.cost.max(budget.cost_throttled) <= budget.capacity;
        self.unless(affordable, "retry.budget.cost", || {
            format!(
                "a retry costs more than the whole budget of {}; it could never be tried",
                budget.capacity
            )
        });
    }

    /// A call has one lane, so it has one key.
    fn pers(&mut self, policy: &Policy) {
        let one = policy.per();
        for (at, per) in policy.pers() {
            self.unless(per == Per::System || per == one, at, || {
                let (per, one) = (per.as_str(), one.as_str());
                format!("another stage is per {one}; this one is per {one} too, or per system, not per {per}")
            });
        }
    }

    fn breaker(&mut self, breaker: &Breaker) {
        let trips = breaker.consecutive_failures.is_some() || breaker.error_rate.is_some();
        self.unless(trips, "breaker", || "nothing opens it; give consecutive_failures or error_rate".into());
        self.unless(breaker.slow.is_none() || breaker.error_rate.is_some(), "breaker.slow", || {
            "slow calls are counted over the window of error_rate, which is missing".into()
        });
        if let Some(rate) = &breaker.error_rate {
            self.window(&rate.window, rate.min_calls.get());
            self.percent("breaker.error_rate.percent", rate.percent);
        }
        if let Some(slow) = &breaker.slow {
            self.percent("breaker.slow.percent", slow.percent);
        }
        self.unless(breaker.open_for <= breaker.max_open, "breaker.open_for", || {
            format!("{:?} is longer than max_open, {:?}", breaker.open_for, breaker.max_open)
        });
        self.unless(breaker.open_for >= Duration::from_millis(1), "breaker.open_for", || {
            "less than 1ms".into()
        });
        self.unless((1.0..=10.0).contains(&breaker.open_multiplier), "breaker.open_multiplier", || {
            format!("{} is outside 1 to 10", breaker.open_multiplier)
        });
        self.unless((0.0..=1.0).contains(&breaker.open_jitter), "breaker.open_jitter", || {
            format!("{} is outside 0 to 1", breaker.open_jitter)
        });
        self.unless(breaker.max_open <= LONGEST, "breaker.max_open", || {
            format!("{:?} is longer than 24h", breaker.max_open)
        });
        self.half_open(&breaker.half_open);
    }

    fn half_open(&mut self, probes: &HalfOpen) {
        self.unless(probes.failure_percent <= 100, "breaker.half_open.failure_percent", || {
            format!("{} is more than 100", probes.failure_percent)
        });
        self.unless((1..=500).contains(&probes.permits), "breaker.half_open.permits", || {
            format!("{} is outside 1 to 500", probes.permits)
        });
        self.unless(
            (1..=500).contains(&probes.success_threshold),
            "breaker.half_open.success_threshold",
            || format!("{} is outside 1 to 500", probes.success_threshold),
        );
        self.unless(probes.max_wait >= Duration::from_millis(1), "breaker.half_open.max_wait", || {
            "less than 1ms".into()
        });
    }

    fn window(&mut self, window: &Window, min_calls: u32) {
        match window {
            Window::Calls(calls) => {
                self.unless((1..=512).contains(calls), "breaker.error_rate.window", || {
                    format!("{calls} calls is outside 1 to 512; use a time window for more")
                });
                self.unless(min_calls <= *calls, "breaker.error_rate.min_calls", || {
                    format!("{min_calls} calls never fit a window of {calls}")
                });
            }
            Window::Time { length, buckets } => {
                self.unless((1..=16).contains(buckets), "breaker.error_rate.buckets", || {
                    format!("{buckets} is outside 1 to 16")
                });
                let step = *length / u32::from((*buckets).max(1));
                self.unless(step >= Duration::from_millis(10), "breaker.error_rate.window", || {
                    format!("a bucket of {step:?} is too short; at least 10ms each")
                });
                self.unless(min_calls <= 65_535, "breaker.error_rate.min_calls", || {
                    format!("{min_calls} is more than 65535")
                });
            }
        }
    }

    fn percent(&mut self, at: &'static str, percent: u8) {
        self.unless((1..=100).contains(&percent), at, || format!("{percent} is outside 1 to 100"));
    }

    fn bulkhead(&mut self, bulkhead: &Bulkhead) {
        let max = bulkhead.max_in_flight;
        self.unless((1..=65_535).contains(&max), "bulkhead.max_in_flight", || {
            format!("{max} is outside 1 to 65535")
        });
        self.unless(bulkhead.queue <= 65_535, "bulkhead.queue", || {
            format!("{} is more than 65535", bulkhead.queue)
        });
        if let Some(adaptive) = &bulkhead.adaptive {
            self.unless(adaptive.tolerance >= 1.0, "bulkhead.adaptive.tolerance", || {
                format!("{} is less than 1: it would shrink for ever", adaptive.tolerance)
            });
            let ordered = 1 <= adaptive.min && adaptive.min <= adaptive.initial && adaptive.initial <= max;
            self.unless(ordered, "bulkhead.adaptive", || {
                let (min, initial) = (adaptive.min, adaptive.initial);
                format!("needs 1 <= min <= initial <= max_in_flight, has {min}, {initial}, {max}")
            });
        }
    }

    fn limit(&mut self, limit: &Limit) {
        let most = if limit.algorithm == Algorithm::SlidingWindow { 10_000 } else { 100_000 };
        self.unless((1..=most).contains(&limit.capacity), "limit.capacity", || {
            format!("{} is outside 1 to {most}", limit.capacity)
        });
        let (weight, capacity) = (limit.weight, limit.capacity);
        self.unless((1..=capacity).contains(&weight), "limit.weight", || {
            format!("a call that takes {weight} never fits a capacity of {capacity}")
        });
        let rate = limit.refill_per_second;
        self.unless(rate > 0.0 && rate <= 1_000_000.0, "limit.refill_per_second", || {
            format!("{rate} is outside 0 to 1000000")
        });
        if let Mode::Wait { max_wait } = limit.mode {
            self.unless(max_wait <= Duration::from_secs(3_600), "limit.mode.max_wait", || {
                format!("{max_wait:?} is longer than 1h")
            });
        }
        self.shared(limit);
    }

    fn shared(&mut self, limit: &Limit) {
        let Some(shared) = &limit.shared else { return };
        let (capacity, weight) = (limit.capacity, limit.weight);
        let small = limit.algorithm == Algorithm::TokenBucket || capacity <= 1_000;
        self.unless(small, "limit.capacity", || {
            format!(
                "a shared sliding window keeps every turn; {capacity} is more than 1000, use a token bucket"
            )
        });
        if let Fallback::LocalShare { of } = shared.fallback {
            self.unless(weight <= capacity / of, "limit.shared.fallback.local_share", || {
                format!("a call that takes {weight} never fits one part in {of} of {capacity}")
            });
        }
    }

    fn classify(&mut self, classify: &Classify) {
        let Some((sign, one, other)) = classify.contradiction() else { return };
        let (one, other) = (one.as_str(), other.as_str());
        self.unless(false, "classify", || format!("{sign} is in `{one}` and in `{other}`; keep one"));
    }

    fn times(&mut self, policy: &Policy) {
        let attempt = policy.attempt_timeout;
        self.unless(!attempt.is_zero(), "attempt_timeout", || "no attempt can finish in no time".into());
        self.unless(attempt <= LONGEST, "attempt_timeout", || format!("{attempt:?} is longer than 24h"));
        if let Some(deadline) = policy.deadline {
            self.unless(attempt <= deadline, "attempt_timeout", || {
                format!("{attempt:?} is longer than the deadline of the whole call, {deadline:?}")
            });
        }
        if let Some(hedge) = &policy.hedge {
            self.unless((2..=5).contains(&hedge.max), "hedge.max", || {
                format!("{} is outside 2 to 5", hedge.max)
            });
            self.unless(hedge.after < attempt, "hedge.after", || {
                format!("{:?} is not shorter than attempt_timeout, {attempt:?}", hedge.after)
            });
        }
    }
}
