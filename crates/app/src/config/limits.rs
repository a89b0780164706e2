//! `limits`: how much of everything the gate takes.

use std::time::Duration;

use diag::{Diagnostic, Field, Node, Shape, units};
use gate::{Limits, Rate};

use super::code;
use super::judge::Judge;

/// A key, what it bounds, and where the number goes.
type Line<T> = (&'static str, &'static str, fn(&mut Limits) -> &mut T);

const SIZES: [Line<usize>; 6] = [
    ("body", "the largest JSON body", |limits| &mut limits.body),
    ("bulk", "the largest NDJSON upload", |limits| &mut limits.bulk),
    ("line", "the longest line of an NDJSON upload", |limits| &mut limits.line),
    ("headers", "the most bytes in all headers of a request", |limits| &mut limits.headers),
    ("field", "the largest field of an entity; without it at least `body`", |limits| &mut limits.field),
    ("entity", "the most bytes in all fields of an entity; without it at least `body`", |limits| {
        &mut limits.entity
    }),
];
/// The largest body and line: each is held in memory, several times over, while it becomes one batch.
const LARGEST: usize = 64 << 20;
const COUNTS: [Line<usize>; 8] = [
    ("array", "the most acts in one JSON array", |limits| &mut limits.array),
    ("header_lines", "the most header lines in a request", |limits| &mut limits.header_lines),
    ("connections", "connections at once; further ones wait", |limits| &mut limits.connections),
    (
        "in_flight",
        "requests worked on at once; further ones are answered `503`; who only waits is not counted",
        |limits| &mut limits.in_flight,
    ),
    (
        "operators",
        "requests for runs, dead letters, the outbox and systems worked on at once at `operators.listen`; as many more \
         than `in_flight` beside the API",
        |limits| &mut limits.operators,
    ),
    ("subscriptions", "live subscriptions at once", |limits| &mut limits.subscriptions),
    ("conversations", "conversations kept in memory", |limits| &mut limits.conversations.kept),
    (
        "commit_keys",
        "keys of commits that an organisation may have; further ones are refused, none is forgotten",
        |limits| &mut limits.conversations.commit_keys,
    ),
];
const TIMES: [Line<Duration>; 8] = [
    ("header_time", "for the headers of a request to arrive", |limits| &mut limits.header_time),
    ("body_time", "for a body, or a piece of a bulk upload, to arrive", |limits| &mut limits.body_time),
    ("stall", "until a client that takes nothing of an answer is disconnected", |limits| &mut limits.stall),
    ("heartbeat", "between two heartbeats of a live subscription", |limits| &mut limits.heartbeat),
    ("wait", "the longest that `Prefer: wait` is honoured", |limits| &mut limits.wait),
    ("at_least", "the longest that `Cardan-At-Least` waits", |limits| &mut limits.at_least),
    ("keys", "how long an idempotency key is remembered", |limits| &mut limits.keys),
    ("drain", "how long a stop waits for requests in flight", |limits| &mut limits.drain),
];

const PER_ROOT: &str = "runs_per_root";

pub(super) fn runs_per_root(judge: &Judge<'_>) -> u64 {
    let written = judge.section("limits").and_then(|node| node.get(PER_ROOT)).and_then(Node::u64);
    written.unwrap_or(flow::Limits::default().runs_per_root)
}

pub(super) fn shape() -> Shape {
    let mut usual = Limits::default();
    let mut fields = Vec::new();
    for (key, doc, at) in SIZES {
        let default = units::show_size(*at(&mut usual) as u64);
        fields.push(Field::new(key, Shape::size()).default(default).doc(doc));
    }
    for (key, doc, at) in COUNTS {
        fields.push(Field::new(key, Shape::int(1..=1_000_000)).default(*at(&mut usual)).doc(doc));
    }
    for (key, doc, at) in TIMES {
        let default = units::show_duration(*at(&mut usual));
        fields.push(Field::new(key, Shape::duration()).default(default).doc(doc));
    }
    let runs = Shape::int(1..=1_000_000);
    fields.push(
        Field::new(PER_ROOT, runs).default(flow::Limits::default().runs_per_root).doc(
            "runs that may come of one, through `run` and through commits that runs emit; the step that wants one more fails",
        ),
    );
    fields.push(
        Field::new("rate", rate_shape()).doc("how fast one caller may ask; without it as fast as it likes"),
    );
    Shape::object(fields)
}

