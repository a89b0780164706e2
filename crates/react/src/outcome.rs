//! How far a run has come with a commit, said in the conversation.

use std::sync::Arc;

use act::{
    Act, ActId, Body, Category, Commit, CommitError, CommitStatus, Failure, Map, Severity, Source,
    SuggestedAction, Time,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::decide::{commit::tell, derive};
use crate::{
    ActResult, ActStatus, ActionUnknown, CommitReopened, Commitment, Conversation, Decision, Rules, Standing,
    Utterance,
};

/// How far a run has come with a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The commit act.
    pub commit: String,
    /// The run.
    pub run: String,
    /// Who says it: the flow's name, or the service's.
    pub speaker: String,
    /// How far.
    pub change: Change,
    /// When.
    pub at: Timestamp,
    /// One id for everything that one request set in motion.
    pub correlation: Arc<str>,
}

/// How far a run has come. There is no word for "still at it": a run that has not ended says nothing more.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It has begun, or begun again after it had failed.
    InProgress,
    /// Nobody knows whether what a step asked for has landed; the run finds out, or waits for a person.
    Unknown {
        /// The step.
        step: String,
    },
    /// It has done everything.
    Success {
        /// The system's name for what it did.
        transaction_id: Option<String>,
    },
    /// It could not be done.
    Failed {
        /// Why.
        error: CommitError,
        /// How often it was tried again.
        retries: u64,
        /// What was undone, and what not.
        rollback: Option<Map>,
    },
}

/// Tells the conversation, also one that has ended, by commit acts with the new status, an error act after a failure,
/// and the business events. What was told before, or is about a commit nobody works on, changes nothing.
///
/// With several runs for one commit it has failed as soon as one has, and succeeded once all have.
///
/// `remembered` is the commit when the conversation has forgotten it (see [`Commitment::remember`]): a run that was over
/// can still have something to say, for example that what could not be undone is undone at last.
pub fn outcome(
    rules: &Rules,
    talk: &Conversation,
    outcome: &Outcome,
    remembered: Option<&Commitment>,
) -> Decision {
    let mut decision = Decision::default();
    let known = talk.commits.get(&outcome.commit);
    let Some(commitment) = known.or(remembered) else { return decision };
    let mut teller =
        Teller { rules, talk, outcome, commitment, told: commitment.told, decision: &mut decision };
    match &outcome.change {
        Change::InProgress => teller.in_progress(),
        Change::Unknown { step } => teller.unknown(step),
        Change::Success { transaction_id } => teller.success(transaction_id.as_ref()),
        Change::Failed { error, retries, rollback } => teller.failed(error, *retries, rollback.as_ref()),
    }
    if known.is_none() && !decision.events.is_empty() {
        let (commit_id, mut commitment) = (outcome.commit.clone(), commitment.clone());
        commitment.ended.remove(&outcome.run);
        decision.events.insert(0, CommitReopened { commit_id, commitment }.into());
    }
    decision
}

struct Teller<'a> {
    rules: &'a Rules,
    talk: &'a Conversation,
    outcome: &'a Outcome,
    commitment: &'a Commitment,
    told: u64,
    decision: &'a mut Decision,
}

