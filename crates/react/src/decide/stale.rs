//! Questions that show what has just become another: they are withdrawn, and their runs ask again.

use super::Decision;
use crate::{Closing, Conversation, Event, Wait};

/// Withdraws every open question that shows a version of an entity which the act has changed.
pub(super) fn withdraw(talk: &Conversation, decision: &mut Decision) {
    let changed: Vec<String> = decision.changed_entities().map(str::to_owned).collect();
    if changed.is_empty() {
        return;
    }
    let answered = |wait: &Wait| {
        decision.events.iter().any(|event| match event {
            Event::WaitAnswered(answered) => wait.is_of(&answered.run, Some(&answered.step), None),
            _ => false,
        })
    };
    let shows = |wait: &&Wait| {
        let version = wait.question.as_ref().and_then(|question| question.version);
        version.is_some() && wait.want.entity().is_some_and(|entity| changed.iter().any(|one| one == entity))
    };
    let stale: Vec<&Wait> = talk.waits.iter().filter(shows).filter(|wait| !answered(wait)).collect();
    for wait in stale {
        decision.close(wait, Closing::Changed, None, None);
    }
}