fn rate_shape() -> Shape {
    Shape::object([
        Field::new("capacity", Shape::int(1..=1_000_000))
            .required()
            .doc("requests at once after a quiet time"),
        Field::new("per_second", Shape::number(0.001..=1_000_000.0))
            .required()
            .doc("requests per second in the long run"),
    ])
}

/// What each limit may be. Less makes the server useless or busy with nothing; more is beyond any use.
const SIZE_RANGES: [(&str, &str, &str); 4] = [
    ("body", "1KiB", "16GiB"),
    ("bulk", "1KiB", "16GiB"),
    ("line", "1KiB", "16GiB"),
    ("headers", "1KiB", "1MiB"),
];
const TIME_RANGES: [(&str, &str, &str); 8] = [
    ("header_time", "10ms", "10m"),
    ("body_time", "10ms", "1h"),
    ("stall", "10ms", "1h"),
    ("heartbeat", "100ms", "1h"),
    ("wait", "0s", "1h"),
    ("at_least", "0s", "1h"),
    ("keys", "1s", "366d"),
    ("drain", "0s", "1h"),
];

/// Refuses what no server could work with.
pub(super) fn check(judge: &mut Judge<'_>) {
    let Some(node) = judge.section("limits") else { return };
    for (key, least, most) in SIZE_RANGES {
        check_range(judge, node, key, (least, most), |text| units::size(text).ok());
    }
    for (key, least, most) in TIME_RANGES {
        check_range(judge, node, key, (least, most), |text| units::duration(text).ok());
    }
}

fn check_range<T: PartialOrd>(
    judge: &mut Judge<'_>,
    node: &Node,
    key: &str,
    (least, most): (&str, &str),
    read: impl Fn(&str) -> Option<T>,
) {
    let Some((written, text)) = node.get(key).and_then(|written| Some((written, written.text()?))) else {
        return;
    };
    let inside = |value: T| {
        read(least).is_none_or(|least| value >= least) && read(most).is_none_or(|most| value <= most)
    };
    if !read(text).is_none_or(inside) {
        let message = format!("`{key}` cannot be {text}: expected {least} to {most}");
        judge.push(Diagnostic::error(code::LIMIT_RANGE, &written.span, message));
    }
}

pub(super) fn read(judge: &mut Judge<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some(node) = judge.section("limits") else { return limits };
    for (key, _, at) in SIZES {
        set(at(&mut limits), node.get(key).and_then(Node::size).and_then(|size| size.try_into().ok()));
    }
    for (key, _, at) in COUNTS {
        set(at(&mut limits), node.get(key).and_then(Node::u64).and_then(|count| count.try_into().ok()));
    }
    for (key, _, at) in TIMES {
        set(at(&mut limits), node.get(key).and_then(Node::duration));
    }
    limits.rate = node.get("rate").and_then(rate);
    for (key, at) in [("body", limits.body), ("line", limits.line)] {
        if let (Some(node), true) = (node.get(key), at > LARGEST) {
            let message = format!("`{key}` is more than the store takes in one batch");
            let found = Diagnostic::error(code::LARGE_LIMIT, &node.span, message);
            judge.push(found.help(format!("write at most {}", units::show_size(LARGEST as u64))));
        }
    }
    // What may come may also be kept, unless it is said otherwise.
    for (key, at) in [("field", &mut limits.field), ("entity", &mut limits.entity)] {
        if node.get(key).is_none() {
            *at = (*at).max(limits.body).max(limits.line);
        }
    }
    limits
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn rate(node: &Node) -> Option<Rate> {
    let capacity = node.get("capacity")?.u64()?.try_into().ok()?;
    Some(Rate { capacity, per_second: node.get("per_second")?.f64()? })
}
