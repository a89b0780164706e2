//! Tells a source whether it makes sense to bring more: a source before an open breaker is paused, and no attempt of
//! its deliveries is burnt.

use std::sync::Arc;
use std::time::Duration;

use crate::breaker::Breaker;
use crate::lane::Lane;
use crate::pipeline::World;

/// A look at one lane. Cheap to ask, cheap to clone; it never takes a permit.
#[derive(Clone)]
pub struct Gate {
    pub(crate) lane: Arc<Lane>,
    pub(crate) world: World,
}

/// An operator may reset a breaker at any time; a waiting source looks again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Gate {
    /// How long until a call would be let out; `None` when it would be now.
    pub fn closed_for(&self) -> Option<Duration> {
        let now = self.world.now();
        let pause = self.lane.quiet_until().since(now);
        let open = self.lane.breaker.as_deref().and_then(|breaker: &Breaker| breaker.closed_for(now));
        Some(open.unwrap_or_default().max(pause)).filter(|wait| !wait.is_zero())
    }

    /// Waits until a call would be let out.
    pub async fn opened(&self) {
        while let Some(wait) = self.closed_for() {
            tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
        }
    }
}
