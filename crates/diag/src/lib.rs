//! `diag` knows where a piece of configuration was written, and says what is wrong with it.
//!
//! It reads YAML and JSON into [`Node`] trees that remember file, line and column, checks them against a
//! [`Shape`] (which is also the published JSON Schema and the reference page), and renders [`Diagnostic`]s
//! as text with the excerpt, what is allowed and the nearest right name. It knows no key of `cardan.yaml`.

mod diagnostic;
mod node;
mod shape;

pub use diagnostic::{Diagnostic, Severity};
pub use node::{Entry, Node, Span, Tree};
pub use shape::{Field, Shape};
