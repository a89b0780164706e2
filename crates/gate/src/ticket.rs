//! What a request with an idempotency key commits together with its work, and an answer as it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{KeyOp, KeyRecord};

use crate::answer::{Answer, Outlet};

/// What a handler commits with its work, so that a repeat finds it answered as soon as it is done: also when the process
/// ends before the answer has left.
#[derive(Clone)]
pub(crate) struct Ticket {
    key: String,
    record: KeyRecord,
    /// Whether the answer itself goes with the work, so that it need not be kept once more.
    answers: Arc<AtomicBool>,
}

impl Ticket {
    pub(crate) fn new(key: String, record: KeyRecord) -> Self {
        Self { key, record, answers: Arc::default() }
    }

    /// The key as the caller sent it.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// A name that comes from the caller and the key: nobody else's request has it.
    pub(crate) fn name(&self) -> &str {
        &self.record.key
    }

    /// The record of `answer`, for the batch that does what it answers.
    pub(crate) fn answered(&self, answer: &Answer) -> Option<KeyOp> {
        let response = serde_json::to_vec(&Kept::of(answer)?).ok()?;
        self.answers.store(true, Ordering::Relaxed);
        Some(self.finish(response))
    }

    /// The record that the work is done, for its batch. A repeat is answered by how things stand then.
    pub(crate) fn done(&self) -> KeyOp {
        self.finish(serde_json::to_vec(&Kept::shown()).unwrap_or_default())
    }

    /// Whether its answer goes with the work.
    pub(crate) fn is_answered(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    fn finish(&self, response: Vec<u8>) -> KeyOp {
        let KeyRecord { tenant, key, owner, expires, .. } = self.record.clone();
        KeyOp::Finish { tenant, key, owner, response, expires }
    }
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The work is done, and its answer was not kept: it is answered by how things stand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) shows: bool,
    pub(crate) status: u16,
    pub(crate) position: Option<u64>,
    pub(crate) location: Option<String>,
    pub(crate) etag: Option<String>,
    /// Refusals were kept by earlier versions.
    pub(crate) problem: bool,
    pub(crate) body: Box<RawValue>,
}

impl Kept {
    /// An answer that can be kept.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let Outlet::Json(body) = &answer.body else { return None };
        Some(Self {
            shows: false,
            status: answer.status.as_u16(),
            position: answer.position,
            location: answer.location.clone(),
            etag: answer.etag.clone(),
            problem: false,
            body: serde_json::from_slice(body).ok()?,
        })
    }

    pub(crate) fn shown() -> Self {
        let body = RawValue::NULL.to_owned();
        Self { shows: true, status: 200, position: None, location: None, etag: None, problem: false, body }
    }
}
