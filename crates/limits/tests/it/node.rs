//! A node: a guard of its own, with its own connections to the one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guard::shared::{Ledger, Store};
use guard::{Algorithm, Fallback, Limit, Listener, Mode, Pipeline, Policy, Request, Shared, World};
use port::{Fault, Repeat, SeededEntropy, SystemClock};

use crate::ear::Ear;

/// One kind of server, and how a node counts in it.
pub(super) trait Kind {
    type Server: testkit::servers::Server + Send + Sync + 'static;

    fn ledger(url: &str) -> Arc<dyn Ledger>;
}

pub(super) struct Node {
    pipeline: Pipeline,
    pub(super) ear: Arc<Ear>,
    pub(super) passed: AtomicU64,
}

/// Long enough for a busy machine: what is shown here is counting, not speed.
pub(super) const PATIENT: Duration = Duration::from_secs(20);

impl Node {
    pub(super) fn new(ledger: Arc<dyn Ledger>, limit: Limit, patience: Duration) -> Arc<Self> {
        let ear = Arc::new(Ear::default());
        let world = World::new(Arc::new(SystemClock), Arc::clone(&ear) as Arc<dyn Listener>);
        let world = world.sharing([Arc::new(Store::new("main", ledger, patience))]);
        let pipeline = Pipeline::new(
            "crm",
            Policy { breaker: None, bulkhead: None, limit: Some(limit), ..Policy::default() },
            world,
        );
        Arc::new(Self { pipeline, ear, passed: AtomicU64::new(0) })
    }

    /// Makes one call; the system always answers.
    pub(super) async fn call(&self) -> Result<(), Fault> {
        let request = Request {
            operation: "read",
            key: "",
            repeat: Repeat::Safe,
            keyed: false,
            cost: 1,
            deadline: None,
            entropy: &SeededEntropy::new(1),
            usual: None,
        };
        self.pipeline.call(&request, |_| async { Ok(()) }).await?;
        self.passed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub(super) fn limit(
    capacity: u32,
    refill_per_second: f64,
    algorithm: Algorithm,
    fallback: Fallback,
) -> Limit {
    let shared = Some(Shared { store: "main".into(), fallback });
    Limit {
        per: guard::Per::System,
        capacity,
        refill_per_second,
        weight: 1,
        mode: Mode::Reject,
        algorithm,
        shared,
    }
}
