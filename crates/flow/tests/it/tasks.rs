//! Every task kind, once, as a user would write it.

use std::time::Duration;

use port::{Fault, Kind, Landed, Rejection};
use serde_json::json;
use store::RunStatus;

use crate::world::{PATIENCE, World, eventually, order};

#[tokio::test(start_paused = true)]
async fn require_names_what_is_missing() {
    let world = World::of("do: [{ require: [customer_id, items, colour, size] }]").await;
    let view = world.runs(order()).await;
    let error = view.error.unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("flow.missing", "missing fields: colour, size")
    );
    assert_eq!(view.status, RunStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn set_if_switch_for_and_result() {
    let world = World::of(
        r#"
result: { total: "${ vars.total }", size: "${ vars.size }", ids: "${ steps.reserve.map(r, r.id) }", none: "${ steps.skipped }" }
do:
  - set: { total: "${ entity.total_amount + 1 }" }
  - skipped: { if: "entity.total_amount > 1000", call: email.send }
  - switch:
      - when: entity.total_amount > 100
        do: [{ set: { size: large } }]
      - do: [{ set: { size: small } }]
  - reserve:
      for: { each: item, in: "${ entity.items }" }
      call: inventory.reserve
      with: { product: "${ item.product_id }" }
"#,
    )
    .await;
    let view = world.runs(order()).await;
    let ids = ["inventory.reserve#1", "inventory.reserve#2"];
    assert_eq!(
        view.result,
        Some(json!({ "total": 43, "size": "small", "ids": ids, "none": null })),
        "{view:#?}"
    );
    let paths: Vec<&str> = view.steps.iter().map(|step| step.path.as_str()).collect();
    assert!(paths.contains(&"reserve[0]") && paths.contains(&"reserve[1]"), "{paths:?}");
}

#[tokio::test(start_paused = true)]
async fn fork_joins_all_and_race_takes_the_first() {
    let world = World::of(
        r#"
result: { both: "${ steps.both.b.id }", first: "${ steps.first }" }
do:
  - both: { fork: { a: [{ call: email.send }], b: [{ crm: { call: crm.update } }] } }
  - first: { fork: { slow: [{ wait: 1h }], fast: [{ wait: 10ms }] }, race: true }
"#,
    )
    .await;
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    assert_eq!(view.result.unwrap()["first"], json!({ "fast": null }));
    assert!(world.store.next_timer().await.unwrap().is_none(), "the loser's timer is gone");
}

#[tokio::test(start_paused = true)]
async fn catch_takes_an_error_and_the_run_goes_on() {
    let world = World::of(
        r#"
result: ${ vars.paid_by }
do:
  - pay:
      try: [{ card: { call: payments.charge, compensate: { call: payments.refund } } }]
      catch:
        kinds: [refused]
        do:
          - invoice: { call: email.send, with: { why: "${ error.message }" } }
          - set: { paid_by: invoice }
"#,
    )
    .await;
    world.ledger.fails_once("payments.charge", Fault::new(Kind::Refused, Landed::No, "declined"));
    let view = world.runs(order()).await;
    assert_eq!((view.status, view.result), (RunStatus::Succeeded, Some(json!("invoice"))));
    assert_eq!(world.ledger.inputs("email.send"), [json!({ "why": "declined" })]);
}

#[tokio::test(start_paused = true)]
async fn retry_in_try_tries_the_failed_step_alone() {
    let world = World::of(
        r#"
do:
  - both:
      try: [{ first: { call: inventory.reserve } }, { second: { call: payments.charge, on_exhausted: compensate } }]
      retry: { attempts: 3, wait: 10ms }
"#,
    )
    .await;
    for _ in 0..2 {
        world.ledger.fails_once("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    }
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    assert_eq!(world.ledger.keys("inventory.reserve").len(), 1);
    assert_eq!(world.ledger.keys("payments.charge").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn ask_and_confirm_wait_for_their_answers() {
    let world = World::of(
        r#"
result: "${ steps.colour }"
do:
  - colour: { ask: { field: colour, prompt: "Which colour?" } }
  - sure: { confirm: { summary: "Order a ${ steps.colour } one?" } }
"#,
    )
    .await;
    let run = world.start("act_1", order()).await;
    let colour = world.asked("colour", None).await;
    world.answer(&colour, json!("red")).await;
    let sure = world.asked("sure", None).await;
    world.answer(&sure, json!({ "confirmed": true })).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.result, Some(json!("red")));
    let said = world.said.said.lock();
    let acts: Vec<_> = said.iter().flat_map(|said| &said.acts).map(|act| act.body["type"].clone()).collect();
    assert_eq!(acts, [json!("ask"), json!("confirm")]);
    assert!(said.iter().any(|said| said.change == Some(conversation::Change::InProgress)));
}

#[tokio::test(start_paused = true)]
async fn a_no_and_a_silence_fail_the_run() {
    let flow = r#"do: [{ sure: { confirm: { summary: "Sure?" }, timeout: 150ms } }]"#;
    let world = World::of(flow).await;
    assert_eq!(world.runs(order()).await.error.unwrap().code, "flow.timeout");
    let world = World::of(flow).await;
    let run = world.start("act_1", order()).await;
    let sure = world.asked("sure", None).await;
    world.answer(&sure, json!({ "confirmed": false, "reason": "too dear" })).await;
    let error = world.engine.wait(run.as_str(), PATIENCE).await.unwrap().error.unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("flow.rejected", "not confirmed: too dear"));
}

#[tokio::test(start_paused = true)]
async fn listen_hears_topics_and_signals() {
    let world = World::of(
        r#"
result: "${ steps.paid.amount }"
do:
  - paid: { listen: { topic: paid, where: "event.order == entity.id" } }
  - go: { listen: { signal: go } }
  - publish: done
    with: { order: "${ entity.id }" }
"#,
    )
    .await;
    let run = world.start("act_1", order()).await;
    world
        .until(&run, |view| view.blocked_on.as_ref().is_some_and(|on| on.step.as_deref() == Some("paid")))
        .await;
    for (order, amount) in [("other", 1), ("order-1", 2)] {
        let data = json!({ "order": order, "amount": amount }).to_string().into_bytes();
        let event = store::NewEvent {
            type_: "Published".into(),
            data,
            at: jiff::Timestamp::UNIX_EPOCH,
            tenant: "default".into(),
            correlation: "c".into(),
            causation: None,
        };
        let append = store::Append {
            stream: "topic-paid".into(),
            expected: store::Expected::Any,
            events: vec![event],
        };
        world.store.commit(store::Batch { appends: vec![append], ..Default::default() }).await.unwrap();
    }
    world
        .until(&run, |view| view.blocked_on.as_ref().is_some_and(|on| on.step.as_deref() == Some("go")))
        .await;
    world.signal(&run, "go", "s1", json!(null)).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.result, Some(json!(2)), "{view:#?}");
    assert_eq!(world.store.version("topic-done").await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn tell_is_delivered_at_least_once_and_dies_visibly() {
    let world = World::of("do: [{ mail: { tell: email.send, with: { to: x } } }]").await;
    world.ledger.fails("email.send", Fault::new(Kind::Refused, Landed::No, "bad address"));
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
    let dead = async || world.store.dead(&store::DeadFilter::default()).await.unwrap().into_iter().next();
    let letter = eventually("a dead letter", dead).await;
    world.ledger.mended("email.send");
    world.engine.edit_dead(&letter.id, &json!({ "to": "y" })).await.unwrap();
    world.engine.replay_dead(&letter.id, false, "ops").await.unwrap();
    let sent = async || (world.ledger.count("email.send") > 0).then_some(());
    eventually("the mail is sent", sent).await;
    assert_eq!(world.ledger.inputs("email.send"), [json!({ "to": "y" })]);
    let keys = world.ledger.keys("email.send");
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn run_waits_for_its_child_and_takes_its_error() {
    let child = r#"{ result: "${ steps.c.id }", do: [{ c: { call: crm.update } }] }"#;
    let parent = r#"{ result: "${ steps.sub }", do: [{ sub: { run: child, with: { id: x } } }] }"#;
    let world = World::with(&[("main", parent), ("child", child)]).await;
    assert_eq!(world.runs(order()).await.result, Some(json!("crm.update#1")));
    let world = World::with(&[("main", parent), ("child", child)]).await;
    world.ledger.fails_once("crm.update", Fault::new(Kind::Refused, Landed::No, "no"));
    let error = world.runs(order()).await.error.unwrap();
    assert_eq!((&*error.step, error.code.as_str()), ("sub/c", "call.refused"));
}

#[tokio::test(start_paused = true)]
async fn a_guards_rejection_spends_no_attempt_and_is_visible() {
    let world = World::of("do: [{ pay: { call: payments.charge } }]").await;
    let wait = Some(Duration::from_secs(3600));
    world.ledger.fails_once("payments.charge", Fault::rejected(Rejection::BreakerOpen, wait));
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.blocked_on.is_some() && view.status == RunStatus::Waiting).await;
    let blocked = view.blocked_on.unwrap();
    assert_eq!((blocked.reason, blocked.system.as_deref()), ("breaker_open", Some("payments")));
    assert!(blocked.until.is_some());
    assert_eq!(world.engine.wake("payments"), 1);
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn wait_survives_a_restart_and_an_sla_is_an_event() {
    let mut world = World::of("{ sla: 50ms, do: [{ wait: 3s }, { call: crm.update }] }").await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting || view.status.is_ended()).await;
    world.dies_and_restarts().await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded);
    assert!(view.sla_breached);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_too_long_is_cut_off() {
    let world = World::of("do: [{ slow: { call: payments.charge, timeout: 50ms } }]").await;
    world.ledger.takes("payments.charge", Duration::from_secs(60));
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
    assert_eq!(view.blocked_on.unwrap().reason, "outcome_unknown");
}
