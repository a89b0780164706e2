//! Calls that stand in line while an operator speaks or the breaker changes its mind.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use guard::{Breaker, Bulkhead, HalfOpen, Policy, Retry, State, Switch, Which};
use port::{Fault, Kind, Landed, Rejection, Reply};
use tokio::task::JoinHandle;

use crate::fixture::{World, bare, fault, seconds};

/// One call at a time, the others in line.
fn one_by_one(breaker: Breaker) -> Policy {
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    let bulkhead = Bulkhead { max_in_flight: 1, max_wait: seconds(50), ..Bulkhead::default() };
    Policy { bulkhead: Some(bulkhead), breaker: Some(breaker), retry, ..bare() }
}

fn opens_after(failures: u32) -> Breaker {
    Breaker {
        consecutive_failures: NonZeroU32::new(failures),
        error_rate: None,
        open_jitter: 0.0,
        ..Breaker::default()
    }
}

async fn a_second_later(result: Result<Reply, Fault>) -> Result<Reply, Fault> {
    tokio::time::sleep(seconds(1)).await;
    result
}

/// Ten calls at once, of which the first is out.
async fn ten(world: &Arc<World>) -> Vec<JoinHandle<Result<Reply, Fault>>> {
    let call = |_| {
        let world = Arc::clone(world);
        tokio::spawn(async move { world.call("read").await })
    };
    let calls = (0..10).map(call).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    calls
}

async fn rejections(calls: Vec<JoinHandle<Result<Reply, Fault>>>) -> Vec<Option<Rejection>> {
    let mut faults = Vec::new();
    for call in calls {
        faults.extend(call.await.unwrap().err());
    }
    faults.into_iter().map(|fault| fault.rejection).collect()
}

#[tokio::test(start_paused = true)]
async fn a_reset_rejects_nobody_who_stands_in_line() {
    let world = Arc::new(World::new(one_by_one(opens_after(5)), |_, _| a_second_later(Ok(Reply::default()))));
    let calls = ten(&world).await;
    world.guarded.reset(Which::ALL).unwrap();
    assert_eq!(rejections(calls).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_a_pause_that_the_system_asked_for() {
    let world = World::new(one_by_one(opens_after(5)), |number, _| async move {
        let asks = fault(Kind::Throttled, Landed::No).after(Some(seconds(300)));
        if number == 1 { Err(asks) } else { Ok(Reply::default()) }
    });
    world.call("read").await.unwrap_err();
    assert_eq!(world.call("read").await.unwrap_err().rejection, Some(Rejection::RateLimited));
    world.guarded.reset(Which::ALL).unwrap();
    world.call("read").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn forced_open_holds_for_those_in_line() {
    let world = Arc::new(World::new(one_by_one(opens_after(5)), |_, _| a_second_later(Ok(Reply::default()))));
    let calls = ten(&world).await;
    world.guarded.tell(Which::ALL, Switch::ForcedOpen).unwrap();
    assert_eq!(rejections(calls).await, [Some(Rejection::BreakerOpen); 9]);
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn observe_only_and_disabled_let_pass_who_waited_while_it_opened() {
    for switch in [Switch::ObserveOnly, Switch::Disabled] {
        let down = |_, _| a_second_later(Err(fault(Kind::Connect, Landed::No)));
        let world = Arc::new(World::new(one_by_one(opens_after(2)), down));
        let calls = ten(&world).await;
        world.guarded.tell(Which::ALL, switch).unwrap();
        assert_eq!(rejections(calls).await, [None; 10], "{switch:?}");
        assert_eq!(world.calls(), 10, "{switch:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_let_pass_unjudged_is_judged_once_the_breaker_is_automatic_again() {
    let down = |_, _| a_second_later(Err(fault(Kind::Connect, Landed::No)));
    let world = Arc::new(World::new(one_by_one(opens_after(2)), down));
    world.guarded.tell(Which::ALL, Switch::Disabled).unwrap();
    let calls = ten(&world).await;
    world.guarded.tell(Which::ALL, Switch::Auto).unwrap();
    rejections(calls).await;
    assert_eq!(world.calls(), 3, "the first is out unjudged, the next two open it");
}

/// Two probes fit; the second still waits in line for its place when the first one closes the breaker.
#[tokio::test(start_paused = true)]
async fn a_probe_that_waited_goes_out_when_the_breaker_closed_meanwhile() {
    let half_open = HalfOpen { permits: 2, success_threshold: 1, ..HalfOpen::default() };
    let world = World::new(one_by_one(Breaker { half_open, ..opens_after(1) }), |number, _| async move {
        a_second_later(if number == 1 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) })
            .await
    });
    world.call("read").await.unwrap_err();
    tokio::time::sleep(seconds(60)).await;
    let (first, second) = tokio::join!(world.call("read"), world.call("read"));
    assert_eq!((first.err().map(|f| f.rejection), second.err().map(|f| f.rejection)), (None, None));
    assert_eq!(world.guarded.status().lanes[0].state, State::Closed);
}
