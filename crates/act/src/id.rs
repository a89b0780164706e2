//! Names of acts and conversations.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// What each of these names begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Bytes of the longest name that is taken; what was taken before may be longer.
            pub const LONGEST: usize = 128;

            /// Reads a name. `None` when it does not have the right form.
            pub fn parse(text: &str) -> Option<Self> {
                has_form(text, $prefix).then(|| Self(text.into()))
            }

            /// A new name that sorts by time.
            pub fn new(at: Timestamp, random: [u64; 2]) -> Self {
                Self(time_ordered($prefix, at, random).into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text)
                    .ok_or_else(|| D::Error::custom(concat!("expected ", $prefix, " and letters, digits, _ or -")))
            }
        }
    };
}

id! {
    /// The name of an act: `act_` and ASCII letters, digits, `_` or `-`.
    ActId, "act_"
}

id! {
    /// The name of a conversation: `conv_` and ASCII letters, digits, `_` or `-`.
    ConversationId, "conv_"
}

/// A name of the form of a UUID of version 7 (RFC 9562): `prefix`, then 32 hex digits that sort by time to the
/// millisecond. The caller brings the clock and 128 random bits, of which 74 are used.
pub fn time_ordered(prefix: &str, at: Timestamp, random: [u64; 2]) -> String {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random[0].to_be_bytes());
    bytes[8..].copy_from_slice(&random[1].to_be_bytes()[..2]);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid();
    format!("{prefix}{}", uuid.simple())
}

fn has_form(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for good in ["act_1", "act_Az09_-x", "act__", "act_-"] {
            assert_eq!(ActId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "act", "act_", "act_1 2", "act_1\n", "\nact_1", "conv_1", "Act_1", "act_é", "act_１"]
        {
            assert_eq!(ActId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn new_names_sort_by_time_and_differ_by_chance() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let early = ActId::new(at(1_741_079_700_000), [u64::MAX; 2]);
        let late = ActId::new(at(1_741_079_700_001), [0; 2]);
        assert!(early < late);
        assert_ne!(late, ActId::new(at(1_741_079_700_001), [1, 0]));
        assert_eq!(ActId::parse(early.as_str()), Some(early));
    }
}
