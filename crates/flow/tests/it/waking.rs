//! Runs that wait for a system: woken when it is back, tried again when a person says so, found when somebody looks.

use std::time::Duration;

use flow::Live;
use port::{Fault, Rejection};
use store::{KeyOp, KeyRecord, KeyState, Lease, RunFilter, RunStatus};

use crate::world::{PATIENCE, World, eventually, order};

const STUCK: Live<'_> = Live { stuck: true, system: None };
const CHARGE: &str = "{ do: [{ charge: { call: payments.charge } }] }";

/// Payments' breaker is open and says when to ask again.
fn keeps_in(world: &World, again: Duration) {
    world.ledger.fails("payments.charge", Fault::rejected(Rejection::BreakerOpen, Some(again)));
}

async fn blocked(world: &World, commit: &str) -> flow::RunId {
    let run = world.start(commit, order()).await;
    world.until(&run, |view| view.blocked_on.as_ref().is_some_and(|it| it.reason == "breaker_open")).await;
    run
}

async fn succeeds(world: &World, run: &flow::RunId) {
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_back_wakes_the_runs_that_wait_for_it() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let runs = [blocked(&world, "act_1").await, blocked(&world, "act_2").await];
    world.ledger.mended("payments.charge");
    assert_eq!(world.engine.wake("inventory"), 0);
    assert_eq!(world.engine.wake("payments"), 2);
    for run in &runs {
        succeeds(&world, run).await;
    }
    assert_eq!(world.ledger.count("payments.charge"), 2);
    assert_eq!(world.store.next_timer().await.unwrap(), None, "nothing is left to wait for");
}

/// `payments` is a group that `stripe` is a member of.
#[tokio::test(start_paused = true)]
async fn a_member_that_is_back_wakes_the_runs_that_wait_for_its_group() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let run = blocked(&world, "act_1").await;
    world.ledger.mended("payments.charge");
    assert_eq!(world.engine.wake("stripe"), 1);
    succeeds(&world, &run).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_left_the_memory_is_woken_too() {
    let mut world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let run = blocked(&world, "act_1").await;
    world.dies_and_restarts().await;
    world.ledger.mended("payments.charge");
    assert_eq!(world.engine.wake("payments"), 1);
    succeeds(&world, &run).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_woken_too_early_waits_again() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let run = blocked(&world, "act_1").await;
    assert_eq!(world.engine.wake("payments"), 1);
    world.called("payments.charge", 2).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    assert!(world.store.next_timer().await.unwrap().is_some(), "its timer is set again");
}

#[tokio::test(start_paused = true)]
async fn resume_lets_a_run_that_waits_to_try_again_try_now() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let run = blocked(&world, "act_1").await;
    world.ledger.mended("payments.charge");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    succeeds(&world, &run).await;
    assert!(world.engine.resume(run.as_str(), false, "ops").await.is_err(), "it has ended");
}

