//! The world's own book: what every system was asked, what stands there, who undid it. The engine never sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Something that a system has done.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Effect {
    pub(crate) id: u64,
    pub(crate) system: &'static str,
    /// `run/step` and the iterations it is in: which intent it is for. Sent along as the input's `id`.
    pub(crate) mark: String,
    pub(crate) key: String,
    pub(crate) at: Duration,
    pub(crate) standing: bool,
}

/// A request and how it ended, as the trace keeps it.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Request {
    pub(crate) at: Duration,
    pub(crate) from: String,
    pub(crate) operation: String,
    pub(crate) mark: String,
    pub(crate) key: String,
    pub(crate) end: &'static str,
}

/// The book.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) effects: Vec<Effect>,
    pub(crate) requests: Vec<Request>,
    /// What is under way: it will land, and a look-up does not show it yet.
    pub(crate) underway: BTreeMap<String, u32>,
    /// How often an operation was asked for a mark.
    asked: BTreeMap<(String, String), u64>,
    by_key: BTreeMap<(&'static str, String), u64>,
    refused: BTreeSet<String>,
    /// How often a person allowed that what a run did be done again.
    again: BTreeMap<String, usize>,
    pub(crate) violations: Vec<String>,
    pub(crate) late: u64,
    pub(crate) undone: u64,
}

impl Ledger {
    /// Every request, one a line.
    pub(crate) fn shown(&self) -> String {
        let line = |it: &Request| {
            let Request { at, from, operation, mark, key, end } = it;
            format!("  {at:?} {operation} {mark} {key}: {end} (for {from})\n")
        };
        self.requests.iter().map(line).collect()
    }

    /// Which request of an operation for this mark this is.
    pub(crate) fn nth(&mut self, operation: &str, mark: &str) -> u64 {
        let nth = self.asked.entry((operation.to_owned(), mark.to_owned())).or_default();
        *nth += 1;
        *nth
    }

    /// A person allows that what this run did be done again, or takes that back.
    pub(crate) fn allow(&mut self, run: &str, allowed: bool) {
        let again = self.again.entry(run.to_owned()).or_default();
        *again = if allowed { *again + 1 } else { again.saturating_sub(1) };
    }

    /// How often a person allowed that an intent be done again.
    pub(crate) fn again(&self, mark: &str) -> usize {
        mark.split('/').next().and_then(|run| self.again.get(run)).copied().unwrap_or_default()
    }

    /// Whether there may be two of an intent, of which an undo that names one leaves the other: a person had it done again,
    /// and the system acts each time.
    pub(crate) fn doubled(&self, mark: &str) -> bool {
        let each_time = self.effects.iter().any(|effect| effect.mark == mark && effect.system == "plain");
        each_time && self.again(mark) > 0
    }

    pub(crate) fn refuse(&mut self, mark: &str) {
        self.refused.insert(mark.to_owned());
    }

    pub(crate) fn is_refused(&self, mark: &str) -> bool {
        self.refused.contains(mark)
    }

    pub(crate) fn is_underway(&self, mark: &str) -> bool {
        self.underway.get(mark).is_some_and(|count| *count > 0)
    }

    /// What this key has brought about.
    pub(crate) fn by_key(&self, system: &'static str, key: &str) -> Option<u64> {
        self.by_key.get(&(system, key.to_owned())).copied()
    }

    pub(crate) fn standing(&self, mark: &str) -> impl Iterator<Item = &Effect> {
        self.effects.iter().filter(move |effect| effect.standing && effect.mark == mark)
    }

    /// What stands at one system.
    pub(crate) fn standing_at(&self, system: &'static str, mark: &str) -> impl Iterator<Item = &Effect> {
        self.standing(mark).filter(move |effect| effect.system == system)
    }

    /// An effect comes about. A system that honours keys has one for each.
    pub(crate) fn land(&mut self, system: &'static str, mark: &str, key: &str, at: Duration) -> u64 {
        let keyed = system == "keyed";
        if let (true, Some(id)) = (keyed, self.by_key(system, key)) {
            return id;
        }
        let id = self.effects.len() as u64 + 1;
        if keyed {
            self.by_key.insert((system, key.to_owned()), id);
        }
        let (mark, key) = (mark.to_owned(), key.to_owned());
        let allowed = 1 + self.again(&mark);
        self.effects.push(Effect { id, system, mark: mark.clone(), key, at, standing: true });
        let standing = self.standing(&mark).count();
        if standing > allowed {
            self.violations.push(format!("1: {standing} effects stand for {mark} at {at:?}"));
        }
        id
    }

    /// Undoes what stands at a system under an id or a mark. Whether there was anything, also undone before.
    pub(crate) fn undo(&mut self, (system, wanted): (&str, &str), by: &str) -> bool {
        let mut found = false;
        for effect in &mut self.effects {
            if effect.system != system || (effect.mark != wanted && effect.id.to_string() != wanted) {
                continue;
            }
            found = true;
            if effect.standing {
                effect.standing = false;
                self.undone += 1;
                let run = effect.mark.split('/').next().unwrap_or_default();
                if by != run {
                    self.violations.push(format!("4: {by} undid {}", effect.mark));
                }
            }
        }
        found
    }
}
