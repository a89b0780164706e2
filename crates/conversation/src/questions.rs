//! Questions between flows, which ask, and conversations, which keep them.

use crate::{OutgoingQuestion, OutgoingWait};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use react::{Conversation, Question, Wait, Want};
use serde_json::{Map, Value, json};

/// The wait of a question as the conversation keeps it, with what is shown as it stands now.
pub(crate) fn wait(asked: &OutgoingWait, talk: &Conversation, now: Timestamp) -> Wait {
    let OutgoingWait { run, step, want, question } = asked.clone();
    let OutgoingQuestion { id, text, shows, by, committer, expires } = question;
    let version = matches!(want, Want::Confirm { .. }).then(|| {
        want.entity().and_then(|entity| talk.entities.get(entity)).map_or(0, |entity| entity.version)
    });
    let digest = shown(&want, version, &text, &shows);
    let question = Question { id, text, version, shows, digest, by, committer, asked: now, expires };
    Wait { run, step, want, question: Some(Box::new(question)) }
}

/// The digest of everything that is shown. Members of a JSON value are in the order of their names.
fn shown(want: &Want, version: Option<u64>, text: &str, shows: &Value) -> String {
    let field = match want {
        Want::Fact { field, .. } => Some(field),
        Want::Confirm { .. } | Want::Event { .. } => None,
    };
    let all =
        json!({ "entity": want.entity(), "field": field, "version": version, "text": text, "shows": shows });
    let hash = digest(&SHA256, all.to_string().as_bytes());
    hash.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The wait that the act of this body asks for.
pub(crate) fn asked_by<'a>(body: &Value, waits: &'a [OutgoingWait]) -> Option<&'a OutgoingWait> {
    let named = body.pointer("/metadata/cardan/question")?.as_str()?;
    waits.iter().find(|wait| wait.question.id == named)
}

/// Adds to an act's metadata what its question shows.
pub(crate) fn describe(metadata: &mut Map<String, Value>, wait: &Wait) {
    let Some(question) = &wait.question else { return };
    let Some(cardan) = metadata.get_mut("cardan").and_then(Value::as_object_mut) else { return };
    cardan.insert("digest".to_owned(), question.digest.as_str().into());
    cardan.extend(question.version.map(|version| ("entity_version".to_owned(), version.into())));
    cardan.extend(question.expires.map(|expires| ("expires".to_owned(), expires.to_string().into())));
    if !question.by.is_anybody() {
        cardan.insert("by".to_owned(), json!(question.by));
    }
}