impl Teller<'_> {
    fn in_progress(&mut self) {
        let retries = self.commitment.retries;
        match self.commitment.status {
            CommitStatus::Pending => self.status(CommitStatus::InProgress, retries, |_| {}),
            CommitStatus::Failed if self.has_failed() => {
                self.status(CommitStatus::Retrying, retries + 1, |_| {});
                self.status(CommitStatus::InProgress, retries + 1, |_| {});
            }
            CommitStatus::InProgress if self.commitment.unknown.contains(&self.outcome.run) => {
                self.status(CommitStatus::InProgress, retries, |_| {});
            }
            // Done, undone later, or begun again after it was done.
            CommitStatus::Success => self.status(CommitStatus::InProgress, retries, |_| {}),
            CommitStatus::Failed
            | CommitStatus::InProgress
            | CommitStatus::Retrying
            | CommitStatus::Cancelled => {}
        }
    }

    /// The model's words for statuses are closed, so the commit is in progress, and its metadata says what is unknown.
    fn unknown(&mut self, step: &str) {
        if self.commitment.unknown.contains(&self.outcome.run) {
            return;
        }
        let mut causation_id = self.outcome.commit.clone();
        // With several runs, a commit of which one has failed has failed.
        if self.commitment.status != CommitStatus::Failed {
            let commit = self.commit(CommitStatus::InProgress, self.commitment.retries);
            let cardan = serde_json::json!({ "outcome": "unknown", "step": step });
            let said = self.say_with(Body::Commit(commit), Some(cardan));
            causation_id = said.id.as_str().to_owned();
        }
        let (commit_id, run, step) = (self.outcome.commit.clone(), self.outcome.run.clone(), step.to_owned());
        self.decision.push(ActionUnknown { commit_id, run, step, causation_id });
    }

    /// Whether it was told before that this run has failed.
    fn has_failed(&self) -> bool {
        self.commitment.ended.get(&self.outcome.run) == Some(&false)
    }

    fn success(&mut self, transaction_id: Option<&String>) {
        if self.commitment.ended.get(&self.outcome.run) == Some(&true) {
            return;
        }
        if self.commitment.is_done_with(&self.outcome.run) {
            let retries = self.commitment.retries;
            self.status(CommitStatus::Success, retries, |commit| {
                commit.transaction_id = transaction_id.cloned();
            });
        } else {
            self.run_done(transaction_id);
        }
    }

    /// One of several runs is done; the commit is not.
    fn run_done(&mut self, transaction_id: Option<&String>) {
        self.decision.push(crate::ActionExecuted {
            commit_id: self.outcome.commit.clone(),
            action: self.commitment.action,
            entity: self.commitment.entity.id().to_owned(),
            transaction_id: transaction_id.cloned(),
            causation_id: self.outcome.run.clone(),
            run: Some(self.outcome.run.clone()),
        });
    }

    fn failed(&mut self, error: &CommitError, retries: u64, rollback: Option<&Map>) {
        let same = self.commitment.rollbacks.get(&self.outcome.run) == rollback;
        if self.has_failed() && self.commitment.status == CommitStatus::Failed && same {
            return;
        }
        let error = spoken(error);
        let retries = retries.max(self.commitment.retries);
        let mut commit = self.commit(CommitStatus::Failed, retries);
        (commit.error, commit.rollback_info) = (Some(error.clone()), rollback.cloned());
        let act = self.say(Body::Commit(commit.clone()));
        if !self.has_failed() {
            self.complain(error);
        }
        // Last, for with it the commit may be forgotten.
        tell(&act, &commit, &self.outcome.commit, Some(&self.outcome.run), self.decision);
    }

    /// An error act about the commit.
    fn complain(&mut self, error: CommitError) {
        let recoverable = error.recoverable.unwrap_or(false);
        let failure = Failure {
            code: error.code,
            message: error.message,
            recoverable,
            severity: Some(Severity::Error),
            category: Some(Category::Integration),
            details: error.details,
            related_act_id: ActId::parse(&self.outcome.commit),
            suggested_action: Some(if recoverable {
                SuggestedAction::Retry
            } else {
                SuggestedAction::Escalate
            }),
            user_message: None,
            stack_trace: None,
        };
        self.say(Body::Error(failure));
    }

    fn status(&mut self, status: CommitStatus, retries: u64, change: impl FnOnce(&mut Commit)) {
        let mut commit = self.commit(status, retries);
        change(&mut commit);
        let act = self.say(Body::Commit(commit));
        if let Body::Commit(commit) = &act.body {
            tell(&act, commit, &self.outcome.commit, Some(&self.outcome.run), self.decision);
        }
    }

    fn commit(&self, status: CommitStatus, retries: u64) -> Commit {
        Commit {
            entity: self.commitment.entity.clone(),
            action: self.commitment.action,
            system: self.commitment.system.clone(),
            transaction_id: None,
            status: Some(status),
            error: None,
            retry_count: (retries > 0).then(|| retries.into()),
            max_retries: None,
            idempotency_key: None,
            rollback_info: None,
        }
    }

    /// Records an act in the run's name.
    fn say(&mut self, body: Body) -> Arc<Act> {
        self.say_with(body, None)
    }

    /// The same, with something of ours in its metadata.
    fn say_with(&mut self, body: Body, cardan: Option<Value>) -> Arc<Act> {
        let mut act = self.act(body);
        if let (Some(metadata), Some(cardan)) = (&mut act.metadata, cardan) {
            metadata.insert("cardan".to_owned(), cardan);
        }
        let said = Utterance {
            act: Arc::new(act),
            at: self.outcome.at,
            correlation: self.outcome.correlation.clone(),
            standing: Standing::default(),
        };
        self.told += 1;
        let result =
            ActResult { status: ActStatus::Advanced, runs: 0, commit: Some(self.outcome.commit.clone()) };
        self.decision.record(&said, result);
        derive(self.rules, self.talk, &said, self.decision);
        said.act
    }

    /// The same outcome told twice makes the same act: its name comes from the commit and how much was told of it.
    fn act(&self, body: Body) -> Act {
        let name = format!("{}-s{}", self.outcome.commit, self.told + 1);
        let random = [u64::MAX; 2];
        Act {
            id: ActId::parse(&name).unwrap_or_else(|| ActId::new(self.outcome.at, random)),
            timestamp: Time::from(self.outcome.at),
            speaker: or(&self.outcome.speaker, "system"),
            confidence: None,
            source: Some(Source::System),
            metadata: Some(self.metadata()),
            body,
            extra: Map::new(),
        }
    }

    fn metadata(&self) -> Map {
        let text = |text: &str| Value::from(text);
        Map::from_iter([
            ("commit_id".to_owned(), text(&self.outcome.commit)),
            ("run".to_owned(), text(&self.outcome.run)),
            ("conversation_id".to_owned(), text(&self.talk.id)),
        ])
    }
}

/// An error with a code and a message, whatever the run said.
fn spoken(error: &CommitError) -> CommitError {
    CommitError {
        code: or(&error.code, "flow.failed"),
        message: or(&error.message, "the run ended without a reason"),
        ..error.clone()
    }
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}
