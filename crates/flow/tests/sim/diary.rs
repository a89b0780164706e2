//! What people have done, as they remember it: what the oracle holds the runs to.

use std::collections::BTreeMap;
use std::time::Duration;

use conversation::OutgoingWait;
use serde_json::Value;

/// What people have done.
#[derive(Default)]
pub(crate) struct Diary {
    /// How many questions were heard.
    pub(crate) heard: usize,
    /// Answers that are yet to be given, and when.
    pub(crate) to_answer: Vec<(Duration, OutgoingWait, Answer)>,
    /// Answers that were given, by their ids.
    pub(crate) given: BTreeMap<String, Given>,
    /// Questions that were closed without an answer, and when in the order of all.
    pub(crate) closed: BTreeMap<String, usize>,
    /// Signals that were sent and taken in: the run, the id, when.
    pub(crate) signals: Vec<(String, String, jiff::Timestamp)>,
    /// How many commands were obeyed that a run's journal must name.
    pub(crate) obeyed: usize,
    order: usize,
    pub(crate) violations: Vec<String>,
}

/// What somebody says to a question.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) payload: Value,
}

/// An answer that was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) run: String,
    pub(crate) question: String,
    /// Whether it is known that it was taken in.
    pub(crate) sure: bool,
    pub(crate) order: usize,
}

impl Diary {
    /// The next number in the order of all that is done.
    pub(crate) fn next(&mut self) -> usize {
        self.order += 1;
        self.order
    }

    /// An answer was given; one of this id that was given before is the same.
    pub(crate) fn gave(&mut self, id: &str, run: &str, question: &str, sure: bool) {
        let order = self.next();
        let (run, question) = (run.to_owned(), question.to_owned());
        let given = self.given.entry(id.to_owned()).or_insert(Given { run, question, sure, order });
        given.sure |= sure;
    }
}
