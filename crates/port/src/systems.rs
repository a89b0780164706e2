//! The systems that exist, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Link;

/// Every configured system, guarded and ready to call. Cheap to clone.
#[derive(Clone, Default)]
pub struct Systems(Arc<BTreeMap<String, Arc<dyn Link>>>);

impl Systems {
    /// Takes the systems as wired. Names are normalised: `-` equals `_` (`order-management` is `order_management`).
    pub fn new(systems: impl IntoIterator<Item = (String, Arc<dyn Link>)>) -> Self {
        Self(Arc::new(systems.into_iter().map(|(name, link)| (normalised(&name), link)).collect()))
    }

    /// Finds a system by either spelling of its name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Link>> {
        self.0.get(name).or_else(|| self.0.get(&normalised(name)))
    }

    /// All systems, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Link>)> {
        self.0.iter().map(|(name, link)| (name.as_str(), link))
    }
}

/// The name of a system as it is compared: `-` equals `_`.
pub fn normalised(name: &str) -> String {
    name.replace('-', "_")
}
