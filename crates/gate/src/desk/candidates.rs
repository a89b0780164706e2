//! What may be in the inbox, the oldest first, as far as rows tell.

use flow::ForPerson;
use jiff::Timestamp;
use store::{DeadFilter, DeadState};

use crate::{Gate, Problem};

/// At most so many dead letters are looked at, the latest first.
const LETTERS: usize = 10_000;
const PAGE: usize = 100;

/// Where something stands in the inbox: since when it waits, and its name.
type Place = (Timestamp, String);

/// A run or a letter that may wait for a person.
pub(crate) enum Candidate {
    Run(Box<ForPerson>),
    Letter { id: String, since: Timestamp },
}

impl Candidate {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Run(run) => (run.since, run.row.id.clone()),
            Self::Letter { id, since } => (*since, id.clone()),
        }
    }
}

/// All of them.
pub(crate) struct Candidates {
    pub(crate) all: Vec<Candidate>,
    /// Whether there may be more that were not looked at.
    pub(crate) more: bool,
}

impl Candidates {
    /// Everything of an organisation that may wait for a person, the oldest first.
    pub(crate) async fn of(gate: &Gate, tenant: &str) -> Result<Self, Problem> {
        let runs = gate.engine.for_people(tenant).await?;
        let mut all: Vec<_> = runs.runs.into_iter().map(|run| Candidate::Run(Box::new(run))).collect();
        let more = letters(gate, tenant, &mut all).await?;
        all.sort_by_cached_key(Candidate::place);
        Ok(Self { all, more: runs.more || more })
    }
}

/// Adds the open letters; whether there are more of them.
async fn letters(gate: &Gate, tenant: &str, all: &mut Vec<Candidate>) -> Result<bool, Problem> {
    for skip in (0..LETTERS).step_by(PAGE) {
        let (tenant, state) = (Some(tenant.to_owned()), Some(DeadState::Open));
        let filter = DeadFilter { tenant, state, skip, limit: PAGE, ..DeadFilter::default() };
        let page = gate.store.dead(&filter).await?;
        let last = page.len() < PAGE;
        all.extend(page.into_iter().map(|letter| Candidate::Letter { since: letter.last, id: letter.id }));
        if last {
            return Ok(false);
        }
    }
    Ok(true)
}
