//! The breaker in its place among the other stages.

use std::num::NonZeroU32;
use std::sync::Arc;

use guard::{
    Breaker, Class, Classify, HalfOpen, NoBreaker, Per, Policies, Policy, Retry, Sign, State, Switch, Which,
};
use port::{Kind, Landed, Link, Outlook, Rejection, Reply};

use crate::fixture::{World, bare, call, fault, hang, seconds};

fn once() -> Retry {
    Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() }
}

fn breaker() -> Breaker {
    Breaker { consecutive_failures: NonZeroU32::new(3), open_jitter: 0.0, ..Breaker::default() }
}

fn tripping(breaker: Breaker) -> Policy {
    Policy { breaker: Some(breaker), retry: once(), ..bare() }
}

fn differing(sign: Sign, class: Class) -> Classify {
    let mut classify = Classify::default();
    classify.differ([(sign, class)]);
    classify
}

#[tokio::test(start_paused = true)]
async fn a_system_that_says_it_is_down_with_a_conflict_opens_the_breaker_and_is_not_called_again() {
    let classify = differing(Sign::Status(409), Class::Failure);
    let policy = Policy { classify, retry: Retry::default(), ..tripping(breaker()) };
    let world = World::new(policy, |_, _| async { Err(fault(Kind::Conflict, Landed::No).status(409)) });
    for _ in 0..3 {
        let fault = world.keyed("charge").await.unwrap_err();
        assert_eq!((fault.kind, fault.landed, fault.attempts), (Kind::Conflict, Landed::No, 1));
    }
    assert_eq!(world.calls(), 3, "what may be repeated is not the classifier's to say");
    let fault = world.keyed("charge").await.unwrap_err();
    assert_eq!(fault.rejection, Some(Rejection::BreakerOpen));
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_is_said_to_be_none_opens_nothing_and_is_still_tried_again() {
    let classify = differing(Sign::Kind(Kind::Unavailable), Class::Neutral);
    let policy = Policy { classify, retry: Retry::default(), ..tripping(breaker()) };
    let world = World::new(policy, |_, _| async { Err(fault(Kind::Unavailable, Landed::No).status(500)) });
    for _ in 0..3 {
        assert_eq!(world.keyed("charge").await.unwrap_err().attempts, 3);
    }
    assert_eq!((world.calls(), world.guarded.status().lanes[0].state), (9, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_said_to_be_a_pause_pauses() {
    let classify = differing(Sign::Status(500), Class::Throttle);
    let world = World::new(Policy { classify, ..tripping(breaker()) }, |_, _| async {
        Err(fault(Kind::Unavailable, Landed::No).status(500).after(Some(seconds(7))))
    });
    assert_eq!(world.call("read").await.unwrap_err().rejection, None);
    let fault = world.call("read").await.unwrap_err();
    assert_eq!((fault.rejection, fault.retry_after), (Some(Rejection::RateLimited), Some(seconds(7))));
    assert_eq!(world.guarded.status().lanes[0].state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_503_pauses_the_operation_that_was_asked_for_and_no_other() {
    let world = World::new(tripping(breaker()), |number, _| async move {
        let busy = fault(Kind::Throttled, Landed::No).status(503).after(Some(seconds(7)));
        if number == 1 { Err(busy) } else { Ok(Reply::default()) }
    });
    assert_eq!(world.call("charge").await.unwrap_err().rejection, None);
    let held = world.call("charge").await.unwrap_err();
    assert_eq!((held.rejection, held.retry_after), (Some(Rejection::RateLimited), Some(seconds(7))));
    world.call("read").await.unwrap();
    assert_eq!(world.guarded.outlook("charge", "acme"), Outlook::Closed(seconds(7)));
    assert_eq!(world.guarded.outlook("read", "acme"), Outlook::Open);
    assert_eq!(world.guarded.status().lanes[0].paused_for, Some(seconds(7)));
    tokio::time::advance(seconds(7)).await;
    world.call("charge").await.unwrap();
}

async fn down(world: &World) {
    for _ in 0..3 {
        world.call("read").await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_answers_at_once_and_says_when_to_come_back() {
    let world = World::new(tripping(breaker()), |number, _| async move {
        if number <= 3 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    down(&world).await;
    let fault = world.call("read").await.unwrap_err();
    assert_eq!(fault.rejection, Some(Rejection::BreakerOpen));
    assert_eq!((fault.retry_after, fault.attempts), (Some(seconds(60)), 0));
    tokio::time::advance(seconds(60)).await;
    world.call("read").await.unwrap();
    assert_eq!(world.guarded.status().lanes[0].state, State::Closed);
    let changes = ["closed to open", "open to half_open", "half_open to closed"];
    changes.into_iter().for_each(|change| assert_eq!(world.ear.count(change), 1, "{change}"));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_call_spends_no_budget_and_is_not_tried_again() {
    let policy = Policy { retry: Retry::default(), ..tripping(breaker()) };
    let world = World::new(policy, |_, _| async { Err(fault(Kind::Connect, Landed::No)) });
    let opened = world.call("read").await.unwrap_err();
    assert_eq!(opened.attempts, 3);
    let left = world.guarded.status().budget;
    for _ in 0..100 {
        assert_eq!(world.call("read").await.unwrap_err().attempts, 0);
    }
    assert_eq!((world.guarded.status().budget, world.calls()), (left, 3));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_between_attempts_keeps_what_may_have_landed() {
    let policy = Policy {
        retry: Retry::default(),
        ..tripping(Breaker { consecutive_failures: NonZeroU32::new(1), ..breaker() })
    };
    let world = World::new(policy, |_, _| async { Err(fault(Kind::Timeout, Landed::Unknown)) });
    let fault = world.keyed("charge").await.unwrap_err();
    assert_eq!((fault.rejection, fault.attempts), (Some(Rejection::BreakerOpen), 1));
    assert_eq!(fault.landed, Landed::Unknown, "the first attempt may have acted");
}

#[tokio::test(start_paused = true)]
async fn b17_a_caller_that_goes_away_says_nothing_and_its_call_is_dropped() {
    let probes = HalfOpen { permits: 1, ..HalfOpen::default() };
    let world = World::new(tripping(Breaker { half_open: probes, ..breaker() }), |number, _| async move {
        match number {
            1..=3 => Err(fault(Kind::Connect, Landed::No)),
            4 => hang().await,
            _ => Ok(Reply::default()),
        }
    });
    down(&world).await;
    tokio::time::advance(seconds(60)).await;
    let probe = tokio::time::timeout(seconds(1), world.call("read")).await;
    assert!(probe.is_err(), "the caller went away");
    assert_eq!((world.inside(), world.ear.count("abandoned after 1")), (0, 1));
    world.call("read").await.unwrap();
    assert_eq!(world.guarded.status().lanes[0].state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn b17_a_timeout_cancels_the_work() {
    let policy = Policy { attempt_timeout: seconds(2), ..tripping(breaker()) };
    let world = World::new(policy, |_, _| hang());
    down(&world).await;
    assert_eq!(world.inside(), 0);
    assert_eq!(world.guarded.status().lanes[0].state, State::Open);
}

#[tokio::test(start_paused = true)]
async fn b17_wrong_input_never_opens_it() {
    let world = World::new(tripping(breaker()), |_, _| async { Err(fault(Kind::Invalid, Landed::No)) });
    for _ in 0..1_000 {
        world.call("post").await.unwrap_err();
    }
    assert_eq!((world.calls(), world.guarded.status().lanes[0].state), (1_000, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_panicking_adapter_gives_its_probe_back() {
    let world = Arc::new(World::new(tripping(breaker()), |number, _| async move {
        match number {
            1..=3 => Err(fault(Kind::Connect, Landed::No)),
            4 => panic!("scripted"),
            _ => Ok(Reply::default()),
        }
    }));
    down(&world).await;
    tokio::time::advance(seconds(60)).await;
    let probing = Arc::clone(&world);
    assert!(tokio::spawn(async move { probing.call("read").await }).await.is_err());
    world.call("read").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_tenant_does_not_trip_another() {
    let world = World::new(tripping(Breaker { per: Per::Tenant, ..breaker() }), |_, ctx| async move {
        if &*ctx.tenant == "acme" { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    down(&world).await;
    assert_eq!(world.call("read").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
    let other = port::Ctx { tenant: "globex".into(), ..world.ctx() };
    world.guarded.call(&other, call("read")).await.unwrap();
    let states: Vec<_> =
        world.guarded.status().lanes.into_iter().map(|lane| (lane.key.unwrap(), lane.state)).collect();
    assert_eq!(states, [("acme".into(), State::Open), ("globex".into(), State::Closed)]);
}

#[tokio::test(start_paused = true)]
async fn the_operator_has_the_last_word() {
    let world = World::new(tripping(breaker()), |_, _| async { Err(fault(Kind::Connect, Landed::No)) });
    world.guarded.tell(Which::ALL, Switch::ObserveOnly).unwrap();
    down(&world).await;
    down(&world).await;
    assert_eq!(
        (world.calls(), world.ear.count("closed to open")),
        (6, 1),
        "it judges, and lets everything pass"
    );
    world.guarded.tell(Which::ALL, Switch::Disabled).unwrap();
    down(&world).await;
    assert_eq!(world.calls(), 9);
    world.guarded.tell(Which::ALL, Switch::Auto).unwrap();
    assert_eq!(world.call("read").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
    world.guarded.reset(Which::ALL).unwrap();
    world.call("read").await.unwrap_err();
    assert_eq!(world.calls(), 10);
    world.guarded.tell(Which::ALL, Switch::ForcedOpen).unwrap();
    assert_eq!(world.call("read").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
    assert_eq!(world.guarded.mode(), Some(Switch::ForcedOpen));
}

/// Its lane is made by its first call, long after the operator spoke.
#[tokio::test(start_paused = true)]
async fn the_last_word_holds_for_newcomers_of_an_operation_with_its_own_breaker() {
    let own = Breaker { per: Per::Tenant, consecutive_failures: NonZeroU32::new(9), ..breaker() };
    let system = tripping(Breaker { per: Per::Tenant, ..breaker() });
    let policies = Policies { system, operations: [("read".into(), tripping(own))].into() };
    let world = World::new(policies, |_, _| async { Ok(Reply::default()) });
    world.guarded.tell(Which::ALL, Switch::ForcedOpen).unwrap();
    assert_eq!(world.call("read").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
    world.guarded.tell(Which::ALL, Switch::Auto).unwrap();
    world.call("read").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_breaker_there_is_no_mode() {
    let world = World::new(bare(), |_, _| async { Ok(Reply::default()) });
    assert_eq!(world.guarded.tell(Which::ALL, Switch::ForcedOpen), Err(NoBreaker::Off));
    world.call("read").await.unwrap();
    assert_eq!(world.guarded.mode(), None);
}

#[tokio::test(start_paused = true)]
async fn an_operation_with_its_own_deadline_still_shares_the_breaker() {
    let system = tripping(breaker());
    let read = Policy { deadline: Some(seconds(1)), attempt_timeout: seconds(1), ..system.clone() };
    let policies = Policies { system, operations: [("read".into(), read)].into() };
    let world = World::new(policies, |_, _| async { Err(fault(Kind::Connect, Landed::No)) });
    down(&world).await;
    assert_eq!(world.call("post").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
}

#[tokio::test(start_paused = true)]
async fn b37_what_went_wrong_long_ago_is_forgotten() {
    let rate = guard::ErrorRate { min_calls: NonZeroU32::new(10).unwrap(), ..guard::ErrorRate::default() };
    let policy = tripping(Breaker { consecutive_failures: None, error_rate: Some(rate), ..breaker() });
    let world = World::new(policy, |number, _| async move {
        if number <= 9 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    down(&world).await;
    down(&world).await;
    down(&world).await;
    tokio::time::advance(seconds(61)).await;
    for _ in 0..10 {
        world.call("read").await.unwrap();
    }
    assert_eq!(world.guarded.status().lanes[0].state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn keys_are_bounded_and_idle_ones_make_room() {
    let breaker = Breaker { per: Per::Tenant, max_keys: 2, ..breaker() };
    let world = World::new(tripping(breaker), |_, ctx| async move {
        if ctx.tenant.starts_with("bad") {
            Err(fault(Kind::Connect, Landed::No))
        } else {
            Ok(Reply::default())
        }
    });
    for tenant in ["good1", "bad1", "good2", "bad2", "good3", "good4"] {
        for _ in 0..4 {
            let ctx = port::Ctx { tenant: tenant.into(), ..world.ctx() };
            let _ = world.guarded.call(&ctx, call("read")).await;
        }
    }
    let keys: Vec<_> = world.guarded.status().lanes.into_iter().filter_map(|lane| lane.key).collect();
    assert_eq!(keys, ["bad1", "bad2"], "what is known of a bad tenant is kept; newcomers share a lane");
    let good = port::Ctx { tenant: "good4".into(), ..world.ctx() };
    world.guarded.call(&good, call("read")).await.unwrap();
    world.guarded.reset(Which::ALL).unwrap();
    world.guarded.tell(Which::ALL, Switch::ForcedOpen).unwrap();
    let new = port::Ctx { tenant: "new".into(), ..world.ctx() };
    let fault = world.guarded.call(&new, call("read")).await.unwrap_err();
    assert_eq!(fault.rejection, Some(Rejection::BreakerOpen), "newcomers are forced open too");
}

#[tokio::test(start_paused = true)]
async fn who_waited_while_the_breaker_opened_is_not_let_out() {
    let bulkhead = guard::Bulkhead { max_in_flight: 1, max_wait: seconds(5), ..guard::Bulkhead::default() };
    let once = Breaker { consecutive_failures: NonZeroU32::new(1), ..breaker() };
    let policy = Policy { bulkhead: Some(bulkhead), ..tripping(once) };
    let world = World::new(policy, |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Err(fault(Kind::Connect, Landed::No))
    });
    let (first, second) = tokio::join!(world.call("read"), world.call("read"));
    assert_eq!(first.unwrap_err().kind, Kind::Connect);
    let second = second.unwrap_err();
    assert_eq!((second.rejection, world.calls()), (Some(Rejection::BreakerOpen), 1));
    assert!(second.retry_after.is_some());
}
