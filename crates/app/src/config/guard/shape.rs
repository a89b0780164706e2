//! What may be written.

use diag::{Field, Shape};
use guard::Class;
use port::Kind;

use super::{ALGORITHMS, FALLBACKS, PERS, PRIORITIES};

/// The keys of `guard:` and of a profile.
pub(in crate::config) fn fields() -> Vec<Field> {
    vec![
        Field::new("deadline", Shape::duration()).doc("the longest a whole call may take, retries included"),
        Field::new("attempt_timeout", Shape::duration()).doc("the longest one attempt may take"),
        Field::new("priority", words(&PRIORITIES)).doc("who goes first when calls wait for a place"),
        Field::new("retry", Shape::lazy("retry", retry))
            .doc("how often, how soon and out of which purse a call is tried again"),
        Field::new("breaker", or_off(Shape::lazy("breaker", breaker)))
            .doc("when to stop asking a system that does not answer"),
        Field::new("bulkhead", or_off(Shape::lazy("bulkhead", bulkhead)))
            .doc("how many calls may be out at once"),
        Field::new("limit", or_off(Shape::lazy("limit", limit))).doc("how many calls may start per second"),
        Field::new("hedge", or_off(Shape::lazy("hedge", hedge))).doc("a second copy of a slow, safe call"),
        Field::new("classify", Shape::lazy("classify", classify))
            .doc("which faults count for or against the system, where that differs from the usual"),
        Field::new("cache", or_off(Shape::lazy("cache", cache)))
            .doc("answers to safe operations that may be used again"),
    ]
}

fn count() -> Shape {
    Shape::int(0..=i64::from(u32::MAX))
}

fn positive() -> Shape {
    Shape::int(1..=i64::from(u32::MAX))
}

fn percent() -> Shape {
    Shape::int(1..=100)
}

fn or_off(shape: Shape) -> Shape {
    Shape::one_of([shape, Shape::choice(["off"])])
}

