//! A policy as a list of names and values.

use std::time::Duration;

use crate::backoff;
use crate::policy::{
    Algorithm, Breaker, Bulkhead, Class, Classify, Fallback, Jitter, Limit, Mode, Policy, Priority, Retry,
    Shared, Window,
};

/// One number in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The key, dotted, as it is written in the configuration.
    pub name: &'static str,
    /// Its value, as it is written; `off` for a stage that is left out.
    pub value: String,
    /// Where it was said.
    pub origin: String,
}

impl Number {
    pub(super) fn says_the_same_as(&self, other: &Number) -> bool {
        self.name == other.name && self.value == other.value
    }
}

struct List<'a> {
    origin: &'a str,
    numbers: Vec<Number>,
}

impl List<'_> {
    fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.numbers.push(Number { name, value: value.into(), origin: self.origin.to_owned() });
    }
}

/// Every number of the policy, in the order of the stages.
pub(super) fn flatten(policy: &Policy, origin: &str) -> Vec<Number> {
    let mut list = List { origin, numbers: Vec::new() };
    list.add("deadline", policy.deadline.map_or("the caller's".into(), human));
    list.retry(&policy.retry);
    if let Some(hedge) = &policy.hedge {
        list.add("hedge.after", human(hedge.after));
        list.add("hedge.max", hedge.max.to_string());
    }
    match &policy.breaker {
        Some(breaker) => list.breaker(breaker),
        None => list.add("breaker", "off"),
    }
    match &policy.bulkhead {
        Some(bulkhead) => list.bulkhead(bulkhead, policy.priority),
        None => list.add("bulkhead", "off"),
    }
    match &policy.limit {
        Some(limit) => list.limit(limit),
        None => list.add("limit", "off"),
    }
    list.add("attempt_timeout", human(policy.attempt_timeout));
    list.classify(&policy.classify);
    if let Some(cache) = &policy.cache {
        list.add("cache.ttl", human(cache.ttl));
        list.add("cache.stale", human(cache.stale));
        list.add("cache.entries", cache.entries.to_string());
    }
    list.numbers
}

