//! Takes acts: authorises, decides in order, commits once, wakes the engine.

use std::sync::Arc;
use std::time::Duration;

use act::{Accepted, Act, Issue};
use conversation::Motion;
use port::TraceContext;
use react::Ruling;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use store::{KeyOp, KeyRecord};

use super::known::Known;
use super::named::{Identity, Named};
use super::refusal::refused;
use super::work::Work;
use super::{Conversations, admit, asked, ids, named, read};
use crate::{Code, Principal, Problem};

/// How often a batch is decided again after somebody else wrote to the stream.
const TRIES: u32 = 5;

/// How long acts are decided at a stretch before others have their turn at the processor.
const SPELL: Duration = Duration::from_millis(10);

/// Acts that arrived together for one conversation.
pub struct Utterance<'a> {
    /// Who says them.
    pub principal: &'a Principal,
    /// To which conversation; one that does not exist yet begins with the first speaker as its participant.
    pub conversation: &'a str,
    /// One id for all they set in motion.
    pub correlation: &'a Arc<str>,
    /// The trace that what they set in motion continues.
    pub trace: TraceContext,
    /// Plans what they set in motion.
    pub motion: &'a dyn Motion,
    /// The acts, in order; at most as many as fit one batch.
    pub acts: Vec<Accepted<Act>>,
    /// Whether one refusal refuses them all.
    pub all_or_nothing: bool,
    /// The question that they answer, when they are said for nothing else.
    pub answers: Option<Answers<'a>>,
}

/// A question that is answered: unless it is open when the act is decided, the act is refused.
pub struct Answers<'a> {
    /// The question.
    pub question: &'a str,
    /// What is recorded in the commit of the answer.
    pub done: Option<KeyOp>,
}

/// What became of the acts.
#[derive(Debug)]
pub struct Heard {
    /// One for each act, in order.
    pub verdicts: Vec<Verdict>,
    /// What runs wait to hear next.
    pub next_actions: Vec<Value>,
}

/// What became of one act.
pub type Verdict = Result<Taken, Problem>;

/// An act that is durable, and what it set in motion.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The act, as JSON.
    pub act: Arc<RawValue>,
    /// A position at or beyond it.
    pub position: u64,
    /// What became of it. `None` of an act that was taken before this was kept.
    pub result: Option<Ruling>,
    /// The runs it started.
    pub runs: Vec<Started>,
    /// Whether it had been taken before.
    pub replayed: bool,
    /// What is odd about it.
    pub warnings: Vec<Issue>,
}

/// A run that an act started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub run: String,
    /// The system the commit named; `default` when it named none.
    pub system: String,
}

/// One act on its way.
pub(super) struct Arrival {
    pub(super) act: Arc<Act>,
    /// The act, written once: for its fingerprint, its event and the answer.
    pub(super) json: Arc<RawValue>,
    pub(super) warnings: Vec<Issue>,
    pub(super) record: KeyRecord,
    /// What it is, when it is a commit with a key.
    pub(super) identity: Option<Identity>,
    /// What is known of its speaker.
    pub(super) standing: react::Standing,
    /// Settled before any decision: refused at the door, or seen before.
    pub(super) settled: Option<Verdict>,
}

/// Why a try did not end.
enum Again {
    /// Somebody else wrote to the stream: what we knew was old, and is read again.
    Stale,
    /// Ids were used before: those acts are settled, the others are decided without them.
    Seen,
    Never(Problem),
}

impl From<Problem> for Again {
    fn from(problem: Problem) -> Self {
        Again::Never(problem)
    }
}

impl Conversations {
    /// Takes the acts; one verdict for each, in order. With [`Utterance::all_or_nothing`] the first refusal is the
    /// answer and nothing is written.
    ///
    /// Safe under cancellation: what was handed to the store is committed and followed up, what was not leaves
    /// nothing behind.
    ///
    /// # Errors
    /// When nothing was taken: the conversation is another organisation's, or the store refuses.
    pub async fn ingest(&self, mut said: Utterance<'_>) -> Result<Heard, Problem> {
        let started = self.clock.instant();
        let acts = std::mem::take(&mut said.acts);
        let mut arrivals = self.arrivals(&said, acts)?;
        let heard = self.take(&said, &mut arrivals).await;
        let took = self.clock.instant().saturating_duration_since(started);
        for (number, arrival) in arrivals.iter().enumerate() {
            let verdict = heard.as_ref().ok().and_then(|heard| heard.verdicts.get(number));
            let taken = verdict.and_then(|verdict| verdict.as_ref().ok());
            self.observer.act(arrival.act.type_name(), taken.is_some(), took);
            tell(&said, &arrival.act, taken);
        }
        heard
    }

