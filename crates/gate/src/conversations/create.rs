//! A conversation is made before anything is said in it, and ended.

use std::sync::Arc;

use act::{ConversationStatus, Participant};
use react::{Conversation, Decision, Refusal, Started};
use serde_json::{Map, Value};

use super::work::{Work, refused};
use super::{Conversations, admit};
use crate::{Code, Principal, Problem};

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
    /// Makes a conversation; answers the position.
    ///
    /// # Errors
    /// [`Code::ConversationExists`], and the store's.
    pub async fn create(
        &self,
        principal: &Principal,
        correlation: &Arc<str>,
        new: NewConversation,
    ) -> Result<u64, Problem> {
        let (tenant, id) = (principal.tenant.clone(), new.id.clone());
        self.change(principal, correlation, &id, move |talk, at| {
            let NewConversation { participants, channel, context, .. } = new;
            let started = Started { tenant, at, channel, context };
            react::begin(talk, started, participants)
        })
        .await
    }

    /// Gives a conversation its last status; answers the position.
    ///
    /// # Errors
    /// [`Code::ConversationUnknown`], [`Code::ConversationEnded`], and the store's.
    pub async fn end(
        &self,
        principal: &Principal,
        correlation: &Arc<str>,
        id: &str,
        status: ConversationStatus,
        error: Option<Value>,
    ) -> Result<u64, Problem> {
        let end = move |talk: &Conversation, at| {
            if !talk.exists() {
                return Err(Refusal {
                    code: "conversation.unknown",
                    message: "expected a conversation that has begun".into(),
                    pointer: "",
                });
            }
            react::end(talk, status, error, at)
        };
        self.change(principal, correlation, id, end).await
    }

    /// Decides once under the conversation's lock and commits. Somebody else's write is told, not tried over: one
    /// process writes a store.
    async fn change(
        &self,
        principal: &Principal,
        correlation: &Arc<str>,
        id: &str,
        decide: impl FnOnce(&Conversation, jiff::Timestamp) -> Result<Decision, Refusal> + Send,
    ) -> Result<u64, Problem> {
        let mut slot = self.cache.lock(id).await;
        let talk = match slot.take() {
            Some(talk) => talk,
            None => self.load(id).await?,
        };
        if talk.exists() {
            admit(principal, &talk.tenant)?;
        }
        let now = self.clock.now();
        let decision = decide(&talk, now).map_err(refused)?;
        let mut work = Work::new(talk, principal.tenant.clone(), correlation.clone(), now);
        work.fold(decision, None);
        let (batch, done) = work.finish();
        let (receipt, done) = self.commit(batch, done).await.map_err(contended)?;
        *slot = Some(done.talk);
        Ok(receipt.position)
    }
}

fn contended(error: store::Error) -> Problem {
    match error {
        store::Error::Version { .. } => Problem::new(Code::Contended),
        other => other.into(),
    }
}
