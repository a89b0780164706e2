//! A conversation is made before anything is said in it, and ended.

use act::{ConversationStatus, Participant};
use react::{Conversation, Decision, Refusal, Started};
use serde_json::{Map, Value};

use crate::refusal::refused;
use crate::work::Work;
use crate::{Code, Conversations, Error, Request, read};

/// Makes the record that keeps the answer, from how the conversation looks.
pub type Keep = Box<dyn FnOnce(&Value) -> Option<store::KeyOp> + Send>;

/// A conversation to be made.
pub struct NewConversation {
    /// Its name.
    pub id: String,
    /// Who takes part; at least one.
    pub participants: Vec<Participant>,
    /// Over what it is held.
    pub channel: Option<String>,
    /// What the caller says about it.
    pub context: Option<Map<String, Value>>,
}

impl Conversations {
    /// Makes a conversation; answers how it looks, and the position.
    ///
    /// # Errors
    /// [`Code::ConversationExists`], and the store's.
    pub async fn create(
        &self,
        request: &Request<'_>,
        new: NewConversation,
        keep: Option<Keep>,
    ) -> Result<(Value, u64), Error> {
        let (tenant, id) = (request.caller.tenant.clone(), new.id.clone());
        let vouched = request.caller.rights.speaks_for_others;
        self.change(request, &id, keep, move |talk, at| {
            let NewConversation { participants, channel, context, .. } = new;
            let started = Started { tenant, at, channel, context };
            react::begin(talk, started, participants, vouched)
        })
        .await
    }

    /// Gives a conversation its last status; answers how it looks, and the position.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationEnded`], and the store's.
    pub async fn end(
        &self,
        request: &Request<'_>,
        id: &str,
        (status, error): (ConversationStatus, Option<Value>),
        keep: Option<Keep>,
    ) -> Result<(Value, u64), Error> {
        let end = move |talk: &Conversation, at| {
            if !talk.exists() {
                return Err(Refusal {
                    code: "conversation.unknown",
                    message: "expected a conversation that has begun".into(),
                    pointer: "",
                });
            }
            if !request.caller.may_end(talk) {
                return Err(Refusal {
                    code: "conversation.not_participant",
                    message: "expected a participant, or the permission conversation.speak_for_others or flow.manage".into(),
                    pointer: "",
                });
            }
            react::end(talk, status, error, at)
        };
        self.change(request, id, keep, end).await
    }

    /// Decides once under the conversation's lock and commits. Somebody else's write is told, not tried over: one
    /// process writes a store. What is answered is kept in the same commit, when it is to be kept.
    pub(crate) async fn change(
        &self,
        request: &Request<'_>,
        id: &str,
        keep: Option<Keep>,
        decide: impl FnOnce(&Conversation, jiff::Timestamp) -> Result<Decision, Refusal> + Send,
    ) -> Result<(Value, u64), Error> {
        let (mut slot, talk) = self.hold(id).await?;
        if talk.exists() {
            request.caller.belongs_to(&talk.tenant)?;
        }
        let now = self.clock.now();
        let decision = decide(&talk, now).map_err(refused)?;
        let whose = (request.caller.tenant.clone(), request.correlation.clone());
        let mut work = Work::new(self, talk, whose, now, request.motion);
        work.tell(&decision);
        work.fold(decision, None);
        let document = read::document(&work.talk, &[]);
        let (mut batch, done) = work.finish();
        batch.keys.extend(keep.and_then(|keep| keep(&document)));
        let (receipt, talk) = self.commit(batch, done).await.map_err(contended)?;
        *slot = Some(talk);
        Ok((document, receipt.position))
    }
}

fn contended(error: store::Error) -> Error {
    match error {
        store::Error::Version { .. } => Error::new(Code::Contended),
        other => other.into(),
    }
}
