//! F15: one endpoint of a hundred hangs.

use std::sync::Arc;
use std::time::Duration;

use guard::{Breaker, Bulkhead, Per, Policy};
use port::Reply;
use serde_json::json;

use crate::load::{Made, open_loop, percentile, usual};
use crate::model::Modelled;

const ENDPOINTS: u64 = 100;
const EVERY: Duration = Duration::from_millis(1);
const SPAN: Duration = Duration::from_secs(20);

/// Every hundredth call goes to endpoint 0, which hangs or does not.
async fn load(per: Per, hangs: bool) -> Vec<Made> {
    let policy = Policy {
        breaker: Some(Breaker { per, ..Breaker::default() }),
        bulkhead: Some(Bulkhead { per, max_in_flight: 32, queue: 32, ..Bulkhead::default() }),
        ..Policy::default()
    };
    let system = Modelled::new(policy, 15, move |call| async move {
        let number = call.input["number"].as_u64().unwrap();
        if hangs && number.is_multiple_of(ENDPOINTS) {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(usual(number)).await;
        Ok(Reply::default())
    });
    let made = open_loop(EVERY, SPAN, |number| {
        let (system, endpoint) = (Arc::clone(&system), format!("endpoint-{}", number % ENDPOINTS));
        async move { system.read(&endpoint, json!({ "number": number })).await }
    });
    let made = made.await;
    assert_eq!(system.busy(), 0);
    made.into_iter().filter(|made| !made.number.is_multiple_of(ENDPOINTS)).collect()
}

fn answered(made: &[Made]) -> usize {
    made.iter().filter(|made| made.result.is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn f15_a_hanging_endpoint_costs_its_neighbours_nothing() {
    let (well, beside) = (load(Per::Tenant, false).await, load(Per::Tenant, true).await);
    let shared = load(Per::System, true).await;
    println!("F15, 1 of {ENDPOINTS} endpoints hangs, {} calls to the others:", well.len());
    for (name, made) in
        [("none hangs", &well), ("guard per endpoint", &beside), ("one guard for all", &shared)]
    {
        println!("  {name:<20} p99 {:?}, {} answered", percentile(made, 99), answered(made));
    }
    assert!(percentile(&beside, 99).as_secs_f64() <= percentile(&well, 99).as_secs_f64() * 1.1);
    assert!(answered(&beside) * 100 >= answered(&well) * 95);
    assert!(
        answered(&shared) * 100 < answered(&well) * 95,
        "with one guard for all nobody suffers: it shows nothing"
    );
}
