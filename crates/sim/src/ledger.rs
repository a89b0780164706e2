//! What was done to a system, in its own words and its own order.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many entries are kept in memory; the file, where there is one, keeps all.
const MOST: usize = 100_000;
/// How many idempotency keys are counted.
const MOST_KEYS: usize = 1_000_000;

/// One call that asked the system to do something. Reads are counted, not listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// The operation's name.
    pub operation: String,
    /// The path's id; empty when it has none.
    pub id: String,
    /// The idempotency key that came with it.
    pub key: Option<String>,
    /// The caller's correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The caller's trace, a W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The body that came with it.
    pub body: Value,
    /// What the system did.
    pub outcome: Outcome,
    /// The status with which it answered, or would have.
    pub status: u16,
    /// What became of the answer.
    pub answered: Answered,
    /// The answer's body.
    pub answer: Value,
}

/// What a system did.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It changed its state.
    Acted,
    /// It said no, or there was nothing to change.
    Declined,
    /// It had done so before under this key and repeated its answer.
    Replayed,
    /// A knob kept it from acting.
    Prevented,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// Sent at once.
    Sent,
    /// Sent later than it could have been.
    Late,
    /// Never sent: the connection was dropped.
    Dropped,
}

/// The sums of a ledger.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Effects {
    /// How often each operation was called, reads included.
    pub calls: BTreeMap<String, u64>,
    /// How often each operation changed something.
    pub effects: BTreeMap<String, u64>,
    /// Keys under which more than one effect happened, and how many.
    pub repeated: BTreeMap<String, u64>,
}

/// A system's record of what was done to it.
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
    last: u64,
    sums: Effects,
    by_key: HashMap<String, u64>,
    file: Option<File>,
}

impl Ledger {
    /// A new ledger, appended to `file` when there is one.
    pub(crate) fn open(file: Option<&Path>) -> io::Result<Self> {
        let file = file.map(|path| File::options().append(true).create(true).open(path)).transpose()?;
        let (entries, by_key) = (VecDeque::new(), HashMap::new());
        Ok(Self { entries, last: 0, sums: Effects::default(), by_key, file })
    }

    /// Counts a call.
    pub(crate) fn count(&mut self, operation: &str) {
        *self.sums.calls.entry(operation.to_owned()).or_default() += 1;
    }

    /// Writes an entry down, in the file first. Sets its `seq` and `at`.
    pub(crate) fn write(&mut self, mut entry: Entry) -> io::Result<()> {
        self.last += 1;
        (entry.seq, entry.at) = (self.last, now());
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        if entry.outcome == Outcome::Acted {
            self.sum(&entry);
        }
        if self.entries.len() == MOST {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        Ok(())
    }

    fn sum(&mut self, entry: &Entry) {
        *self.sums.effects.entry(entry.operation.clone()).or_default() += 1;
        let Some(key) = &entry.key else { return };
        if self.by_key.len() == MOST_KEYS && !self.by_key.contains_key(key) {
            return;
        }
        let times = self.by_key.entry(key.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.sums.repeated.insert(key.clone(), *times);
        }
    }

    /// Up to `limit` entries after `seq`.
    pub(crate) fn after(&self, seq: u64, limit: usize) -> Vec<Entry> {
        self.entries.iter().filter(|entry| entry.seq > seq).take(limit).cloned().collect()
    }

    /// The sums so far.
    pub(crate) fn sums(&self) -> &Effects {
        &self.sums
    }
}

#[expect(clippy::disallowed_methods, reason = "a stand-in system lives outside and has a clock of its own")]
fn now() -> Timestamp {
    Timestamp::now()
}
