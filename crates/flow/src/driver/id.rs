//! A run's id, and what beginning the run has already made.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_128;

use super::load::Loaded;

/// A run's id: `run_` and 32 hexadecimal digits, the same whenever the same commit starts the same flow.
///
/// The one that [`super::Engine::begin`] gives also carries the run as it was begun, so that
/// [`super::Engine::committed`] need not read back what this process has just written.
#[derive(Clone)]
pub struct RunId {
    id: Arc<str>,
    begun: Option<Arc<Mutex<Option<Loaded>>>>,
}

impl RunId {
    /// The run that a commit act of a conversation starts; never a second one.
    pub fn of_commit(tenant: &str, conversation: &str, commit: &str, flow: &str) -> Self {
        Self::of(&[tenant, conversation, commit, flow])
    }

    pub(super) fn of_child(parent: &str, path: &str) -> Self {
        Self::of(&[parent, path])
    }

    fn of(parts: &[&str]) -> Self {
        format!("run_{:032x}", xxh3_128(parts.join("\u{1f}").as_bytes())).as_str().into()
    }

    pub(super) fn begun(loaded: Loaded) -> Self {
        let id = loaded.row.id.as_str().into();
        Self { id, begun: Some(Arc::new(Mutex::new(Some(loaded)))) }
    }

    /// The run as it was begun; once.
    pub(super) fn take(&self) -> Option<Loaded> {
        self.begun.as_ref()?.lock().take()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.id
    }
}

impl From<&str> for RunId {
    fn from(id: &str) -> Self {
        Self { id: id.into(), begun: None }
    }
}

impl PartialEq for RunId {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for RunId {}

impl Hash for RunId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({})", self.id)
    }
}
