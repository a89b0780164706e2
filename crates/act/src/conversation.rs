//! A conversation as a document: who takes part, and what was said.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Act, ActId, Body, CommitStatus, ConversationId, ConversationStatus, Map, Participant, Rules, Time,
    UnknownSpeaker,
};

/// A conversation: who takes part, and what was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conversation {
    /// Its name.
    pub id: ConversationId,
    /// Who takes part; at least one.
    pub participants: Vec<Participant>,
    /// What was said, in order; names are unique.
    pub acts: Vec<Act>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConversationStatus>,
    /// Over what it is held: `voice`, `chat`; any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The schema its entities follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Open, with `session_id`, `user_agent`, `ip_address` and `referrer` checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_state: Option<Map>,
    /// Open, with the counts of [`Conversation::refresh`] checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map>,
    /// Members the model does not know, kept in compat mode; always empty in strict mode.
    #[serde(flatten)]
    pub extra: Map,
}

/// Why a conversation was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// It has ended.
    Ended,
    /// It has an act of this name.
    ActExists,
    /// The speaker is no participant, and the rules want one.
    UnknownSpeaker,
    /// The time given is before the beginning.
    EndsBeforeItBegan,
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unchanged::Ended => "expected a conversation that has not ended",
            Unchanged::ActExists => "expected a name no earlier act has",
            Unchanged::UnknownSpeaker => "expected a speaker who takes part",
            Unchanged::EndsBeforeItBegan => "expected an end that is not before the beginning",
        })
    }
}

impl std::error::Error for Unchanged {}

impl ConversationStatus {
    /// Whether nothing more is said in it.
    pub fn is_over(self) -> bool {
        match self {
            ConversationStatus::Active | ConversationStatus::Paused => false,
            ConversationStatus::Completed | ConversationStatus::Failed | ConversationStatus::Cancelled => {
                true
            }
        }
    }
}

impl Conversation {
    /// A conversation nobody has spoken in yet.
    pub fn new(id: ConversationId, first: Participant, at: Timestamp) -> Self {
        Self {
            id,
            participants: vec![first],
            acts: Vec::new(),
            started_at: Some(at.into()),
            ended_at: None,
            status: None,
            channel: None,
            schema: None,
            context: None,
            final_state: None,
            metadata: None,
            extra: Map::new(),
        }
    }

    /// How far it has come (default `active`).
    pub fn state(&self) -> ConversationStatus {
        self.status.unwrap_or(ConversationStatus::Active)
    }

    /// Adds an act that was checked, and brings the metadata up to date.
    pub fn add_act(&mut self, act: Act, rules: &Rules) -> Result<(), Unchanged> {
        if self.state().is_over() {
            return Err(Unchanged::Ended);
        }
        if self.act_by_id(&act.id).is_some() {
            return Err(Unchanged::ActExists);
        }
        if rules.unknown_speaker == UnknownSpeaker::Reject && self.participant_by_id(&act.speaker).is_none() {
            return Err(Unchanged::UnknownSpeaker);
        }
        self.acts.push(act);
        self.refresh();
        Ok(())
    }

    /// Ends it, and brings the metadata up to date. A status that is no end becomes `completed`.
    pub fn end(&mut self, status: ConversationStatus, at: Timestamp) -> Result<(), Unchanged> {
        if self.state().is_over() {
            return Err(Unchanged::Ended);
        }
        if self.started_at.as_ref().is_some_and(|began| at < began.at()) {
            return Err(Unchanged::EndsBeforeItBegan);
        }
        self.status = Some(if status.is_over() { status } else { ConversationStatus::Completed });
        self.ended_at = Some(at.into());
        self.refresh();
        Ok(())
    }

