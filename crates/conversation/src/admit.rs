//! Admits acts: nobody speaks in another's name, nor about another conversation.

use std::sync::Arc;

use act::{Accepted, Act, Issue};
use serde_json::value::to_raw_value;

use crate::arrival::Arrival;
use crate::identity::Identity;
use crate::{Caller, Code, Conversations, Error, Refusal, Submission, ids};

impl Conversations {
    /// The acts on their way, those that may not be said settled already.
    pub(crate) fn admit(
        &self,
        submission: &Submission<'_>,
        acts: Vec<Accepted<Act>>,
    ) -> Result<Vec<Arrival>, Error> {
        let (caller, conversation) = (&submission.request.caller, submission.conversation);
        let (now, tenant) = (self.clock.now(), &caller.tenant);
        let arrive = |Accepted { value: act, warnings, .. }: Accepted<Act>| {
            let json = to_raw_value(&act).map_err(|_| Error::Internal)?;
            let record = ids::record(tenant, conversation, act.id.as_str(), json.get().as_bytes(), now);
            let settled = may_say(caller, conversation, &act).err().map(Err);
            let standing = caller.standing(&act.speaker);
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
}

fn may_say(caller: &Caller, conversation: &str, act: &Act) -> Result<(), Error> {
    if !caller.may_speak_as(&act.speaker) {
        let message = "expected the token's subject, or the permission conversation.speak_for_others";
        return Err(forbidden(Code::ActSpeaker, "/speaker", message));
    }
    match act.meta("conversation_id") {
        Some(named) if named.as_str() != Some(conversation) => {
            let message = "expected the conversation of the path, or no such member";
            Err(forbidden(Code::ActConversation, "/metadata/conversation_id", message))
        }
        _ => Ok(()),
    }
}

fn forbidden(code: Code, pointer: &str, message: &str) -> Error {
    let issue = Issue { pointer: pointer.to_owned(), code: "act.forbidden", message: message.to_owned() };
    Refusal { issues: vec![issue], ..Refusal::new(code) }.into()
}
