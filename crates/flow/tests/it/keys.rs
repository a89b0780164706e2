//! One run at a time per key, until its undoing is over; shared key spaces; what a newcomer does.

use flow::{RunId, RunView, Start};
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::{Batch, RunStatus};

use crate::world::{PATIENCE, World, order};

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

const GATED: &str = "{ key: '${ entity.id }', do: [{ gate: { listen: { signal: go } } }, { u: { call: crm.update, compensate: none, with: { n: '${ run.commit }' } } }] }";

impl World {
    /// Begins a run of another flow.
    async fn starts(&self, flow: &str, commit: &str) -> RunId {
        let mut start = Start::default();
        start.run = RunId::of_commit("default", "conv_1", commit, flow).to_string();
        start.flow = flow.into();
        start.tenant = "default".into();
        start.conversation = Some("conv_1".into());
        start.commit = Some(commit.into());
        start.input = json!({ "entity": order() });
        let mut batch = Batch::default();
        let run = self.engine.begin(&mut batch, start).unwrap();
        self.store.commit(batch).await.unwrap();
        self.engine.committed(std::slice::from_ref(&run));
        run
    }

    async fn over(&self, run: &RunId) -> RunView {
        self.engine.wait(run.as_str(), PATIENCE).await.unwrap()
    }
}

fn waits_for(view: &RunView) -> Option<&str> {
    view.blocked_on.as_ref()?.on.as_ref()?["run"].as_str()
}

const PARKS: &str = "{ key: '${ entity.id }', do: [{ a: { call: orders.create, compensate: { call: orders.cancel, with: { id: '${ entity.id }' } } } }, { b: { call: payments.charge, on_exhausted: compensate, compensate: none } }] }";

