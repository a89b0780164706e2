//! Answers used again.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use guard::{Cache, Policy, Retry};
use parking_lot::Mutex;
use port::{Ctx, Fault, Kind, Landed, Link, Rejection, Reply};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{advance, sleep};

use crate::fixture::{World, bare, call, fault, hang, seconds};

fn cached(entries: u32) -> Policy {
    let cache = Cache { ttl: seconds(10), stale: seconds(60), entries: NonZeroU32::new(entries).unwrap() };
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    Policy { cache: Some(cache), retry, ..bare() }
}

/// Fifty callers at once; what each was answered.
async fn fifty_ask(world: &Arc<World>) -> Vec<Result<Reply, Fault>> {
    let ask = |_| {
        let world = Arc::clone(world);
        tokio::spawn(async move { world.call("read").await })
    };
    let calls: Vec<_> = (0..50).map(ask).collect();
    futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(start_paused = true)]
async fn one_question_at_a_time_and_its_answer_for_everyone() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    }));
    for answer in fifty_ask(&world).await {
        answer.unwrap();
    }
    assert_eq!(world.calls(), 1);
    tokio::time::advance(seconds(10)).await;
    world.call("read").await.unwrap();
    assert_eq!(world.calls(), 2, "not fresh any more");
    world.call("post").await.unwrap();
    world.call("post").await.unwrap();
    assert_eq!(world.calls(), 4, "only safe operations are cached");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_served_while_the_system_is_away_and_no_longer() {
    let world = World::new(cached(10), |number, _| async move {
        if number == 1 { Ok(Reply::default()) } else { Err(fault(Kind::Unavailable, Landed::No)) }
    });
    world.call("read").await.unwrap();
    tokio::time::advance(seconds(69)).await;
    world.call("read").await.unwrap();
    tokio::time::advance(seconds(1)).await;
    world.call("read").await.unwrap_err();
    assert_eq!(world.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_call_that_failed_does_not_ask_again() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Err(fault(Kind::Unavailable, Landed::No))
    }));
    for answer in fifty_ask(&world).await {
        answer.unwrap_err();
    }
    assert_eq!(world.calls(), 1);
    world.call("read").await.unwrap_err();
    assert_eq!(world.calls(), 2, "who comes later asks");
}

