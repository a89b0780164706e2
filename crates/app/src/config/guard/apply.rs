//! How what is written changes the policy it starts from.

use std::num::NonZeroU32;
use std::time::Duration;

use diag::Node;
use guard::{
    Adaptive, Algorithm, Breaker, Budget, Bulkhead, Cache, Class, Classify, ErrorRate, Fallback, HalfOpen,
    Hedge, Jitter, Limit, Mode, Per, Policy, Retry, Shared, Sign, Slow, Window,
};
use port::Kind;

use super::{ALGORITHMS, FALLBACKS, PERS, PRIORITIES};

/// Changes `policy` where `node` says so. What cannot be read was reported by the shape and is left as it was.
pub(in crate::config) fn apply(policy: &mut Policy, node: &Node) {
    set(&mut policy.deadline, node, "deadline", |node| node.duration().map(Some));
    set(&mut policy.attempt_timeout, node, "attempt_timeout", Node::duration);
    set(&mut policy.priority, node, "priority", |node| word(node, &PRIORITIES));
    node.get("retry").inspect(|node| retry(&mut policy.retry, node));
    stage(&mut policy.breaker, node, "breaker", || Some(Breaker::default()), breaker);
    stage(&mut policy.bulkhead, node, "bulkhead", || Some(Bulkhead::default()), bulkhead);
    stage(&mut policy.limit, node, "limit", || node.get("limit").and_then(new_limit), limit);
    set(&mut policy.hedge, node, "hedge", hedge);
    node.get("classify").inspect(|node| classify(&mut policy.classify, node));
    set(&mut policy.cache, node, "cache", cache);
}

fn set<T>(target: &mut T, node: &Node, key: &str, read: impl FnOnce(&Node) -> Option<T>) {
    if let Some(value) = node.get(key).and_then(read) {
        *target = value;
    }
}

/// A stage that `off` leaves out and that starts from `fresh` where the policy had none.
fn stage<T>(
    target: &mut Option<T>,
    node: &Node,
    key: &str,
    fresh: impl FnOnce() -> Option<T>,
    change: impl FnOnce(&mut T, &Node),
) {
    let Some(node) = node.get(key) else { return };
    if is_off(node) {
        *target = None;
        return;
    }
    if target.is_none() {
        *target = fresh();
    }
    if let Some(value) = target {
        change(value, node);
    }
}

fn is_off(node: &Node) -> bool {
    node.text() == Some("off")
}

fn word<T: Copy>(node: &Node, pairs: &[(&str, T)]) -> Option<T> {
    let text = node.text()?;
    pairs.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}

fn u32(node: &Node) -> Option<u32> {
    node.u64().and_then(|value| u32::try_from(value).ok())
}

fn u8(node: &Node) -> Option<u8> {
    node.u64().and_then(|value| u8::try_from(value).ok())
}

fn nonzero(node: &Node) -> Option<NonZeroU32> {
    u32(node).and_then(NonZeroU32::new)
}

fn retry(retry: &mut Retry, node: &Node) {
    set(&mut retry.max_attempts, node, "max_attempts", nonzero);
    set(&mut retry.initial, node, "initial", Node::duration);
    set(&mut retry.initial_throttled, node, "initial_throttled", Node::duration);
    set(&mut retry.max, node, "max", Node::duration);
    set(&mut retry.multiplier, node, "multiplier", Node::f64);
    set(&mut retry.jitter, node, "jitter", jitter);
    set(&mut retry.max_retry_after, node, "max_retry_after", Node::duration);
    node.get("budget").inspect(|node| budget(&mut retry.budget, node));
}

fn jitter(node: &Node) -> Option<Jitter> {
    match node.text() {
        Some("full") => Some(Jitter::Full),
        Some("none") => Some(Jitter::None),
        _ => match node.get("factor") {
            Some(factor) => factor.f64().map(Jitter::Factor),
            None => node.get("up_to")?.duration().map(Jitter::UpTo),
        },
    }
}

fn budget(budget: &mut Budget, node: &Node) {
    set(&mut budget.capacity, node, "capacity", u32);
    set(&mut budget.cost, node, "cost", u32);
    set(&mut budget.cost_throttled, node, "cost_throttled", u32);
    set(&mut budget.refund, node, "refund", u32);
}

fn breaker(breaker: &mut Breaker, node: &Node) {
    set(&mut breaker.per, node, "per", |node| word(node, &PERS));
    stage(
        &mut breaker.consecutive_failures,
        node,
        "consecutive_failures",
        || Some(NonZeroU32::MIN),
        |count, node| {
            *count = nonzero(node).unwrap_or(*count);
        },
    );
    stage(&mut breaker.error_rate, node, "error_rate", || Some(ErrorRate::default()), error_rate);
    set(&mut breaker.slow, node, "slow", slow);
    set(&mut breaker.open_for, node, "open_for", Node::duration);
    set(&mut breaker.open_multiplier, node, "open_multiplier", Node::f64);
    set(&mut breaker.max_open, node, "max_open", Node::duration);
    set(&mut breaker.open_jitter, node, "open_jitter", Node::f64);
    node.get("half_open").inspect(|node| half_open(&mut breaker.half_open, node));
    set(&mut breaker.max_keys, node, "max_keys", u32);
}

