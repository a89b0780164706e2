//! What is kept for the whole system, what for each tenant, and what of it may be forgotten.

use std::num::NonZeroU32;
use std::sync::Arc;

use guard::{Algorithm, Breaker, Bulkhead, Limit, Mode, Per, Policies, Policy, Retry, State, Which};
use port::{Ctx, Fault, Kind, Landed, Link, Rejection, Reply};

use crate::fixture::{World, bare, call, fault, seconds};

fn once() -> Policy {
    Policy { retry: Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() }, ..bare() }
}

fn ten(per: Per) -> Option<Limit> {
    let (mode, algorithm) = (Mode::Reject, Algorithm::TokenBucket);
    Some(Limit { per, capacity: 10, refill_per_second: 0.001, weight: 1, mode, algorithm, shared: None })
}

fn judged(per: Per) -> Option<Breaker> {
    Some(Breaker { per, open_jitter: 0.0, ..Breaker::default() })
}

fn well(policies: impl Into<Policies>) -> World {
    World::new(policies, |_, _| async { Ok(Reply::default()) })
}

async fn asks(world: &World, tenant: &str) -> Result<Reply, Fault> {
    let ctx = Ctx { tenant: tenant.into(), ..world.ctx() };
    world.guarded.call(&ctx, call("read")).await
}

/// How many calls reach the system when ten tenants make a hundred.
async fn a_hundred(policy: Policy) -> u32 {
    let world = well(policy);
    for number in 0..100 {
        let _ = asks(&world, &format!("t{}", number % 10)).await;
    }
    world.calls()
}

#[tokio::test(start_paused = true)]
async fn a_breaker_per_tenant_does_not_multiply_the_systems_rate() {
    let policy = |per| Policy { limit: ten(per), breaker: judged(Per::Tenant), ..once() };
    assert_eq!(a_hundred(policy(Per::System)).await, 10);
    assert_eq!(a_hundred(policy(Per::Tenant)).await, 100, "each tenant has its own, where that is said");
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_that_lanes_share_is_counted_once() {
    let bulkhead = Bulkhead { max_in_flight: 8, ..Bulkhead::default() };
    let policy = Policy { bulkhead: Some(bulkhead), breaker: judged(Per::Tenant), ..once() };
    let world = World::new(policy, |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    });
    let calls = futures_util::future::join_all(["a", "b", "c", "d"].map(|tenant| asks(&world, tenant)));
    let look = async {
        tokio::task::yield_now().await;
        world.guarded.status()
    };
    let (status, _) = futures_util::future::join(look, calls).await;
    assert_eq!(status.lanes.len(), 4);
    assert_eq!((status.in_flight, status.max_in_flight, status.queued), (4, Some(8), 0));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_per_tenant_does_not_multiply_the_systems_places() {
    for (per, turned_away) in [(Per::System, 3), (Per::Tenant, 0)] {
        let bulkhead = Bulkhead { per, max_in_flight: 1, queue: 0, ..Bulkhead::default() };
        let policy = Policy { bulkhead: Some(bulkhead), breaker: judged(Per::Tenant), ..once() };
        let world = World::new(policy, |_, _| async {
            tokio::time::sleep(seconds(1)).await;
            Ok(Reply::default())
        });
        let calls = ["a", "b", "c", "d"].map(|tenant| asks(&world, tenant));
        let faults = futures_util::future::join_all(calls).await.into_iter().filter_map(Result::err);
        let full = faults.filter(|fault| fault.rejection == Some(Rejection::BulkheadFull));
        assert_eq!(full.count(), turned_away, "{per:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_per_tenant_leaves_one_breaker_for_all() {
    let breaker = judged(Per::System);
    let policy = Policy { limit: ten(Per::Tenant), breaker, ..once() };
    let world = World::new(policy, |_, _| async { Err(fault(Kind::Connect, Landed::No)) });
    for tenant in ["a", "b", "c", "d", "e"] {
        assert_eq!(asks(&world, tenant).await.unwrap_err().rejection, None);
    }
    assert_eq!(asks(&world, "f").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
    let one = Which { key: Some("a"), ..Which::ALL };
    let unknown = world.guarded.reset(one).unwrap_err().to_string();
    assert!(unknown.ends_with("the only one known is for everything"), "{unknown}");
    world.guarded.reset(Which::ALL).unwrap();
    assert!(world.guarded.status().lanes.iter().all(|lane| lane.state == State::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_operation_judged_otherwise_keeps_to_the_systems_rate() {
    let system = Policy { limit: ten(Per::System), breaker: judged(Per::System), ..once() };
    let read = Policy { breaker: judged(Per::Tenant), ..system.clone() };
    let world = well(Policies { system, operations: [("read".into(), read)].into() });
    for tenant in ["a", "b", "c", "d", "e", "f", "g"] {
        let _ = asks(&world, tenant).await;
        let _ = world.call("post").await;
    }
    assert_eq!(world.calls(), 10);
}

#[test]
fn one_call_has_one_key() {
    let policy = Policy { limit: ten(Per::Operation), breaker: judged(Per::Tenant), ..once() };
    let found: Vec<_> = policy.conflicts().into_iter().map(|found| (found.at, found.message)).collect();
    let message = "another stage is per tenant; this one is per tenant too, or per system, not per operation";
    assert_eq!(found, [("limit.per", message.to_owned())]);
}

fn two_at_most() -> Policy {
    let breaker = judged(Per::Tenant).map(|breaker| Breaker { max_keys: 2, ..breaker });
    Policy { breaker, ..once() }
}

#[tokio::test(start_paused = true)]
async fn who_fails_is_not_forgotten_for_others() {
    let world = World::new(two_at_most(), |number, ctx| async move {
        // Of the bad one's calls, which are every second, three of four.
        let bad = &*ctx.tenant == "bad" && number % 8 != 1;
        if bad { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    let mut kept_in = false;
    for round in 0..100 {
        let rejection = asks(&world, "bad").await.err().and_then(|fault| fault.rejection);
        kept_in |= rejection == Some(Rejection::BreakerOpen);
        asks(&world, &format!("t{}", round % 3)).await.unwrap();
    }
    assert!(kept_in, "three of four calls failed and the breaker never opened");
}

#[tokio::test(start_paused = true)]
async fn who_is_out_is_not_forgotten_for_others() {
    let mut policy = two_at_most();
    policy.breaker.as_mut().unwrap().consecutive_failures = Some(NonZeroU32::MIN);
    let world = Arc::new(World::new(policy, |_, ctx| async move {
        if !ctx.tenant.starts_with("slow") {
            return Ok(Reply::default());
        }
        tokio::time::sleep(seconds(1)).await;
        Err(fault(Kind::Connect, Landed::No))
    }));
    let out = ["slow one", "slow other"].map(|tenant| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { asks(&world, tenant).await })
    });
    tokio::task::yield_now().await;
    asks(&world, "newcomer").await.unwrap();
    for out in out {
        assert_eq!(out.await.unwrap().unwrap_err().rejection, None);
    }
    assert_eq!(asks(&world, "slow one").await.unwrap_err().rejection, Some(Rejection::BreakerOpen));
    tokio::time::sleep(seconds(2)).await;
    asks(&world, "newcomer").await.unwrap();
    assert_eq!(world.guarded.status().lanes.len(), 2, "there is still no room");
}
