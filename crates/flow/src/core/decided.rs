//! What people decided about a run: who, when and why.

use jiff::Timestamp;
use serde::Serialize;

use super::Author;
use super::event::Event;
use super::machine::Machine;

/// At most so many decisions are shown, the latest.
const MOST: usize = 100;

/// What somebody decided about a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// What: the name of the journal's entry (`RunPaused`, `RunResumed`, `StepSettled`, …).
    pub what: &'static str,
    /// Which step it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Who, and why.
    #[serde(flatten)]
    pub by: Author,
    /// Whether what may have landed was to be sent again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub send_again: bool,
}

impl Machine<'_> {
    /// Remembers a decision for people.
    pub(super) fn note_decision(&mut self, event: &Event) {
        let Some((by, send_again)) = decision(event) else { return };
        let named = match event {
            Event::RunResumed { step, .. } => step.as_ref(),
            event => event.path(),
        };
        let step = named.map(ToString::to_string);
        let decided = Decided { at: self.state.now, what: event.name(), step, by, send_again };
        if self.state.decided.len() == MOST {
            self.state.decided.remove(0);
        }
        self.state.decided.push(decided);
    }
}

fn decision(event: &Event) -> Option<(Author, bool)> {
    match event {
        Event::RunPaused { by }
        | Event::RunCancelling { by }
        | Event::StepSettled { by, .. }
        | Event::RunUndoing { by, .. }
        | Event::KeyReleased { by } => Some((by.clone(), false)),
        Event::RunResumed { by, send_again, .. }
        | Event::RunRestarted { by, send_again, .. }
        | Event::StepReplayed { by, send_again, .. } => Some((by.clone(), *send_again)),
        Event::UndoRefused { later } => {
            Some((Author::new("", format!("the later run {later} with its key has succeeded")), false))
        }
        _ => None,
    }
}
