//! `listen`, `limits`, `validation` and `metrics`: what the gate is opened with.

use std::net::SocketAddr;

use diag::{Diagnostic, Field, Node, Shape};
use watch::metrics::Compat;

use super::code;
use super::judge::Judge;

/// Loopback, so that nothing is open by default.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

/// What a request may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The largest body of a request, in bytes.
    pub body: u64,
    /// The largest body of a bulk (NDJSON) request, in bytes.
    pub bulk: u64,
    /// The deepest JSON.
    pub depth: u32,
    /// How fast one principal may ask; `None` leaves it open.
    pub rate: Option<Rate>,
}

/// How fast one principal may ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests at once after a quiet time.
    pub capacity: u32,
    /// Requests per second in the long run.
    pub per_second: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1 << 20, bulk: 64 << 20, depth: 64, rate: None }
    }
}

pub(super) fn limits_shape() -> Shape {
    let rate = Shape::object([
        Field::new("capacity", Shape::int(1..=1_000_000))
            .required()
            .doc("requests at once after a quiet time"),
        Field::new("per_second", Shape::number(0.001..=1_000_000.0))
            .required()
            .doc("requests per second in the long run"),
    ]);
    Shape::object([
        Field::new("body", Shape::size()).default("1MiB").doc("the largest body of a request"),
        Field::new("bulk", Shape::size()).default("64MiB").doc("the largest body of a bulk (NDJSON) request"),
        Field::new("depth", Shape::int(4..=128)).default(64).doc("the deepest nesting of JSON"),
        Field::new("rate", rate).doc("how fast one caller may ask; without it callers are not limited"),
    ])
}

pub(super) fn validation_shape() -> Shape {
    Shape::object([Field::new("strict_mode", Shape::bool())
        .default(true)
        .doc("refuse acts with unknown members; `false` accepts what older ASTRA tools send")])
}

pub(super) fn metrics_shape() -> Shape {
    let families = Shape::list(Shape::choice(["astra", "rag", "fsm"]));
    Shape::object([Field::new("compat", families)
        .default(serde_json::json!(["astra", "rag", "fsm"]))
        .doc("which traditional metric names are exported beside Cardan's own")])
}

/// The address to listen at. Others than loopback need `auth`.
pub(super) fn listen(judge: &mut Judge<'_>) -> Option<SocketAddr> {
    let Some(node) = judge.section("listen") else { return LISTEN.parse().ok() };
    let text = node.text()?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        let message = format!("{text:?} is no address with a port");
        let found = Diagnostic::error(code::NOT_AN_ADDRESS, &node.span, message);
        judge.push(found.help(format!("write {LISTEN}, or [::1]:8080")));
        return None;
    };
    if !address.ip().is_loopback() && judge.section("auth").is_none() {
        let message = format!("{address} can be reached by others, and nobody is asked who they are");
        let found = Diagnostic::error(code::OPEN_DOOR, &node.span, message);
        let loopback = format!("or listen at 127.0.0.1:{}", address.port());
        judge.push(found.help("add an `auth:` section").help(loopback));
    }
    Some(address)
}

pub(super) fn limits(judge: &Judge<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some(node) = judge.section("limits") else { return limits };
    let size = |key: &str, default: u64| node.get(key).and_then(Node::size).unwrap_or(default);
    (limits.body, limits.bulk) = (size("body", limits.body), size("bulk", limits.bulk));
    limits.depth = node.get("depth").and_then(u32).unwrap_or(limits.depth);
    limits.rate = node.get("rate").and_then(rate);
    limits
}

fn rate(node: &Node) -> Option<Rate> {
    Some(Rate { capacity: u32(node.get("capacity")?)?, per_second: node.get("per_second")?.f64()? })
}

fn u32(node: &Node) -> Option<u32> {
    node.u64().and_then(|value| value.try_into().ok())
}

pub(super) fn strict(judge: &Judge<'_>) -> bool {
    judge.root.at("/validation/strict_mode").and_then(Node::bool).unwrap_or(true)
}

pub(super) fn metrics(judge: &Judge<'_>) -> Compat {
    let Some(families) = judge.root.at("/metrics/compat") else { return Compat::default() };
    let has = |name: &str| families.texts().any(|family| family == name);
    Compat { astra: has("astra"), rag: has("rag"), fsm: has("fsm") }
}
