//! `expr` evaluates conditions and mappings: the grammar of CEL, behind our own face.
//!
//! A [`Program`] is one expression (`if:`, `ensure.rule`), a [`Mapping`] is a YAML tree whose scalars may hold
//! `${ … }`. Both are compiled once against the statically known [`Names`], and evaluated over a [`Scope`] of
//! borrowed JSON documents. Evaluation is total and bounded: it ends with a value or with a located [`Error`],
//! after a fixed number of steps.
//!
//! It has no clock, no randomness, no environment and no I/O. It does not know what a flow, an act or an
//! adapter is: they tell it which names exist.

mod left_as_text;
mod mapping;
mod program;
mod template;

mod names;
mod reference;
mod scope;
mod ty;

mod check;
mod constant;
mod lower;
mod source;
mod syntax;
mod tree;

mod compare;
mod eval;
mod functions;
mod loops;
mod number;
mod value;

mod code;
mod error;
mod fail;
mod limits;

pub use error::Error;
pub use mapping::Mapping;
pub use names::Names;
pub use program::Program;
pub use reference::Reference;
pub use scope::Scope;
pub use ty::Ty;

/// The names of the functions that an expression may call, for completion and reference pages.
pub fn functions() -> impl Iterator<Item = &'static str> {
    functions::ALL.iter().map(|function| function.name).chain(functions::SPECIAL)
}

/// Every code of a diagnostic or an error, for reference pages.
pub fn codes() -> impl Iterator<Item = &'static str> {
    code::Code::ALL.into_iter().map(code::Code::text)
}
