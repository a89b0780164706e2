//! Who was waiting for this.

use act::Act;
use serde_json::Value;

use super::{Decision, Signal};
use crate::{Answered, Conversation, Event, Wait};

/// Answers every wait that the act, or what it changed and published, satisfies.
pub(super) fn answer(talk: &Conversation, act: &Act, decision: &mut Decision) {
    for wait in &talk.waits {
        if let Some(payload) = answered(talk, wait, act, decision) {
            let (run, step, act_id) = (wait.run.clone(), wait.step.clone(), act.id.as_str().to_owned());
            let id = format!("{step}/{act_id}");
            decision.signals.push(Signal { run: run.clone(), step: step.clone(), id, payload });
            decision.push(Answered { run, step, act_id });
        }
    }
}

fn answered(talk: &Conversation, wait: &Wait, act: &Act, decision: &Decision) -> Option<Value> {
    if let Some(answer) = wait.want.confirmation(act) {
        return Some(answer);
    }
    decision.events.iter().find_map(|event| match event {
        // A field that is gone answers nothing.
        Event::StateChanged(changed) if changed.operation != act::Operation::Delete => {
            let is_it = wait.want.is_field(&changed.entity_id, &changed.field);
            is_it.then(|| changed.value(talk).unwrap_or_default())
        }
        Event::Published(published) => {
            wait.want.is_topic(&published.topic).then(|| published.payload.clone())
        }
        _ => None,
    })
}
