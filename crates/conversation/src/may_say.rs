//! Whether what a run wants to say would be taken: decided as if it were said, and written nowhere.

use std::sync::Arc;

use crate::arrival::Arrival;
use crate::named::{Leave, Named};
use crate::say::Speaking;
use crate::work::Work;
use crate::{Code, Conversations, Error, Motion, NotSaid, Outgoing};

impl Conversations {
    /// Decides about acts as if they were said, and writes nothing.
    pub(crate) async fn try_out(
        &self,
        outgoing: &Outgoing,
        motion: &dyn Motion,
    ) -> Result<Option<NotSaid>, Error> {
        let (mut slot, talk) = self.hold(&outgoing.conversation).await?;
        let now = self.clock.now();
        let whose: (Arc<str>, Arc<str>) =
            (outgoing.tenant.as_str().into(), outgoing.correlation.as_str().into());
        let mut work = Work::new(self, talk, whose.clone(), now, motion);
        let mut speaking = Speaking {
            conversations: self,
            outgoing,
            motion,
            now,
            correlation: whose.1,
            claims: true,
            work: &mut work,
            not_said: None,
            tries: true,
        };
        let tried = speaking.try_acts().await;
        let not_said = speaking.not_said;
        *slot = Some(work.talk);
        tried.map(|()| not_said)
    }
}

impl Speaking<'_> {
    /// Whether acts would be taken, each beside what there is already.
    async fn try_acts(&mut self) -> Result<(), Error> {
        if !self.work.talk.exists() {
            self.complain(Code::ConversationUnknown.as_str(), "conversation is unknown");
            return Ok(());
        }
        for act in &self.outgoing.acts {
            let Some(arrival) = self.build(act, None).and_then(|act| self.arrival(act)) else { continue };
            if self.was_said(&arrival).await? {
                continue;
            }
            match self.conversations.leave(self.work, self.motion, &arrival).await? {
                Named::Settled(Ok(_)) => {}
                Named::Settled(Err(error)) => self.refused(&error),
                Named::May(leave) => self.try_act(&arrival, leave.as_ref()).await,
            }
        }
        Ok(())
    }

    async fn try_act(&mut self, arrival: &Arrival, leave: Option<&Leave>) {
        let (act, at, correlation) = (arrival.act.clone(), self.now, self.correlation.clone());
        let said = react::Utterance { act, at, correlation, standing: arrival.standing.clone() };
        match react::decide(&self.conversations.deciding.rules, &self.work.talk, &said) {
            Err(refusal) => self.complain(refusal.code, &refusal.message),
            Ok(decision) if decision.starts.is_empty() => {}
            Ok(decision) => {
                if let Err(error) = self.work.begin_runs(decision.starts, leave).await {
                    self.refused(&error);
                }
            }
        }
    }
}
