//! What a protocol says of an answer beside its content: a status, and names with texts. Bounded, because it is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most entries that are kept of one answer.
const MOST: usize = 16;
/// The longest name and text that are kept, in bytes. A longer one is left out: a part of an entity tag is none.
const LONGEST: usize = 1024;

/// How an answer is numbered by its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The protocol that numbers so: `http`.
    pub protocol: &'static str,
    /// Its number: 201.
    pub code: u16,
}

impl Status {
    /// A status of HTTP.
    pub const fn http(code: u16) -> Self {
        Self { protocol: "http", code }
    }
}

/// What was said beside the content: at most 16 entries of at most 1,024 bytes each. Takes no memory when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Metadata(Option<Arc<BTreeMap<String, String>>>);

impl Metadata {
    /// Keeps what fits of `entries`; of two with one name, the later one.
    pub fn new(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        let fits = |(name, text): &(String, String)| name.len().max(text.len()) <= LONGEST;
        let kept: BTreeMap<_, _> = entries.into_iter().filter(fits).take(MOST).collect();
        Self((!kept.is_empty()).then(|| Arc::new(kept)))
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Every entry, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|kept| kept.iter()).map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl From<BTreeMap<String, String>> for Metadata {
    fn from(entries: BTreeMap<String, String>) -> Self {
        Self::new(entries)
    }
}

impl From<Metadata> for BTreeMap<String, String> {
    fn from(metadata: Metadata) -> Self {
        metadata.0.map(Arc::unwrap_or_clone).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out() {
        let long = "x".repeat(LONGEST + 1);
        let entries = [("etag", "\"7\""), ("location", long.as_str())];
        let kept = Metadata::new(entries.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("etag", "\"7\"")]);
        let many = Metadata::new((0..100).map(|number| (number.to_string(), String::new())));
        assert_eq!(many.iter().count(), MOST);
        assert!(Metadata::new([]).is_empty() && Metadata::default().is_empty());
    }

    #[test]
    fn it_is_written_as_an_object_of_texts() {
        let kept = Metadata::new([("etag".to_owned(), "7".to_owned())]);
        let written = serde_json::to_string(&kept).unwrap();
        assert_eq!(written, r#"{"etag":"7"}"#);
        assert_eq!(serde_json::from_str::<Metadata>(&written).unwrap(), kept);
    }
}
