//! Idempotency records: this request was seen before, and this was the answer.

use std::fmt;

use jiff::Timestamp;

use crate::Lease;

/// Claims, finishes or releases a key with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOp {
    /// Takes the key. Refused with [`crate::Error::Key`] while a record of it lives, unless the same owner claims
    /// the same request again before finishing it. A record that expired at or before `created` is replaced, and one in
    /// progress for the same request under a lease that is over: whoever claimed it will not finish it.
    Claim(KeyRecord),
    /// Keeps the answer. Refused with [`crate::Error::Lapsed`] when the claim is no longer this owner's.
    Finish {
        /// The record's tenant.
        tenant: String,
        /// The record's key.
        key: String,
        /// Who claimed it.
        owner: String,
        /// What to answer to a repeat.
        response: Vec<u8>,
        /// Until when a repeat gets this answer.
        expires: Timestamp,
    },
    /// Gives an unfinished claim back, so that the request can be made again. No effect on another owner's.
    Release {
        /// The record's tenant.
        tenant: String,
        /// The record's key.
        key: String,
        /// Who claimed it.
        owner: String,
    },
}

impl KeyOp {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Claim(record) => record.key.len() + record.response().map_or(0, <[u8]>::len) + 160,
            Self::Finish { response, .. } => response.len() + 160,
            Self::Release { .. } => 160,
        }
    }
}

/// One idempotency record, bound to its tenant and to what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// A key of one tenant says nothing about another's.
    pub tenant: String,
    /// As the caller sent it: 1–512 bytes.
    pub key: String,
    /// SHA-256 of the request; the same key with another fingerprint is a caller's mistake (422).
    pub fingerprint: [u8; 32],
    /// Who claimed it: unique per attempt to handle the request, so that a late finisher cannot overwrite.
    pub owner: String,
    /// Under which lease it was claimed. Given by the store; ignored in a batch.
    pub lease: Lease,
    /// Whether there is an answer yet.
    pub state: KeyState,
    /// When it was claimed.
    pub created: Timestamp,
    /// When it may be forgotten: the longest of 24 h, the replay window and the life of a run.
    pub expires: Timestamp,
}

impl KeyRecord {
    /// Whether a claim takes this record's place: it has expired, or is in progress for the same request, and either the
    /// same owner claims it again or nobody can finish it any more, as the epoch in which it was claimed is over.
    pub(crate) fn gives_way_to(&self, claim: &Self, is_over: bool) -> bool {
        let open = self.state == KeyState::InProgress && self.fingerprint == claim.fingerprint;
        self.expires <= claim.created || (open && (self.owner == claim.owner || is_over))
    }

    /// The kept answer, when there is one.
    pub fn response(&self) -> Option<&[u8]> {
        match &self.state {
            KeyState::InProgress => None,
            KeyState::Done { response } => Some(response),
        }
    }
}

/// Whether a request was answered.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyState {
    /// Not yet: a repeat is told to wait (409).
    InProgress,
    /// Answered: a repeat gets the same.
    Done {
        /// The answer.
        response: Vec<u8>,
    },
}

impl fmt::Debug for KeyState {
    /// Without the answer itself: records travel in errors, and errors are logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProgress => f.write_str("InProgress"),
            Self::Done { response } => write!(f, "Done({} bytes)", response.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::Fence;

    /// Whether a record in progress under this lease gives way in the third epoch of `server`.
    fn gives_way(owner: &str, epoch: u64) -> bool {
        let lease = Lease { owner: owner.into(), epoch };
        let record = |owner: &str| KeyRecord {
            tenant: "acme".into(),
            key: "k".into(),
            fingerprint: [7; 32],
            owner: owner.into(),
            lease: lease.clone(),
            state: KeyState::InProgress,
            created: Timestamp::UNIX_EPOCH,
            expires: Timestamp::MAX,
        };
        record("one").gives_way_to(&record("two"), Fence::new("server", 3).is_over(&lease))
    }

    #[test]
    fn a_claim_is_given_up_when_its_epoch_is_known_to_be_over_and_not_when_nothing_is_known_of_it() {
        assert_eq!([0, 2, 3, 4].map(|epoch| gives_way("server", epoch)), [true, true, false, false]);
        assert_eq!([0, 2].map(|epoch| gives_way("another", epoch)), [false, false]);
    }
}
