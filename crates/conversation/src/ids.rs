//! An act's id is used once in its conversation. The same act again is answered as it was then; another act under
//! the same id is refused. The record is written in the same batch as the act, and kept as long as the log.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use react::Ruling;
use serde::{Deserialize, Serialize};
use store::{KeyOp, KeyRecord, KeyState};

use crate::arrival::Arrival;
use crate::lasting::for_ever;
use crate::{Code, Conversations, Error, Started, Taken, Verdict};

/// What is kept of an answer. The position is not known before the commit; a repeat is told the head instead,
/// which is at or beyond it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) runs: Vec<Started>,
    #[serde(default)]
    pub(crate) result: Option<Ruling>,
}

/// Under which key an act's record is kept. Neither name can hold what separates them.
pub(crate) fn key(conversation: &str, id: &str) -> String {
    format!("act/{conversation}/{id}")
}

/// The record of one act, which is `json` when written.
pub(crate) fn record(tenant: &str, conversation: &str, id: &str, json: &[u8], at: Timestamp) -> KeyRecord {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, json).as_ref());
    KeyRecord {
        tenant: tenant.to_owned(),
        key: key(conversation, id),
        fingerprint,
        // An act is claimed and finished at once, so nobody else can be its owner.
        owner: "act".to_owned(),
        lease: store::Lease::default(),
        state: KeyState::InProgress,
        created: at,
        expires: for_ever(),
    }
}

/// The record with its answer, to be written with the act.
pub(crate) fn claim(record: KeyRecord, kept: &Kept) -> KeyOp {
    let response = serde_json::to_vec(kept).unwrap_or_default();
    KeyOp::Claim(KeyRecord { state: KeyState::Done { response }, ..record })
}

/// The verdict over an act whose id was used before, by the same act or by another.
pub(crate) fn same(same: bool, arrival: &Arrival, kept: Kept, position: u64) -> Verdict {
    if same {
        let (act, Kept { runs, result }) = (arrival.json.clone(), kept);
        return Ok(Taken { act, position, result, runs, replayed: true, warnings: Vec::new() });
    }
    let detail = format!("{} was used for an act with another body", arrival.act.id);
    Err(Error::because(Code::ActIdReused, detail))
}

impl Conversations {
    /// What an act was answered, when its id was used before.
    pub(crate) async fn seen(&self, arrival: &Arrival) -> Result<Option<Verdict>, Error> {
        let record = &arrival.record;
        let Some(there) = self.store.key(&record.tenant, &record.key).await? else { return Ok(None) };
        let kept = there.response().and_then(|response| serde_json::from_slice(response).ok());
        let position = *self.store.head().borrow();
        let alike = there.fingerprint == record.fingerprint;
        Ok(Some(same(alike, arrival, kept.unwrap_or_default(), position)))
    }
}
