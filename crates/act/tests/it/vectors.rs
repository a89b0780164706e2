//! Every vector gets the right verdict, and the exact pointer.

use act::{DocumentKind, Rules, Word as _, check};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) valid: bool,
    pub(crate) value: Value,
    pub(crate) error_at: Option<String>,
    pub(crate) why: String,
}

pub(crate) const TEXT: &str = include_str!("../data/astra-vectors.jsonl");

pub(crate) fn all() -> Vec<Vector> {
    TEXT.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn every_vector_has_its_verdict_and_its_pointer() {
    let vectors = all();
    assert_eq!(vectors.len(), 184);
    for vector in vectors {
        let kind = DocumentKind::parse(&vector.kind).expect("a known kind");
        let pointers: Vec<String> = match check(kind, vector.value, &Rules::strict()) {
            Ok(_) => Vec::new(),
            Err(issues) => issues.into_iter().map(|issue| issue.pointer).collect(),
        };
        let expected: Vec<String> = vector.error_at.into_iter().collect();
        assert_eq!(pointers, expected, "{}: {}", vector.name, vector.why);
        assert_eq!(vector.valid, expected.is_empty(), "{}", vector.name);
    }
}