    async fn take(&self, said: &Utterance<'_>, arrivals: &mut [Arrival]) -> Result<Heard, Problem> {
        if said.all_or_nothing {
            refuse_first(arrivals)?;
            return self.together(said, arrivals).await;
        }
        match self.together(said, arrivals).await {
            Err(problem) if problem.code == Code::BodyTooLarge => Ok(self.in_parts(said, arrivals).await),
            heard => heard,
        }
    }

    /// Takes the acts in halves, and halves of these, when all at once are too much for one batch.
    async fn in_parts(&self, said: &Utterance<'_>, arrivals: &mut [Arrival]) -> Heard {
        let mut all = Heard { verdicts: Vec::with_capacity(arrivals.len()), next_actions: Vec::new() };
        let mut parts = vec![arrivals];
        while let Some(part) = parts.pop() {
            match self.together(said, part).await {
                Ok(heard) => {
                    all.verdicts.extend(heard.verdicts);
                    all.next_actions = heard.next_actions;
                }
                Err(problem) if problem.code == Code::BodyTooLarge && part.len() > 1 => {
                    let (first, rest) = part.split_at_mut(part.len() / 2);
                    parts.extend([rest, first]);
                }
                Err(problem) => all.verdicts.extend(part.iter().map(|_| Err(problem.clone()))),
            }
        }
        all
    }

    async fn together(&self, said: &Utterance<'_>, arrivals: &mut [Arrival]) -> Result<Heard, Problem> {
        for _ in 0..TRIES {
            match self.once(said, arrivals).await {
                Ok(heard) => return Ok(heard),
                Err(Again::Stale) => {}
                Err(Again::Seen) => self.settle_seen(said, arrivals).await?,
                Err(Again::Never(problem)) => return Err(problem),
            }
        }
        Err(Problem::new(Code::Contended))
    }

    fn arrivals(&self, said: &Utterance<'_>, acts: Vec<Accepted<Act>>) -> Result<Vec<Arrival>, Problem> {
        let (now, tenant, conversation) = (self.clock.now(), &said.principal.tenant, said.conversation);
        let arrive = |Accepted { value: act, warnings, .. }: Accepted<Act>| {
            let json = to_raw_value(&act).map_err(|_| Problem::new(Code::Internal))?;
            let record = ids::record(tenant, conversation, act.id.as_str(), json.get().as_bytes(), now);
            let settled = bound(said.principal, conversation, &act).err().map(Err);
            let standing = said.principal.standing(&act.speaker);
            let identity = Identity::of(&self.deciding, tenant, conversation, &act);
            Ok(Arrival {
                act: Arc::new(act),
                json: json.into(),
                warnings,
                record,
                identity,
                standing,
                settled,
            })
        };
        acts.into_iter().map(arrive).collect()
    }

    /// Decides and commits once, under the conversation's lock.
    async fn once(&self, said: &Utterance<'_>, arrivals: &[Arrival]) -> Result<Heard, Again> {
        let mut slot = self.cache.lock(said.conversation).await;
        // Taken out while it is changed: should this future be dropped, it is read again.
        let talk = match slot.take() {
            Some(talk) => talk,
            None => self.load(said.conversation).await?,
        };
        if talk.exists()
            && let Err(problem) = admit(said.principal, &talk.tenant)
        {
            *slot = Some(talk);
            return Err(problem.into());
        }
        let (tenant, now) = (said.principal.tenant.clone(), self.clock.now());
        if let Some(answers) = &said.answers
            && let Err(refusal) = asked::open(&talk, answers.question, now)
        {
            *slot = Some(talk);
            return Err(refused(refusal).into());
        }
        let whose = (tenant, said.correlation.clone());
        let mut work = Work::new(talk, whose, now, self.store.batch_bytes(), said.motion);
        work.trace = Some(said.trace);
        let mut verdicts = self.decide(&mut work, said, arrivals).await?;
        said.answers.iter().filter_map(|answers| answers.done.clone()).for_each(|done| work.keep(done));
        let (talk, position) = self.write(work).await?;
        let next_actions = read::next_actions(&talk);
        *slot = Some(talk);
        drop(slot);
        for taken in verdicts.iter_mut().flatten() {
            taken.position = taken.position.max(position);
        }
        Ok(Heard { verdicts, next_actions })
    }

