//! Every kind of adapter there is. A new one is a folder beside this file, a feature of its name and a line in
//! `BUILT_IN`; one of another crate is handed over with [`Kinds::with`].

use std::sync::Arc;

use diag::{Diagnostic, Node, Shape};
use futures_util::future::BoxFuture;
use port::{Link, Spec};

use crate::Env;

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

/// Every kind that is built in, each where its feature is on.
const BUILT_IN: &[Kind] = &[
    #[cfg(feature = "rest")]
    crate::rest::KIND,
];

/// The kinds that a server knows: those built in, and those that whoever starts it hands over.
#[derive(Clone, Debug)]
pub struct Kinds(Vec<Kind>);

impl Kinds {
    /// The kinds that are built in.
    pub fn built_in() -> Self {
        let mut kinds = BUILT_IN.to_vec();
        kinds.sort_by_key(|kind| kind.name);
        Self(kinds)
    }

    /// The same and one more. A kind of the same name is replaced.
    #[must_use]
    pub fn with(mut self, kind: Kind) -> Self {
        match self.0.binary_search_by_key(&kind.name, |known| known.name) {
            Ok(at) => self.0[at] = kind,
            Err(at) => self.0.insert(at, kind),
        }
        self
    }

    /// Finds a kind by its section's key.
    pub fn find(&self, name: &str) -> Option<&Kind> {
        self.0.binary_search_by_key(&name, |kind| kind.name).ok().map(|at| &self.0[at])
    }

    /// Every kind, by name.
    pub fn iter(&self) -> std::slice::Iter<'_, Kind> {
        self.0.iter()
    }
}
