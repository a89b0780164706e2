//! One run at a time per key, in order of start. The store says who is first; nothing is kept in memory.

use std::sync::Arc;
use std::time::Duration;

use store::RunRow;

use super::Engine;
use super::runner::{Runner, Stop};
use super::runs::Message;
use crate::core::{Event, Start};
use crate::{Outcome, Said};

/// How long until it is looked again who is next, when the store did not say.
const AWHILE: Duration = Duration::from_secs(1);

impl Engine {
    /// The run of this flow and key whose turn it is. A parked run has ended as far as others are concerned.
    async fn first_in_line(&self, start: &Start, key: &str) -> Result<Option<RunRow>, store::Error> {
        self.0.store.first_in_line(&start.tenant, &start.flow, key).await
    }

    /// A run with this key has ended: the next one is told.
    pub(super) fn next_in_line(&self, start: &Arc<Start>, key: &str) {
        let (engine, start, key) = (self.clone(), start.clone(), key.to_owned());
        self.keep(async move {
            loop {
                match engine.first_in_line(&start, &key).await {
                    Ok(Some(next)) => return engine.send(&next.id, Message::Look),
                    Ok(None) => return,
                    Err(error) => {
                        tracing::warn!(run = start.run, %error, "looking for the next run of a key")
                    }
                }
                tokio::time::sleep(AWHILE).await;
            }
        });
    }
}

impl Runner {
    /// Begins the run when it is its turn.
    pub(super) async fn take_turn(&mut self) -> Result<(), Stop> {
        if let Some(key) = self.state.start.key.clone() {
            let first = self.engine.first_in_line(&self.state.start, &key).await?;
            if first.is_some_and(|first| first.id != self.run) {
                return Ok(());
            }
        }
        let start = &self.state.start;
        let answers = start.commit.is_some() && start.conversation.is_some();
        let said = Said { outcome: answers.then_some(Outcome::InProgress), ..Said::default() };
        self.turn_saying(vec![Event::RunTaken], said).await
    }
}
