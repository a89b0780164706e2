//! What waits for a system whose guard lets nothing out: it stays where it is, and asks nothing.

use std::time::Duration;

use port::{Fault, Outlook, Rejection};
use store::{DeadFilter, RunStatus};

use crate::world::{PATIENCE, World, order};

/// The guard lets nothing out, and says that it will before long, again and again.
const CLOSED: Outlook = Outlook::Closed(Duration::from_millis(1));
const RUNS: usize = 20;

/// The journal of a run that was kept in once: started, taken, blocked.
const KEPT_IN_ONCE: u64 = 4;

async fn journals(world: &World, runs: &[flow::RunId]) -> Vec<u64> {
    let mut lengths = Vec::new();
    for run in runs {
        lengths.push(world.store.version(&format!("run-{run}")).await.unwrap());
    }
    lengths
}

#[tokio::test(start_paused = true)]
async fn runs_before_a_closed_system_ask_once_and_write_once_however_long_it_is_closed() {
    let world = World::of("{ do: [{ charge: { call: payments.charge } }] }").await;
    let open = Fault::rejected(Rejection::BreakerOpen, Some(Duration::from_millis(1)));
    world.ledger.fails("payments.charge", open);
    world.ledger.looks("payments", CLOSED);
    let mut runs = Vec::new();
    for number in 0..RUNS {
        runs.push(world.start(&format!("act_{number}"), order()).await);
    }
    world.looked(20).await;
    assert_eq!(
        world.ledger.keys("payments.charge").len(),
        1,
        "the first one asked, the others wait behind it"
    );
    assert_eq!(journals(&world, &runs).await, [KEPT_IN_ONCE; RUNS]);

    world.ledger.mended("payments.charge");
    world.ledger.looks("payments", Outlook::Open);
    for run in &runs {
        assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
    }
    assert_eq!(world.ledger.keys("payments.charge").len(), 1 + RUNS);
    assert_eq!(world.store.next_timer().await.unwrap(), None, "nothing is left to wait for");
}

#[tokio::test(start_paused = true)]
async fn what_is_told_to_a_closed_system_waits_and_burns_no_attempt() {
    let world = World::of("{ do: [{ mail: { tell: email.send } }] }").await;
    world.ledger.looks("email", CLOSED);
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded, "nobody waits for it");
    world.looked(20).await;
    assert_eq!(world.ledger.keys("email.send"), [""; 0], "three attempts would have been the end of it");

    world.ledger.looks("email", Outlook::Open);
    world.called("email.send", 1).await;
    assert!(world.store.dead(&DeadFilter::default()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_was_held_first_goes_first_newcomers_included() {
    let world =
        World::of("{ do: [{ charge: { call: payments.charge, with: { run: '${ run.id }' } } }] }").await;
    let open = Fault::rejected(Rejection::BreakerOpen, Some(Duration::from_secs(20)));
    world.ledger.fails("payments.charge", open);
    world.ledger.looks("payments", Outlook::Closed(Duration::from_secs(20)));
    let mut runs = Vec::new();
    for number in 0..20 {
        runs.push(world.start(&format!("act_{number}"), order()).await);
        world.passes(Duration::from_millis(10)).await;
    }
    world.ledger.mended("payments.charge");
    world.ledger.takes("payments.charge", Duration::from_millis(100));
    world.ledger.looks("payments", Outlook::Probing(1));
    world.passes(Duration::from_secs(19)).await;
    runs.push(world.start("act_new", order()).await);
    world.ledger.looks("payments", Outlook::Open);
    for run in &runs {
        assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
    }
    let inputs = world.ledger.inputs("payments.charge");
    let order: Vec<_> = inputs.iter().map(|input| input["run"].as_str().unwrap().to_owned()).collect();
    assert_eq!(order, runs.iter().map(|run| run.to_string()).collect::<Vec<_>>());
}

/// The wall clock says five hours too much when the guard keeps a call in, and is put right then.
#[tokio::test(start_paused = true)]
async fn what_a_guard_keeps_in_does_not_wait_for_a_time_that_a_wrong_clock_has_set() {
    let world = World::of("{ do: [{ charge: { call: payments.charge } }] }").await;
    world
        .ledger
        .fails_once("payments.charge", Fault::rejected(Rejection::BreakerOpen, Some(Duration::from_secs(5))));
    world.clock.jump(jiff::SignedDuration::from_hours(5));
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.clock.jump(jiff::SignedDuration::from_hours(-5));
    world.passes(Duration::from_secs(61)).await;
    assert_eq!(world.engine.view(run.as_str()).await.unwrap().status, RunStatus::Succeeded);
}

/// A call whose repeat is safe writes nothing before it leaves; the process dies while it is out for the second time.
#[tokio::test(start_paused = true)]
async fn a_safe_call_that_was_out_again_when_the_process_died_is_not_forgotten() {
    let mut world =
        World::of("{ do: [{ look: { call: payments.find, retry: { attempts: 5, wait: 1s } } }] }").await;
    world.ledger.fails_once("payments.find", Fault::new(port::Kind::Unavailable, port::Landed::No, "busy"));
    let run = world.start("act_1", order()).await;
    world.called("payments.find", 1).await;
    world.ledger.holds("payments.find");
    world.called("payments.find", 2).await;
    world.dies_and_restarts().await;
    world.ledger.lets_go("payments.find");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded);
}
