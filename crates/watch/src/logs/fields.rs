//! Collects the fields of events and spans as JSON members, and keeps secrets out by their names.

use std::fmt::Debug;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

/// Names that promise a secret, as parts of a member's name.
const SECRET: [&str; 8] =
    ["authorization", "password", "secret", "token", "api_key", "apikey", "credential", "cookie"];

/// Members in the order in which they were said.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(pub(super) Map<String, Value>);

impl Members {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        let secret = SECRET.iter().any(|part| name.to_ascii_lowercase().contains(part));
        self.0.insert(name.to_owned(), if secret { "[redacted]".into() } else { value.into() });
    }
}

impl Visit for Members {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}
