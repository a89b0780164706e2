//! A commit's `idempotency_key` is the identity of the whole commit: organisation, conversation, speaker, entity, system,
//! action and whatever else the act says. The same commit under the same key is answered as the first, and begins
//! nothing; another commit under it is refused. The record is a digest, written in the same batch as the act, and is
//! kept as long as the log.
//!
//! A commit that came to nothing may be tried anew under its key, when the caller says so
//! (`metadata.cardan.new_try`): that begins the next generation, whose effects have keys of their own.

use std::sync::Arc;

use act::{Act, Body, Commit, CommitStatus, Issue};
use aws_lc_rs::digest::{Context, SHA256};
use conversation::Motion;
use jiff::Timestamp;
use react::{ActStatus, Event, Ruling};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use store::{Append, Expected, KeyOp, KeyRecord, KeyState, RunStatus};

use super::ids::NEVER;
use super::ingest::{Arrival, Started, Taken, Verdict};
use super::{Conversations, Deciding};
use crate::{Code, Problem};

/// What is kept of the commit that has a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The act.
    pub(super) act: String,
    /// Where it was said; it is the event of this version there.
    pub(super) conversation: String,
    pub(super) version: u64,
    /// How often it was tried anew before.
    #[serde(default)]
    pub(super) generation: u32,
    pub(super) runs: Vec<Started>,
    #[serde(default)]
    pub(super) result: Option<Ruling>,
}

/// The identity of a commit with a key.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Under which name it is kept.
    pub(super) key: String,
    parts: Vec<(String, String)>,
    fingerprint: [u8; 32],
}

/// Leave to begin what a key names: the first time, or once more.
#[derive(Clone, Debug)]
pub(super) struct Leave {
    identity: Identity,
    pub(super) generation: u32,
    /// Runs of the generation before, which must still be over when this is written.
    pub(super) fences: Vec<Append>,
}

/// What a key says to a commit.
pub(super) enum Named {
    /// It may begin; with a key, by this leave.
    May(Option<Leave>),
    /// It was begun, or is refused.
    Settled(Verdict),
}

impl Identity {
    /// The identity of an act; `None` when it is no commit with a key that wants something done.
    pub(super) fn of(by: &Deciding, tenant: &str, conversation: &str, act: &Act) -> Option<Self> {
        let Body::Commit(commit) = &act.body else { return None };
        let key = commit.idempotency_key.as_deref().filter(|_| commit.state() == CommitStatus::Pending)?;
        let parts = parts(by, conversation, act, commit);
        let flat = parts.iter().flat_map(|(pointer, text)| [pointer.as_str(), text.as_str()]);
        let fingerprint = digest(["cardan commit 1", tenant].into_iter().chain(flat));
        let key = record_of(key);
        Some(Self { key, parts, fingerprint })
    }

    /// Where another commit differs. Of a commit of another conversation or speaker nothing more is told.
    fn differs<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let told =
            |(pointer, text): &(String, String)| !other.parts.iter().any(|(p, t)| p == pointer && t == text);
        let gone = |(pointer, _): &(String, String)| !self.parts.iter().any(|(p, _)| p == pointer);
        let all =
            self.parts.iter().filter(|part| told(part)).chain(other.parts.iter().filter(|part| gone(part)));
        let all: Vec<&str> = all.map(|(pointer, _)| pointer.as_str()).collect();
        match all.iter().find(|pointer| [CONVERSATION, SPEAKER].contains(*pointer)) {
            Some(foreign) => vec![foreign],
            None => all,
        }
    }
}

