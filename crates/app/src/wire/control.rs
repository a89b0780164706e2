//! What operators may ask of guards.

use std::collections::BTreeMap;
use std::sync::Arc;

use guard::Guarded;
use serde_json::Value;

/// The guards by system.
pub(super) struct Guards(pub(super) BTreeMap<String, Arc<Guarded>>);

impl gate::Control for Guards {
    fn status(&self, system: &str) -> Value {
        let guarded = self.0.get(&system.replace('-', "_"));
        guarded.and_then(|guarded| serde_json::to_value(guarded.status()).ok()).unwrap_or(Value::Null)
    }

    fn reset(&self, system: &str) -> bool {
        let guarded = self.0.get(&system.replace('-', "_"));
        guarded.inspect(|guarded| guarded.reset()).is_some()
    }
}