#[tokio::test(start_paused = true)]
async fn a_parked_run_keeps_its_key_and_says_so() {
    let world = World::of(PARKS).await;
    world.ledger.fails_once("payments.charge", refused());
    world.ledger.fails("orders.cancel", refused());
    let first = world.start("act_1", order()).await;
    assert_eq!(world.over(&first).await.status, RunStatus::Parked);
    let second = world.start("act_2", order()).await;
    let view = world.until(&second, |view| waits_for(view).is_some()).await;
    let blocked = view.blocked_on.unwrap();
    assert_eq!(
        (view.status, blocked.on),
        (RunStatus::Queued, Some(json!({ "run": first.as_str(), "status": "parked" })))
    );
    world.ledger.mended("orders.cancel");
    world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap();
    assert_eq!(world.over(&second).await.status, RunStatus::Succeeded);
    assert_eq!(
        world.ledger.effects(),
        ["orders.create", "orders.cancel", "orders.create", "payments.charge"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_person_may_release_a_key() {
    let mut world = World::of(PARKS).await;
    world.ledger.fails_once("payments.charge", refused());
    world.ledger.fails("orders.cancel", refused());
    let first = world.start("act_1", order()).await;
    world.over(&first).await;
    let second = world.start("act_2", order()).await;
    let third = world.start("act_3", order()).await;
    assert!(world.engine.release_key(second.as_str(), "ops").await.is_err(), "it has none");
    world
        .engine
        .release_key(first.as_str(), flow::Author::new("ops", "the order is looked after"))
        .await
        .unwrap();
    assert_eq!(world.over(&second).await.status, RunStatus::Succeeded);
    assert_eq!(world.over(&third).await.status, RunStatus::Succeeded);
    assert!(world.crash.events.lock().iter().any(|(event, _)| event == "KeyReleased"));
    assert!(world.engine.release_key(first.as_str(), "ops").await.is_err(), "released already");
    world.dies_and_restarts().await;
    let fourth = world.start("act_4", order()).await;
    assert_eq!(world.over(&fourth).await.status, RunStatus::Succeeded, "also after a restart");
}

#[tokio::test(start_paused = true)]
async fn flows_that_share_a_key_space_go_one_at_a_time() {
    let shared = GATED.replace("'${ entity.id }'", "{ in: order, of: '${ entity.id }' }");
    let world = World::with(&[("main", &shared), ("child", &shared)]).await;
    let first = world.start("act_1", order()).await;
    world.until(&first, |view| view.status == RunStatus::Waiting).await;
    let second = world.starts("child", "act_2").await;
    let view = world.until(&second, |view| waits_for(view).is_some()).await;
    assert_eq!(waits_for(&view), Some(first.as_str()));
    world.signal(&first, "go", "s1", json!(null)).await;
    world.signal(&second, "go", "s2", json!(null)).await;
    assert_eq!(world.over(&second).await.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.inputs("crm.update"), [json!({ "n": "act_1" }), json!({ "n": "act_2" })]);
}

/// Without it the child would wait for its parent, which waits for the child.
#[tokio::test(start_paused = true)]
async fn a_child_has_its_parents_place() {
    let key = "key: { in: order, of: '${ entity.id }' }";
    let (main, child) = (
        format!("{{ {key}, do: [{{ kid: {{ run: child }} }}] }}"),
        format!("{{ {key}, do: [{{ call: crm.update, compensate: none }}] }}"),
    );
    let world = World::with(&[("main", &main), ("child", &child)]).await;
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
}

/// Each has the key that the other's child wants.
#[tokio::test(start_paused = true)]
async fn a_circle_of_waits_is_refused_when_it_arises() {
    let flow = |own: &str, other: &str| {
        format!(
            "{{ key: {{ in: {own}, of: x }}, do: [{{ gate: {{ listen: {{ signal: go }} }} }}, {{ kid: {{ run: {other} }} }}] }}"
        )
    };
    let leaf = |space: &str| {
        format!("{{ key: {{ in: {space}, of: x }}, do: [{{ call: crm.update, compensate: none }}] }}")
    };
    let flows = [
        ("main", flow("one", "child")),
        ("child", leaf("two")),
        ("other", flow("two", "third")),
        ("third", leaf("one")),
    ];
    let flows: Vec<(&str, &str)> = flows.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let world = World::with(&flows).await;
    let (first, second) = (world.starts("main", "act_1").await, world.starts("other", "act_2").await);
    for run in [&first, &second] {
        world.until(run, |view| view.status == RunStatus::Waiting).await;
    }
    world.signal(&first, "go", "s1", json!(null)).await;
    world.signal(&second, "go", "s2", json!(null)).await;
    let (first, second) = (world.over(&first).await, world.over(&second).await);
    let failed: Vec<_> = [&first, &second].into_iter().filter_map(|view| view.error.as_ref()).collect();
    assert_eq!(failed.len(), 1, "one gives way, the other goes on: {first:#?} {second:#?}");
    assert_eq!(failed[0].code, "flow.key_cycle");
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_may_be_rejected() {
    let world = World::of(&GATED.replacen('{', "{ busy: reject,", 1)).await;
    let first = world.start("act_1", order()).await;
    world.until(&first, |view| view.status == RunStatus::Waiting).await;
    let second = world.start("act_2", order()).await;
    let view = world.over(&second).await;
    assert_eq!((view.status, view.error.unwrap().code.as_str()), (RunStatus::Failed, "flow.key_busy"));
    let told = world.said.said.lock().last().unwrap().change.clone();
    assert!(matches!(told, Some(conversation::Change::Failed { .. })), "{told:?}");
    world.signal(&first, "go", "s1", json!(null)).await;
    assert_eq!(world.over(&first).await.status, RunStatus::Succeeded);
    let third = world.start("act_3", order()).await;
    world.until(&third, |view| view.status == RunStatus::Waiting).await;
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_may_cancel_those_ahead() {
    let world = World::of(&GATED.replacen('{', "{ busy: cancel,", 1)).await;
    let first = world.start("act_1", order()).await;
    world.until(&first, |view| view.status == RunStatus::Waiting).await;
    let second = world.start("act_2", order()).await;
    assert_eq!(world.over(&first).await.status, RunStatus::Cancelled);
    world.until(&second, |view| view.status == RunStatus::Waiting).await;
    world.signal(&second, "go", "s", json!(null)).await;
    assert_eq!(world.over(&second).await.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.inputs("crm.update"), [json!({ "n": "act_2" })]);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_may_hand_over_what_it_wants() {
    let flow = "{ key: '${ entity.id }', busy: signal, result: '${ steps.more.entity.id }', do: [{ more: { listen: { signal: busy } } }] }";
    let world = World::of(flow).await;
    let first = world.start("act_1", order()).await;
    world.until(&first, |view| view.status == RunStatus::Waiting).await;
    let second = world.start("act_2", order()).await;
    let view = world.over(&second).await;
    assert_eq!(
        (view.status, view.result),
        (RunStatus::Succeeded, Some(json!({ "handed_over_to": first.as_str() })))
    );
    let view = world.over(&first).await;
    assert_eq!((view.status, view.result), (RunStatus::Succeeded, Some(json!("order-1"))));
}

/// It does not overtake who is at work, and those that came later do not overtake it.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_undone_waits_for_its_turn() {
    let flow = "{ key: '${ entity.id }', do: [{ a: { call: orders.create, compensate: { call: orders.cancel, with: { id: '${ result.id }' } } } }, { gate: { listen: { signal: go } } }] }";
    let mut world = World::of(flow).await;
    let first = world.start("act_1", order()).await;
    world.signal(&first, "go", "s", json!(null)).await;
    assert_eq!(world.over(&first).await.status, RunStatus::Succeeded);
    let second = world.start("act_2", order()).await;
    world.until(&second, |view| view.status == RunStatus::Waiting).await;
    world.engine.undo(first.as_str(), true, "ops").await.unwrap();
    let third = world.start("act_3", order()).await;
    let view = world.until(&first, |view| waits_for(view).is_some()).await;
    assert_eq!((view.status, waits_for(&view)), (RunStatus::Queued, Some(second.as_str())));
    world.dies_and_restarts().await;
    assert_eq!(world.ledger.count("orders.cancel"), 0);
    world.signal(&second, "go", "s", json!(null)).await;
    world.until(&first, |view| view.status == RunStatus::Compensated).await;
    world.until(&third, |view| view.status == RunStatus::Waiting).await;
    let wanted = ["orders.create", "orders.create", "orders.cancel", "orders.create"];
    assert_eq!(world.ledger.effects(), wanted);
    assert_eq!(world.ledger.inputs("orders.cancel"), [json!({ "id": "orders.create#1" })]);
}

/// It was accepted while nothing stood above it; when its turn comes, something does.
#[tokio::test(start_paused = true)]
async fn an_undo_that_a_later_run_has_overtaken_is_refused() {
    let flow = "{ key: '${ entity.id }', do: [{ a: { call: orders.create, compensate: { call: orders.cancel, with: { id: '${ entity.id }' } } } }, { gate: { listen: { signal: go } } }] }";
    let world = World::of(flow).await;
    let first = world.start("act_1", order()).await;
    world.signal(&first, "go", "s", json!(null)).await;
    world.over(&first).await;
    let second = world.start("act_2", order()).await;
    world.until(&second, |view| view.status == RunStatus::Waiting).await;
    world.engine.undo(first.as_str(), false, flow::Author::new("ops", "sent back")).await.unwrap();
    world.signal(&second, "go", "s", json!(null)).await;
    world.over(&second).await;
    let view = world.until(&first, |view| view.decisions.len() == 2).await;
    assert_eq!((view.status, world.ledger.count("orders.cancel")), (RunStatus::Succeeded, 0), "{view:#?}");
    let decided: Vec<_> =
        view.decisions.iter().map(|decided| (decided.what, decided.by.by.as_str())).collect();
    assert_eq!(decided, [("RunUndoing", "ops"), ("UndoRefused", "")]);
    assert!(view.decisions[1].by.reason.contains(second.as_str()), "{view:#?}");
    let third = world.start("act_3", order()).await;
    world.until(&third, |view| view.status == RunStatus::Waiting).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_is_not_undone_below_one_that_came_after_it() {
    let world = World::of("{ key: '${ entity.id }', do: [{ a: { call: orders.create, compensate: { call: orders.cancel, with: { id: '${ entity.id }' } } } }] }").await;
    let first = world.start("act_1", order()).await;
    world.over(&first).await;
    let second = world.start("act_2", order()).await;
    world.over(&second).await;
    let refused = world.engine.undo(first.as_str(), false, "ops").await.unwrap_err();
    assert_eq!(refused, flow::Error::LaterRun { run: first.to_string(), later: second.to_string() });
    world.engine.undo(second.as_str(), false, "ops").await.unwrap();
    world.until(&second, |view| view.status == RunStatus::Compensated).await;
    world.engine.undo(first.as_str(), false, "ops").await.unwrap();
    world.until(&first, |view| view.status == RunStatus::Compensated).await;
}
