//! Which live runs wait for a person: what an inbox is made of.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{RunRow, RunStatus};

use super::Engine;
use crate::Error;

/// At most so many live runs are looked at.
const LOOK: usize = 10_000;
const PAGE: usize = 1000;

/// What a person is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Nobody knows whether something landed.
    Unknown,
    /// Something could not be undone.
    Parked,
    /// A step cannot go on: its attempts are exhausted, or its data are at fault.
    Stuck,
    /// Somebody paused the run.
    Paused,
    /// Our configuration lacks something.
    Blocked,
    /// Its key is held by a run whose undoing is parked.
    Behind,
    /// A question is open in its conversation.
    Question,
}

/// A live run that waits for a person.
#[derive(Clone, Debug)]
pub struct ForPerson {
    /// The run.
    pub row: RunRow,
    /// What for.
    pub matter: Matter,
    /// Since when.
    pub since: Timestamp,
    /// The parked run that holds its key.
    pub ahead: Option<String>,
}

/// The live runs that wait for a person.
#[derive(Clone, Debug, Default)]
pub struct ForPeople {
    /// The runs, in order of start.
    pub runs: Vec<ForPerson>,
    /// Whether there are live runs that were not looked at.
    pub more: bool,
}

impl Engine {
    /// The live runs of an organisation that wait for a person. Looks at the 10,000 oldest live runs at most.
    ///
    /// # Errors
    /// The store's.
    pub async fn for_people(&self, tenant: &str) -> Result<ForPeople, Error> {
        let (mut found, mut parked) = (ForPeople::default(), HashMap::new());
        let (mut after, mut looked) = (0, 0);
        while looked < LOOK {
            let page = self.0.store.live_runs(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.position;
            looked += page.len();
            for row in page.into_iter().filter(|row| row.tenant == tenant) {
                found.runs.extend(self.for_person(row, &mut parked));
            }
        }
        found.more = !self.0.store.live_runs(after, 1).await?.is_empty();
        Ok(found)
    }

    /// Whoever holds a key has begun before those who wait for it, and is seen first.
    fn for_person(
        &self,
        row: RunRow,
        parked: &mut HashMap<[Option<String>; 2], String>,
    ) -> Option<ForPerson> {
        let blocked = Blocked::of(&row);
        let place = [row.line.clone(), row.key.clone()];
        let in_line = row.line.is_some() && row.key.is_some();
        let ahead = parked.get(&place).filter(|_| in_line && row.status == RunStatus::Queued).cloned();
        if row.status == RunStatus::Parked && in_line {
            parked.insert(place, row.id.clone());
        }
        let lost = self.0.lost.has(&row.id).then_some(Matter::Stuck);
        let matter = lost.or_else(|| matter(row.status, &blocked, ahead.is_some()))?;
        Some(ForPerson { matter, since: blocked.since.unwrap_or(row.updated), ahead, row })
    }
}

fn matter(status: RunStatus, blocked: &Blocked, behind: bool) -> Option<Matter> {
    match (status, blocked.reason.as_str()) {
        (RunStatus::Paused, "outcome_unknown") => Some(Matter::Unknown),
        (RunStatus::Paused, "by a person") => Some(Matter::Paused),
        (RunStatus::Paused, _) => Some(Matter::Stuck),
        (RunStatus::Parked, _) => Some(Matter::Parked),
        (RunStatus::Queued, _) => behind.then_some(Matter::Behind),
        (_, "blocked") => Some(Matter::Blocked),
        (_, "answer") => is_question(&blocked.on).then_some(Matter::Question),
        _ => None,
    }
}

/// Whether this is an answer that somebody in a conversation gives.
fn is_question(on: &Value) -> bool {
    ["question", "confirm", "fact"].iter().any(|member| !on[*member].is_null())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Blocked {
    reason: String,
    since: Option<Timestamp>,
    on: Value,
}

impl Blocked {
    fn of(row: &RunRow) -> Self {
        row.blocked_on.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_goes_on_by_itself_waits_for_nobody() {
        let of = |status, blocked: Value| matter(status, &serde_json::from_value(blocked).unwrap(), false);
        assert_eq!(of(RunStatus::Paused, json!({"reason": "outcome_unknown"})), Some(Matter::Unknown));
        assert_eq!(of(RunStatus::Paused, json!({"reason": "expression"})), Some(Matter::Stuck));
        assert_eq!(of(RunStatus::Waiting, json!({"reason": "blocked"})), Some(Matter::Blocked));
        let signal = json!({"reason": "answer", "on": {"signal": "paid"}});
        assert_eq!(of(RunStatus::Waiting, signal), None);
        let question = json!({"reason": "answer", "on": {"confirm": true, "question": "q_1"}});
        assert_eq!(of(RunStatus::Waiting, question), Some(Matter::Question));
        for reason in ["retry", "timer", "breaker_open", "verifying"] {
            assert_eq!(of(RunStatus::Waiting, json!({"reason": reason})), None, "{reason}");
        }
        assert_eq!(of(RunStatus::Queued, json!({"reason": "queued"})), None);
    }
}
