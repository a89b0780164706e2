//! What one batch is made of: decisions are folded into what is known and gathered into rows as they come.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use act::{Participant, ParticipantType, Source};
use jiff::Timestamp;
use react::{Decision, Event, Ruling};
use serde_json::value::RawValue;
use store::{Append, Batch, Expected, NewEvent};

use crate::arrival::Arrival;
use crate::identity::Identity;
use crate::ids::Kept;
use crate::known::{Known, touched};
use crate::named::{Beside, Leave};
use crate::refusal::refused;
use crate::share::{Shares, once_keys};
use crate::{
    Code, Conversations, Deciding, Error, Motion, Plan, Started, Taken, Verdict, asked, ids, named, rows,
};

/// What the store keeps of each event beside its data.
const EACH: usize = 200;

/// A batch in the making.
pub(crate) struct Work {
    /// What is known, with everything decided so far folded in.
    pub(crate) talk: Known,
    pub(crate) tenant: Arc<str>,
    correlation: Arc<str>,
    /// The trace that runs continue.
    pub(crate) trace: Option<port::TraceContext>,
    at: Timestamp,
    /// The version the stream must still have.
    base: u64,
    /// The questions that were open before.
    asked: BTreeSet<String>,
    /// The status before.
    was: act::ConversationStatus,
    events: Vec<NewEvent>,
    /// Entities whose rows have to be written.
    entities: BTreeSet<String>,
    batch: Batch,
    /// Bytes gathered so far, and how many a batch may have.
    bytes: usize,
    most: usize,
    /// What it sets in motion.
    plan: Box<dyn Plan>,
    /// Acts of this batch, for those that come twice in it.
    taken: HashMap<String, ([u8; 32], Kept)>,
    /// Commits of this batch by the records of their keys, for those that come twice in it.
    named: HashMap<String, Beside>,
    /// Keys that are new with it and kept as long as the log, and how many of them the organisation may have.
    keys: u64,
    shares: Arc<Shares>,
}

/// What a batch leaves behind once it is committed.
pub(crate) struct Done {
    pub(crate) talk: Known,
    pub(crate) plan: Box<dyn Plan>,
    /// By how much the number of active conversations changes.
    pub(crate) active: i64,
    /// Keys that are new and kept as long as the log, and whose they are.
    pub(crate) keys: (Arc<str>, u64),
}

impl Work {
    /// An empty one.
    pub(crate) fn new(
        conversations: &Conversations,
        talk: Known,
        (tenant, correlation): (Arc<str>, Arc<str>),
        at: Timestamp,
        motion: &dyn Motion,
    ) -> Self {
        let (base, was, asked) = (talk.version, talk.status, asked::ids(&talk));
        let (entities, taken, named) = (BTreeSet::new(), HashMap::new(), HashMap::new());
        let (events, batch, plan) = (Vec::new(), Batch::new(), motion.plan());
        let (most, shares) = (conversations.store.batch_bytes(), Arc::clone(&conversations.shares));
        Self {
            talk,
            tenant,
            correlation,
            trace: None,
            at,
            base,
            asked,
            was,
            events,
            entities,
            batch,
            bytes: 0,
            most,
            plan,
            taken,
            named,
            keys: 0,
            shares,
        }
    }

    /// The answer to a commit whose key another commit of this batch has.
    pub(crate) fn named(&self, identity: &Identity, arrival: &Arrival) -> Option<Verdict> {
        self.named.get(&identity.key).map(|there| named::beside(identity, arrival, there))
    }

    /// Decides one act; with a key by leave of it. A refusal changes nothing.
    pub(crate) async fn act(&mut self, by: &Deciding, arrival: &Arrival, leave: Option<&Leave>) -> Verdict {
        if let Some((fingerprint, kept)) = self.taken.get(&arrival.record.key) {
            return ids::same(*fingerprint == arrival.record.fingerprint, arrival, kept.clone(), 0);
        }
        // Before anything is made of it: an act is kept as it came, and as the change it makes.
        self.room(2 * arrival.json.get().len() + EACH)?;
        let fresh = !self.talk.exists();
        if fresh {
            self.begin(&arrival.act, arrival.standing.vouches)?;
        }
        let decided = self.decide(by, arrival, leave).await;
        if fresh && decided.is_err() {
            // Nobody spoke, so there is no conversation either.
            self.talk = Known::new(self.talk.id.clone());
            self.events.clear();
        }
        decided
    }

