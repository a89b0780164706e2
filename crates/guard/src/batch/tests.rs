use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use port::{
    Call, Clock, Ctx, Fault, IdempotencyKey, Kind, Landed, Link, Operation, Outlook, Repeat, Reply, Spec,
};
use port::{SeededEntropy, TraceContext};
use serde_json::{Value, json};

use super::{Batched, Collect};
use crate::{RuntimeClock, policy};

/// Takes many records at once, refuses a batch with a bad one, and remembers what it was asked.
struct Crm {
    spec: Spec,
    asked: Mutex<Vec<(Arc<str>, Value)>>,
    slow: Duration,
}

impl Link for Crm {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(async move {
            self.asked.lock().push((Arc::clone(&ctx.tenant), Value::clone(&call.input)));
            tokio::time::sleep(self.slow).await;
            assert_eq!(&*call.operation, "upsert_many");
            let records = call.input["records"].as_array().unwrap();
            assert!(!records.iter().any(|record| record["name"] == "panic"), "scripted");
            if records.iter().any(|record| record["name"] == "poison") {
                return Err(Fault::new(Kind::Invalid, Landed::No, "a record is invalid"));
            }
            if records.iter().any(|record| record["name"] == "short") {
                return Ok(Reply {
                    output: json!({ "results": [] }),
                    status: Some(port::Status::http(200)),
                    ..Reply::default()
                });
            }
            let results: Vec<Value> = records.iter().map(|record| json!({ "did": record["name"] })).collect();
            Ok(Reply {
                output: json!({ "results": results }),
                status: Some(port::Status::http(200)),
                ..Reply::default()
            })
        })
    }

    fn probe<'a>(&'a self, _ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn outlook(&self, _operation: &str, _tenant: &str) -> Outlook {
        Outlook::Open
    }

    fn limit(&self, _operation: &str) -> Option<Duration> {
        None
    }

    fn first_asked(&self, _operation: &str) -> Option<Arc<str>> {
        None
    }
}

fn collect(size: u32) -> Collect {
    let size = NonZeroU32::new(size).unwrap();
    Collect {
        into: "upsert_many".into(),
        items: "records".to_owned(),
        results: Some("results".to_owned()),
        keys: Some("key".to_owned()),
        numbers: policy::Batch { size, timeout: Duration::from_millis(200), ..policy::Batch::default() },
    }
}

struct Scene {
    crm: Arc<Crm>,
    batched: Arc<Batched>,
    clock: RuntimeClock,
}

impl Scene {
    fn new(size: u32) -> Self {
        Self::slow(size, Duration::ZERO)
    }

    fn slow(size: u32, slow: Duration) -> Self {
        Self::with(size, 1, slow)
    }

    fn with(size: u32, in_flight: u32, slow: Duration) -> Self {
        let operations =
            vec![Operation::new("upsert", Repeat::Keyed), Operation::new("upsert_many", Repeat::Safe)];
        let spec =
            Spec { system: "crm".into(), adapter: "stub", version: "1.0.0", operations, probe_every: None };
        let crm = Arc::new(Crm { spec, asked: Mutex::default(), slow });
        let link = Arc::clone(&crm) as Arc<dyn Link>;
        let mut collect = collect(size);
        collect.numbers.in_flight = NonZeroU32::new(in_flight).unwrap();
        let batched = Arc::new(Batched::new(link, [("upsert".into(), collect)]));
        Self { crm, batched, clock: RuntimeClock::start() }
    }

    fn ctx(&self, tenant: &str) -> Ctx {
        let entropy = Arc::new(SeededEntropy::new(1));
        let ctx = Ctx::held(tenant, "c", Arc::new(self.clock), entropy);
        Ctx { trace: TraceContext { trace_id: 1, span_id: 1, sampled: false }, ..ctx }
    }

    async fn upsert(&self, tenant: &str, name: &str) -> Result<Value, Fault> {
        self.within(&self.ctx(tenant), name).await
    }

    async fn within(&self, ctx: &Ctx, name: &str) -> Result<Value, Fault> {
        let key = IdempotencyKey::new(&format!("key-{name}"));
        let call = Call { operation: "upsert".into(), input: json!({ "name": name }).into(), key };
        self.batched.call(ctx, call).await.map(|reply| reply.output)
    }

