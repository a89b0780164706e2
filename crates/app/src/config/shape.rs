//! The whole file: what `cardan check` allows, `cardan schema` publishes and the reference lists.

use adapters::Kinds;
use diag::{Field, Shape};

use super::{auth, door, flows, limit_stores, limits, profiles, rules, secrets, store, systems, telemetry};

/// The shape of `cardan.yaml`, as it is published.
pub fn shape() -> Shape {
    file(flows::shape(), &Kinds::built_in())
}

/// The shape that is checked before the sections are read; flows are left to their compiler.
pub(super) fn sections(kinds: &Kinds) -> Shape {
    file(flows::names_shape(), kinds)
}

fn file(flows: Shape, kinds: &Kinds) -> Shape {
    Shape::object([
        Field::new("cardan", Shape::int(1..=i64::from(u16::MAX)).example(1))
            .required()
            .doc("the version of this file"),
        Field::new("store", store::shape()).default(store::DEFAULT).doc("where everything is kept"),
        Field::new("listen", Shape::text().example(door::LISTEN))
            .default(door::LISTEN)
            .doc("the address and port of the HTTP API; without `auth` a loopback address"),
        Field::new("auth", auth::shape()).doc("how callers are authenticated; without it, loopback only"),
        Field::new("limits", limits::shape()).doc("what a request may cost"),
        Field::new("validation", rules::validation_shape()).doc("how acts are validated"),
        Field::new("operators", door::operators_shape())
            .doc("a door for whoever keeps it going; [when to open it](concepts.md#operatorslisten)"),
        Field::new("metrics", door::metrics_shape()).doc("what `/metrics` shows"),
        Field::new("telemetry", telemetry::shape()).doc("where spans are exported to; without it nowhere"),
        Field::new("secrets", secrets::shape()).doc("where secrets come from; elsewhere they are only named"),
        Field::new("limit_stores", limit_stores::shape())
            .doc("where limits are counted over several nodes; a limit names one under `shared`"),
        Field::new("profiles", profiles::shape()).doc(
            "named guard numbers, beside the built-in ones; [every default](../../crates/guard/README.md)",
        ),
        Field::new("systems", systems::shape(kinds)).doc("the business systems that can be called"),
        Field::new("entities", rules::entities_shape()).doc("what must hold for entities"),
        Field::new("derive", rules::derive_shape()).doc("what is published beside an act"),
        Field::new("aliases", rules::aliases_shape()).doc("other names of systems that commits may use"),
        Field::new("flows", flows).doc("what happens when something is committed"),
    ])
    .doc("One file, or a directory of files that each start with `cardan: 1`. Unknown keys are errors.")
}

/// The names of all sections.
pub(super) fn names() -> Vec<String> {
    sections(&Kinds::built_in()).keys().map(str::to_owned).collect()
}

/// The JSON Schema (2020-12) of `cardan.yaml`, as it is published and as `cardan schema` prints it.
pub fn json_schema() -> String {
    format!("{:#}\n", shape().json_schema("urn:cardan:config:1"))
}

/// The reference page of `cardan.yaml`, Markdown.
pub fn reference() -> String {
    shape().reference("cardan.yaml")
}

/// What systems, flows, profiles and secrets may be called.
pub(super) fn named(what: &'static str, of: Shape) -> Shape {
    Shape::map(what, of).pattern(
        "^[A-Za-z][A-Za-z0-9_-]{0,62}$",
        "a letter, then letters, digits, - and _, at most 63 in all",
    )
}
