//! Our own faults are not a system's "no": what is not configured blocks, what an expression cannot make of its data waits for
//! a person once something was sent. And nothing starts itself without end.

use std::time::Duration;

use flow::{Live, Needs, RunId};
use port::{Fault, Kind, Landed};
use serde_json::{Value, json};
use store::{RunFilter, RunStatus};

use crate::world::{PATIENCE, World, known, order, without};

const STUCK: Live<'_> = Live { stuck: true, system: None };

impl World {
    async fn blocked(&self, run: &RunId, reason: &str) -> flow::RunView {
        self.until(run, |view| view.blocked_on.as_ref().is_some_and(|on| on.reason == reason)).await
    }

    async fn stuck(&self) -> Vec<String> {
        let found = self.engine.live(STUCK, &RunFilter::default(), 0).await.unwrap();
        found.runs.into_iter().map(|row| row.id).collect()
    }

    async fn ends(&self, run: &RunId) -> flow::RunView {
        self.engine.wait(run.as_str(), PATIENCE).await.unwrap()
    }

    async fn needs(&self, missing: &[&str]) -> Vec<String> {
        let missing = missing.iter().map(|name| (*name).to_owned()).collect();
        let mut needs = Needs::of(self.store.clone(), without(known(), &missing));
        let mut found = Vec::new();
        while let Some(page) = needs.next().await.unwrap() {
            found
                .extend(page.into_iter().map(|need| format!("{} {} {}", need.step, need.verb, need.missing)));
        }
        found
    }
}

const ORDER: &str = "do:
  - reserve: { call: inventory.reserve, compensate: { call: inventory.release } }
  - gate: { listen: { signal: go } }
  - charge: { call: payments.charge, compensate: { call: payments.refund } }
";

/// A deploy takes an operation away, and another gives it back.
#[tokio::test(start_paused = true)]
async fn what_is_not_configured_blocks_and_goes_on_when_it_is_there_again() {
    let mut world = World::of(ORDER).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.ledger.lacks("payments.charge");
    world.dies_and_restarts().await;
    world.signal(&run, "go", "s", Value::Null).await;
    let view = world.blocked(&run, "blocked").await;
    assert_eq!(view.status, RunStatus::Waiting);
    assert_eq!(view.blocked_on.unwrap().on, Some(json!({ "missing": "payments.charge" })));
    assert_eq!(world.stuck().await, [run.to_string()]);
    world.dies_and_restarts().await;
    assert_eq!(world.blocked(&run, "blocked").await.steps.last().unwrap().attempts, 0);
    // A person's word does not help while it is gone.
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    world.blocked(&run, "blocked").await;
    world.ledger.has("payments.charge");
    world.dies_and_restarts().await;
    assert_eq!(world.ends(&run).await.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.effects(), ["inventory.reserve", "payments.charge"], "nothing was undone");
}

/// The process died while the call was out: what became of it is judged when its operation is there again.
#[tokio::test(start_paused = true)]
async fn a_call_that_was_out_when_its_operation_went_is_not_given_up() {
    for step in ["payments.charge", "payments.capture"] {
        let mut world = World::of(&format!(
            "do: [{{ pay: {{ call: {step}, compensate: {{ call: payments.refund }} }} }}]"
        ))
        .await;
        world.ledger.holds(step);
        let run = world.start("act_1", order()).await;
        world.called(step, 1).await;
        world.ledger.lacks(step);
        world.dies_and_restarts().await;
        world.blocked(&run, "blocked").await;
        world.ledger.has(step);
        world.ledger.lets_go(step);
        world.dies_and_restarts().await;
        let keyed = step == "payments.charge";
        let status = if keyed { RunStatus::Succeeded } else { RunStatus::Paused };
        world.until(&run, |view| view.status == status).await;
        assert_eq!(world.ledger.count(step), 1, "{step}");
    }
}