#[tokio::test(start_paused = true)]
async fn when_the_one_who_asks_goes_away_the_next_one_asks() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    }));
    let first = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.call("read").await })
    };
    tokio::task::yield_now().await;
    let second = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.call("read").await })
    };
    tokio::task::yield_now().await;
    first.abort();
    second.await.unwrap().unwrap();
    assert_eq!((world.calls(), world.inside()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn no_tenant_sees_the_answer_of_another_and_old_answers_make_room() {
    let world =
        World::new(
            cached(2),
            |number, _| async move { Ok(Reply { output: number.into(), ..Reply::default() }) },
        );
    for (tenant, expected) in [("a", 1), ("b", 2), ("a", 1), ("c", 3), ("b", 2), ("a", 4)] {
        tokio::time::advance(Duration::from_millis(1)).await;
        let ctx = port::Ctx { tenant: tenant.into(), ..world.ctx() };
        let reply = port::Link::call(&*world.guarded, &ctx, crate::fixture::call("read")).await.unwrap();
        assert_eq!(reply.output, expected, "{tenant}");
    }
}

type Outcome = Result<Reply, Fault>;

/// Asks with so much time to go, and lets the question be heard.
async fn ask(world: &Arc<World>, time: Duration) -> JoinHandle<Outcome> {
    let (world, ctx) = (Arc::clone(world), world.ctx().within(time));
    let asking = tokio::spawn(async move { world.guarded.call(&ctx, call("read")).await });
    yield_now().await;
    asking
}

#[tokio::test(start_paused = true)]
async fn who_has_no_more_time_fails_alone() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        sleep(Duration::from_millis(200)).await;
        Ok(Reply::default())
    }));
    let hurried = ask(&world, Duration::from_millis(100)).await;
    let patient = ask(&world, seconds(10)).await;
    assert_eq!(hurried.await.unwrap().unwrap_err().kind, Kind::Timeout);
    patient.await.unwrap().unwrap();
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_more_time_than_the_one_who_asked_fails_with_it() {
    let world = Arc::new(World::new(cached(10), |_, _| hang()));
    let asking = [ask(&world, seconds(5)).await, ask(&world, seconds(5)).await];
    for asking in asking {
        asking.await.unwrap().unwrap_err();
    }
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_anothers_answer_is_within_the_policys_deadline() {
    let policy = Policy { deadline: Some(seconds(10)), attempt_timeout: seconds(10), ..cached(10) };
    let world = Arc::new(World::new(policy, |_, _| hang()));
    let started = tokio::time::Instant::now();
    let [first, second, third] =
        [ask(&world, seconds(60)).await, ask(&world, seconds(60)).await, ask(&world, seconds(60)).await];
    sleep(Duration::from_millis(4_900)).await;
    first.abort();
    sleep(Duration::from_millis(4_900)).await;
    second.abort();
    third.await.unwrap().unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn who_waited_too_long_for_anothers_answer_is_rejected_like_any_other() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        sleep(seconds(5)).await;
        Ok(Reply::default())
    }));
    let patient = ask(&world, seconds(10)).await;
    let hurried = ask(&world, seconds(1)).await.await.unwrap().unwrap_err();
    assert_eq!(hurried.rejection, Some(Rejection::DeadlineTooNear));
    assert_eq!(world.ear.heard(), ["started", "deadline_too_near", "finished after 0"]);
    patient.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_waited_hears_what_the_one_who_asked_heard() {
    for (kind, served) in [(Kind::NotFound, false), (Kind::Unavailable, true)] {
        let world = Arc::new(World::new(cached(10), move |number, _| async move {
            if number == 1 {
                return Ok(Reply::default());
            }
            sleep(seconds(1)).await;
            Err(fault(kind, Landed::No))
        }));
        world.call("read").await.unwrap();
        advance(seconds(11)).await;
        let asking = [ask(&world, seconds(60)).await, ask(&world, seconds(60)).await];
        for asking in asking {
            assert_eq!(asking.await.unwrap().is_ok(), served, "{kind:?}");
        }
        assert_eq!(world.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_while_the_system_hangs_gets_the_stale_answer_too() {
    let world = Arc::new(World::new(cached(10), |number, _| async move {
        if number == 1 { Ok(Reply::default()) } else { hang().await }
    }));
    world.call("read").await.unwrap();
    advance(seconds(11)).await;
    let patient = ask(&world, seconds(20)).await;
    ask(&world, seconds(1)).await.await.unwrap().unwrap();
    patient.await.unwrap().unwrap();
}

/// How often each tenant asked the system, when so many questions are kept and those are asked, all at once, after two
/// were answered.
async fn asked_at_once(entries: u32, tenants: &[&'static str]) -> BTreeMap<String, u32> {
    let asked = Arc::new(Mutex::new(BTreeMap::new()));
    let counted = Arc::clone(&asked);
    let world = Arc::new(World::new(cached(entries), move |_, ctx| {
        *counted.lock().entry(ctx.tenant.to_string()).or_default() += 1;
        async {
            sleep(seconds(1)).await;
            Ok(Reply::default())
        }
    }));
    let ask = |tenant: &'static str| {
        let world = Arc::clone(&world);
        let ctx = Ctx { tenant: tenant.into(), ..world.ctx() };
        async move { world.guarded.call(&ctx, call("read")).await.unwrap() }
    };
    ask("old").await;
    ask("older").await;
    let mut asking = Vec::new();
    for tenant in tenants {
        asking.push(tokio::spawn(ask(tenant)));
        yield_now().await;
    }
    for asking in asking {
        asking.await.unwrap();
    }
    asked.lock().clone()
}

#[tokio::test(start_paused = true)]
async fn a_question_being_asked_is_not_forgotten_for_another() {
    let asked = asked_at_once(2, &["a", "b", "a", "b"]).await;
    assert_eq!((asked["a"], asked["b"]), (1, 1));
    let asked = asked_at_once(2, &["a", "b", "c", "a", "c"]).await;
    assert_eq!((asked["a"], asked["b"], asked["c"]), (1, 1, 2), "there is no room for a third");
}

#[tokio::test(start_paused = true)]
async fn who_must_know_what_is_true_now_asks_the_system() {
    let world =
        World::new(
            cached(10),
            |number, _| async move { Ok(Reply { output: number.into(), ..Reply::default() }) },
        );
    let fresh = Ctx { fresh: true, ..world.ctx() };
    assert_eq!(world.call("read").await.unwrap().output, 1);
    assert_eq!(world.guarded.call(&fresh, call("read")).await.unwrap().output, 2);
    assert_eq!(world.guarded.call(&fresh, call("read")).await.unwrap().output, 3);
    assert_eq!(world.call("read").await.unwrap().output, 1, "who need not know still has what is kept");
}