    /// The first act begins its conversation, with its speaker as the participant.
    fn begin(&mut self, act: &act::Act, vouched: bool) -> Result<(), Error> {
        let type_ = match act.source {
            Some(Source::Ai) => ParticipantType::Ai,
            Some(Source::System) => ParticipantType::System,
            _ => ParticipantType::Human,
        };
        let started = react::Started::new(self.tenant.clone(), self.at);
        let begun = react::begin(&self.talk, started, vec![Participant::new(&act.speaker, type_)], vouched);
        self.fold(begun.map_err(refused)?, Some(act.id.as_str()));
        Ok(())
    }

    async fn decide(&mut self, by: &Deciding, arrival: &Arrival, leave: Option<&Leave>) -> Verdict {
        let said = react::Utterance {
            act: arrival.act.clone(),
            at: self.at,
            correlation: self.correlation.clone(),
            standing: arrival.standing.clone(),
        };
        let mut decision = react::decide(&by.rules, &self.talk, &said).map_err(refused)?;
        let mut warnings = arrival.warnings.clone();
        warnings.extend(decision.warnings.iter().cloned());
        let result = decision.ruling();
        let runs = self.set_in_motion(&mut decision, leave).await?;
        if let Some(leave) = leave.filter(|_| named::takes(result.as_ref())) {
            self.name(leave, arrival, &runs, result.clone());
        }
        self.gather(decision, Some(arrival.act.id.as_str()), Some(&arrival.json));
        let kept = Kept { runs, result };
        self.batch.keys.push(ids::claim(arrival.record.clone(), &kept));
        self.taken.insert(arrival.record.key.clone(), (arrival.record.fingerprint, kept.clone()));
        let (act, Kept { runs, result }) = (arrival.json.clone(), kept);
        Ok(Taken { act, position: 0, result, runs, replayed: false, warnings })
    }

    /// Records what the commit's key names: the act that is the next event.
    pub(crate) fn name(
        &mut self,
        leave: &Leave,
        arrival: &Arrival,
        runs: &[Started],
        result: Option<Ruling>,
    ) {
        let kept = named::Kept {
            act: arrival.act.id.as_str().to_owned(),
            conversation: self.talk.id.to_string(),
            version: self.talk.version + 1,
            generation: leave.generation,
            runs: runs.to_vec(),
            result,
        };
        self.batch.keys.push(leave.keep(&self.tenant, &kept, self.at));
        self.batch.appends.extend(leave.fences.iter().cloned());
        let (identity, act) = (leave.identity().clone(), arrival.json.clone());
        self.keys += u64::from(leave.generation == 0);
        self.named.insert(identity.key.clone(), Beside { identity, kept, act });
    }

    /// Takes a decision in: its runs and signals first, because a run may be refused; then its events.
    pub(crate) async fn absorb(
        &mut self,
        mut decision: Decision,
        arrival: &Arrival,
        leave: Option<&Leave>,
    ) -> Result<Vec<Started>, Error> {
        let started = self.set_in_motion(&mut decision, leave).await?;
        let result = decision.ruling();
        if let Some(leave) = leave.filter(|_| named::takes(result.as_ref())) {
            self.name(leave, arrival, &started, result);
        }
        self.fold(decision, Some(arrival.act.id.as_str()));
        Ok(started)
    }

    /// Adds a record to the batch that goes with what it does.
    pub(crate) fn keep(&mut self, record: store::KeyOp) {
        self.batch.keys.push(record);
    }

    /// Adds the rows that begin runs and answer waiting ones. Nothing has started yet: runs are woken when the batch is on
    /// disk, and if it never gets there, nothing was begun.
    async fn set_in_motion(
        &mut self,
        decision: &mut Decision,
        leave: Option<&Leave>,
    ) -> Result<Vec<Started>, Error> {
        let started = match std::mem::take(&mut decision.starts) {
            none if none.is_empty() => Vec::new(),
            starts => self.begin_runs(starts, leave).await?,
        };
        self.tell(decision);
        Ok(started)
    }

