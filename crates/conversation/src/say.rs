//! What runs say: through the same lock, the same decisions and the same batch as everybody's acts.

use std::sync::Arc;

use act::{Accepted, Act, Checked, DocumentKind, Participant, ParticipantType};
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use react::{Change, Closing, Refusal, Wait};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use store::{Batch, KeyOp, Receipt};

use crate::arrival::Arrival;
use crate::identity::Identity;
use crate::ids::Kept;
use crate::named::{Leave, Named};
use crate::work::Work;
use crate::{ConversationPort, Conversations, Error, Motion, Outgoing, OutgoingAct, ids, named, questions};

/// How often a batch is decided again after somebody else wrote to the stream.
const TRIES: u32 = 5;

/// Events read at once.
const PAGE: usize = 1000;

impl ConversationPort for Conversations {
    fn say<'a>(
        &'a self,
        outgoing: Outgoing,
        batch: Batch,
        motion: &'a dyn Motion,
    ) -> BoxFuture<'a, Result<Receipt, store::Error>> {
        Box::pin(async move {
            let mut claims = true;
            for _ in 0..TRIES {
                match self.say_once(&outgoing, motion, batch.clone(), claims).await.map_err(stored) {
                    Err(store::Error::Version { stream, .. })
                        if stream == format!("conversation-{}", outgoing.conversation) => {}
                    // Somebody has used a commit's key meanwhile: it is looked up again.
                    Err(store::Error::Key(record)) if named::is_key(&record.key) => {}
                    // Somebody has used the act's id, which comes from the run's. The run does not stop for that.
                    Err(store::Error::Key(_)) if claims => claims = false,
                    other => return other,
                }
            }
            Err(store::Error::Busy)
        })
    }

    fn is_open<'a>(
        &'a self,
        _tenant: &'a str,
        conversation: &'a str,
    ) -> BoxFuture<'a, Result<bool, store::Error>> {
        Box::pin(async move {
            let (mut slot, talk) = self.hold(conversation).await.map_err(stored)?;
            let open = talk.exists() && !talk.status.is_over();
            *slot = Some(talk);
            Ok(open)
        })
    }
}

impl Conversations {
    /// What the log says of a commit that the conversation has forgotten. Rarely asked: only when a run that was over
    /// has something to say.
    async fn remembered(
        &self,
        talk: &react::Conversation,
        commit: &str,
    ) -> Result<Option<react::Commitment>, Error> {
        let (mut known, mut after) = (None, 0);
        while after < talk.version {
            let page = self.store.stream(&talk.stream(), after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.version;
            let about = page.iter().filter(|event| mentions(&event.data, commit));
            for event in about.filter_map(|event| react::Event::decode(&event.type_, &event.data).ok()) {
                known = react::Commitment::remember(known, commit, &event);
            }
        }
        Ok(known)
    }

    async fn say_once(
        &self,
        outgoing: &Outgoing,
        motion: &dyn Motion,
        batch: Batch,
        claims: bool,
    ) -> Result<Receipt, Error> {
        let (mut slot, talk) = self.hold(&outgoing.conversation).await?;
        let now = self.clock.now();
        let whose: (Arc<str>, Arc<str>) =
            (outgoing.tenant.as_str().into(), outgoing.correlation.as_str().into());
        let mut work = Work::new(self, talk, whose.clone(), now, motion);
        work.trace = outgoing.trace.as_deref().and_then(port::TraceContext::parse);
        let correlation = whose.1;
        let mut speaking =
            Speaking { conversations: self, outgoing, motion, now, correlation, claims, work: &mut work };
        let keys = speaking.speak().await?;
        let (mut decided, done) = work.finish();
        decided.keys.extend(keys);
        // The run's own rows come first: it is their stream that fences a run that was taken over.
        let mut whole = batch;
        whole.merge(decided);
        let (receipt, talk) = self.commit(whole, done).await?;
        *slot = Some(talk);
        Ok(receipt)
    }
}

fn mentions(data: &[u8], commit: &str) -> bool {
    data.windows(commit.len()).any(|window| window == commit.as_bytes())
}

/// As the run is told.
fn stored(error: Error) -> store::Error {
    match error {
        Error::Store(error) => error,
        Error::Refused(_) | Error::Internal => store::Error::Io { cause: error.to_string() },
    }
}

/// Folds what was said into the work. What the conversation will not take is logged: the run goes on without it.
struct Speaking<'a> {
    conversations: &'a Conversations,
    outgoing: &'a Outgoing,
    motion: &'a dyn Motion,
    now: Timestamp,
    correlation: Arc<str>,
    claims: bool,
    work: &'a mut Work,
}

