//! What the gate tells whoever counts.

use std::time::Duration;

/// Is told what happened at the gate. Must return at once.
pub trait Observer: Send + Sync + 'static {
    /// An act was taken (`ok`), or refused. A refused one that is no act has the type `unknown`.
    fn act(&self, act_type: &str, ok: bool, took: Duration) {
        let _ = (act_type, ok, took);
    }

    /// A request was refused with this problem code.
    fn refused(&self, code: &'static str) {
        let _ = code;
    }

    /// A request was refused because too many were worked on; [`Observer::refused`] hears of it too.
    fn shed(&self) {}

    /// So many requests more (or, negative, fewer) are worked on.
    fn working(&self, change: i64) {
        let _ = change;
    }

    /// So many conversations began (or, negative, ended).
    fn conversations(&self, change: i64) {
        let _ = change;
    }
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {}