    async fn begin_runs(
        &mut self,
        starts: Vec<react::Start>,
        leave: Option<&Leave>,
    ) -> Result<Vec<Started>, Error> {
        let system = |start: &react::Start| start.system.clone().unwrap_or_else(|| "default".to_owned());
        let systems: Vec<String> = starts.iter().map(system).collect();
        let starts = starts.into_iter().map(|start| self.start(start, leave)).collect();
        let mut rows = Batch::new();
        let runs = self.plan.begin(&mut rows, starts).await?;
        let keys = once_keys(&rows);
        if keys > 0 {
            self.shares.room(&self.tenant, self.keys + keys).await?;
            self.keys += keys;
        }
        self.plan.accept();
        self.add(rows);
        Ok(runs.into_iter().zip(systems).map(|(run, system)| Started { run, system }).collect())
    }

    fn start(&self, start: react::Start, leave: Option<&Leave>) -> crate::Start {
        crate::Start {
            flow: start.flow,
            tenant: self.tenant.clone(),
            conversation: self.talk.id.clone(),
            commit: start.commit_id,
            correlation: self.correlation.clone(),
            trace: self.trace,
            idempotency_key: start.idempotency_key,
            generation: leave.map_or(0, |leave| leave.generation),
            replaces: leave.map_or_else(Vec::new, |leave| leave.before.clone()),
            input: start.input,
        }
    }

    /// Tells runs what a decision that begins none has for them.
    pub(crate) fn tell(&mut self, decision: &Decision) {
        let mut rows = Batch::new();
        decision.signals.iter().for_each(|signal| self.plan.tell(&mut rows, signal));
        self.add(rows);
    }

    fn add(&mut self, rows: Batch) {
        self.bytes += rows.size();
        self.batch.merge(rows);
    }

    /// Folds events, and gathers them and the rows they change.
    pub(crate) fn fold(&mut self, decision: Decision, causation: Option<&str>) {
        self.gather(decision, causation, None);
    }

    /// The same, for a decision about an act that is `json` when written.
    fn gather(&mut self, decision: Decision, causation: Option<&str>, json: Option<&RawValue>) {
        let causation: Option<Arc<str>> = causation.map(Into::into);
        for event in decision.events {
            self.talk.apply(&event);
            self.entities.extend(touched(&event).map(str::to_owned));
            if let Event::Published(published) = &event {
                self.publish(published, causation.clone());
            }
            let data = match (&event, json) {
                (Event::ActProcessed(processed), Some(json)) => processed.encode_around(json),
                _ => event.encode(),
            };
            self.bytes += data.len() + EACH;
            self.events.push(self.event(event.name(), data, causation.clone()));
        }
    }

    /// Refuses what would make the batch larger than one may be.
    fn room(&self, bytes: usize) -> Result<(), Error> {
        if self.bytes + bytes <= self.most {
            return Ok(());
        }
        let detail =
            format!("these acts become a batch of more than {} bytes: send fewer at once", self.most);
        Err(Error::because(Code::BatchTooLarge, detail))
    }

    fn publish(&mut self, published: &react::Published, causation: Option<Arc<str>>) {
        self.bytes += EACH;
        let event = self.event("Published", published.payload.to_string().into_bytes(), causation);
        self.bytes += event.data.len();
        let stream = format!("topic-{}", published.topic);
        self.batch.appends.push(Append { stream, expected: Expected::Any, events: vec![event] });
    }

    fn event(&self, type_: &'static str, data: Vec<u8>, causation: Option<Arc<str>>) -> NewEvent {
        NewEvent {
            type_: type_.into(),
            data,
            at: self.at,
            tenant: self.tenant.clone(),
            correlation: self.correlation.clone(),
            causation,
        }
    }

    /// The batch, and what it leaves behind. Without any event there is nothing to write for the conversation.
    pub(crate) fn finish(mut self) -> (Batch, Done) {
        let before = self.base > 0 && !self.was.is_over();
        let after = self.talk.exists() && !self.talk.status.is_over();
        let active = i64::from(after) - i64::from(before);
        if !self.events.is_empty() {
            let (stream, expected) = (self.talk.stream(), Expected::Version(self.base));
            let events = std::mem::take(&mut self.events);
            let bytes = events.iter().map(|event| event.data.len()).sum();
            self.batch.appends.insert(0, Append { stream, expected, events });
            rows::write(&mut self.batch, &mut self.talk, &self.entities, bytes, self.base == 0);
            asked::write(&mut self.batch, &self.talk, &self.asked);
            if active != 0 {
                self.batch.states.push(rows::active(&self.talk.id, after));
            }
        }
        let keys = (self.tenant, self.keys);
        (self.batch, Done { talk: self.talk, plan: self.plan, active, keys })
    }
}