impl Speaking<'_> {
    async fn speak(&mut self) -> Result<Vec<KeyOp>, Error> {
        if !self.work.talk.exists() {
            self.complain("conversation is unknown");
            return Ok(Vec::new());
        }
        self.closes();
        self.join();
        let mut keys = Vec::new();
        for act in &self.outgoing.acts {
            keys.extend(self.act(act).await?);
        }
        self.progress().await?;
        Ok(keys)
    }

    /// A flow that speaks takes part.
    fn join(&mut self) {
        let known = self.work.talk.participants.contains_key(&self.outgoing.speaker);
        if self.outgoing.acts.is_empty() || known || self.work.talk.status.is_over() {
            return;
        }
        let participant = Participant::new(&self.outgoing.speaker, ParticipantType::System);
        let joined = react::join(&self.conversations.deciding.rules, &self.work.talk, participant, false);
        self.fold(joined);
    }

    /// Says an act. What it asks is open right after it: what comes next in the batch may change what it shows.
    async fn act(&mut self, act: &OutgoingAct) -> Result<Option<KeyOp>, Error> {
        let asked = questions::asked_by(&act.body, &self.outgoing.waits);
        let wait = asked.map(|asked| questions::wait(asked, &self.work.talk, self.now));
        let key = self.say(act, wait.as_ref()).await;
        if let Some(wait) = wait {
            let opened = react::open_waits(&self.conversations.deciding.rules, &self.work.talk, vec![wait]);
            self.fold(opened);
        }
        key
    }

    async fn say(&mut self, act: &OutgoingAct, wait: Option<&Wait>) -> Result<Option<KeyOp>, Error> {
        let Some(arrival) = self.build(act, wait).and_then(|act| self.arrival(act)) else { return Ok(None) };
        let leave = match self.conversations.leave(self.work, self.motion, &arrival).await? {
            Named::May(leave) => leave,
            // The same commit was begun before: by this flow's commit act, or by somebody's.
            Named::Settled(Ok(_)) => return Ok(None),
            Named::Settled(Err(error)) => {
                self.complain(&error.to_string());
                return Ok(None);
            }
        };
        Ok(self.decided(&arrival, leave.as_ref()).await)
    }

    fn arrival(&self, act: Arc<Act>) -> Option<Arrival> {
        let json: Arc<RawValue> = to_raw_value(&*act).ok()?.into();
        let (tenant, conversation) = (&*self.outgoing.tenant, &*self.outgoing.conversation);
        let record = ids::record(tenant, conversation, act.id.as_str(), json.get().as_bytes(), self.now);
        let identity = Identity::of(&self.conversations.deciding, tenant, conversation, &act);
        let standing = react::Standing::default();
        Some(Arrival { act, json, warnings: Vec::new(), record, identity, standing, settled: None })
    }

    async fn decided(&mut self, arrival: &Arrival, leave: Option<&Leave>) -> Option<KeyOp> {
        let (act, at, correlation) = (arrival.act.clone(), self.now, self.correlation.clone());
        let said = react::Utterance { act, at, correlation, standing: arrival.standing.clone() };
        let decided = react::decide(&self.conversations.deciding.rules, &self.work.talk, &said);
        let absorbed = match decided {
            Ok(decision) => {
                let result = decision.ruling();
                let absorbed = self.work.absorb(decision, arrival, leave).await;
                absorbed.map(|runs| Kept { runs, result }).map_err(|error| error.to_string())
            }
            Err(refusal) => Err(refusal.to_string()),
        };
        match absorbed {
            Ok(kept) => self.claims.then(|| ids::claim(arrival.record.clone(), &kept)),
            Err(why) => {
                self.complain(&why);
                None
            }
        }
    }

    /// The act, with the id that comes from the run's step, so that the same is said only once.
    fn build(&self, act: &OutgoingAct, wait: Option<&Wait>) -> Option<Arc<Act>> {
        let mut body = act.body.clone();
        let members = body.as_object_mut()?;
        members.insert("id".into(), act_id(&act.id).into());
        members.insert("speaker".into(), self.outgoing.speaker.as_str().into());
        members.insert("timestamp".into(), self.now.to_string().into());
        members.insert("source".into(), "system".into());
        let metadata = members.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("run".into(), self.outgoing.run.as_str().into());
            metadata.insert("conversation_id".into(), self.outgoing.conversation.as_str().into());
            if let Some(wait) = wait {
                questions::describe(metadata, wait);
            }
        }
        match act::check(DocumentKind::Act, body, self.conversations.rules()) {
            Ok(Accepted { value: Checked::Act(act), .. }) => Some(Arc::from(act)),
            Ok(_) => None,
            Err(issues) => {
                let at: Vec<String> =
                    issues.iter().map(|issue| format!("{}: {}", issue.pointer, issue.message)).collect();
                self.complain(&at.join("; "));
                None
            }
        }
    }

    /// What the run waits for no more.
    fn closes(&mut self) {
        for close in &self.outgoing.closes {
            let closed =
                react::close_waits(&self.work.talk, &self.outgoing.run, close.step.as_deref(), close.how);
            self.work.fold(closed, Some(&self.outgoing.run));
        }
    }

    /// How far the commit has come.
    async fn progress(&mut self) -> Result<(), Error> {
        let (Some(change), Some(commit)) = (&self.outgoing.change, &self.outgoing.commit) else {
            return Ok(());
        };
        let told = react::Outcome {
            commit: commit.clone(),
            run: self.outgoing.run.clone(),
            speaker: self.outgoing.speaker.clone(),
            change: change.clone(),
            at: self.now,
            correlation: self.correlation.clone(),
        };
        let remembered = match self.work.talk.commits.contains_key(commit) {
            true => None,
            false => self.conversations.remembered(&self.work.talk, commit).await?,
        };
        let rules = &self.conversations.deciding.rules;
        let decision = react::outcome(rules, &self.work.talk, &told, remembered.as_ref());
        self.work.fold(decision, Some(&self.outgoing.run));
        if !matches!(change, Change::InProgress | Change::Unknown { .. }) {
            let closed = react::close_waits(&self.work.talk, &self.outgoing.run, None, Closing::Withdrawn);
            self.work.fold(closed, Some(&self.outgoing.run));
        }
        Ok(())
    }

    fn fold(&mut self, decided: Result<react::Decision, Refusal>) {
        match decided {
            Ok(decision) => self.work.fold(decision, Some(&self.outgoing.run)),
            Err(refusal) => self.complain(&refusal.message),
        }
    }

    fn complain(&self, why: &str) {
        let Outgoing { run, conversation, correlation, .. } = self.outgoing;
        tracing::error!(
            correlation_id = correlation,
            conversation_id = conversation,
            run,
            why,
            "a run could not speak"
        );
    }
}

fn act_id(id: &str) -> String {
    let hash = digest(&SHA256, id.as_bytes());
    hash.as_ref()[..16].iter().fold("act_".to_owned(), |id, byte| id + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_said_twice_has_one_id() {
        assert_eq!(act_id("run_1/ask~0"), act_id("run_1/ask~0"));
        assert_ne!(act_id("run_1/ask~0"), act_id("run_1/ask~1"));
        assert!(act::ActId::parse(&act_id("run_1/frage ä")).is_some());
    }

    #[test]
    fn a_conversation_survives_its_row() {
        let talk = react::Conversation::new("conv_1");
        let back: react::Conversation = serde_json::from_slice(&serde_json::to_vec(&talk).unwrap()).unwrap();
        assert_eq!(talk, back);
    }
}
