//! Keys of commits that an older Cardan took. It kept no record of them; its log has the commits.

use std::collections::HashSet;

use act::Body;
use react::{ActProcessed, ActStatus, Event};
use store::{Batch, Checkpoint, KeyOp};

use crate::identity::Identity;
use crate::named::{Kept, Leave};
use crate::{Conversations, ids};

/// How far the log was looked through.
const CHECKPOINT: &str = "commit-keys";

/// Events read at once.
const PAGE: usize = 5_000;

/// What the data of a commit with a key holds. Cheaper to look for than to read every event.
const MARK: &[u8] = b"\"idempotency_key\"";

impl Conversations {
    /// Records the keys of commits that an older Cardan took, so that each goes on naming the first commit it was used
    /// for. Called once, before the first act is taken; looks through the log once in the life of a store.
    ///
    /// # Errors
    /// The store's.
    pub async fn backfill_keys(&self) -> Result<(), store::Error> {
        let end = *self.store.head().borrow();
        let mut after = self.store.checkpoint(CHECKPOINT).await?;
        if after > 0 {
            return Ok(());
        }
        let mut found = 0;
        while after < end {
            let page = self.store.log(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            let keys = self.keys_of(&page).await?;
            found += keys.len();
            self.store.commit(Batch { keys, ..Batch::default() }).await?;
        }
        if found > 0 {
            tracing::info!(commits = found, "recorded the keys of commits that an older version took");
        }
        // Also of an empty log: from now on each commit writes its own record. A crash before this looks again.
        let checkpoint = Checkpoint { name: CHECKPOINT.to_owned(), position: end.max(1) };
        self.store.commit(Batch { checkpoints: vec![checkpoint], ..Batch::default() }).await?;
        Ok(())
    }

    /// The records of the commits of a page that are the first under their keys.
    async fn keys_of(&self, page: &[store::Event]) -> Result<Vec<KeyOp>, store::Error> {
        let (mut keys, mut seen) = (Vec::new(), HashSet::new());
        for event in page.iter().filter(|event| is_candidate(event)) {
            let Ok(Event::ActProcessed(processed)) = Event::decode(&event.type_, &event.data) else {
                continue;
            };
            let Some(conversation) = event.stream.strip_prefix("conversation-") else { continue };
            let Some((identity, mut kept)) = self.kept(event, conversation, &processed) else { continue };
            let tenant = &*event.tenant;
            let known = self.store.key(tenant, &identity.key).await?.is_some();
            if known || !seen.insert((tenant.to_owned(), identity.key.clone())) {
                continue;
            }
            let record = self.store.key(tenant, &ids::key(conversation, &kept.act)).await?;
            let answered = record.as_ref().and_then(|record| record.response());
            if let Some(answer) = answered.and_then(|answer| serde_json::from_slice::<ids::Kept>(answer).ok())
            {
                (kept.runs, kept.result) = (answer.runs, answer.result);
            }
            keys.push(Leave::first(identity).keep(tenant, &kept, event.at));
        }
        Ok(keys)
    }

    fn kept(
        &self,
        event: &store::Event,
        conversation: &str,
        processed: &ActProcessed,
    ) -> Option<(Identity, Kept)> {
        let began = matches!(processed.result.status, ActStatus::Routed | ActStatus::Unrouted);
        let commit = matches!(processed.act.body, Body::Commit(_)) && began;
        let identity =
            Identity::of(&self.deciding, &event.tenant, conversation, &processed.act).filter(|_| commit)?;
        let kept = Kept {
            act: processed.act.id.as_str().to_owned(),
            conversation: conversation.to_owned(),
            version: event.version,
            generation: 0,
            runs: Vec::new(),
            result: None,
        };
        Some((identity, kept))
    }
}

fn is_candidate(event: &store::Event) -> bool {
    &*event.type_ == "ActProcessed" && event.data.windows(MARK.len()).any(|window| window == MARK)
}
