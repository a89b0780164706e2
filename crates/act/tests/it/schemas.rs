//! The published schemas and the reader agree.

use act::{SCHEMAS, schema, schema_id};
use jsonschema::{Registry, Validator};

/// A validator for one of our schemas, formats asserted.
pub(crate) fn validator(kind: &str) -> Validator {
    let documents = SCHEMAS.map(|name| (schema_id(name), schema(name).expect("a schema")));
    let mut registry = Registry::new();
    for (id, document) in documents {
        registry = registry.add(id, document).expect("a schema id");
    }
    let registry = registry.prepare().expect("closed references");
    let root = schema(kind).expect("a schema");
    jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&root)
        .expect("a sound schema")
}

#[test]
fn every_vector_has_its_verdict_under_the_schemas() {
    let mut judged = 0;
    for vector in crate::vectors::all() {
        if !vector.why.starts_with("schema") {
            continue;
        }
        judged += 1;
        let valid = validator(&vector.kind).is_valid(&vector.value);
        assert_eq!(valid, vector.valid, "{}: {}", vector.name, vector.why);
    }
    assert!(judged > 170, "only {judged} vectors were judged");
}

#[test]
fn schemas_are_sound_and_named() {
    for name in SCHEMAS {
        let schema = schema(name).expect("a schema");
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert_eq!(schema["$id"], format!("urn:cardan:schema:{name}:1"));
    }
    assert_eq!(schema("thing"), None);
}
