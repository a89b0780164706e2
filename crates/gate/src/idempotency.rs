//! `Idempotency-Key` (draft 07): a request that was answered is not executed again, its answer is given again.
//!
//! The key is bound to its tenant and to the request: the digest of method, path with query, and body. It is
//! claimed durably before anything is done. A claim lives as long as the request that works under it, and no longer:
//! one that a panic or a store without room left behind in this epoch is taken over, and the store itself gives up those
//! of epochs that are over. That nobody here works under a claim proves nothing about another server. What the request
//! did under it is found by the ids that come from the key, so it is completed, not repeated. Work that has no such ids
//! is committed together with its answer: see [`Ticket`].

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use axum::response::Response;
use conversation::{digest, insist};
use http::{HeaderName, HeaderValue, StatusCode};
use store::{Batch, Claim, KeyOp, KeyRecord, KeyState, Lease, Store, Work};

use crate::answer::Answer;
use crate::exchange::{Asked, Inlet};
use crate::route::Route;
use crate::ticket::{Kept, Ticket};
use crate::{Code, Gate, Problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set on an answer that was kept from the first request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How often an answer that cannot be kept is tried to be kept again, for about a minute in all.
const TRIES: u32 = 16;
/// Between the first two of them; twice as long each time, up to the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A record that is worked under, until this is dropped: also by a panic.
struct Held {
    record: KeyRecord,
    _claim: Option<Claim>,
}

impl Held {
    /// Its owner is new: nobody else works as that.
    fn new(store: &Store, record: KeyRecord) -> Self {
        let claim = store.claim(Work::Key, &record.owner);
        Self { record, _claim: claim }
    }
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
    asked.ticket = Some(Ticket::new(key, record.clone()));
    let gate = gate.clone();
    // A caller who leaves and comes back with the same key must find an answer, not a claim that nobody works under.
    insist(async move {
        // Until the answer is kept, whoever is still there to read it.
        let _turn = asked.turn.clone();
        // Before it is claimed: whoever finds the claim finds it held.
        let held = Held::new(&gate.store, record);
        honour_old(&gate, &asked, &held.record).await?;
        if let Some(kept) = claim(&gate, &held.record).await? {
            return again(&gate, route, asked, &kept).await;
        }
        let ticket = asked.ticket.clone();
        let answered = (route.handler)(&gate, asked).await;
        let answers = ticket.is_some_and(|ticket| ticket.is_answered());
        if !(answers && answered.is_ok()) {
            settle(&gate, held, kept(&answered)).await;
        }
        answered.map(Answer::into_response)
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
        key: named(&asked.principal.subject, key),
        fingerprint,
        owner: format!("{:016x}{:016x}", gate.entropy.bits(), gate.entropy.bits()),
        lease: Lease::default(),
        state: KeyState::InProgress,
        created: now,
        expires: gate.remembered(now),
    }
}

/// Under which name the record of a caller's key is kept: a digest, so that no two callers' keys are ever one.
fn named(subject: &str, key: &str) -> String {
    let digest = digest(["cardan request key 1", subject, key]);
    digest.iter().fold("request/".to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

/// Answers what 0.1.0 has answered. It joined caller and key with a `/`, which may stand in both: of such a record nobody
/// can say whose it is, so nobody is given its answer, and nothing is done under its key while it may live.
async fn honour_old(gate: &Gate, asked: &Asked, record: &KeyRecord) -> Result<(), Problem> {
    if record.created > gate.old_keys {
        return Ok(());
    }
    let (subject, key) = (&asked.principal.subject, asked.ticket.as_ref().map_or("", Ticket::key));
    let Some(there) = gate.store.key(&record.tenant, &format!("http/{subject}/{key}")).await? else {
        return Ok(());
    };
    if there.expires <= record.created || there.response().is_none() {
        return Ok(());
    }
    if subject.contains('/') || key.contains('/') {
        let detail =
            "this key may have been used by another caller before the server was upgraded: use another";
        return Err(Problem::because(Code::IdempotencyMismatch, detail));
    }
    // Moved to its new name; whoever has moved it meanwhile has done the same.
    let moved = KeyRecord { key: record.key.clone(), ..there };
    match gate.store.commit(keys(KeyOp::Claim(moved))).await {
        Ok(_) | Err(store::Error::Key(_)) => Ok(()),
        Err(error) => Err(error.into()),
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
        KeyState::InProgress if is_left_behind(&gate.store, &there) => {
            take_over(gate, record, there.owner).await
        }
        KeyState::InProgress => Err(Problem::new(Code::IdempotencyInProgress)),
    }
}

/// Whether nobody works under it any more, as this very epoch must know of its own claims. Of any other nothing is known.
fn is_left_behind(store: &Store, there: &KeyRecord) -> bool {
    there.lease == *store.lease() && !store.is_claimed(Work::Key, &there.owner)
}

async fn take_over(gate: &Gate, record: &KeyRecord, owner: String) -> Result<Option<Vec<u8>>, Problem> {
    let release = KeyOp::Release { tenant: record.tenant.clone(), key: record.key.clone(), owner };
    let batch = Batch { keys: vec![release, KeyOp::Claim(record.clone())], ..Batch::default() };
    match gate.store.commit(batch).await {
        Ok(_) => Ok(None),
        Err(store::Error::Key(_)) => Err(Problem::new(Code::IdempotencyInProgress)),
        Err(error) => Err(error.into()),
    }
}

/// Answers what was answered before.
async fn again(gate: &Gate, route: &'static Route, asked: Asked, kept: &[u8]) -> Result<Response, Problem> {
    let kept: Kept = serde_json::from_slice(kept).map_err(|_| Problem::new(Code::Internal))?;
    if !kept.shows {
        return replay(kept, *gate.store.head().borrow());
    }
    let shows = route.shows.ok_or_else(|| Problem::new(Code::Internal))?;
    let mut response = shows(gate, asked).await?.into_response();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn replay(kept: Kept, head: u64) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(kept.status).map_err(|_| Problem::new(Code::Internal))?;
    let mut answer = Answer::bytes(status, kept.body.get().as_bytes().to_vec());
    // Kept with the work itself it has no position yet; it is at or before the end of the log.
    let position = kept.position.or((!kept.problem).then_some(head));
    (answer.position, answer.location, answer.etag) = (position, kept.location, kept.etag);
    let mut response = answer.into_response();
    if kept.problem {
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(http::header::CONTENT_TYPE, media);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps the answer. Without one (a refusal) it gives the key back, so that trying again is worth it.
async fn settle(gate: &Gate, held: Held, response: Option<Vec<u8>>) {
    let KeyRecord { tenant, key, owner, expires, .. } = held.record.clone();
    let Some(response) = response else {
        // Were it not given back, it would be taken over: nobody holds it any more.
        let release = KeyOp::Release { tenant, key, owner };
        return told(gate.store.commit(keys(release)).await);
    };
    let finish = keys(KeyOp::Finish { tenant, key, owner, response, expires });
    match gate.store.commit(finish.clone()).await {
        // What was done is durable, so the caller is answered; whoever comes again waits for the answer to be kept.
        Err(store::Error::Busy | store::Error::Full) => {
            let store = gate.store.clone();
            drop(tokio::spawn(async move {
                let _held = held;
                told(persist(|| store.commit(finish.clone())).await);
            }));
        }
        outcome => told(outcome),
    }
}

fn keys(op: KeyOp) -> Batch {
    Batch { keys: vec![op], ..Batch::default() }
}

/// Were an answer not kept at all, a repeat would find what was done by its ids.
fn told(outcome: Result<store::Receipt, store::Error>) {
    if let Err(error) = outcome {
        tracing::warn!(error = %error, "keeping an idempotent answer");
    }
}

/// Commits when there is room again.
async fn persist<T, C: Future<Output = Result<T, store::Error>>>(
    commit: impl Fn() -> C,
) -> Result<T, store::Error> {
    let mut wait = FIRST;
    for _ in 1..TRIES {
        tokio::time::sleep(wait).await;
        match commit().await {
            Err(store::Error::Busy | store::Error::Full) => wait = (2 * wait).min(LONGEST),
            outcome => return outcome,
        }
    }
    commit().await
}

/// The answer as it is kept, when it is. Nothing was done for a request that was refused, so a repeat is looked at like
/// the first one; otherwise whoever is refused with a new key each time would fill the disk.
fn kept(answered: &Result<Answer, Problem>) -> Option<Vec<u8>> {
    serde_json::to_vec(&Kept::of(answered.as_ref().ok()?)?).ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn claimed_by(owner: &str, lease: &Lease) -> KeyRecord {
        KeyRecord {
            tenant: "acme".into(),
            key: "k".into(),
            fingerprint: [7; 32],
            owner: owner.into(),
            lease: lease.clone(),
            state: KeyState::InProgress,
            created: jiff::Timestamp::UNIX_EPOCH,
            expires: jiff::Timestamp::MAX,
        }
    }

    #[test]
    fn a_claim_is_left_behind_when_this_epoch_made_it_and_nobody_works_under_it() {
        let store = Store::inline().unwrap();
        let ours = store.lease().clone();
        let held = Held::new(&store, claimed_by("a", &ours));
        assert!(!is_left_behind(&store, &held.record));
        assert!(is_left_behind(&store, &claimed_by("b", &ours)));
        let record = held.record.clone();
        drop(held);
        assert!(is_left_behind(&store, &record));
    }

    #[test]
    fn a_claim_of_an_owner_or_an_epoch_that_is_not_known_here_is_in_progress() {
        let store = Store::inline().unwrap();
        let another = Lease { owner: "another".into(), epoch: 1 };
        let later = Lease { epoch: 7, ..store.lease().clone() };
        assert!([another, later].iter().all(|lease| !is_left_behind(&store, &claimed_by("a", lease))));
    }

    /// What becomes of a commit that finds no room so often, and how often it is tried.
    async fn persisted(full: u32) -> (Result<u32, store::Error>, u32) {
        let tried = Cell::new(0);
        let commit = || {
            tried.set(tried.get() + 1);
            let outcome = if tried.get() > full { Ok(7) } else { Err(store::Error::Busy) };
            std::future::ready(outcome)
        };
        (persist(commit).await, tried.get())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_when_there_is_room_again() {
        assert_eq!(persisted(0).await, (Ok(7), 1));
        assert_eq!(persisted(5).await, (Ok(7), 6));
        assert_eq!(persisted(100).await, (Err(store::Error::Busy), TRIES));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_want_of_room_is_not_tried_again() {
        let closed = || std::future::ready(Err::<u32, _>(store::Error::Closed));
        assert_eq!(persist(closed).await, Err(store::Error::Closed));
    }
}
