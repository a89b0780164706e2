//! One description of a piece of configuration: checked, published as JSON Schema, printed as reference.

/// What a value may be. Built by the constructors below; see `check`, `json_schema` and `reference`.
#[derive(Clone, Debug)]
pub struct Shape {}

/// One key of an object shape.
#[derive(Clone, Debug)]
pub struct Field {}
