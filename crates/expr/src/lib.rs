//! `expr` evaluates conditions and mappings: the grammar of CEL, behind our own face.
//!
//! A [`Program`] is one expression (`if:`, `ensure.rule`), a [`Mapping`] is a YAML tree whose scalars may hold
//! `${ … }`. Both are compiled once against the statically known [`Names`], and evaluated over a [`Scope`] of
//! borrowed JSON documents. Evaluation is total and bounded: it ends with a value or with a located [`Error`],
//! after a fixed number of steps.
//!
//! It has no clock, no randomness, no environment and no I/O. It does not know what a flow, an act or an
//! adapter is: they tell it which names exist.

mod error;
mod mapping;
mod names;
mod program;
mod reference;
mod scope;
mod ty;

pub use error::Error;
pub use mapping::Mapping;
pub use names::Names;
pub use program::Program;
pub use reference::Reference;
pub use scope::Scope;
pub use ty::Ty;