    /// The acts of one type, custom types too.
    pub fn acts_by_type(&self, name: &str) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |act| act.type_name() == name)
    }

    /// The acts of one speaker.
    pub fn acts_by_speaker(&self, speaker: &str) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |act| act.speaker == speaker)
    }

    /// The act of this name.
    pub fn act_by_id(&self, id: &ActId) -> Option<&Act> {
        self.acts.iter().find(|act| act.id == *id)
    }

    /// The participant of this name.
    pub fn participant_by_id(&self, id: &str) -> Option<&Participant> {
        self.participants.iter().find(|who| who.id == id)
    }

    /// Counts again: `act_count`, `error_count`, `commit_count` (successful ones), `avg_confidence` over the acts
    /// that have one, and `total_duration_ms` once it has ended.
    pub fn refresh(&mut self) {
        let errors = self.acts.iter().filter(|act| act.is_error()).count();
        let done =
            |act: &&Act| matches!(&act.body, Body::Commit(commit) if commit.state() == CommitStatus::Success);
        let commits = self.acts.iter().filter(done).count();
        let average = self.average_confidence();
        let duration = self.duration();
        let acts = self.acts.len();
        let metadata = self.metadata.get_or_insert_default();
        metadata.insert("act_count".into(), acts.into());
        metadata.insert("error_count".into(), errors.into());
        metadata.insert("commit_count".into(), commits.into());
        if let Some(average) = average {
            metadata.insert("avg_confidence".into(), average.into());
        }
        if let Some(duration) = duration {
            metadata.insert("total_duration_ms".into(), duration.into());
        }
    }

    fn average_confidence(&self) -> Option<f64> {
        let known: Vec<f64> = self.acts.iter().filter_map(Act::certainty).collect();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a conversation has fewer acts than a double has integers"
        )]
        let average = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        average.map(|average| average.clamp(0.0, 1.0))
    }

    fn duration(&self) -> Option<u64> {
        let (began, ended) = (self.started_at.as_ref()?.at(), self.ended_at.as_ref()?.at());
        u64::try_from(ended.as_millisecond() - began.as_millisecond()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, ParticipantType, draft};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_741_079_700 + second).unwrap()
    }

    fn id(n: u64) -> ActId {
        ActId::parse(&format!("act_{n}")).unwrap()
    }

    #[test]
    fn the_metadata_follows_the_acts() {
        let rules = Rules::strict().speakers(UnknownSpeaker::Reject);
        let name = ConversationId::parse("conv_1").unwrap();
        let mut talk = Conversation::new(name, Participant::new("ann", ParticipantType::Human), at(0));
        let says = [
            draft::fact("ann", "o", "f", 1).confidence(0.5).build(id(1), at(1), &rules).unwrap(),
            draft::commit("ann", "o", Action::Create).succeeded(None).build(id(2), at(2), &rules).unwrap(),
            draft::commit("ann", "o", Action::Update).confidence(1.0).build(id(3), at(3), &rules).unwrap(),
            draft::error("ann", "E", "m", true).build(id(4), at(4), &rules).unwrap(),
        ];
        for act in says.clone() {
            talk.add_act(act, &rules).unwrap();
        }
        assert_eq!(talk.add_act(says[0].clone(), &rules), Err(Unchanged::ActExists));
        let stranger = draft::error("bob", "E", "m", true).build(id(5), at(5), &rules).unwrap();
        assert_eq!(talk.add_act(stranger, &rules), Err(Unchanged::UnknownSpeaker));
        assert_eq!(talk.end(ConversationStatus::Completed, at(-1)), Err(Unchanged::EndsBeforeItBegan));
        talk.end(ConversationStatus::Completed, at(9)).unwrap();
        assert_eq!(talk.end(ConversationStatus::Failed, at(9)), Err(Unchanged::Ended));
        let expected = serde_json::json!({
            "act_count": 4, "error_count": 1, "commit_count": 1, "avg_confidence": 0.75, "total_duration_ms": 9000,
        });
        assert_eq!(talk.metadata.clone().map(serde_json::Value::Object), Some(expected));
        assert_eq!(talk.acts_by_type("commit").count(), 2);
        assert_eq!(talk.acts_by_speaker("ann").count(), 4);
        let value = serde_json::to_value(&talk).unwrap();
        assert!(crate::DocumentKind::Conversation.accepts(&value));
    }
}
