//! From events to what is known. This is the only place where a conversation changes.

use std::fmt;

use act::{Act, Body, CommitStatus, ConversationStatus, EntityRef, Operation};

use crate::commitment::begun;

use crate::{
    ActProcessed, ActStatus, Answered, Closed, Closing, Conversation, Ended, EntityState, Event, Started,
    StateChanged,
};

/// An event that is not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// The version it has.
    pub found: u64,
    /// The version that comes next.
    pub expected: u64,
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "folding an event: version is {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for OutOfOrder {}

impl Conversation {
    /// Folds the event that was stored as `version`. One that is known already changes nothing, so an event that is
    /// delivered twice counts once; one that leaves a gap is refused.
    pub fn replay(&mut self, version: u64, event: &Event) -> Result<(), OutOfOrder> {
        let expected = self.version + 1;
        if version > expected {
            return Err(OutOfOrder { found: version, expected });
        }
        if version == expected {
            self.apply(event);
        }
        Ok(())
    }

    /// Folds the next event.
    pub fn apply(&mut self, event: &Event) {
        self.version += 1;
        match event {
            Event::Started(started) => self.begin(started),
            Event::Joined(joined) => {
                let id = &joined.participant.id;
                self.participants.insert(id.clone(), joined.participant.clone());
                if joined.vouched {
                    self.vouched.insert(id.clone());
                }
            }
            Event::ActProcessed(processed) => self.hear(processed),
            Event::StateChanged(changed) => self.change(changed),
            Event::WaitOpened(wait) => self.waits.push(wait.clone()),
            Event::WaitAnswered(answered) => self.answer(answered),
            Event::WaitClosed(closed) => self.close(closed),
            Event::ActionExecuted(_) | Event::ActionFailed(_) => self.run_ended(event),
            Event::ActionUnknown(found) => {
                if let Some(commitment) = self.commits.get_mut(&found.commit_id) {
                    commitment.unknown.insert(found.run.clone());
                }
            }
            Event::CommitReopened(reopened) => {
                self.commits.insert(reopened.commit_id.clone(), reopened.commitment.clone());
            }
            Event::StatusChanged(ended) | Event::Completed(ended) | Event::Failed(ended) => self.turn(ended),
            Event::ActFailed(_) | Event::ValidationError(_) | Event::Published(_) => {}
        }
    }

    fn begin(&mut self, started: &Started) {
        self.tenant = started.tenant.clone();
        self.started_at = Some(started.at);
        self.channel.clone_from(&started.channel);
        self.context.clone_from(&started.context);
    }

    fn hear(&mut self, processed: &ActProcessed) {
        let act = &processed.act;
        self.count(act);
        self.latest = self.latest.max(Some(act.timestamp.at()));
        // What an invalid act says of an entity is no more believed than the rest of it.
        if let (Some(entity), true) = (act.body.entity(), processed.result.status != ActStatus::Invalid) {
            self.meet(entity);
        }
        match (&act.body, processed.result.status) {
            (Body::Ask(ask), _) if ask.demands().is_empty() => drop(self.asks.remove(&ask.field)),
            (Body::Ask(ask), _) => drop(self.asks.insert(ask.field.clone(), ask.demands().to_vec())),
            (Body::Commit(_), ActStatus::Routed) => {
                let commitment = begun(processed).map(|commitment| (act.id.as_str().to_owned(), commitment));
                self.commits.extend(commitment);
            }
            (_, ActStatus::Advanced) => self.advance(processed),
            _ => {}
        }
    }

    fn count(&mut self, act: &Act) {
        let counts = &mut self.counts;
        counts.acts += 1;
        match &act.body {
            Body::Error(_) => counts.errors += 1,
            Body::Commit(commit) if commit.state() == CommitStatus::Success => counts.commits += 1,
            _ => {}
        }
        if let Some(certainty) = act.certainty() {
            counts.confident += 1;
            counts.confidence += certainty;
        }
    }

    /// Learns what an object says about an entity.
    fn meet(&mut self, entity: &EntityRef) {
        if entity.object().is_some() {
            self.entity(entity.id()).meet(entity);
        }
    }

    fn advance(&mut self, processed: &ActProcessed) {
        let Some(id) = &processed.result.commit else { return };
        if let Some(commitment) = self.commits.get_mut(id) {
            commitment.advance(processed);
        }
    }

    fn change(&mut self, changed: &StateChanged) {
        self.entity(&changed.entity_id).change(changed);
        if changed.operation != Operation::Delete {
            self.asks.remove(&changed.field);
        }
    }

    fn entity(&mut self, id: &str) -> &mut EntityState {
        self.entities.entry(id.to_owned()).or_insert_with(|| EntityState::new(id))
    }

    fn answer(&mut self, answered: &Answered) {
        let Answered { run, step, question, .. } = answered;
        let gone = self.waits.extract_if(.., |wait| wait.is_of(run, Some(step), question.as_deref()));
        let gone = gone.collect();
        self.remember(gone, Closing::Answered);
    }

    fn close(&mut self, closed: &Closed) {
        let Closed { run, step, question, how, .. } = closed;
        let gone = self.waits.extract_if(.., |wait| wait.is_of(run, step.as_deref(), question.as_deref()));
        let gone = gone.collect();
        self.remember(gone, how.unwrap_or(Closing::Withdrawn));
    }

    /// A run is not at work on its commit any more. A commit that none is at work on is forgotten, however they ended.
    fn run_ended(&mut self, event: &Event) {
        let Some((commit, run, well)) = event.run_ended() else { return };
        let Some(commitment) = self.commits.get_mut(commit) else { return };
        commitment.end(run, well);
        if commitment.is_over() {
            self.commits.remove(commit);
        }
    }

    fn turn(&mut self, ended: &Ended) {
        self.status = ended.status;
        self.error.clone_from(&ended.error);
        self.ended_at = match ended.status {
            ConversationStatus::Active | ConversationStatus::Paused => None,
            _ => Some(ended.at),
        };
    }
}
