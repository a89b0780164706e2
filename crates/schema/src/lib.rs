//! `schema` says whether a value is of the shape that a JSON Schema (2020-12) asks for.
//!
//! A schema is compiled once, within bounds: so long, so deep, so many schemas when its references are written out, local
//! references only, patterns in time that is linear in the text. What is not enforced is refused, so that nobody counts on
//! it. It does not know calls, systems or flows: whoever holds a schema knows what a breach means.

mod bounds;
mod breach;
mod keyword;

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

pub use bounds::{DEEPEST, LONGEST, MOST};
pub use breach::Breach;
pub use keyword::FORMATS;

/// How large a compiled pattern may become, and the automaton that it is matched with.
const PATTERN: usize = 1 << 20;

/// A compiled JSON Schema. Cheap to clone.
#[derive(Clone)]
pub struct Schema {
    document: Arc<Value>,
    /// `None` when anything fits.
    compiled: Option<Arc<Validator>>,
}

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, as an RFC 6901 pointer into the schema.
    pub pointer: String,
    /// What; reads after a colon.
    pub says: String,
    /// What would be right.
    pub help: String,
}

impl Schema {
    /// What anything fits.
    pub fn any() -> Self {
        Self { document: Arc::new(Value::Bool(true)), compiled: None }
    }

    /// Compiles a schema.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(document: &Value) -> Result<Self, Vec<Mistake>> {
        if *document == Value::Bool(true) {
            return Ok(Self::any());
        }
        bounds::check(document)?;
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN).dfa_size_limit(PATTERN))
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .offline();
        let compiled = options.build(document).map_err(|error| vec![Mistake::of(&error)])?;
        Ok(Self { document: Arc::new(document.clone()), compiled: Some(Arc::new(compiled)) })
    }

    /// The schema as it was written.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Whether a value fits.
    ///
    /// # Errors
    /// The first place where it does not. It names members, and no value of the document.
    pub fn check(&self, value: &Value) -> Result<(), Breach> {
        match &self.compiled {
            None => Ok(()),
            Some(compiled) => compiled.validate(value).map_err(|error| Breach::of(&error)),
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::any()
    }
}

/// Two schemas are the same when they are written the same.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.document)
    }
}

impl Mistake {
    fn new(pointer: &str, says: impl Into<String>, help: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), says: says.into(), help: help.into() }
    }

    /// What only the compiler finds: the schema breaks the schema of schemas, or a pattern cannot be compiled.
    fn of(error: &jsonschema::ValidationError<'_>) -> Self {
        let Breach { pointer, says } = Breach::of(error);
        Self { pointer, says, help: "see JSON Schema 2020-12; patterns have no look-around".to_owned() }
    }
}
