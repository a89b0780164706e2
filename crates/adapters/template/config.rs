//! The section: as it may be written, and judged.

use diag::{Diagnostic, Node, Shape};

use crate::http::{self, Codes, Config, Judge, Written};

/// What the reference page calls the mistakes of the keys that every HTTP adapter has.
pub(super) const CODES: Codes = Codes {
    address: "CODE002",
    header: "CODE005",
    clear_text: "CODE007",
    size: "CODE008",
    credential: "CODE012",
    secret: "CODE011",
    reach: "CODE015",
    tls: "CODE016",
};

/// What a section may hold.
pub(super) fn shape() -> Shape {
    Shape::object(http::fields()).doc("A system that takes anything at one address.")
}

/// Judges a section. The configuration is there exactly when no finding is an error.
pub(super) fn read(system: &str, node: &Node) -> (Option<Config>, Vec<Diagnostic>) {
    let mut judge = Judge::new(node, &CODES);
    let config = match Written::take(&mut node.to_json()) {
        Ok(written) => Config::judged(written, &mut judge),
        Err(error) => judge.refuse("CODE001", &[], format!("system {system:?}: {error}"), "see the reference page"),
    };
    (config.filter(|_| judge.is_sound()), judge.found)
}