    /// The names in each batch that was sent, with its tenant.
    fn asked(&self) -> Vec<(String, Vec<String>)> {
        let name = |record: &Value| record["name"].as_str().unwrap().to_owned();
        let names = |input: &Value| input["records"].as_array().unwrap().iter().map(name).collect();
        self.crm.asked.lock().iter().map(|(tenant, input)| (tenant.to_string(), names(input))).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once_and_each_caller_has_its_own_answer() {
    let scene = Scene::new(3);
    let started = scene.clock.instant();
    let answers = join_all(["a", "b", "c"].map(|name| scene.upsert("t", name))).await;
    let answers: Vec<Value> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [json!({ "did": "a" }), json!({ "did": "b" }), json!({ "did": "c" })]);
    assert_eq!(scene.clock.instant(), started, "nobody waited");
    let sent = scene.crm.asked.lock()[0].1.clone();
    assert_eq!(sent["records"][1], json!({ "name": "b", "key": "key-b" }), "with its own key");
    assert_eq!(scene.upsert("t", "d").await.unwrap(), json!({ "did": "d" }), "after the timeout, alone");
    assert_eq!(scene.clock.instant() - started, Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn a_poison_item_fails_alone() {
    let scene = Scene::new(8);
    let names = ["a", "b", "c", "d", "e", "poison", "g", "h"];
    let answers = join_all(names.map(|name| scene.upsert("t", name))).await;
    let failed: Vec<_> = names.iter().zip(&answers).filter(|(_, answer)| answer.is_err()).collect();
    let [(&name, Err(fault))] = failed[..] else { panic!("{failed:?}") };
    assert_eq!((name, fault.kind, fault.landed), ("poison", Kind::Invalid, Landed::No));
    let times =
        |name: &str| scene.asked().iter().filter(|(_, names)| names.iter().any(|one| one == name)).count();
    assert_eq!((times("a"), times("poison")), (2, 4), "halved, not sent one by one: {:?}", scene.asked());
}

#[tokio::test(start_paused = true)]
async fn two_tenants_never_share_a_batch() {
    let scene = Scene::new(4);
    let calls = (0..8).map(|number| {
        let (tenant, name) = (["one", "two"][number % 2], format!("{}{number}", ["one", "two"][number % 2]));
        let scene = &scene;
        async move { scene.upsert(tenant, &name).await.unwrap() }
    });
    join_all(calls).await;
    let asked = scene.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for (tenant, names) in asked {
        assert!(
            names.len() == 4 && names.iter().all(|name| name.starts_with(&tenant)),
            "{tenant}: {names:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_sends_what_is_there_and_later_calls_go_alone() {
    let scene = Arc::new(Scene::new(100));
    let started = scene.clock.instant();
    let waiting = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move { join_all(["a", "b"].map(|name| scene.upsert("t", name))).await }
    });
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    scene.batched.flush().await;
    assert_eq!(scene.upsert("t", "late").await.unwrap(), json!({ "did": "late" }));
    assert!(waiting.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(scene.clock.instant() - started, Duration::from_millis(1), "nobody waited for the timeout");
    let names: Vec<Vec<String>> = scene.asked().into_iter().map(|(_, names)| names).collect();
    assert_eq!(names, [vec!["a".to_owned(), "b".to_owned()], vec!["late".to_owned()]]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_than_its_deadline_and_takes_nobody_with_it() {
    let scene = Scene::slow(2, Duration::from_secs(5));
    let ctx = scene.ctx("t");
    let hurried = ctx.within(Duration::from_secs(1));
    let (patient, hurried) = tokio::join!(scene.within(&ctx, "a"), scene.within(&hurried, "b"));
    assert_eq!(patient.unwrap(), json!({ "did": "a" }));
    let fault = hurried.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Timeout, Landed::Unknown));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_count_is_nobodys() {
    let scene = Scene::new(2);
    let answers = join_all(["a", "short"].map(|name| scene.upsert("t", name))).await;
    for answer in answers {
        let fault = answer.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (Kind::Protocol, Landed::Yes));
    }
    assert_eq!(scene.asked().len(), 1, "it landed, so it is not halved");
}

#[tokio::test(start_paused = true)]
async fn an_item_without_its_key_is_refused() {
    let scene = Scene::new(2);
    let call = Call { operation: "upsert".into(), input: json!({ "name": "a" }).into(), key: None };
    let fault = scene.batched.call(&scene.ctx("t"), call).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Invalid, Landed::No));
}

#[test]
fn only_what_may_be_repeated_is_collected() {
    let (collect, unkeyed) = (collect(1), Collect { keys: None, ..collect(1) });
    let kinds = [Repeat::Safe, Repeat::Keyed, Repeat::Never];
    assert_eq!(kinds.map(|repeat| collect.fits(repeat)), [true, true, false]);
    assert_eq!(kinds.map(|repeat| unkeyed.fits(repeat)), [true, false, false]);
}

/// The next goes while the first is out, up to as many as may be.
#[tokio::test(start_paused = true)]
async fn as_many_batches_are_out_as_may_be() {
    let scene = Scene::with(2, 3, Duration::from_secs(1));
    let started = scene.clock.instant();
    let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let answers = join_all(names.iter().map(|name| scene.upsert("t", name))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(scene.asked().len(), 6);
    assert_eq!(scene.clock.instant() - started, Duration::from_secs(2), "three at a time, a second each");
}

#[tokio::test(start_paused = true)]
async fn a_panic_takes_down_its_own_batch_and_no_other() {
    let scene = Arc::new(Scene::new(2));
    let answers = join_all(["panic", "a", "b", "c"].map(|name| scene.upsert("t", name))).await;
    let [Err(first), Err(second), Ok(_), Ok(_)] = &answers[..] else { panic!("{answers:?}") };
    for fault in [first, second] {
        assert_eq!((fault.kind, fault.landed), (Kind::Internal, Landed::Unknown));
    }
    join_all(["d", "e"].map(|name| scene.upsert("t", name))).await;
    let sizes: Vec<usize> = scene.asked().iter().map(|(_, names)| names.len()).collect();
    assert_eq!(sizes, [2, 2, 2], "what comes later is collected as before");
}
