//! F14: calls that always fail, and calls that panic, among others that do not.

use std::sync::Arc;
use std::time::Duration;

use guard::{Bulkhead, Policy};
use port::{Kind, Reply};
use serde_json::{Value, json};

use crate::load::{Made, open_loop, percentile, usual};
use crate::model::{Modelled, unavailable};

const EVERY: Duration = Duration::from_millis(5);
const SPAN: Duration = Duration::from_secs(60);

/// One call in fifty is poison, or none is.
async fn load(poisoned: bool) -> (Arc<Modelled>, Vec<Made>) {
    let system = Modelled::new(Policy::default(), 14, |call| async move {
        let number = call.input["number"].as_u64().unwrap();
        tokio::time::sleep(usual(number)).await;
        if call.input["poison"] == true { Err(unavailable()) } else { Ok(Reply::default()) }
    });
    let made = open_loop(EVERY, SPAN, |number| {
        let (system, poison) = (Arc::clone(&system), poisoned && is_poison(number));
        async move { system.read("acme", json!({ "number": number, "poison": poison })).await }
    });
    let made = made.await;
    (system, made)
}

fn is_poison(number: u64) -> bool {
    number % 50 == 7
}

#[tokio::test(start_paused = true)]
async fn f14_poison_is_tried_as_often_as_agreed_and_then_given_up_with_its_cause() {
    let (_, clean) = load(false).await;
    let (system, made) = load(true).await;
    let (poison, others): (Vec<_>, Vec<_>) = made.iter().partition(|made| is_poison(made.number));
    let clean = percentile(clean.iter().filter(|made| !is_poison(made.number)), 99);
    let beside = percentile(others.iter().copied(), 99);
    println!(
        "F14, {} poison calls among {}: others' p99 {clean:?} without, {beside:?} beside",
        poison.len(),
        made.len()
    );
    for made in &poison {
        let fault = made.result.as_ref().unwrap_err();
        assert_eq!(
            (fault.attempts, fault.kind, fault.status),
            (3, Kind::Unavailable, Some(500)),
            "{fault:?}"
        );
        assert_eq!(fault.context, [("answer", "no stock database".to_owned())]);
    }
    assert!(others.iter().all(|made| made.result.is_ok()));
    assert!(beside.as_secs_f64() <= clean.as_secs_f64() * 1.1);
    assert_eq!((system.ear.opened(), system.busy()), (0, 0));
    assert_eq!(system.arrived(), (others.len() + 3 * poison.len()) as u64);
}

#[tokio::test(start_paused = true)]
async fn f14_a_call_that_panics_leaves_nothing_behind() {
    let bulkhead = Bulkhead { max_in_flight: 4, queue: 0, ..Bulkhead::default() };
    let system =
        Modelled::new(Policy { bulkhead: Some(bulkhead), ..Policy::default() }, 14, |call| async move {
            if *call.input == Value::Bool(true) {
                std::panic::resume_unwind(Box::new("scripted"));
            }
            Ok(Reply::default())
        });
    for _ in 0..10 {
        let system = Arc::clone(&system);
        assert!(
            tokio::spawn(async move { system.read("acme", true.into()).await }).await.unwrap_err().is_panic()
        );
    }
    assert_eq!(system.busy(), 0);
    system.read("acme", false.into()).await.unwrap();
}
