//! What is asked of a system past its guard: whether it is well; and that it is let go of with all that stands before it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use guard::batch::{Batched, Collect};
use guard::{Group, Guarded, Pick, Policy, RuntimeClock};
use parking_lot::Mutex;
use port::{Adapter, Call, Ctx, Fault, Kind, Landed, Link, Operation, Repeat, Reply, Spec};
use serde_json::json;

/// Notes what it is asked; ill unless it is `well`.
struct Patient {
    spec: Spec,
    well: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Patient {
    fn note(&self, what: &str) {
        self.asked.lock().push(format!("{} {what}", self.spec.system));
    }
}

impl Adapter for Patient {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn call(&self, _ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        self.note(&call.operation);
        let items = call.input.get("items").cloned().unwrap_or_default();
        match self.well {
            true => Ok(Reply { output: items, ..Reply::default() }),
            false => Err(Fault::new(Kind::Unavailable, Landed::No, "ill")),
        }
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        self.note("probed");
        self.well.then_some(()).ok_or(Fault::new(Kind::Unavailable, Landed::No, "ill"))
    }

    async fn close(&self) {
        self.note("closed");
    }
}

fn guarded(name: &str, well: bool, asked: &Arc<Mutex<Vec<String>>>) -> Arc<dyn Link> {
    let operations = vec![Operation::new("put", Repeat::Safe), Operation::new("put_many", Repeat::Safe)];
    let probe_every = Some(Duration::from_secs(1));
    let spec = Spec { system: name.into(), adapter: "stub", version: "1.0.0", operations, probe_every };
    let patient = Patient { spec, well, asked: asked.clone() };
    let clock = Arc::new(RuntimeClock::start());
    let mut policy = Policy::default();
    policy.breaker.get_or_insert_default().consecutive_failures = Some(NonZeroU32::MIN);
    policy.retry.max_attempts = NonZeroU32::MIN;
    Arc::new(Guarded::new(Arc::new(patient), policy, Arc::new(guard::Deaf), clock))
}

fn ctx() -> Ctx {
    Ctx::new("acme", "corr")
}

fn put() -> Call {
    Call { operation: "put".into(), input: json!({ "n": 1 }).into(), key: None }
}

#[tokio::test(start_paused = true)]
async fn a_probe_passes_an_open_breaker_and_leaves_it_as_it_is() {
    let asked = Arc::default();
    let link = guarded("crm", false, &asked);
    link.call(&ctx(), put()).await.unwrap_err();
    assert!(link.call(&ctx(), put()).await.unwrap_err().rejection.is_some());
    let told = link.probe(&ctx()).await.unwrap_err();
    assert_eq!((told.kind, told.rejection), (Kind::Unavailable, None));
    assert_eq!(*asked.lock(), ["crm put", "crm probed"]);
    assert!(link.call(&ctx(), put()).await.unwrap_err().rejection.is_some());
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_collected_and_then_lets_the_system_go() {
    let asked = Arc::default();
    let numbers = guard::Batch { size: NonZeroU32::new(10).unwrap(), ..guard::Batch::default() };
    let collect =
        Collect { into: "put_many".into(), items: "items".into(), results: None, keys: None, numbers };
    let batched = Arc::new(Batched::new(guarded("crm", true, &asked), [("put".into(), collect)]));
    batched.probe(&ctx()).await.unwrap();
    let waiting = tokio::spawn({
        let batched = batched.clone();
        async move { batched.call(&ctx(), put()).await }
    });
    tokio::task::yield_now().await;
    batched.close().await;
    assert!(waiting.is_finished(), "it was sent before the system was let go");
    waiting.await.unwrap().unwrap();
    assert_eq!(*asked.lock(), ["crm probed", "crm put_many", "crm closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_well_while_a_member_is_and_leaves_closing_to_them() {
    let asked = Arc::default();
    let members =
        |well: [bool; 2]| ["one", "other"].iter().zip(well).map(|(name, well)| guarded(name, well, &asked));
    let group =
        |well| Group::new("both", members(well).collect(), Pick::Failover, Arc::new(RuntimeClock::start()));
    let half = group([false, true]).unwrap();
    half.probe(&ctx()).await.unwrap();
    half.close().await;
    assert_eq!(half.spec().probe_every, None, "its members are asked");
    assert_eq!(*asked.lock(), ["one probed", "other probed"]);
    assert_eq!(group([false, false]).unwrap().probe(&ctx()).await.unwrap_err().message, "ill");
}