fn words<T>(pairs: &[(&'static str, T)]) -> Shape {
    Shape::choice(pairs.iter().map(|(word, _)| *word))
}

fn retry() -> Shape {
    let jitter = Shape::one_of([
        Shape::choice(["full", "none"]),
        Shape::object([Field::new("factor", Shape::number(0.0..=1.0)).required()]),
        Shape::object([Field::new("up_to", Shape::duration()).required()]),
    ]);
    let budget = Shape::object([
        Field::new("capacity", count()).doc("what the purse holds when full; 0 means no retries"),
        Field::new("cost", count()).doc("what a retry costs"),
        Field::new("cost_throttled", count()).doc("what a retry costs after the system asked for a pause"),
        Field::new("refund", count()).doc("what a success at the first attempt pays in"),
    ]);
    Shape::object([
        Field::new("max_attempts", Shape::int(1..=100)).doc("attempts in all, the first one included"),
        Field::new("initial", Shape::duration()).doc("the wait before the second attempt"),
        Field::new("initial_throttled", Shape::duration()).doc("the same after the system asked for a pause"),
        Field::new("max", Shape::duration()).doc("no computed wait is longer"),
        Field::new("multiplier", Shape::number(1.0..=10.0))
            .doc("each wait is this many times the one before"),
        Field::new("jitter", jitter).doc("how waits are spread, so that callers do not come back together"),
        Field::new("max_retry_after", Shape::duration()).doc("a longer `Retry-After` ends the call"),
        Field::new("budget", budget).doc("what retries may cost while the system is failing"),
    ])
}

fn breaker() -> Shape {
    let window = Shape::one_of([
        Shape::duration(),
        Shape::object([Field::new("calls", Shape::int(1..=512)).required().doc("the last so many calls")]),
    ]);
    let error_rate = Shape::object([
        Field::new("percent", percent()).doc("opens at this share of failures"),
        Field::new("window", window).doc("which calls are the latest"),
        Field::new("buckets", Shape::int(1..=16)).doc("in how many steps a time window forgets"),
        Field::new("min_calls", Shape::int(1..=65_535)).doc("no judgement on fewer calls"),
    ]);
    let slow = Shape::object([
        Field::new("percent", percent()).required().doc("opens at this share of slow calls"),
        Field::new("over", Shape::duration()).required().doc("a call is slow when it took longer"),
    ]);
    let half_open = Shape::object([
        Field::new("permits", Shape::int(1..=500)).doc("at most this many probes are out at once"),
        Field::new("success_threshold", Shape::int(1..=500)).doc("closes after this many successful probes"),
        Field::new("failure_percent", Shape::int(0..=100))
            .doc("opens again above this share of failed probes"),
        Field::new("max_wait", Shape::duration())
            .doc("opens again when probes that are out have not come back by then"),
    ]);
    Shape::object([
        Field::new("per", words(&PERS)).doc("one breaker per what"),
        Field::new("consecutive_failures", or_off(positive())).doc("opens after this many failures in a row"),
        Field::new("error_rate", or_off(error_rate)).doc("opens when too many of the latest calls failed"),
        Field::new("slow", or_off(slow)).doc("opens when too many of the latest calls were slow"),
        Field::new("open_for", Shape::duration()).doc("how long it stays open the first time"),
        Field::new("open_multiplier", Shape::number(1.0..=10.0))
            .doc("how much longer it stays open each time"),
        Field::new("max_open", Shape::duration()).doc("the longest it stays open"),
        Field::new("open_jitter", Shape::number(0.0..=1.0)).doc("the part of the open time added by chance"),
        Field::new("half_open", half_open).doc("how the system is asked again"),
        Field::new("max_keys", positive())
            .doc("most keys kept when something is kept per tenant, model or operation"),
    ])
}

fn bulkhead() -> Shape {
    let adaptive = Shape::object([
        Field::new("min", positive()).doc("never fewer"),
        Field::new("initial", positive()).doc("where it starts"),
        Field::new("tolerance", Shape::number(1.0..=10.0)).doc("how much slower an answer may be"),
    ]);
    Shape::object([
        Field::new("per", words(&PERS))
            .doc("one bulkhead per what; per system, or as the breaker and the limit"),
        Field::new("max_in_flight", Shape::int(1..=65_535)).doc("calls out at once"),
        Field::new("queue", Shape::int(0..=65_535)).doc("calls waiting for a place; 0 rejects at once"),
        Field::new("max_wait", Shape::duration()).doc("the longest a call waits for a place"),
        Field::new("adaptive", or_off(adaptive)).doc("finds the right number by watching answer times"),
    ])
}

fn limit() -> Shape {
    let mode = Shape::one_of([
        Shape::choice(["reject"]),
        Shape::object([Field::new("wait", Shape::duration())
            .required()
            .doc("wait for a turn, at most this long")]),
    ]);
    Shape::object([
        Field::new("per", words(&PERS))
            .doc("one limit per what; per system, or as the breaker and the bulkhead"),
        Field::new("capacity", Shape::int(1..=100_000)).doc("calls that may start at once"),
        Field::new("refill_per_second", Shape::number(0.000_001..=1_000_000.0))
            .doc("calls per second in the long run"),
        Field::new("weight", positive()).doc("what one call takes"),
        Field::new("mode", mode).doc("what happens when nothing is left"),
        Field::new("algorithm", words(&ALGORITHMS)).doc("how calls are counted"),
        Field::new("shared", or_off(shared())).doc("one count over all nodes"),
    ])
}

fn shared() -> Shape {
    let of = Field::new("of", positive()).required().doc("nodes in all");
    let share = Field::new("local_share", Shape::object([of])).required();
    let fallback = Shape::one_of([
        Shape::choice(FALLBACKS.map(|(word, _)| word)),
        Shape::object([share.doc("each node keeps to its part of the rate")]),
    ]);
    Shape::object([
        Field::new("store", Shape::text()).required().doc("one of `limit_stores`"),
        Field::new("fallback", fallback).required().doc("what applies while the store is away"),
    ])
}

fn classify() -> Shape {
    let signs = || {
        let kinds = Kind::ALL.into_iter().map(Kind::as_str);
        Shape::list(Shape::one_of([Shape::choice(kinds), Shape::int(1..=599)]))
    };
    Shape::object([
        Field::new(Class::Failure.as_str(), signs())
            .doc("counts against the system: kinds of fault, HTTP statuses, gRPC codes"),
        Field::new(Class::Neutral.as_str(), signs()).doc("says nothing about the system"),
        Field::new(Class::Throttle.as_str(), signs())
            .doc("pauses the calls as long as `Retry-After` says, and does not open the breaker"),
    ])
}

fn hedge() -> Shape {
    Shape::object([
        Field::new("after", Shape::duration())
            .required()
            .doc("how long to wait for one copy before the next"),
        Field::new("max", Shape::int(2..=5)).default(2).doc("copies in all"),
    ])
}

fn cache() -> Shape {
    Shape::object([
        Field::new("ttl", Shape::duration()).required().doc("how long an answer is fresh"),
        Field::new("stale", Shape::duration())
            .default("0s")
            .doc("how much longer it serves while the system is away"),
        Field::new("entries", positive()).default(1000).doc("most answers kept"),
    ])
}