/// Cancelled while blocked, it undoes what it did; the undoing blocks when it is itself not configured.
#[tokio::test(start_paused = true)]
async fn a_blocked_run_can_be_cancelled_and_an_undoing_can_be_blocked() {
    let mut world = World::of(ORDER).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    for gone in ["payments.charge", "inventory.release"] {
        world.ledger.lacks(gone);
    }
    world.dies_and_restarts().await;
    world.signal(&run, "go", "s", Value::Null).await;
    world.blocked(&run, "blocked").await;
    world.engine.cancel(run.as_str(), "ops").await.unwrap();
    let undoing = world.until(&run, |view| view.status == RunStatus::Compensating).await;
    assert_eq!(undoing.blocked_on.unwrap().step.as_deref(), Some("reserve/undo"));
    assert_eq!(world.stuck().await, [run.to_string()]);
    world.ledger.has("payments.charge");
    world.ledger.has("inventory.release");
    world.dies_and_restarts().await;
    assert_eq!(world.ends(&run).await.status, RunStatus::Cancelled);
    assert_eq!(world.ledger.effects(), ["inventory.reserve", "inventory.release"]);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_run_that_is_paused_goes_on_when_it_is_resumed() {
    let mut world = World::of(ORDER).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.ledger.lacks("payments.charge");
    world.dies_and_restarts().await;
    world.signal(&run, "go", "s", Value::Null).await;
    world.blocked(&run, "blocked").await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.ledger.has("payments.charge");
    world.dies_and_restarts().await;
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(world.ends(&run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_child_flow_and_a_message_block_as_well() {
    let flow = "do: [{ call: email.send }, { gate: { listen: { signal: go } } }, { a: { run: child } }, { b: { tell: crm.update } }]";
    let mut world = World::with(&[("main", flow), ("child", "do: [{ set: { a: 1 } }]")]).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.ledger.lacks("flow child");
    world.ledger.lacks("crm.update");
    world.dies_and_restarts().await;
    world.signal(&run, "go", "s", Value::Null).await;
    let view = world.blocked(&run, "blocked").await;
    assert_eq!(view.blocked_on.unwrap().on, Some(json!({ "missing": "flow child" })));
    world.ledger.has("flow child");
    world.dies_and_restarts().await;
    let missing = |view: &flow::RunView| view.blocked_on.as_ref().and_then(|on| on.on.clone());
    world.until(&run, |view| missing(view) == Some(json!({ "missing": "crm.update" }))).await;
    world.ledger.has("crm.update");
    world.dies_and_restarts().await;
    assert_eq!(world.ends(&run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn what_live_runs_need_is_known_before_they_come_to_it() {
    let world = World::of(
        "do:
  - reserve: { call: inventory.reserve, compensate: { call: inventory.release } }
  - skipped: { if: 'false', call: email.send }
  - gate: { listen: { signal: go } }
  - rest: { do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find } } }] }
",
    )
    .await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    assert!(world.needs(&[]).await.is_empty());
    assert!(world.needs(&["inventory.reserve", "email.send"]).await.is_empty(), "done, or passed over");
    let gone = ["inventory.release", "payments.capture", "payments.find"];
    let needs =
        ["reserve compensate inventory.release", "pay call payments.capture", "pay verify payments.find"];
    assert_eq!(world.needs(&gone).await, needs);
    world.signal(&run, "go", "s", Value::Null).await;
    world.ends(&run).await;
    assert!(world.needs(&gone).await.is_empty(), "nothing lives");
}

/// Each way in which an expression can fail after something was sent.
#[tokio::test(start_paused = true)]
async fn an_expression_that_fails_after_an_effect_waits_for_a_person() {
    let steps = [
        ("bad", "set: { x: '${ steps.a.none }' }"),
        ("bad", "call: crm.update, with: { x: '${ steps.a.none }' }"),
        ("bad", "if: steps.a.none > 1, call: crm.update"),
        ("bad", "for: { in: '${ steps.a.none }' }, call: crm.update"),
        ("bad", "for: { in: '${ steps.a }' }, call: crm.update"),
        ("bad[1]", "for: { in: '${ [1, 0] }' }, set: { x: '${ 1 / item }' }"),
        ("bad", "switch: [{ when: steps.a.none > 1, do: [] }]"),
        ("bad", "wait: '${ steps.a.id }'"),
        ("bad", "run: child, with: '${ steps.a.none }'"),
    ];
    for (path, step) in steps {
        let flow = format!(
            "do: [{{ a: {{ call: payments.charge, compensate: {{ call: payments.refund }} }} }}, {{ bad: {{ {step} }} }}]"
        );
        let mut world = World::with(&[("main", &flow), ("child", "do: []")]).await;
        let run = world.start("act_1", order()).await;
        let view = world.blocked(&run, "expression").await;
        assert_eq!(view.status, RunStatus::Paused, "{step}");
        assert_eq!(view.blocked_on.unwrap().step.as_deref(), Some(path), "{step}");
        assert_eq!(world.stuck().await, [run.to_string()]);
        // It is tried again when it is resumed, also by another process, and fails again.
        world.dies_and_restarts().await;
        world.blocked(&run, "expression").await;
        world.engine.resume(run.as_str(), false, "ops").await.unwrap();
        world.blocked(&run, "expression").await;
        assert_eq!(world.ledger.effects(), ["payments.charge"], "{step}: nothing was undone");
        world.engine.cancel(run.as_str(), "ops").await.unwrap();
        assert_eq!(world.ends(&run).await.status, RunStatus::Cancelled, "{step}");
        assert_eq!(world.ledger.effects(), ["payments.charge", "payments.refund"], "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn before_anything_was_sent_an_expression_that_fails_fails_the_run() {
    let world = World::of("do: [{ call: crm.update }, { set: { x: '${ entity.none }' } }]").await;
    let view = world.runs(order()).await;
    assert_eq!((view.status, view.error.unwrap().code.as_str()), (RunStatus::Failed, "flow.expression"));
}

/// What was refused for sure before it left has done nothing, however often it was tried.
#[tokio::test(start_paused = true)]
async fn an_input_that_is_refused_before_it_is_sent_fails_a_run_that_did_nothing() {
    let unsent = || port::Fault::new(port::Kind::Invalid, port::Landed::No, "the value ends with a space");
    let one = "{ one: { call: payments.charge, compensate: { call: payments.refund } } }";
    let flows = [
        format!("do: [{one}]"),
        format!("do: [{{ try: [{one}], catch: {{ do: [{{ set: {{ x: '${{ entity.none }}' }} }}] }} }}]"),
    ];
    for (flow, code) in flows.iter().zip(["flow.input", "flow.expression"]) {
        let world = World::of(flow).await;
        world.ledger.fails_once("payments.charge", unsent());
        let view = world.runs(order()).await;
        assert_eq!((view.status, view.error.unwrap().code.as_str()), (RunStatus::Failed, code), "{flow}");
        assert!(world.ledger.effects().is_empty(), "{flow}");
    }
    // Beside what is done, or may be, it waits for a person.
    let beside = format!(
        "do: [{{ fork: {{ a: [{{ r: {{ call: inventory.reserve, compensate: {{ call: inventory.release }} }} }}], b: [{one}] }} }}]"
    );
    let world = World::of(&beside).await;
    world.ledger.fails_once("payments.charge", unsent());
    let run = world.start("act_1", order()).await;
    world.blocked(&run, "input").await;
}

#[tokio::test(start_paused = true)]
async fn a_catch_takes_it_and_a_flow_may_want_everything_undone() {
    let charge = "{ a: { call: payments.charge, compensate: { call: payments.refund } } }";
    let caught = format!(
        "do: [{charge}, {{ try: [{{ set: {{ x: '${{ entity.none }}' }} }}], catch: {{ do: [{{ call: crm.update }}] }} }}]"
    );
    let world = World::of(&caught).await;
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
    let wants = format!("on_fault: compensate\ndo: [{charge}, {{ set: {{ x: '${{ entity.none }}' }} }}]");
    let world = World::of(&wants).await;
    assert_eq!(world.runs(order()).await.status, RunStatus::Compensated);
}

/// The result is made again when the run is resumed; what was done stays done.
#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_made_undoes_nothing() {
    let world = World::of("{ result: '${ steps.a.none }', do: [{ a: { call: payments.charge, compensate: { call: payments.refund } } }] }").await;
    let run = world.start("act_1", order()).await;
    let view = world.blocked(&run, "expression").await;
    assert_eq!(view.blocked_on.unwrap().step.as_deref(), Some("result"));
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    world.blocked(&run, "expression").await;
    assert_eq!(world.ledger.effects(), ["payments.charge"]);
}

/// What no system has seen is no system's "no".
#[tokio::test(start_paused = true)]
async fn an_input_that_makes_no_request_waits_for_a_person() {
    let world = World::of(ORDER).await;
    let run = world.start("act_1", order()).await;
    world.ledger.fails_once("payments.charge", Fault::new(Kind::Invalid, Landed::No, "the path lacks `id`"));
    world.signal(&run, "go", "s", Value::Null).await;
    let view = world.blocked(&run, "input").await;
    assert_eq!(view.steps.last().unwrap().error.as_ref().unwrap().code, "flow.input");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(world.ends(&run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn runs_below_one_another_come_to_an_end() {
    let nests = "do: [{ deeper: { run: main } }]";
    let world = World::of(nests).await;
    let error = world.runs(order()).await.error.unwrap();
    assert_eq!(error.code, "flow.too_deep");
    assert_eq!(world.engine.list(&RunFilter::default()).await.unwrap().len(), 33);
    let world = World::of(&format!("recursion: {{ depth: 3 }}\n{nests}")).await;
    assert_eq!(world.runs(order()).await.error.unwrap().code, "flow.too_deep");
    assert_eq!(world.engine.list(&RunFilter::default()).await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn as_many_runs_come_of_one_as_are_allowed() {
    let many = "do: [{ all: { for: { in: '${ [1, 2, 3, 4, 5, 6] }' }, run: child } }]";
    let world = World::few(5, &[("main", many), ("child", "do: []")]).await;
    let error = world.runs(order()).await.error.unwrap();
    assert_eq!((error.code.as_str(), &*error.step), ("flow.too_many_runs", "all[5]"));
    assert!(error.message.ends_with("allowed are 5"), "{}", error.message);
    assert_eq!(
        world
            .store
            .version(&format!("family-{}", RunId::of_commit("default", "conv_1", "act_1", "main")))
            .await
            .unwrap(),
        5
    );
    world.passes(Duration::from_secs(1)).await;
}
