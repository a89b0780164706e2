//! `once`: of each key one run ever begins. A record in the store says which; it is written in the batch that begins the
//! run, and kept as long as the log.

use jiff::Timestamp;
use store::{Batch, KeyOp, RunStatus};

use super::Engine;
use super::begin::Beginning;
use crate::Error;
use crate::core::{Start, State};
use crate::definition::Definition;

/// The kind of these records.
const OWNER: &str = "once";

/// The record of the key of which a run is the only one.
pub(super) struct Sole {
    pub(super) record: String,
    /// The run before came to nothing, and this one stands in its place.
    instead: bool,
}

impl Sole {
    /// The record for a run of a flow that runs once per key; without a key it may run any number of times.
    pub(super) fn of(flow: &Definition, state: &State) -> Result<Option<Self>, Error> {
        let Some(key) = super::begin::evaluated(flow, flow.once.as_ref(), state)? else { return Ok(None) };
        if store::mutant("forget-once") {
            return Ok(None);
        }
        let space = flow.once_space.as_ref().unwrap_or(&flow.name);
        let digest = conversation::digest(["cardan once 1", space, &key]);
        let record = conversation::record_name(conversation::ONCE, &digest);
        Ok(Some(Self { record, instead: false }))
    }

    /// What makes the run the only one of its key.
    pub(super) fn write(&self, batch: &mut Batch, start: &Start, now: Timestamp) {
        let (tenant, key, response) =
            (start.tenant.as_str(), self.record.as_str(), start.run.clone().into_bytes());
        let names = conversation::Lasting { tenant, key, owner: OWNER, fingerprint: [0; 32], response };
        batch.keys.push(if self.instead { names.instead() } else { names.first(now) });
    }
}

/// The run that a batch makes the only one of the record's key.
fn beside(batch: &Batch, tenant: &str, record: &str) -> Option<String> {
    let found = batch.keys.iter().find_map(|op| match op {
        KeyOp::Claim(claim) if claim.tenant == tenant && claim.key == record => claim.response(),
        KeyOp::Finish { tenant: whose, key, response, .. } if whose == tenant && key == record => {
            Some(response)
        }
        _ => None,
    });
    found.map(|run| String::from_utf8_lossy(run).into_owned())
}

impl Engine {
    /// Refuses a run when its key has one, in the store or in a batch that is in the making. It may stand in the place of
    /// one of these that has come to nothing.
    pub(super) async fn must_be_first(
        &self,
        beginning: &mut Beginning,
        batches: &[&Batch],
        replaces: &[String],
    ) -> Result<(), Error> {
        let (tenant, flow) = (beginning.start().tenant.clone(), beginning.start().flow.clone());
        let Some(sole) = &mut beginning.sole else { return Ok(()) };
        if let Some(run) = batches.iter().find_map(|batch| beside(batch, &tenant, &sole.record)) {
            return Err(Error::Once { flow, run });
        }
        let Some(there) = self.0.store.key(&tenant, &sole.record).await? else { return Ok(()) };
        let run = String::from_utf8_lossy(there.response().unwrap_or_default()).into_owned();
        sole.instead = replaces.contains(&run) && self.came_to_nothing(&run).await?;
        if sole.instead { Ok(()) } else { Err(Error::Once { flow, run }) }
    }

    async fn came_to_nothing(&self, run: &str) -> Result<bool, Error> {
        let row = self.0.store.run(run).await?;
        let nothing = [RunStatus::Failed, RunStatus::Compensated, RunStatus::Cancelled];
        Ok(row.is_some_and(|row| nothing.contains(&row.status)))
    }
}
