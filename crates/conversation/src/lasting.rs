//! Records that are kept as long as the log: of acts, of commits' keys, and of keys of which one run ever begins.

use jiff::Timestamp;
use store::{KeyOp, KeyRecord, KeyState, Lease};

/// 2200-01-01: the log is not forgotten, so neither are the keys in it.
const NEVER: i64 = 7_258_118_400;

/// When such a record may be forgotten.
pub(crate) fn for_ever() -> Timestamp {
    Timestamp::from_second(NEVER).unwrap_or(Timestamp::MAX)
}

/// The name of a record: how names of its kind begin, and a digest.
pub fn record_name(prefix: &str, digest: &[u8; 32]) -> String {
    digest.iter().fold(prefix.to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

/// What a key names from now on. It is written whole, so nobody but its kind can be its owner.
pub struct Lasting<'a> {
    /// The organisation.
    pub tenant: &'a str,
    /// The record's name.
    pub key: &'a str,
    /// The kind of record.
    pub owner: &'static str,
    /// What was asked for.
    pub fingerprint: [u8; 32],
    /// What the key names.
    pub response: Vec<u8>,
}

impl Lasting<'_> {
    /// The key has named nothing before.
    pub fn first(self, created: Timestamp) -> KeyOp {
        let state = KeyState::Done { response: self.response };
        let (tenant, key, owner) = (self.tenant.to_owned(), self.key.to_owned(), self.owner.to_owned());
        let (fingerprint, lease, expires) = (self.fingerprint, Lease::default(), for_ever());
        KeyOp::Claim(KeyRecord { tenant, key, fingerprint, owner, lease, state, created, expires })
    }

    /// It has named something that came to nothing.
    pub fn instead(self) -> KeyOp {
        let (tenant, key, owner) = (self.tenant.to_owned(), self.key.to_owned(), self.owner.to_owned());
        KeyOp::Finish { tenant, key, owner, response: self.response, expires: for_ever() }
    }
}
