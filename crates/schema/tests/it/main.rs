//! What schemas are taken, and what they say.

#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod bounded;
mod checked;

use schema::{Mistake, Schema};
use serde_json::Value;

pub(crate) fn compiled(document: &Value) -> Schema {
    Schema::compile(document).unwrap_or_else(|mistakes| panic!("{document}: {mistakes:?}"))
}

/// The pointer and the words of each mistake.
pub(crate) fn mistakes(document: &Value) -> Vec<(String, String)> {
    let found = Schema::compile(document).map(|_| ()).unwrap_err();
    found.into_iter().map(|Mistake { pointer, says, .. }| (pointer, says)).collect()
}
