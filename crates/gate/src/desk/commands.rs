//! The commands that settle what waits, ready to copy. `…` stands for what only the person knows.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Says what became of a step.
pub(super) fn settle(run: &str, step: &str) -> Vec<String> {
    vec![landed(run, step), did_not_land(run, step)]
}

/// The step landed; of an undoing: it was undone by hand.
pub(super) fn landed(run: &str, step: &str) -> String {
    format!("cardan flow settle {run} {} --landed '…' --reason '…'", quoted(step))
}

/// The step did not land.
pub(super) fn did_not_land(run: &str, step: &str) -> String {
    format!("cardan flow settle {run} {} --did-not-land --reason '…'", quoted(step))
}

/// What a step asked for is sent once more, though it may have landed.
pub(super) fn send_again(run: &str, step: &str) -> String {
    format!("cardan flow resume {run} --send-again --step {} --reason '…'", quoted(step))
}

/// A command about a run.
pub(super) fn flow(verb: &str, run: &str) -> String {
    format!("cardan flow {verb} {run} --reason '…'")
}

/// Runs an ended run again from a step.
pub(super) fn restart(run: &str, step: &str) -> String {
    format!("cardan flow restart {run} --from {} --reason '…'", quoted(step))
}

/// Tries a dead letter again, or lets go of it.
pub(super) fn letter(id: &str) -> [String; 2] {
    [format!("cardan dead replay {id}"), format!("cardan dead discard {id}")]
}

/// Tries a dead letter again, though it may have landed and must not be repeated.
pub(super) fn replay_again(id: &str) -> String {
    format!("cardan dead replay {id} --send-again --reason '…'")
}

/// An act that answers what a run has asked.
pub(super) fn answer(conversation: &str, on: &Value, now: Timestamp) -> String {
    let mut act = json!({ "timestamp": now.to_string(), "speaker": "…", "entity": on["entity"] });
    if let Some(question) = on["question"].as_str() {
        act["id"] = format!("act_{question}").into();
        act["metadata"] = json!({ "cardan": { "question": question } });
    } else {
        act["id"] = "act_…".into();
    }
    match on["fact"].as_str() {
        Some(field) => {
            act["type"] = "fact".into();
            act["field"] = field.into();
            act["value"] = "…".into();
        }
        None => {
            act["type"] = "confirm".into();
            act["confirmed"] = true.into();
            act["summary"] = on["summary"].clone();
        }
    }
    format!("echo {} | cardan act {}", quoted(&act.to_string()), quoted(conversation))
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        assert_eq!(
            did_not_land("run_1", "reserve[0]/undo"),
            "cardan flow settle run_1 'reserve[0]/undo' --did-not-land --reason '…'"
        );
        let on = json!({ "confirm": true, "entity": "order_1", "summary": "it's $9?", "question": "q_1" });
        let command = answer("conv_1", &on, "2026-01-01T00:00:00Z".parse().unwrap());
        assert!(command.starts_with("echo '{") && command.ends_with("}' | cardan act conv_1"), "{command}");
        assert!(command.contains(r"it'\''s $9?") && command.contains(r#""question":"q_1""#), "{command}");
    }
}
