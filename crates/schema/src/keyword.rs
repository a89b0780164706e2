//! The keywords of JSON Schema 2020-12 that are enforced, and where other schemas stand in them.

/// What a keyword holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A schema that is asked about the value or a part of it.
    Schema,
    /// A list of such schemas.
    Schemas,
    /// Such schemas by name.
    Named,
    /// Schemas by name that are asked only where something refers to them.
    Definitions,
    /// A reference to another schema of the document.
    Reference,
    /// A name of a format.
    Format,
    /// The dialect.
    Dialect,
    /// No schema.
    Value,
}

const SCHEMA: &[&str] = &[
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const SCHEMAS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: &[&str] = &["dependentSchemas", "patternProperties", "properties"];
const DEFINITIONS: &[&str] = &["$defs", "definitions"];
const VALUE: &[&str] = &[
    "$comment",
    "const",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// The dialect that is spoken.
pub(crate) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The formats that are enforced.
pub const FORMATS: [&str; 17] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// What a keyword holds; `None` when there is none of this name. `x-` begins everybody's own.
pub(crate) fn holds(keyword: &str) -> Option<Holds> {
    match keyword {
        "$ref" => Some(Holds::Reference),
        "$schema" => Some(Holds::Dialect),
        "format" => Some(Holds::Format),
        own if own.starts_with("x-") => Some(Holds::Value),
        keyword => {
            let tables = [
                (SCHEMA, Holds::Schema),
                (SCHEMAS, Holds::Schemas),
                (NAMED, Holds::Named),
                (DEFINITIONS, Holds::Definitions),
                (VALUE, Holds::Value),
            ];
            tables.into_iter().find(|(names, _)| names.contains(&keyword)).map(|(_, holds)| holds)
        }
    }
}
