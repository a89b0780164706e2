//! How what a look-up found is written down: an output that is `null` is an output, and not "nothing found".

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
struct Found {
    output: Option<Arc<Value>>,
    /// Only said where `output` does not: it was found, and has no output.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    landed: bool,
}

pub(super) fn serialize<S: Serializer>(found: &Option<Arc<Value>>, serializer: S) -> Result<S::Ok, S::Error> {
    let landed = found.as_ref().is_some_and(|output| output.is_null());
    Found { output: found.clone(), landed }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Arc<Value>>, D::Error> {
    let Found { output, landed } = Found::deserialize(deserializer)?;
    Ok(output.or_else(|| landed.then(Arc::default)))
}
