//! `Idempotency-Key` (draft 07): a request that was answered is not executed again, its answer is given again.
//!
//! The key is bound to its tenant and to the request: the digest of method, path with query, and body. It is
//! claimed durably before anything is done. A claim that another run of this server left behind is taken over:
//! what the request did under it is found by the ids that come from the key, so it is completed, not repeated.

use aws_lc_rs::digest::{Context, SHA256};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Batch, KeyOp, KeyRecord, KeyState};

use crate::exchange::{Answer, Asked, Inlet, Outlet};
use crate::insist::insist;
use crate::route::Route;
use crate::{Code, Gate, Problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set on an answer that was kept from the first request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    position: Option<u64>,
    location: Option<String>,
    etag: Option<String>,
    problem: bool,
    body: Box<RawValue>,
}

/// Handles the request, once for each idempotency key.
pub(crate) async fn once(
    gate: &Gate,
    route: &'static Route,
    path: &str,
    mut asked: Asked,
) -> Result<Response, Problem> {
    let Some(key) = key(&asked)?.filter(|_| route.verb.writes()) else {
        return (route.handler)(gate, asked).await.map(Answer::into_response);
    };
    if matches!(asked.body, Inlet::Lines(_)) {
        let detail = "acts sent line by line are told apart by their ids; send no idempotency key with them";
        return Err(Problem::because(Code::IdempotencyKey, detail));
    }
    let record = record(gate, route, path, &asked, &key);
    asked.key = Some(key);
    let (gate, path) = (gate.clone(), path.to_owned());
    // A caller who leaves and comes back with the same key must find an answer, not a claim that nobody works under.
    insist(async move {
        // Until the answer is kept, whoever is still there to read it.
        let _turn = asked.turn.clone();
        if let Some(kept) = claim(&gate, &record).await? {
            return replay(&kept);
        }
        let answered = (route.handler)(&gate, asked).await;
        settle(&gate, record, &path, answered).await
    })
    .await
}

fn key(asked: &Asked) -> Result<Option<String>, Problem> {
    let mut values = asked.headers.get_all(&KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    // The draft has a quoted structured-field string; most clients send it bare.
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let visible = bare.bytes().all(|byte| byte.is_ascii_graphic());
    if values.next().is_some() || !visible || !(1..=255).contains(&bare.len()) {
        let detail = "expected one key of 1 to 255 visible ASCII characters";
        return Err(Problem::because(Code::IdempotencyKey, detail));
    }
    Ok(Some(bare.to_owned()))
}

fn record(gate: &Gate, route: &Route, path: &str, asked: &Asked, key: &str) -> KeyRecord {
    let mut digest = Context::new(&SHA256);
    for part in [route.verb.as_str(), path, &asked.query] {
        digest.update(part.as_bytes());
        digest.update(b"\n");
    }
    if let Inlet::Whole(body) = &asked.body {
        digest.update(body);
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest.finish().as_ref());
    let now = gate.clock.now();
    KeyRecord {
        tenant: asked.principal.tenant.to_string(),
        key: format!("http/{}/{key}", asked.principal.subject),
        fingerprint,
        owner: format!("{}/{:016x}", gate.incarnation, gate.entropy.bits()),
        state: KeyState::InProgress,
        created: now,
        expires: gate.remembered(now),
    }
}

/// Claims the key, or finds the kept answer.
async fn claim(gate: &Gate, record: &KeyRecord) -> Result<Option<Vec<u8>>, Problem> {
    let batch = Batch { keys: vec![KeyOp::Claim(record.clone())], ..Batch::default() };
    let there = match gate.store.commit(batch).await {
        Ok(_) => return Ok(None),
        Err(store::Error::Key(there)) => there,
        Err(error) => return Err(error.into()),
    };
    if there.fingerprint != record.fingerprint {
        return Err(Problem::new(Code::IdempotencyMismatch));
    }
    match there.state {
        KeyState::Done { response } => Ok(Some(response)),
        KeyState::InProgress if there.owner.starts_with(&*gate.incarnation) => {
            Err(Problem::new(Code::IdempotencyInProgress))
        }
        KeyState::InProgress => take_over(gate, record, there.owner).await,
    }
}

/// Nobody works under a claim of an earlier run of this server.
async fn take_over(gate: &Gate, record: &KeyRecord, owner: String) -> Result<Option<Vec<u8>>, Problem> {
    let release = KeyOp::Release { tenant: record.tenant.clone(), key: record.key.clone(), owner };
    let batch = Batch { keys: vec![release, KeyOp::Claim(record.clone())], ..Batch::default() };
    match gate.store.commit(batch).await {
        Ok(_) => Ok(None),
        Err(store::Error::Key(_)) => Err(Problem::new(Code::IdempotencyInProgress)),
        Err(error) => Err(error.into()),
    }
}

fn replay(kept: &[u8]) -> Result<Response, Problem> {
    let kept: Kept = serde_json::from_slice(kept).map_err(|_| Problem::new(Code::Internal))?;
    let status = StatusCode::from_u16(kept.status).map_err(|_| Problem::new(Code::Internal))?;
    let mut answer = Answer::bytes(status, kept.body.get().as_bytes().to_vec());
    (answer.position, answer.location, answer.etag) = (kept.position, kept.location, kept.etag);
    let mut response = answer.into_response();
    if kept.problem {
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(http::header::CONTENT_TYPE, media);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps the answer. A refusal that may pass later gives the key back instead, so that trying again is worth it.
async fn settle(
    gate: &Gate,
    record: KeyRecord,
    path: &str,
    answered: Result<Answer, Problem>,
) -> Result<Response, Problem> {
    let (tenant, key, owner) = (record.tenant, record.key, record.owner);
    let op = match kept(path, &answered) {
        Some(response) => KeyOp::Finish { tenant, key, owner, response, expires: record.expires },
        None => KeyOp::Release { tenant, key, owner },
    };
    // What was done is durable already. Were the answer not kept, a repeat would find it by its ids.
    if let Err(error) = gate.store.commit(Batch { keys: vec![op], ..Batch::default() }).await {
        tracing::warn!(error = %error, "keeping an idempotent answer");
    }
    answered.map(Answer::into_response)
}

fn kept(path: &str, answered: &Result<Answer, Problem>) -> Option<Vec<u8>> {
    let kept = match answered {
        Ok(answer) => {
            let Outlet::Json(body) = &answer.body else { return None };
            Kept {
                status: answer.status.as_u16(),
                position: answer.position,
                location: answer.location.clone(),
                etag: answer.etag.clone(),
                problem: false,
                body: serde_json::from_slice(body).ok()?,
            }
        }
        Err(problem) if problem.code.retry_after().is_some() || problem.code.status() >= 500 => return None,
        Err(problem) => Kept {
            status: problem.code.status(),
            position: None,
            location: None,
            etag: None,
            problem: true,
            body: serde_json::value::to_raw_value(&problem.body(Some(path))).ok()?,
        },
    };
    serde_json::to_vec(&kept).ok()
}
