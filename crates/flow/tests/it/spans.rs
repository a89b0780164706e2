//! The spans of runs and steps: what calls were sent is what was recorded, also when the process died in between.

use std::time::Duration;

use flow::{RunId, Start};
use port::{Attribute, Fault, Kind, Landed, Span, TraceContext};
use serde_json::json;
use store::{Batch, RunStatus};

use crate::world::World;

const ACT: TraceContext = TraceContext { trace_id: 7, span_id: 9, sampled: true };
const MAIN: &str = "{ result: { transaction_id: '${ steps.pay.id }' }, do: [{ pay: { call: payments.charge } }, \
     { rest: { wait: 100s } }, { kid: { run: child } }, { post: { tell: email.send } }] }";
const CHILD: &str = "{ do: [{ c: { call: crm.update } }] }";

/// Begins the run of a commit that is part of a trace.
async fn committed(world: &World, trace: TraceContext) -> RunId {
    let mut start = Start::default();
    start.run = RunId::of_commit("default", "conv_1", "act_1", "main").to_string();
    (start.flow, start.tenant, start.correlation) = ("main".into(), "default".into(), "corr".into());
    (start.conversation, start.commit) = (Some("conv_1".into()), Some("act_1".into()));
    start.trace = Some(trace.to_string());
    let act = json!({ "action": "create", "entity": { "id": "order_1" }, "system": "shop" });
    start.input = json!({ "entity": { "id": "order_1" }, "act": act });
    let mut batch = Batch::default();
    let run = world.engine.begin(&mut batch, start).unwrap();
    world.store.commit(batch).await.unwrap();
    world.engine.committed(std::slice::from_ref(&run));
    run
}

fn only(world: &World, name: &str) -> Span {
    let spans = world.crash.spans.0.lock();
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0].clone()
}

fn said(span: &Span, name: &str) -> String {
    match span.attributes.iter().find(|(known, _)| *known == name) {
        Some((_, Attribute::Text(text))) => text.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_calls_are_sent_is_recorded_below_the_commit_through_a_crash() {
    let mut world = World::with(&[("main", MAIN), ("child", CHILD)]).await;
    let run = committed(&world, ACT).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    let died = port::Clock::now(&*world.clock);
    world.dies_and_restarts().await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    world.called("email.send", 1).await;

    let commit = only(&world, "process-commit");
    assert_eq!((commit.context.trace_id, commit.parent, commit.error.clone()), (7, Some(9), None));
    for (name, value) in [
        ("commit.action", "create"),
        ("commit.system", "shop"),
        ("commit.entity", "order_1"),
        ("commit.status", "success"),
        ("commit.transaction_id", "payments.charge#1"),
        ("act.id", "act_1"),
    ] {
        assert_eq!(said(&commit, name), value, "{name}");
    }
    let child = only(&world, "process-run");
    assert_eq!(child.parent, Some(only(&world, "main.kid").context.span_id));
    for (step, above, operation) in [
        ("main.pay", &commit, "payments.charge"),
        ("main.post", &commit, "email.send"),
        ("child.c", &child, "crm.update"),
    ] {
        let span = only(&world, step);
        assert_eq!(span.parent, Some(above.context.span_id), "{step}");
        assert_eq!(world.ledger.traces(operation), [span.context], "{step}");
    }
    let rest = only(&world, "main.rest");
    assert!(rest.start < died, "it began in the process that died");
    assert!(rest.took >= Duration::from_secs(100), "{:?}", rest.took);
    assert!(commit.start <= rest.start && commit.took >= rest.took);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_made_again_after_a_crash_is_part_of_the_same_step() {
    let mut world = World::with(&[("main", MAIN), ("child", CHILD)]).await;
    world.ledger.dies_at_call(Some(1));
    let run = committed(&world, ACT).await;
    world.called("payments.charge", 1).await;
    world.dies_and_restarts().await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    let pay = only(&world, "main.pay");
    assert_eq!(world.ledger.traces("payments.charge"), [pay.context, pay.context]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_says_so_in_its_words_for_machines() {
    let world = World::of("{ do: [{ pay: { call: payments.charge, on_exhausted: compensate } }] }").await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Refused, Landed::No, "no such card 4711"));
    let run = committed(&world, ACT).await;
    world.until(&run, |view| view.status == RunStatus::Failed).await;
    let (commit, pay) = (only(&world, "process-commit"), only(&world, "main.pay"));
    assert_eq!((commit.error.as_deref(), pay.error.as_deref()), (Some("call.refused"), Some("call.refused")));
    assert_eq!(
        (&*said(&commit, "commit.status"), &*said(&commit, "commit.error")),
        ("failed", "call.refused")
    );
    assert!(!format!("{:?}", world.crash.spans.0.lock()).contains("4711"), "a system's words are in no span");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sampled_is_not_recorded_and_says_so_to_systems() {
    let world = World::with(&[("main", MAIN), ("child", CHILD)]).await;
    let run = committed(&world, TraceContext { sampled: false, ..ACT }).await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert_eq!(world.crash.spans.0.lock().len(), 0);
    let sent = world.ledger.traces("payments.charge");
    assert!(sent.iter().all(|trace| trace.trace_id == 7 && !trace.sampled), "{sent:?}");
}
