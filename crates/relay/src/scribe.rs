//! Which member of a group a message goes to, in its row before that member is asked.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use port::{Fault, Kind, Landed, Witness};
use store::OutboxRow;

use crate::running::Relay;
use crate::send::Target;
use crate::tell::Tell;
use crate::verdict::Known;

/// The witness of one delivery.
pub(crate) struct Scribe {
    relay: Relay,
    row: OutboxRow,
    tell: Tell,
    operation: String,
    first: Arc<str>,
    last: Mutex<Arc<str>>,
}

impl Scribe {
    /// Its row says already that this member is asked first.
    pub(crate) fn of(
        relay: &Relay,
        row: &OutboxRow,
        tell: &Tell,
        (target, first): (Target<'_>, Arc<str>),
    ) -> Self {
        let (row, tell, operation) = (row.clone(), tell.clone(), target.operation.to_owned());
        Self { relay: relay.clone(), row, tell, operation, last: Mutex::new(first.clone()), first }
    }

    /// The member that was asked last.
    pub(crate) fn last(&self) -> String {
        self.last.lock().to_string()
    }

    async fn writes(&self, member: &Arc<str>) -> Result<(), Fault> {
        let target = Target { system: member, operation: &self.operation };
        let settles =
            self.relay.operation(target).map(Known::from).map_or(port::SETTLES_WITHIN, |known| known.settles);
        let cannot = |error: store::Error| {
            Fault::new(Kind::Internal, Landed::No, "another member of the group cannot be asked")
                .with("cause", error.to_string())
        };
        self.relay.begins(&self.row, &self.tell, Some(member), settles).await.map_err(cannot)?;
        *self.last.lock() = Arc::clone(member);
        Ok(())
    }
}

impl Witness for Scribe {
    fn first(&self) -> &str {
        &self.first
    }

    fn next<'a>(&'a self, member: &'a Arc<str>) -> BoxFuture<'a, Result<(), Fault>> {
        self.writes(member).boxed()
    }
}
