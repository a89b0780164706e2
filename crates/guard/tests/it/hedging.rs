//! A second copy of a slow call, and systems made of systems.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use guard::{Group, Hedge, Pick, Policy, Retry};
use port::{Call, Fault, IdempotencyKey, Kind, Landed, Link, Rejection, Reply};

use crate::fixture::{World, bare, call, fault, hang, seconds};

fn hedged() -> Policy {
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    Policy { hedge: Some(Hedge { after: Duration::from_millis(100), max: 2 }), retry, ..bare() }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_gets_a_second_copy_and_the_first_answer_wins() {
    let world = World::new(hedged(), |number, _| async move {
        if number == 1 { hang().await } else { Ok(Reply::default()) }
    });
    let started = tokio::time::Instant::now();
    world.call("read").await.unwrap();
    assert_eq!(started.elapsed().as_millis(), 100);
    assert_eq!((world.calls(), world.inside(), world.ear.count("hedged")), (2, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_each_copy_is_heard() {
    let world = World::new(hedged(), |number, _| async move {
        if number % 2 == 1 { hang().await } else { Ok(Reply::default()) }
    });
    world.call("read").await.unwrap();
    let heard = ["started", "hedged", "started", "good", "copy 1 dropped", "finished after 2"];
    assert_eq!(world.ear.heard(), heard);
    let gone = tokio::time::timeout(Duration::from_millis(50), world.call("read")).await;
    assert!(gone.is_err(), "the caller went away");
    assert_eq!(world.ear.heard()[heard.len()..], ["started", "copy 1 dropped", "abandoned after 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_lost_says_nothing_of_the_system_until_copies_cannot_be_paid_for_any_more() {
    let breaker = guard::Breaker { consecutive_failures: NonZeroU32::new(5), ..guard::Breaker::default() };
    let policy = Policy { breaker: Some(breaker), attempt_timeout: seconds(1), ..hedged() };
    let world = World::new(policy, |_, ctx| async move {
        if ctx.attempt == 1 { hang().await } else { Ok(Reply::default()) }
    });
    let answered = (0..100).map(|_| world.call("read"));
    let mut calls = 0;
    for call in answered {
        calls += usize::from(call.await.is_ok());
    }
    assert_eq!(calls, 38, "500 tokens pay for so many copies, a token a success included");
    assert_eq!(world.guarded.status().lanes[0].state, guard::State::Open);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_repeated_is_never_hedged() {
    let world = World::new(hedged(), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    });
    world.call("post").await.unwrap();
    world.keyed("charge").await.unwrap();
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn copies_are_paid_for_like_retries() {
    let policy = hedged();
    let budget = guard::Budget { capacity: 30, ..guard::Budget::default() };
    let policy = Policy { retry: Retry { budget, ..policy.retry }, ..policy };
    let world = World::new(policy, |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Err(fault(Kind::Unavailable, Landed::No))
    });
    for _ in 0..10 {
        world.call("read").await.unwrap_err();
    }
    assert_eq!(world.calls(), 12, "30 tokens pay for two copies");
}

fn group(worlds: &[&World], pick: Pick) -> Group {
    let members = worlds.iter().map(|world| Arc::clone(&world.guarded) as Arc<dyn Link>).collect();
    Group::new("payments", members, pick, Arc::new(worlds[0].clock)).unwrap()
}

fn answering() -> World {
    World::new(bare(), |_, _| async { Ok(Reply::default()) })
}

fn failing(kind: Kind, landed: Landed) -> World {
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    World::new(Policy { retry, ..bare() }, move |_, _| async move { Err(fault(kind, landed)) })
}

async fn ask(group: &Group, world: &World, operation: &str) -> Result<Reply, Fault> {
    group.call(&world.ctx(), call(operation)).await
}

#[tokio::test(start_paused = true)]
async fn the_next_member_is_asked_when_nothing_landed() {
    let (first, second) = (failing(Kind::Connect, Landed::No), answering());
    let group = group(&[&first, &second], Pick::Failover);
    ask(&group, &first, "post").await.unwrap();
    assert_eq!((first.calls(), second.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn no_other_member_is_asked_for_what_may_have_landed() {
    let (first, second) = (failing(Kind::Timeout, Landed::Unknown), answering());
    let group = group(&[&first, &second], Pick::Failover);
    let keyed = Call { key: IdempotencyKey::new("k1"), ..call("charge") };
    let fault = group.call(&first.ctx(), keyed).await.unwrap_err();
    assert_eq!((fault.landed, fault.attempts, second.calls()), (Landed::Unknown, 1, 0));
    ask(&group, &first, "read").await.unwrap();
    assert_eq!(second.calls(), 1, "a safe operation is asked of the other");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer() {
    let (first, second) = (failing(Kind::Refused, Landed::No), answering());
    let group = group(&[&first, &second], Pick::Failover);
    ask(&group, &first, "post").await.unwrap_err();
    assert_eq!(second.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_comes_back_gets_a_growing_share() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let switch = Arc::clone(&down);
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    let first = World::new(Policy { retry, ..bare() }, move |_, _| {
        let down = switch.load(std::sync::atomic::Ordering::Relaxed);
        async move { if down { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) } }
    });
    let second = answering();
    let group = group(&[&first, &second], Pick::Failover);
    let mut shares = Vec::new();
    for round in 0..8 {
        down.store(round < 2, std::sync::atomic::Ordering::Relaxed);
        let before = first.calls();
        for _ in 0..64 {
            ask(&group, &first, "read").await.unwrap();
        }
        shares.push(first.calls() - before);
    }
    assert!(shares[1] <= 8, "while it is down it is asked seldom: {shares:?}");
    assert!(shares[2] < 64, "it is not run over when it comes back: {shares:?}");
    assert_eq!(shares[7], 64, "and then it is well again: {shares:?}");
}

#[tokio::test(start_paused = true)]
async fn members_take_turns_by_weight() {
    let worlds = [answering(), answering(), answering()];
    let members = [&worlds[0], &worlds[1], &worlds[2]];
    let group = group(&members, Pick::Weighted(vec![3, 1, 0]));
    for _ in 0..40 {
        ask(&group, &worlds[0], "read").await.unwrap();
    }
    assert_eq!(worlds.each_ref().map(World::calls), [30, 10, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_fastest_member_is_asked() {
    let slow = World::new(bare(), |_, _| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(Reply::default())
    });
    let fast = World::new(bare(), |_, _| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Reply::default())
    });
    let group = group(&[&slow, &fast], Pick::Fastest);
    for _ in 0..100 {
        ask(&group, &slow, "read").await.unwrap();
    }
    assert!(slow.calls() <= 15 && fast.calls() >= 85, "{} and {}", slow.calls(), fast.calls());
}

#[tokio::test(start_paused = true)]
async fn a_hedged_group_asks_the_next_member_while_the_first_hangs() {
    let (first, second) = (World::new(bare(), |_, _| hang()), answering());
    let group = group(&[&first, &second], Pick::Hedged { after: Duration::from_millis(50) });
    let started = tokio::time::Instant::now();
    ask(&group, &first, "read").await.unwrap();
    assert_eq!((started.elapsed().as_millis(), first.inside()), (50, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_turn_it_was_when_it_failed_gets_its_turns_back() {
    for pick in [Pick::RoundRobin, Pick::Weighted(vec![1, 1])] {
        let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
        let (first, second) = (
            answering(),
            World::new(Policy { retry, ..bare() }, |number, _| async move {
                if number == 1 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
            }),
        );
        let group = group(&[&first, &second], pick);
        for _ in 0..200 {
            ask(&group, &first, "read").await.unwrap();
        }
        assert!(second.calls() > 90, "one failure in 200 calls left it {} of them", second.calls());
    }
}

#[tokio::test(start_paused = true)]
async fn the_fastest_group_finds_out_who_is_fast_again() {
    let slow = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let switch = Arc::clone(&slow);
    let first = World::new(bare(), move |_, _| {
        let takes = if switch.load(std::sync::atomic::Ordering::Relaxed) { 3_000 } else { 10 };
        async move {
            tokio::time::sleep(Duration::from_millis(takes)).await;
            Ok(Reply::default())
        }
    });
    let second = World::new(bare(), |_, _| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Reply::default())
    });
    let group = group(&[&first, &second], Pick::Fastest);
    for _ in 0..100 {
        ask(&group, &first, "read").await.unwrap();
    }
    assert!(first.calls() <= 5, "the slow one was asked {} times in 100 s", first.calls());
    slow.store(false, std::sync::atomic::Ordering::Relaxed);
    let before = first.calls();
    for _ in 0..1_000 {
        ask(&group, &first, "read").await.unwrap();
    }
    assert!(first.calls() - before > 900, "{} of 1,000 calls", first.calls() - before);
}

#[tokio::test(start_paused = true)]
async fn a_hedged_group_asks_one_that_is_always_overtaken_seldom_first() {
    let (first, second) = (World::new(bare(), |_, _| hang()), answering());
    let group = group(&[&first, &second], Pick::Hedged { after: Duration::from_millis(50) });
    for _ in 0..200 {
        ask(&group, &first, "read").await.unwrap();
    }
    assert!(first.calls() < 60, "it never answered, and was asked first {} times in 200", first.calls());
    assert_eq!(group.status().members[0].share_percent, 6);
}

#[tokio::test(start_paused = true)]
async fn when_all_members_are_open_the_earliest_says_when_to_come_back() {
    let breaker = |open_for| guard::Breaker {
        consecutive_failures: NonZeroU32::new(1),
        open_for,
        open_jitter: 0.0,
        ..guard::Breaker::default()
    };
    let world = |open_for| {
        let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
        let policy = Policy { breaker: Some(breaker(seconds(open_for))), retry, ..bare() };
        World::new(policy, |_, _| async { Err(fault(Kind::Connect, Landed::No)) })
    };
    let (first, second) = (world(10), world(60));
    let group = group(&[&first, &second], Pick::Failover);
    ask(&group, &first, "post").await.unwrap_err();
    let fault = ask(&group, &first, "post").await.unwrap_err();
    assert_eq!((fault.rejection, fault.retry_after), (Some(Rejection::BreakerOpen), Some(seconds(10))));
}

#[test]
fn a_group_that_cannot_work_says_why() {
    let clock = Arc::new(port::SystemClock);
    let none = Group::new("payments", Vec::new(), Pick::Failover, clock).err();
    assert_eq!(none.as_deref(), Some("a group needs at least one member"));
}
