//! `listen` and `metrics`: what the gate is opened with.

use std::net::SocketAddr;

use diag::{Diagnostic, Field, Node, Shape};
use watch::metrics::Compat;

use super::code;
use super::judge::Judge;

/// Loopback, so that nothing is open by default.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

pub(super) fn metrics_shape() -> Shape {
    let families = Shape::list(Shape::choice(["astra", "rag", "fsm"]));
    Shape::object([
        Field::new("compat", families)
            .default(serde_json::json!(["astra", "rag", "fsm"]))
            .doc("which traditional metric names are exported beside Cardan's own"),
        Field::new("listen", Shape::text().example("127.0.0.1:9090"))
            .doc("an address and port of their own for `/metrics`, `/health` and `/ready`, instead of the API's; never asks who is there"),
    ])
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

/// The address of the operators' pages, when they have one of their own.
pub(super) fn pages(judge: &mut Judge<'_>) -> Option<SocketAddr> {
    let node = judge.root.at("/metrics/listen")?;
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
