//! What is counted together.

use std::sync::Arc;

/// The name of one count. Part of it may come from a caller (a tenant, a model), so it is made safe for every store:
/// no control characters, and never longer than 200 bytes. Keys that are the same up to there are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

const LONGEST: usize = 200;

impl Key {
    /// Makes a key of any text.
    pub fn new(text: &str) -> Self {
        let plain = |char: char| if char.is_control() { '\u{FFFD}' } else { char };
        let mut key = String::with_capacity(text.len().min(LONGEST));
        for char in text.chars().map(plain) {
            if key.len() + char.len_utf8() > LONGEST {
                break;
            }
            key.push(char);
        }
        Self(key.into())
    }

    /// As the stores see it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
