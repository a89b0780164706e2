//! What conversations tell whoever counts.

use std::time::Duration;

use port::{Recorder, Unrecorded};

/// Is told what happened. Must return at once.
pub trait Telemetry: Send + Sync + 'static {
    /// An act was taken (`ok`), or refused. A refused one that is no act has the type `unknown`.
    fn on_act(&self, act_type: &str, ok: bool, took: Duration) {
        let _ = (act_type, ok, took);
    }

    /// So many conversations began (or, negative, ended).
    fn on_active(&self, change: i64) {
        let _ = change;
    }

    /// Who takes the spans of acts.
    fn recorder(&self) -> &dyn Recorder {
        &Unrecorded
    }
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noop;

impl Telemetry for Noop {}
