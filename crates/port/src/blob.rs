//! Bytes within a document: how a file travels between systems that speak JSON and systems that do not.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use schema::Schema;
use serde_json::{Value, json};

/// Bytes and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What they are (`application/pdf`), when somebody said.
    pub media_type: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

impl Blob {
    /// The document that carries it: `{ "media_type": …, "size": …, "base64": … }`, the size in bytes.
    pub fn document(&self) -> Value {
        let base64 = BASE64_STANDARD.encode(&self.bytes);
        json!({ "media_type": self.media_type, "size": self.bytes.len(), "base64": base64 })
    }

    /// Reads such a document; `size` is not needed, and must be right where it is there.
    ///
    /// # Errors
    /// What it lacks, or what is wrong with it; reads after a colon.
    pub fn read(document: &Value) -> Result<Self, &'static str> {
        let text = document.get("base64").and_then(Value::as_str);
        let text =
            text.ok_or("must be a document with `base64`, as an operation with `output: bytes` gives it")?;
        let bytes =
            BASE64_STANDARD.decode(text).map_err(|_| "has a `base64` that is not base64 (RFC 4648, 4)")?;
        let said = document.get("size").filter(|size| !size.is_null());
        if said.is_some_and(|size| size.as_u64() != u64::try_from(bytes.len()).ok()) {
            return Err("has a `size` that is not that of its `base64`");
        }
        let media_type = document.get("media_type").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { media_type, bytes: bytes.into() })
    }

    /// What its document is like.
    pub fn schema() -> Schema {
        let schema = json!({
            "type": "object", "required": ["base64", "size"],
            "properties": {
                "media_type": { "type": ["string", "null"] }, "size": { "type": "integer" }, "base64": { "type": "string" },
            },
        });
        Schema::compile(&schema).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        let blob = Blob { media_type: Some("image/png".to_owned()), bytes: Bytes::from(vec![0, 159, 255]) };
        let document = blob.document();
        assert_eq!(document, json!({ "media_type": "image/png", "size": 3, "base64": "AJ//" }));
        assert_eq!(Blob::read(&document), Ok(blob));
        assert!(
            Blob::schema().check(&document).is_ok() && Blob::schema().check(&json!({ "size": 3 })).is_err()
        );
    }

    #[test]
    fn what_is_no_bytes_is_said() {
        for (document, says) in [
            (json!("AJ//"), "must be a document"),
            (json!({ "base64": "no!" }), "is not base64"),
            (json!({ "base64": "AJ//", "size": 4 }), "has a `size`"),
        ] {
            assert!(Blob::read(&document).unwrap_err().contains(says), "{document}");
        }
        assert_eq!(Blob::read(&json!({ "base64": "" })).unwrap().bytes.len(), 0);
    }
}
