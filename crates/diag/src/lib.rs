//! `diag` knows where a piece of configuration was written, and says what is wrong with it.
//!
//! It reads YAML and JSON into [`Node`] trees that remember file, line and column, checks them against a
//! [`Shape`] (which is also the published JSON Schema and the reference page), and renders [`Diagnostic`]s
//! as text with the excerpt, what is allowed and the nearest right name. It knows no key of `cardan.yaml`.

mod diagnostic;
mod node;
mod parse;
mod read;
mod render;
mod shape;

pub mod code;
mod nearest;
pub mod units;

pub use diagnostic::{Diagnostic, Severity};
pub use nearest::{nearest, quoted};
pub use node::{Entry, Node, Span, Tree};
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_NODES, parse, parse_partial};
pub use render::{Colour, Source, render, to_json};
pub use shape::{Field, Shape};
