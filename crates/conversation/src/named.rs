//! A commit's `idempotency_key` is the identity of the whole commit: organisation, conversation, speaker, entity, system,
//! action and whatever else the act says. The same commit under the same key is answered as the first, and begins
//! nothing; another commit under it is refused. The record is a digest, written in the same batch as the act, and is
//! kept as long as the log.
//!
//! A commit that came to nothing may be tried anew under its key, when the caller says so
//! (`metadata.cardan.new_try`): that begins the next generation, whose effects have keys of their own.

use std::sync::Arc;

use act::{Act, Issue};
use jiff::Timestamp;
use react::{ActStatus, Event, Ruling};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use store::{Append, Expected, KeyOp, RunStatus};

use crate::arrival::Arrival;
use crate::identity::{Identity, PREFIX, record_of};
use crate::{Code, Conversations, Error, Lasting, Motion, ONCE, Refusal, Started, Taken, Verdict};

/// What is kept of the commit that has a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The act.
    pub(crate) act: String,
    /// Where it was said; it is the event of this version there.
    pub(crate) conversation: String,
    pub(crate) version: u64,
    /// How often it was tried anew before.
    #[serde(default)]
    pub(crate) generation: u32,
    pub(crate) runs: Vec<Started>,
    #[serde(default)]
    pub(crate) result: Option<Ruling>,
}

/// Leave to begin what a key names: the first time, or once more.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    identity: Identity,
    pub(crate) generation: u32,
    /// Runs of the generation before.
    pub(crate) before: Vec<String>,
    /// Their journals, which must still be as they are when this is written.
    pub(crate) fences: Vec<Append>,
}

/// What a key says to a commit.
pub(crate) enum Named {
    /// It may begin; with a key, by this leave.
    May(Option<Leave>),
    /// It was begun, or is refused.
    Settled(Verdict),
}

/// Whether the caller says that what came to nothing is to be tried anew.
fn new_try(act: &Act) -> Result<bool, Error> {
    match act.meta("cardan").and_then(|cardan| cardan.get("new_try")) {
        None => Ok(false),
        Some(Value::Bool(again)) => Ok(*again),
        Some(_) => Err(refused("expected true or false")),
    }
}

/// Refuses a new try.
fn refused(message: impl Into<String>) -> Error {
    let message = message.into();
    let pointer = "/metadata/cardan/new_try".to_owned();
    let issue = Issue { pointer, code: "commit.new_try", message: message.clone() };
    Refusal { issues: vec![issue], ..Refusal::because(Code::CommitNewTry, message) }.into()
}

impl Leave {
    /// To begin what no commit has begun under this key.
    pub(crate) fn first(identity: Identity) -> Self {
        Self { identity, generation: 0, before: Vec::new(), fences: Vec::new() }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The record that makes it so, with the act that is the event of this version.
    pub(crate) fn keep(&self, tenant: &str, kept: &Kept, at: Timestamp) -> KeyOp {
        let response = serde_json::to_vec(kept).unwrap_or_default();
        let Identity { key, fingerprint, .. } = &self.identity;
        let names = Lasting { tenant, key, owner: OWNER, fingerprint: *fingerprint, response };
        if self.generation > 0 { names.instead() } else { names.first(at) }
    }
}

/// A key belongs to its commit for ever, so nobody else can be its owner.
const OWNER: &str = "commit";

/// The answer to a commit that was begun before.
pub(crate) fn again(first: &Arc<RawValue>, kept: &Kept, position: u64) -> Verdict {
    let (act, runs, result) = (first.clone(), kept.runs.clone(), kept.result.clone());
    Ok(Taken { act, position, result, runs, replayed: true, warnings: Vec::new() })
}

/// A commit that is being taken with the batch.
pub(crate) struct Beside {
    pub(crate) identity: Identity,
    pub(crate) kept: Kept,
    pub(crate) act: Arc<RawValue>,
}

/// The answer to a commit in the same batch as the one that its key names.
pub(crate) fn beside(identity: &Identity, arrival: &Arrival, there: &Beside) -> Verdict {
    let Beside { identity: first, kept, act } = there;
    same(identity, first)?;
    if new_try(&arrival.act)? {
        return Err(refused("expected a try before that has failed or was undone: it has just begun"));
    }
    again(act, kept, 0)
}

/// Refuses another commit under the same key, and says where it differs.
fn same(identity: &Identity, first: &Identity) -> Result<(), Error> {
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
    let issues = differs.into_iter().map(issue).collect();
    Err(Refusal { issues, ..Refusal::because(Code::CommitKeyReused, detail) }.into())
}

impl Conversations {
    /// What a commit's key says to it.
    pub(crate) async fn named(
        &self,
        tenant: &Arc<str>,
        motion: &dyn Motion,
        arrival: &Arrival,
        identity: &Identity,
    ) -> Result<Named, Error> {
        let Some(there) = self.store.key(tenant, &identity.key).await? else {
            return Ok(match self.shares.room(tenant, 1).await {
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
                let json: Arc<RawValue> = to_raw_value(&*act).map_err(|_| Error::Internal)?.into();
                Ok(Named::Settled(again(&json, &kept, *self.store.head().borrow())))
            }
        }
    }

    /// Whether all runs are kept.
    async fn are_there(&self, runs: &[Started]) -> Result<bool, Error> {
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
    pub async fn is_superseded(
        &self,
        (tenant, conversation): (&str, &str),
        key: &str,
        generation: u32,
    ) -> Result<bool, Error> {
        let there = self.store.key(tenant, &record_of(key)).await?;
        let kept = there.and_then(|there| serde_json::from_slice::<Kept>(there.response()?).ok());
        Ok(kept.is_some_and(|kept| kept.conversation == conversation && kept.generation > generation))
    }

    /// The act that a key names.
    async fn kept_act(&self, kept: Option<Kept>) -> Result<Option<(Kept, Arc<Act>)>, Error> {
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
    async fn next(&self, motion: &dyn Motion, identity: &Identity, kept: &Kept) -> Result<Named, Error> {
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
        let before = kept.runs.iter().map(|started| started.run.clone()).collect();
        Ok(Named::May(Some(Leave { identity, generation, before, fences })))
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
    Named::Settled(Err(Error::because(Code::CommitKeyExpired, detail)))
}

/// Whether a record is that of a commit's key, or of one under which only one run may ever begin: who meets it looks it up
/// again.
pub(crate) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX) || key.starts_with(ONCE)
}

/// Whether a commit that was decided so has begun, so that its key is taken. One that broke a rule has not: it may be
/// mended and said again.
pub(crate) fn takes(result: Option<&Ruling>) -> bool {
    result.is_some_and(|ruling| matches!(ruling.status, ActStatus::Routed | ActStatus::Unrouted))
}

/// Refuses a new try of a commit that has no key.
pub(crate) fn unnamed(act: &Act) -> Result<(), Error> {
    match (act.is_commit(), new_try(act)) {
        (true, Ok(true)) => {
            Err(refused("expected an idempotency_key: without one every commit is a new one"))
        }
        (true, Err(problem)) => Err(problem),
        _ => Ok(()),
    }
}