fn error_rate(rate: &mut ErrorRate, node: &Node) {
    set(&mut rate.percent, node, "percent", u8);
    set(&mut rate.min_calls, node, "min_calls", nonzero);
    set(&mut rate.window, node, "window", |node| match node.get("calls") {
        Some(calls) => u32(calls).map(Window::Calls),
        None => node.duration().map(|length| Window::Time { length, buckets: 10 }),
    });
    if let Window::Time { buckets, .. } = &mut rate.window {
        set(buckets, node, "buckets", u8);
    }
}

fn slow(node: &Node) -> Option<Option<Slow>> {
    if is_off(node) {
        return Some(None);
    }
    Some(Some(Slow { percent: u8(node.get("percent")?)?, over: node.get("over")?.duration()? }))
}

fn half_open(half_open: &mut HalfOpen, node: &Node) {
    set(&mut half_open.permits, node, "permits", u32);
    set(&mut half_open.success_threshold, node, "success_threshold", u32);
    set(&mut half_open.failure_percent, node, "failure_percent", u8);
    set(&mut half_open.max_wait, node, "max_wait", Node::duration);
}

fn bulkhead(bulkhead: &mut Bulkhead, node: &Node) {
    set(&mut bulkhead.per, node, "per", |node| word(node, &PERS));
    set(&mut bulkhead.max_in_flight, node, "max_in_flight", u32);
    set(&mut bulkhead.queue, node, "queue", u32);
    set(&mut bulkhead.max_wait, node, "max_wait", Node::duration);
    stage(
        &mut bulkhead.adaptive,
        node,
        "adaptive",
        || Some(Adaptive::default()),
        |adaptive, node| {
            set(&mut adaptive.min, node, "min", u32);
            set(&mut adaptive.initial, node, "initial", u32);
            set(&mut adaptive.tolerance, node, "tolerance", Node::f64);
        },
    );
}

/// A limit where the profile has none: both numbers must be there.
fn new_limit(node: &Node) -> Option<Limit> {
    Some(Limit {
        per: Per::System,
        capacity: u32(node.get("capacity")?)?,
        refill_per_second: node.get("refill_per_second")?.f64()?,
        weight: 1,
        mode: Mode::Reject,
        algorithm: Algorithm::TokenBucket,
        shared: None,
    })
}

fn limit(limit: &mut Limit, node: &Node) {
    set(&mut limit.per, node, "per", |node| word(node, &PERS));
    set(&mut limit.capacity, node, "capacity", u32);
    set(&mut limit.refill_per_second, node, "refill_per_second", Node::f64);
    set(&mut limit.weight, node, "weight", u32);
    set(&mut limit.algorithm, node, "algorithm", |node| word(node, &ALGORITHMS));
    set(&mut limit.mode, node, "mode", |node| match node.text() {
        Some(_) => Some(Mode::Reject),
        None => node.get("wait")?.duration().map(|max_wait| Mode::Wait { max_wait }),
    });
    set(&mut limit.shared, node, "shared", shared);
}

fn shared(node: &Node) -> Option<Option<Shared>> {
    if is_off(node) {
        return Some(None);
    }
    let fallback = node.get("fallback")?;
    let fallback = match fallback.at("/local_share/of") {
        Some(of) => Fallback::LocalShare { of: nonzero(of)? },
        None => word(fallback, &FALLBACKS)?,
    };
    Some(Some(Shared { store: node.get("store")?.text()?.into(), fallback }))
}

fn classify(classify: &mut Classify, node: &Node) {
    let list = |class: Class| node.get(class.as_str()).map_or(&[][..], Node::items).iter();
    let rules =
        Class::ALL.into_iter().flat_map(|class| list(class).filter_map(sign).map(move |sign| (sign, class)));
    classify.differ(rules);
}

fn sign(node: &Node) -> Option<Sign> {
    match node.text() {
        Some(name) => Kind::ALL.into_iter().find(|kind| kind.as_str() == name).map(Sign::Kind),
        None => node.u64().and_then(|status| u16::try_from(status).ok()).map(Sign::Status),
    }
}

fn hedge(node: &Node) -> Option<Option<Hedge>> {
    if is_off(node) {
        return Some(None);
    }
    let max = node.get("max").and_then(u32).unwrap_or(2);
    Some(Some(Hedge { after: node.get("after")?.duration()?, max }))
}

fn cache(node: &Node) -> Option<Option<Cache>> {
    if is_off(node) {
        return Some(None);
    }
    let stale = node.get("stale").and_then(Node::duration).unwrap_or(Duration::ZERO);
    let entries = node.get("entries").and_then(nonzero).unwrap_or(NonZeroU32::MIN.saturating_add(999));
    Some(Some(Cache { ttl: node.get("ttl")?.duration()?, stale, entries }))
}
