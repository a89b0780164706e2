//! What the gate tells whoever counts.

use conversation::{Noop, Telemetry};

/// Is told what happened at the gate, and in the conversations behind it. Must return at once.
pub trait Observer: Telemetry {
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
}

impl Observer for Noop {}
