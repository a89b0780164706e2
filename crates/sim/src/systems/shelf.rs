//! A bounded collection of records by id.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Answer;

/// How many records one collection holds; more are refused with 507.
const MOST: usize = 1_000_000;
/// How many records a state shows.
const SHOWN: usize = 100_000;

/// Records by id, in the order in which they came.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    what: &'static str,
    records: BTreeMap<String, (u64, T)>,
    next: u64,
}

impl<T: Serialize> Shelf<T> {
    /// An empty shelf of `what` (`"reservation"`).
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, records: BTreeMap::new(), next: 0 }
    }

    /// Whether there is a record of that id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.records.contains_key(id)
    }

    /// Puts a record, new or in place of the one with that id.
    pub(super) fn put(&mut self, id: &str, record: T) -> Result<&T, Answer> {
        if self.records.len() == MOST && !self.has(id) {
            return Err(Answer::problem(507, "full", format!("a {MOST}th {} has no room", self.what)));
        }
        let order = self.records.get(id).map_or(self.next, |(order, _)| *order);
        self.next = self.next.max(order + 1);
        let place = self.records.entry(id.to_owned()).insert_entry((order, record));
        Ok(&place.into_mut().1)
    }

    /// Takes a record away.
    pub(super) fn remove(&mut self, id: &str) {
        self.records.remove(id);
    }

    /// The record of that id, or the answer that says there is none.
    pub(super) fn get(&self, id: &str) -> Result<&T, Answer> {
        self.records.get(id).map(|(_, record)| record).ok_or_else(|| Answer::not_found(self.what, id))
    }

    /// As [`Shelf::get`], to be changed.
    pub(super) fn get_mut(&mut self, id: &str) -> Result<&mut T, Answer> {
        let what = self.what;
        self.records.get_mut(id).map(|(_, record)| record).ok_or_else(|| Answer::not_found(what, id))
    }

    /// A record as it is answered: its members with its id.
    pub(super) fn show(id: &str, record: &T) -> Value {
        let mut shown = json!({ "id": id });
        if let (Some(into), Ok(Value::Object(members))) =
            (shown.as_object_mut(), serde_json::to_value(record))
        {
            into.extend(members);
        }
        shown
    }

    /// The newest records by id.
    pub(super) fn state(&self) -> Value {
        let mut newest: Vec<_> = self.records.iter().collect();
        newest.sort_by_key(|(_, (order, _))| *order);
        let from = newest.len().saturating_sub(SHOWN);
        let shown = newest[from..].iter().map(|(id, (_, record))| ((*id).clone(), json!(record)));
        Value::Object(shown.collect::<Map<_, _>>())
    }
}