/// Under which name a key's record is kept.
fn record_of(key: &str) -> String {
    let digest = digest(["cardan commit key 1", key]);
    digest.iter().fold(PREFIX.to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

const CONVERSATION: &str = "/metadata/conversation_id";
const SPEAKER: &str = "/speaker";

/// Members that say how a commit came here, not what it wants.
const ENVELOPE: [&str; 10] = [
    "id",
    "timestamp",
    "confidence",
    "source",
    "retry_count",
    "status",
    "idempotency_key",
    "speaker",
    "system",
    "metadata",
];
/// Members of the metadata that do.
const TRACE: [&str; 12] = [
    "cardan",
    "conversation_id",
    "correlation_id",
    "causation_id",
    "request_id",
    "trace_id",
    "span_id",
    "parent_span_id",
    "traceparent",
    "tracestate",
    "baggage",
    "processing_time_ms",
];

/// What makes a commit that commit: pointers and values.
fn parts(by: &Deciding, conversation: &str, act: &Act, commit: &Commit) -> Vec<(String, String)> {
    let system = commit.system.as_deref().map(|name| by.rules.system(name)).unwrap_or_default();
    let mut parts = vec![
        (CONVERSATION.to_owned(), conversation.to_owned()),
        (SPEAKER.to_owned(), act.speaker.clone()),
        ("/system".to_owned(), system),
    ];
    let Value::Object(members) = act.to_value() else { return parts };
    let own = members.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    parts.extend(own.map(|(name, value)| (format!("/{name}"), value.to_string())));
    let meta = act.metadata.iter().flatten().filter(|(name, _)| !TRACE.contains(&name.as_str()));
    parts.extend(meta.map(|(name, value)| (format!("/metadata/{name}"), value.to_string())));
    parts
}

/// A digest of parts, each with its length before it: no two lists of parts are alike.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    for part in parts {
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let mut out = [0; 32];
    out.copy_from_slice(digest.finish().as_ref());
    out
}

/// Whether the caller says that what came to nothing is to be tried anew.
fn new_try(act: &Act) -> Result<bool, Problem> {
    match act.meta("cardan").and_then(|cardan| cardan.get("new_try")) {
        None => Ok(false),
        Some(Value::Bool(again)) => Ok(*again),
        Some(_) => Err(refused("expected true or false")),
    }
}

/// Refuses a new try.
fn refused(message: impl Into<String>) -> Problem {
    let message = message.into();
    let pointer = "/metadata/cardan/new_try".to_owned();
    let issue = Issue { pointer, code: "commit.new_try", message: message.clone() };
    Problem { errors: vec![issue], ..Problem::because(Code::CommitNewTry, message) }
}

impl Leave {
    /// To begin what no commit has begun under this key.
    pub(super) fn first(identity: Identity) -> Self {
        Self { identity, generation: 0, fences: Vec::new() }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The record that makes it so, with the act that is the event of this version.
    pub(super) fn keep(&self, tenant: &str, kept: &Kept, at: Timestamp) -> KeyOp {
        let response = serde_json::to_vec(kept).unwrap_or_default();
        let expires = Timestamp::from_second(NEVER).unwrap_or(Timestamp::MAX);
        let (tenant, key, owner) = (tenant.to_owned(), self.identity.key.clone(), OWNER.to_owned());
        if self.generation > 0 {
            return KeyOp::Finish { tenant, key, owner, response, expires };
        }
        let (fingerprint, state) = (self.identity.fingerprint, KeyState::Done { response });
        KeyOp::Claim(KeyRecord { tenant, key, fingerprint, owner, state, created: at, expires })
    }
}

/// How the names of records begin.
pub(super) const PREFIX: &str = "commit/";

/// A key belongs to its commit for ever, so nobody else can be its owner.
const OWNER: &str = "commit";

/// The answer to a commit that was begun before.
pub(super) fn again(first: &Arc<RawValue>, kept: &Kept, position: u64) -> Verdict {
    let (act, runs, result) = (first.clone(), kept.runs.clone(), kept.result.clone());
    Ok(Taken { act, position, result, runs, replayed: true, warnings: Vec::new() })
}

/// A commit that is being taken with the batch.
pub(super) struct Beside {
    pub(super) identity: Identity,
    pub(super) kept: Kept,
    pub(super) act: Arc<RawValue>,
}

/// The answer to a commit in the same batch as the one that its key names.
pub(super) fn beside(identity: &Identity, arrival: &Arrival, there: &Beside) -> Verdict {
    let Beside { identity: first, kept, act } = there;
    same(identity, first)?;
    if new_try(&arrival.act)? {
        return Err(refused("expected a try before that has failed or was undone: it has just begun"));
    }
    again(act, kept, 0)
}

/// Refuses another commit under the same key, and says where it differs.
fn same(identity: &Identity, first: &Identity) -> Result<(), Problem> {
    let differs = identity.differs(first);
    if differs.is_empty() {
        return Ok(());
    }
    let detail = format!("this idempotency_key was used for a commit that differs in {}", differs.join(", "));
    let issue = |pointer: &str| Issue {
        pointer: pointer.to_owned(),
        code: "commit.differs",
        message: "expected what the first commit under this key says".to_owned(),
    };
    let errors = differs.into_iter().map(issue).collect();
    Err(Problem { errors, ..Problem::because(Code::CommitKeyReused, detail) })
}

impl Conversations {
    /// What a commit's key says to it.
    pub(super) async fn named(
        &self,
        tenant: &Arc<str>,
        motion: &dyn Motion,
        arrival: &Arrival,
        identity: &Identity,
    ) -> Result<Named, Problem> {
        let Some(there) = self.store.key(tenant, &identity.key).await? else {
            return Ok(match self.room_for_key(tenant).await {
                Ok(()) => first(arrival, identity),
                Err(problem) => Named::Settled(Err(problem)),
            });
        };
        // The same act again is answered as it was then, whatever was tried since.
        if let Some(verdict) = self.seen(arrival).await? {
            return Ok(Named::Settled(verdict));
        }
        let kept: Option<Kept> = there.response().and_then(|kept| serde_json::from_slice(kept).ok());
        let Some((kept, act)) = self.kept_act(kept).await? else { return Ok(expired()) };
        let named = match there.fingerprint == identity.fingerprint {
            true => Ok(()),
            false => match Identity::of(&self.deciding, tenant, &kept.conversation, &act) {
                Some(first) => same(identity, &first),
                None => return Ok(expired()),
            },
        };
        match named.and_then(|()| new_try(&arrival.act)) {
            Err(problem) => Ok(Named::Settled(Err(problem))),
            Ok(true) => self.next(motion, identity, &kept).await,
            Ok(false) if !self.are_there(&kept.runs).await? => Ok(expired()),
            Ok(false) => {
                let json: Arc<RawValue> =
                    to_raw_value(&*act).map_err(|_| Problem::new(Code::Internal))?.into();
                Ok(Named::Settled(again(&json, &kept, *self.store.head().borrow())))
            }
        }
    }

    /// Whether all runs are kept.
    async fn are_there(&self, runs: &[Started]) -> Result<bool, Problem> {
        for started in runs {
            if self.store.run(&started.run).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a later try of a commit has begun under its key, said in this conversation: its run must not begin again
    /// beside it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn is_superseded(
        &self,
        (tenant, conversation): (&str, &str),
        key: &str,
        generation: u32,
    ) -> Result<bool, Problem> {
        let there = self.store.key(tenant, &record_of(key)).await?;
        let kept = there.and_then(|there| serde_json::from_slice::<Kept>(there.response()?).ok());
        Ok(kept.is_some_and(|kept| kept.conversation == conversation && kept.generation > generation))
    }

    /// The act that a key names.
    async fn kept_act(&self, kept: Option<Kept>) -> Result<Option<(Kept, Arc<Act>)>, Problem> {
        let Some(kept) = kept else { return Ok(None) };
        let stream = react::Conversation::new(kept.conversation.as_str()).stream();
        let page = self.store.stream(&stream, kept.version.saturating_sub(1), 1).await?;
        let Some(event) = page.first() else { return Ok(None) };
        match Event::decode(&event.type_, &event.data) {
            Ok(Event::ActProcessed(processed)) => Ok(Some((kept, processed.act))),
            _ => Ok(None),
        }
    }

    /// The next generation, when the one before has come to nothing.
    async fn next(&self, motion: &dyn Motion, identity: &Identity, kept: &Kept) -> Result<Named, Problem> {
        if kept.runs.is_empty() {
            let why = "expected a try before that has failed or was undone: it began no run";
            return Ok(Named::Settled(Err(refused(why))));
        }
        let mut fences = Vec::with_capacity(kept.runs.len());
        for Started { run, .. } in &kept.runs {
            // The journal first: what is written to it after this is noticed by the fence.
            let journal = motion.journal(run);
            let version = self.store.version(&journal).await?;
            let Some(row) = self.store.run(run).await? else { return Ok(expired()) };
            if !matches!(row.status, RunStatus::Failed | RunStatus::Compensated | RunStatus::Cancelled) {
                let status = row.status.as_str();
                let why = format!("expected a try before that has failed or was undone: {run} is {status}");
                return Ok(Named::Settled(Err(refused(why))));
            }
            let expected = Expected::Version(version);
            fences.push(Append { stream: journal, expected, events: Vec::new() });
        }
        let (identity, generation) = (identity.clone(), kept.generation + 1);
        Ok(Named::May(Some(Leave { identity, generation, fences })))
    }
}

fn first(arrival: &Arrival, identity: &Identity) -> Named {
    match new_try(&arrival.act) {
        Ok(false) => Named::May(Some(Leave::first(identity.clone()))),
        Ok(true) => Named::Settled(Err(refused("expected a try before: nothing was begun under this key"))),
        Err(problem) => Named::Settled(Err(problem)),
    }
}

fn expired() -> Named {
    let detail = "the commit that this idempotency_key names is not kept any more: it was begun, and is not begun again";
    Named::Settled(Err(Problem::because(Code::CommitKeyExpired, detail)))
}

/// Whether a record is that of a commit's key.
pub(super) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Whether a commit that was decided so has begun, so that its key is taken. One that broke a rule has not: it may be
/// mended and said again.
pub(super) fn takes(result: Option<&Ruling>) -> bool {
    result.is_some_and(|ruling| matches!(ruling.status, ActStatus::Routed | ActStatus::Unrouted))
}

/// Refuses a new try of a commit that has no key.
pub(super) fn unnamed(act: &Act) -> Result<(), Problem> {
    match (act.is_commit(), new_try(act)) {
        (true, Ok(true)) => {
            Err(refused("expected an idempotency_key: without one every commit is a new one"))
        }
        (true, Err(problem)) => Err(problem),
        _ => Ok(()),
    }
}
