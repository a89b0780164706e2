//! `once`: of each key one run ever begins, also below other runs.

use flow::{RunView, StepStatus};
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::{RunFilter, RunStatus};

use crate::world::{World, at_each_write, order};

const CHILD: &str = "{ once: '${ entity.id }', do: [{ c: { call: payments.charge, on_exhausted: compensate, compensate: { call: payments.refund, with: { id: '${ result.id }' } } } }] }";
const PARENT: &str = "{ do: [{ kid: { run: child } }] }";

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

fn code(view: &RunView) -> &str {
    view.error.as_ref().map_or("", |error| &error.code)
}

async fn children(world: &World) -> usize {
    let filter = RunFilter { flow: Some("child".into()), ..RunFilter::default() };
    world.store.runs(&filter).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_second_child_of_the_key_is_refused_whoever_begins_it() {
    let twice = "{ do: [{ a: { run: child } }, { b: { try: [{ run: child }], catch: { kinds: [flow.once], do: [{ u: { call: crm.update, compensate: none } }] } } }] }";
    at_each_write(
        &[("main", twice), ("child", CHILD)],
        |_| (),
        |world, view| {
            assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
            assert_eq!(world.ledger.effects(), ["payments.charge", "crm.update"]);
        },
    )
    .await;
    let world = World::with(&[("main", PARENT), ("child", CHILD)]).await;
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
    let run = world.start("act_2", order()).await;
    let second = world.engine.wait(run.as_str(), crate::world::PATIENCE).await.unwrap();
    assert_eq!((second.status, code(&second)), (RunStatus::Failed, "flow.once"), "{second:#?}");
    assert_eq!((world.ledger.count("payments.charge"), children(&world).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn two_children_of_one_turn_are_one() {
    let fork = "{ do: [{ f: { fork: { a: [{ ka: { run: child } }], b: [{ kb: { run: child } }] } } }] }";
    at_each_write(
        &[("main", fork), ("child", CHILD)],
        |_| (),
        |world, view| {
            assert_eq!(code(view), "flow.once", "{view:#?}");
            let stands = world.ledger.count("payments.charge") - world.ledger.count("payments.refund");
            assert!(world.ledger.count("payments.charge") <= 1 && stands == 0, "{view:#?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_tried_again_may_replace_its_child_that_failed() {
    let again =
        "{ do: [{ try: [{ kid: { run: child } }], retry: { attempts: 2, wait: 10ms, kinds: [refused] } }] }";
    at_each_write(
        &[("main", again), ("child", CHILD)],
        |world| world.ledger.fails_once("payments.charge", refused()),
        |world, view| {
            assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
            let kid = view.steps.iter().find(|step| step.path.contains("kid")).unwrap();
            assert_eq!((kid.status, world.ledger.count("payments.charge")), (StepStatus::Succeeded, 1));
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_shared_space_is_one_for_all_its_flows() {
    let child = CHILD.replace("'${ entity.id }'", "{ in: pay, of: '${ entity.id }' }");
    let other = format!(
        "{{ do: [{{ k: {{ run: other, with: {} }} }}, {{ run: child }}] }}",
        json!({"id": "order-1"})
    );
    let world = World::with(&[("main", &other), ("other", &child), ("child", &child)]).await;
    let view = world.runs(order()).await;
    assert_eq!(code(&view), "flow.once", "{view:#?}");
    assert_eq!(children(&world).await, 0);
}
