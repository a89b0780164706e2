//! What live runs need and the configuration no longer has: told at a start and by `cardan check --against`, before any of
//! them comes to it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use store::{RunRow, RunStatus, Store};

use super::Engine;
use super::begin::stream;
use super::load::fold;
use crate::Error;
use crate::core::{RecordStatus, State};
use crate::definition::{Definition, Known, Lack, LackOf, revive};

const PAGE: usize = 1000;
/// So many runs are told one by one at a start.
const TOLD: usize = 100;

/// A step of a live run that needs what is not configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The run.
    pub run: String,
    /// On whose behalf.
    pub tenant: String,
    /// Its flow.
    pub flow: String,
    /// The step.
    pub step: String,
    /// What for: `call`, `compensate`, `verify`, `run`, or `definition`.
    pub verb: &'static str,
    /// What is missing: `system.operation`, or the name of a flow.
    pub missing: String,
}

/// A definition, and what it names and is not there.
type Revived = (Definition, Vec<Lack>);

/// Looks through the live runs of a store, a page at a time.
pub struct Needs {
    store: Store,
    known: Known,
    after: u64,
    /// By the hash of a definition; `None` when it cannot be read.
    seen: HashMap<String, Option<Arc<Revived>>>,
}

impl Needs {
    /// Before the first live run.
    pub fn of(store: Store, known: Known) -> Self {
        Self { store, known, after: 0, seen: HashMap::new() }
    }

    /// What the next runs need; `None` after the last.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<Vec<Need>>, Error> {
        let page = self.store.live_runs(self.after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.position;
        let mut needs = Vec::new();
        for row in &page {
            needs.extend(self.of_run(row).await?);
        }
        Ok(Some(needs))
    }

    async fn of_run(&mut self, row: &RunRow) -> Result<Vec<Need>, Error> {
        let Some(found) = self.lacks(row).await? else {
            let missing = format!("definition {}", row.hash);
            return Ok(vec![need(row, "", "definition", missing)]);
        };
        let (definition, lacks) = &*found;
        if lacks.is_empty() {
            return Ok(Vec::new());
        }
        let state = self.state(row, definition).await?;
        let needed =
            lacks.iter().filter(|lack| state.as_ref().is_none_or(|state| is_needed(state, row, lack)));
        Ok(needed.map(|lack| need(row, &lack.step, lack.of.as_str(), lack.missing.clone())).collect())
    }

    async fn lacks(&mut self, row: &RunRow) -> Result<Option<Arc<Revived>>, Error> {
        if let Some(seen) = self.seen.get(&row.hash) {
            return Ok(seen.clone());
        }
        let kept = self.store.definition(&row.hash).await?;
        let revived = kept.and_then(|kept| revive(&kept.name, &kept.source, &self.known));
        let found = revived.map(|definition| {
            let lacks = definition.lacks(&self.known);
            Arc::new((definition, lacks))
        });
        self.seen.insert(row.hash.clone(), found.clone());
        Ok(found)
    }

    async fn state(&self, row: &RunRow, definition: &Definition) -> Result<Option<State>, Error> {
        let (mut state, mut version) = (None, 0);
        loop {
            let page = self.store.stream(&stream(&row.id), version, PAGE).await?;
            let Some(last) = page.last() else { return Ok(state) };
            version = last.version;
            for found in &page {
                fold(&mut state, definition, found)?;
            }
        }
    }
}

/// Whether a run may still come to it. A step of a loop that is not over is asked for as a whole.
fn is_needed(state: &State, row: &RunRow, lack: &Lack) -> bool {
    use RecordStatus::{Compensated, Dropped, Failed, Parked, Skipped, Succeeded};
    let status = state.record(&lack.step).map(|record| record.status);
    let undoing = row.status == RunStatus::Compensating;
    match lack.of {
        LackOf::Compensate => {
            let over = matches!(status, Some(Skipped | Dropped | Compensated | Failed));
            !over && (!undoing || status.is_some())
        }
        LackOf::Call | LackOf::Verify | LackOf::Run => {
            !undoing && !matches!(status, Some(Succeeded | Skipped | Compensated | Failed | Dropped | Parked))
        }
    }
}

fn need(row: &RunRow, step: &str, verb: &'static str, missing: String) -> Need {
    let (run, tenant, flow) = (row.id.clone(), row.tenant.clone(), row.flow.clone());
    Need { run, tenant, flow, step: step.to_owned(), verb, missing }
}

impl Engine {
    /// Warns of live runs that need what is not configured: the first one by one, the rest by their number.
    pub(super) async fn warn_of_needs(self) {
        let mut needs = Needs::of(self.0.store.clone(), self.0.known.read().clone());
        let mut told = 0;
        loop {
            match needs.next().await {
                Ok(Some(page)) => page.iter().for_each(|need| {
                    told += 1;
                    if told <= TOLD {
                        warn(need);
                    }
                }),
                Ok(None) => break,
                Err(error) => return tracing::warn!(%error, "looking for what live runs need"),
            }
        }
        if told > TOLD {
            let more = told - TOLD;
            tracing::warn!(
                more,
                "further steps of live runs need what is not configured: see `cardan check --against`"
            );
        }
    }
}

fn warn(need: &Need) {
    let Need { run, flow, step, verb, missing, .. } = need;
    tracing::warn!(run, flow, step, verb, missing, "a live run needs what is not configured");
}
