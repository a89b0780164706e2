//! How a run hears of its questions: by signals that name the question, so that none is taken for another's.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Batch, Signal, SignalOp};

use super::Engine;
use super::runner::{Runner, Stop};
use crate::QuestionEnd;
use crate::core::{About, Event, answer, closed, closed_step, is_about_unknown, unknown_told};

#[derive(Serialize, Deserialize)]
struct Closed {
    how: QuestionEnd,
    by: Option<String>,
    reason: Option<String>,
}

impl Engine {
    /// Adds the answer to a question to a batch. When the batch is committed, tell with [`Engine::committed`]. A question
    /// that is not open any more stays as it ended.
    pub fn answer(&self, batch: &mut Batch, run: &str, question: &str, id: &str, payload: &Value) {
        self.signal(batch, run, &answer(question), id, payload);
    }

    /// The same for a question that is closed without an answer; a wait that is older than questions is named by its step.
    pub fn close(
        &self,
        batch: &mut Batch,
        (run, step): (&str, &str),
        question: Option<&str>,
        how: QuestionEnd,
        (by, reason): (Option<&str>, Option<&str>),
    ) {
        let name = match question {
            Some(question) => closed(question),
            None => closed_step(step),
        };
        let (by, reason) = (by.map(str::to_owned), reason.map(str::to_owned));
        let payload = serde_json::to_value(Closed { how, by, reason }).unwrap_or_default();
        self.signal(batch, run, &name, &name, &payload);
    }
}

impl Runner {
    /// Takes a signal that amounts to this event.
    pub(super) async fn take_as(&mut self, signal: &Signal, event: Event) -> Result<bool, Stop> {
        let take = SignalOp::Take { run: self.run.clone(), id: signal.id.clone() };
        let rows = Batch { signals: vec![take], ..Batch::default() };
        self.turn_with(vec![event], Vec::new(), rows).await?;
        Ok(true)
    }

    /// The event that a signal amounts to which says what is unknown below.
    pub(super) fn about_unknown(signal: &Signal) -> Option<Event> {
        let path = is_about_unknown(&signal.name)?.into();
        Some(Event::ChildUnknown { path, step: unknown_told(&signal.payload) })
    }

    /// The event that a signal about an open question amounts to.
    pub(super) fn about_question(&self, signal: &Signal) -> Option<Event> {
        let path = match About::of(&signal.name)? {
            About::Answer(question) => {
                let payload = serde_json::from_slice(&signal.payload).unwrap_or(Value::Null);
                let path = self.state.asks(question)?;
                return Some(Event::SignalTaken { path, id: signal.id.clone(), payload });
            }
            About::Closed(question) => self.state.asks(question)?,
            About::ClosedStep(step) => self.state.hears(step, &Value::Null)?,
        };
        let Closed { how, by, reason } = serde_json::from_slice(&signal.payload).ok()?;
        Some(Event::QuestionClosed { path, how, by, reason })
    }
}