impl List<'_> {
    fn retry(&mut self, retry: &Retry) {
        self.add("retry.max_attempts", retry.max_attempts.to_string());
        self.add("retry.initial", human(retry.initial));
        self.add("retry.initial_throttled", human(retry.initial_throttled));
        self.add("retry.max", human(retry.max));
        self.add("retry.multiplier", retry.multiplier.to_string());
        self.add("retry.jitter", jitter(retry.jitter));
        self.add("retry.max_retry_after", human(retry.max_retry_after));
        self.add("retry.budget.capacity", retry.budget.capacity.to_string());
        self.add("retry.budget.cost", retry.budget.cost.to_string());
        self.add("retry.budget.cost_throttled", retry.budget.cost_throttled.to_string());
        self.add("retry.budget.refund", retry.budget.refund.to_string());
    }

    fn breaker(&mut self, breaker: &Breaker) {
        self.add("breaker.per", breaker.per.as_str());
        let off = || "off".to_owned();
        let streak = breaker.consecutive_failures;
        self.add("breaker.consecutive_failures", streak.map_or_else(off, |failures| failures.to_string()));
        match &breaker.error_rate {
            Some(rate) => {
                self.add("breaker.error_rate.percent", rate.percent.to_string());
                self.add("breaker.error_rate.window", window(&rate.window));
                self.add("breaker.error_rate.min_calls", rate.min_calls.to_string());
            }
            None => self.add("breaker.error_rate", "off"),
        }
        if let Some(slow) = &breaker.slow {
            self.add("breaker.slow.percent", slow.percent.to_string());
            self.add("breaker.slow.over", human(slow.over));
        }
        self.add("breaker.open_for", human(breaker.open_for));
        self.add("breaker.open_multiplier", rounded(breaker.open_multiplier));
        self.add("breaker.max_open", human(breaker.max_open));
        self.add("breaker.open_jitter", rounded(breaker.open_jitter));
        self.add("breaker.half_open.permits", breaker.half_open.permits.to_string());
        self.add("breaker.half_open.success_threshold", breaker.half_open.success_threshold.to_string());
        self.add("breaker.half_open.failure_percent", breaker.half_open.failure_percent.to_string());
        self.add("breaker.half_open.max_wait", human(breaker.half_open.max_wait));
        self.add("breaker.max_keys", breaker.max_keys.to_string());
    }

    fn bulkhead(&mut self, bulkhead: &Bulkhead, priority: Priority) {
        self.add("bulkhead.per", bulkhead.per.as_str());
        self.add("bulkhead.max_in_flight", bulkhead.max_in_flight.to_string());
        self.add("bulkhead.queue", bulkhead.queue.to_string());
        self.add("bulkhead.max_wait", human(bulkhead.max_wait));
        if let Some(adaptive) = &bulkhead.adaptive {
            self.add("bulkhead.adaptive.min", adaptive.min.to_string());
            self.add("bulkhead.adaptive.initial", adaptive.initial.to_string());
            self.add("bulkhead.adaptive.tolerance", rounded(adaptive.tolerance));
        }
        self.add("priority", format!("{priority:?}").to_lowercase());
    }

    fn classify(&mut self, classify: &Classify) {
        for class in Class::ALL {
            let name = match class {
                Class::Failure => "classify.failure",
                Class::Neutral => "classify.neutral",
                Class::Throttle => "classify.throttle",
            };
            let signs = classify.written(class);
            if !signs.is_empty() {
                self.add(name, signs);
            }
        }
    }

    fn limit(&mut self, limit: &Limit) {
        self.add("limit.per", limit.per.as_str());
        self.add("limit.capacity", limit.capacity.to_string());
        self.add("limit.refill_per_second", rounded(limit.refill_per_second));
        self.add("limit.weight", limit.weight.to_string());
        let mode = match limit.mode {
            Mode::Wait { max_wait } => format!("wait {}", human(max_wait)),
            Mode::Reject => "reject".to_owned(),
        };
        self.add("limit.mode", mode);
        let algorithm = match limit.algorithm {
            Algorithm::TokenBucket => "token_bucket",
            Algorithm::SlidingWindow => "sliding_window",
        };
        self.add("limit.algorithm", algorithm);
        if let Some(Shared { store, fallback }) = &limit.shared {
            self.add("limit.shared.store", store.to_string());
            let decided = match fallback {
                Fallback::LocalShare { of } => format!("local_share of {of}"),
                Fallback::Open | Fallback::Closed => fallback.as_str().to_owned(),
            };
            self.add("limit.shared.fallback", decided);
        }
    }
}

fn jitter(jitter: Jitter) -> String {
    match jitter {
        Jitter::Full => "full".into(),
        Jitter::Factor(factor) => format!("up to {} % more", rounded(factor * 100.0)),
        Jitter::UpTo(most) => format!("up to {} more", human(most)),
        Jitter::None => "none".into(),
    }
}

fn window(window: &Window) -> String {
    match window {
        Window::Calls(calls) => format!("{calls} calls"),
        Window::Time { length, buckets } => format!("{} in {buckets} buckets", human(*length)),
    }
}

/// The longest wait before attempt `next`: the computed one, or as long as the system may ask for.
pub(super) fn longest_wait(policy: &Policy, next: u32) -> Duration {
    backoff::longest(&policy.retry, next).max(policy.retry.max_retry_after)
}

/// A duration as people write it: `250ms`, `1.1s`, `2m7s`, `1h`.
pub(crate) fn human(span: Duration) -> String {
    let (seconds, millis) = (span.as_secs(), span.subsec_millis());
    let whole = if millis >= 500 { seconds + 1 } else { seconds };
    match seconds {
        0 if millis == 0 => "0s".into(),
        0 => format!("{millis}ms"),
        1..60 => format!("{}s", rounded(span.as_secs_f64())),
        60..3_600 => join(&[(whole / 60, "m"), (whole % 60, "s")]),
        _ => join(&[(whole / 3_600, "h"), (whole % 3_600 / 60, "m"), (whole % 60, "s")]),
    }
}

fn join(parts: &[(u64, &str)]) -> String {
    let written = parts.iter().filter(|(number, _)| *number > 0);
    written.map(|(number, unit)| format!("{number}{unit}")).collect()
}

/// At most two places, without zeros at the end.
fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
