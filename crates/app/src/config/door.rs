//! `listen`, `operators` and `metrics`: what the gate is opened with.

use std::net::SocketAddr;

use diag::{Diagnostic, Field, Node, Shape};
use watch::metrics::Compat;

use super::code;
use super::judge::Judge;

/// Loopback, so that nothing is open by default.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

pub(super) fn metrics_shape() -> Shape {
    let families = Shape::list(Shape::choice(["astra", "rag", "fsm"]));
    Shape::object([Field::new("compat", families)
        .default(serde_json::json!(["astra", "rag", "fsm"]))
        .doc("which traditional metric names are exported beside Cardan's own")])
}

pub(super) fn operators_shape() -> Shape {
    Shape::object([Field::new("listen", Shape::text().example("127.0.0.1:9090")).doc(
        "an address and port, with a thread, of their own: `/metrics`, `/health`, `/health/adapters` and `/ready` are there instead of beside \
         the API and ask nobody who they are; `/v1/runs`, `/v1/dead`, `/v1/outbox` and `/v1/systems` are there too and do, \
         without `auth` at a loopback address only",
    )])
}

/// The address to listen at. Others than loopback need `auth`.
pub(super) fn listen(judge: &mut Judge<'_>) -> Option<SocketAddr> {
    let Some(node) = judge.section("listen") else { return LISTEN.parse().ok() };
    let address = address(judge, node)?;
    if !address.ip().is_loopback() && judge.section("auth").is_none() {
        let message = format!("{address} can be reached by others, and nobody is asked who they are");
        let found = Diagnostic::error(code::OPEN_DOOR, &node.span, message);
        let loopback = format!("or listen at 127.0.0.1:{}", address.port());
        judge.push(found.help("add an `auth:` section").help(loopback));
    }
    Some(address)
}

/// The address of the operators' door, when they have one of their own.
pub(super) fn operators(judge: &mut Judge<'_>) -> Option<SocketAddr> {
    let node = judge.root.at("/operators/listen")?;
    address(judge, node)
}

fn address(judge: &mut Judge<'_>, node: &Node) -> Option<SocketAddr> {
    let text = node.text()?;
    let read = text.parse().ok();
    if read.is_none() {
        let message = format!("{text:?} is no address with a port");
        let found = Diagnostic::error(code::NOT_AN_ADDRESS, &node.span, message);
        judge.push(found.help(format!("write {LISTEN}, or [::1]:8080")));
    }
    read
}

pub(super) fn metrics(judge: &Judge<'_>) -> Compat {
    let Some(families) = judge.root.at("/metrics/compat") else { return Compat::default() };
    let has = |name: &str| families.texts().any(|family| family == name);
    Compat { astra: has("astra"), rag: has("rag"), fsm: has("fsm") }
}