/// The run is not paused: nothing is changed but when it tries again. Who had it do that, and what is kept with it, is
/// written down all the same.
#[tokio::test(start_paused = true)]
async fn a_resume_that_only_hurries_a_run_is_written_down() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let run = blocked(&world, "act_1").await;
    let (created, expires) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
    let record = KeyRecord {
        tenant: "default".into(),
        key: "resume-1".into(),
        fingerprint: [0; 32],
        owner: "caller".into(),
        lease: Lease::default(),
        state: KeyState::InProgress,
        created,
        expires,
    };
    let engine = world.engine.with_records(vec![KeyOp::Claim(record)]);
    engine.resume(run.as_str(), false, "ops").await.unwrap();
    let view = world.engine.view(run.as_str()).await.unwrap();
    let decided: Vec<_> = view.decisions.iter().map(|decided| (decided.what, &*decided.by.by)).collect();
    assert_eq!(decided, [("RunResumed", "ops")]);
    assert!(world.store.key("default", "resume-1").await.unwrap().is_some(), "its record is kept");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_comes_while_a_run_is_paused_is_not_lost() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_millis(200));
    let run = blocked(&world, "act_1").await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    let told = async || world.store.next_timer().await.unwrap().is_none().then_some(());
    eventually("its time comes", told).await;
    world.ledger.mended("payments.charge");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    succeeds(&world, &run).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_go_on_by_itself_is_stuck() {
    let world = World::of("{ sla: 1ms, do: [{ nap: { wait: 1h } }] }").await;
    let late = world.start("act_1", order()).await;
    world.until(&late, |view| view.sla_breached).await;
    let stuck = world.engine.live(STUCK, &RunFilter::default(), 0).await.unwrap();
    assert_eq!(stuck.runs.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), [late.as_str()]);
    let elsewhere = RunFilter { tenant: Some("another".into()), ..RunFilter::default() };
    assert!(world.engine.live(STUCK, &elsewhere, 0).await.unwrap().runs.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_is_not_stuck_and_one_that_is_kept_in_or_paused_is() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let kept_in = blocked(&world, "act_1").await;
    let paused = blocked(&world, "act_2").await;
    world.engine.pause(paused.as_str(), "ops").await.unwrap();
    let one = RunFilter { limit: 1, ..RunFilter::default() };
    let first = world.engine.live(STUCK, &one, 0).await.unwrap();
    assert_eq!(first.runs[0].id, kept_in.as_str());
    let second = world.engine.live(STUCK, &one, first.next.unwrap()).await.unwrap();
    assert_eq!(second.runs[0].id, paused.as_str());
    world.ledger.mended("payments.charge");
    for run in [&kept_in, &paused] {
        world.engine.resume(run.as_str(), false, "ops").await.unwrap();
        succeeds(&world, run).await;
    }
    assert!(world.engine.live(STUCK, &RunFilter::default(), 0).await.unwrap().runs.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_system_is_found_by_its_name_and_that_of_its_group() {
    let world = World::of(CHARGE).await;
    keeps_in(&world, Duration::from_secs(3600));
    let run = blocked(&world, "act_1").await;
    for (system, waiting) in [("payments", 1), ("stripe", 1), ("inventory", 0)] {
        let live = Live { system: Some(system), ..Live::default() };
        let page = world.engine.live(live, &RunFilter::default(), 0).await.unwrap();
        assert_eq!(page.runs.len(), waiting, "{system}");
    }
    world.ledger.mended("payments.charge");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    succeeds(&world, &run).await;
}

/// The only message in the outbox, when it waits for this.
async fn message(world: &World, reason: &str) -> flow::Undelivered {
    let look = async || {
        let found = world.engine.undelivered(&store::OutboxFilter::default()).await.unwrap();
        found.into_iter().find(|message| message.blocked_on.reason == reason)
    };
    eventually("a message that waits", look).await
}

#[tokio::test(start_paused = true)]
async fn a_message_says_what_it_waits_for_and_goes_when_its_system_is_back() {
    let world = World::of("{ do: [{ mail: { tell: email.send, with: { to: x } } }] }").await;
    let closed = Fault::rejected(Rejection::BreakerOpen, Some(Duration::from_secs(3600)));
    world.ledger.fails("email.send", closed);
    let run = world.start("act_1", order()).await;
    succeeds(&world, &run).await;
    let kept = message(&world, "breaker_open").await;
    let told = (kept.id, kept.system.as_str(), kept.operation.as_str(), kept.attempts);
    assert_eq!(told, (format!("{run}/mail"), "email", "send", 0));
    assert_eq!(kept.blocked_on.system.as_deref(), Some("email"));
    let until = kept.blocked_on.until.unwrap();
    assert!(until > kept.since && kept.cause.is_some());
    world.ledger.mended("email.send");
    assert_eq!(world.engine.hurry("payments").await.unwrap(), 0);
    assert_eq!(world.engine.hurry("e-mail").await.unwrap(), 0);
    assert_eq!(world.engine.hurry("email").await.unwrap(), 1);
    let gone = async || {
        let kept = world.engine.undelivered(&store::OutboxFilter::default()).await.unwrap();
        kept.is_empty().then_some(())
    };
    eventually("the message goes", gone).await;
    assert_eq!(world.ledger.count("email.send"), 1);
}