    async fn decide(
        &self,
        work: &mut Work,
        said: &Utterance<'_>,
        arrivals: &[Arrival],
    ) -> Result<Vec<Verdict>, Again> {
        let mut verdicts = Vec::with_capacity(arrivals.len());
        let mut since = self.clock.instant();
        for arrival in arrivals {
            if self.clock.instant().saturating_duration_since(since) > SPELL {
                tokio::task::yield_now().await;
                since = self.clock.instant();
            }
            let verdict = match &arrival.settled {
                Some(settled) => settled.clone(),
                None => self.one(work, said.motion, arrival).await?,
            };
            if let Err(problem) = &verdict
                && (said.all_or_nothing || is_too_much(problem, arrivals))
            {
                return Err(problem.clone().into());
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// Decides one act, unless it is a commit that was begun before.
    async fn one(&self, work: &mut Work, motion: &dyn Motion, arrival: &Arrival) -> Result<Verdict, Problem> {
        let leave = match self.leave(work, motion, arrival).await? {
            Named::May(leave) => leave,
            Named::Settled(verdict) => return Ok(verdict),
        };
        match work.act(&self.deciding, arrival, leave.as_ref()) {
            Ok(taken) => Ok(Ok(taken)),
            // What cannot be taken now may have been taken before: then it is answered as then.
            Err(problem) => Ok(self.seen(arrival).await?.unwrap_or(Err(problem))),
        }
    }

    /// Whether an act may begin what it wants, as far as its key is concerned.
    pub(super) async fn leave(
        &self,
        work: &Work,
        motion: &dyn Motion,
        arrival: &Arrival,
    ) -> Result<Named, Problem> {
        let Some(identity) = &arrival.identity else {
            return Ok(
                named::unnamed(&arrival.act).map_or_else(|no| Named::Settled(Err(no)), |()| Named::May(None))
            );
        };
        match work.named(identity, arrival) {
            Some(verdict) => Ok(Named::Settled(verdict)),
            None => self.named(&work.tenant, motion, arrival, identity).await,
        }
    }

    async fn settle_seen(&self, said: &Utterance<'_>, arrivals: &mut [Arrival]) -> Result<(), Problem> {
        for arrival in arrivals.iter_mut().filter(|arrival| arrival.settled.is_none()) {
            arrival.settled = self.seen(arrival).await?;
        }
        if said.all_or_nothing { refuse_first(arrivals) } else { Ok(()) }
    }

    /// Commits what was decided.
    async fn write(&self, work: Work) -> Result<(Known, u64), Again> {
        let stream = work.talk.stream();
        let (batch, done) = work.finish();
        if batch.is_empty() {
            return Ok((done.talk, *self.store.head().borrow()));
        }
        match self.commit(batch, done).await {
            Ok((receipt, talk)) => Ok((talk, receipt.position)),
            Err(store::Error::Version { stream: other, .. }) if other == stream => Err(Again::Stale),
            // The stream of a run: its commit was taken before.
            Err(store::Error::Version { .. } | store::Error::Key(_)) => Err(Again::Seen),
            Err(error) => Err(Again::Never(error.into())),
        }
    }
}

/// Whether an act would only have been taken with fewer others.
fn is_too_much(problem: &Problem, arrivals: &[Arrival]) -> bool {
    problem.code == Code::BodyTooLarge && arrivals.len() > 1
}

/// Nobody speaks in another's name, nor about another conversation than the path's.
fn bound(principal: &Principal, conversation: &str, act: &Act) -> Result<(), Problem> {
    let pointer = |pointer: &str, message: &str| {
        vec![Issue { pointer: pointer.to_owned(), code: "act.forbidden", message: message.to_owned() }]
    };
    if !principal.may_speak_as(&act.speaker) {
        let message = "expected the token's subject, or the permission conversation.speak_for_others";
        return Err(Problem::invalid(Code::ActSpeaker, pointer("/speaker", message)));
    }
    match act.meta("conversation_id") {
        Some(named) if named.as_str() != Some(conversation) => {
            let message = "expected the conversation of the path, or no such member";
            Err(Problem::invalid(Code::ActConversation, pointer("/metadata/conversation_id", message)))
        }
        _ => Ok(()),
    }
}

/// Writes to the log what became of an act. What sets runs in motion is for operators, the rest for us.
fn tell(said: &Utterance<'_>, act: &Act, taken: Option<&Taken>) {
    let (act_id, act_type) = (act.id.as_str(), act.type_name());
    let (conversation_id, correlation_id) = (said.conversation, &**said.correlation);
    let stage = match taken {
        Some(taken) if taken.replayed => "seen before",
        Some(_) => "committed",
        None => "refused",
    };
    let started = taken.map(|taken| &*taken.runs).unwrap_or_default();
    if started.is_empty() {
        return tracing::debug!(stage, act_id, act_type, conversation_id, correlation_id, "act handled");
    }
    let trace_id = format_args!("{:032x}", said.trace.trace_id);
    for run in started.iter().map(|started| &*started.run) {
        tracing::info!(
            correlation_id,
            %trace_id,
            conversation_id,
            act_id,
            act_type,
            stage,
            run,
            "act started a run"
        );
    }
}

fn refuse_first(arrivals: &[Arrival]) -> Result<(), Problem> {
    let refusal = arrivals.iter().find_map(|arrival| arrival.settled.as_ref()?.as_ref().err());
    refusal.map_or(Ok(()), |problem| Err(problem.clone()))
}
