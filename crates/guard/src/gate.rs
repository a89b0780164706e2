//! Tells a source whether it makes sense to bring more: what waits before an open breaker stays where it is, and no
//! attempt of it is burnt.

use std::sync::Arc;
use std::time::Duration;

use port::Outlook;

use crate::breaker::Breaker;
use crate::lane::Lane;
use crate::pipeline::World;
use crate::policy::Priority;

/// A look at one lane. Cheap to ask, cheap to clone; it never takes a permit.
#[derive(Clone)]
pub struct Gate {
    pub(crate) lane: Arc<Lane>,
    pub(crate) world: World,
    pub(crate) priority: Priority,
    pub(crate) operation: Box<str>,
}

/// When to look again while the bulkhead and its queue are full.
const FULL: Duration = Duration::from_millis(250);

impl Gate {
    /// How a call would fare now.
    pub fn outlook(&self) -> Outlook {
        let now = self.world.now();
        let breaker = self.lane.breaker.as_deref().map_or(Outlook::Open, |own: &Breaker| own.outlook(now));
        let full = self.lane.bulkhead.as_ref().is_some_and(|bulkhead| bulkhead.is_full(self.priority));
        let apart = self.lane.apart.until(&self.operation, now).unwrap_or_default();
        let quiet = self.lane.quiet_until().max(apart).since(now);
        let pause = quiet.max(if full { FULL } else { Duration::ZERO });
        match breaker {
            Outlook::Closed(wait) => Outlook::Closed(wait.max(pause)),
            Outlook::Open | Outlook::Probing(_) if !pause.is_zero() => Outlook::Closed(pause),
            Outlook::Open | Outlook::Probing(_) => breaker,
        }
    }
}
