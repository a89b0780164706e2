//! Every kind of adapter there is. A new one is a folder beside this file and a line in [`ALL`].

use std::sync::Arc;

use diag::{Diagnostic, Node, Shape};
use futures_util::future::BoxFuture;
use port::{Link, Spec};

use crate::{Env, rest};

/// A callable system, or everything that keeps it from being one.
pub type Built = Result<Arc<dyn Link>, Vec<Diagnostic>>;

/// Builds a system from its name, its section and what the wiring lends.
pub type Build = for<'a> fn(system: &'a str, section: &'a Node, env: &'a Env) -> BoxFuture<'a, Built>;

/// One kind of adapter.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The key of its section under a system: `systems.inventory.<name>`.
    pub name: &'static str,
    /// Its reference page, Markdown.
    pub reference: &'static str,
    /// What a section may hold: checked before `check`, published as JSON Schema.
    pub shape: fn() -> Shape,
    /// Says everything that is wrong with a section. Pure: reads no secret, opens nothing.
    pub check: fn(system: &str, section: &Node) -> Vec<Diagnostic>,
    /// What a section makes callable; `None` when `check` finds errors. Pure.
    pub spec: fn(system: &str, section: &Node) -> Option<Spec>,
    /// Makes the system callable. Resolves secrets, and may connect; what it holds is let go of by [`Link::close`].
    pub build: Build,
}

/// All kinds, by name.
pub const ALL: &[Kind] = &[rest::KIND];

/// Finds a kind by its section's key.
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.name == name)
}
