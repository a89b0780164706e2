//! F12: ten times more calls than a system can serve.

use std::sync::Arc;
use std::time::Duration;

use guard::{Bulkhead, Policy};
use port::{Fault, Reply};
use tokio::sync::Semaphore;

use crate::load::{Made, open_loop, percentile, tasks};
use crate::model::Modelled;

const WORKERS: usize = 10;
const WORK: Duration = Duration::from_millis(100);
/// Calls per second.
const CAPACITY: u32 = 100;
const SPAN: Duration = Duration::from_secs(60);
/// What a caller waits at most.
const PATIENCE: Duration = Duration::from_millis(300);

/// A system with ten workers and a queue without end. What it has taken it works on, also when the caller has left.
fn system(bulkhead: Option<Bulkhead>) -> Arc<Modelled> {
    let workers = Arc::new(Semaphore::new(WORKERS));
    let policy = Policy { bulkhead, breaker: None, deadline: Some(PATIENCE), ..Policy::default() };
    Modelled::new(policy, 12, move |_| {
        let work = tokio::spawn(work(Arc::clone(&workers)));
        async move { work.await.unwrap() }
    })
}

async fn work(workers: Arc<Semaphore>) -> Result<Reply, Fault> {
    let _worker = workers.acquire().await.unwrap();
    tokio::time::sleep(WORK).await;
    Ok(Reply::default())
}

/// So many times the capacity, for so long.
async fn load(bulkhead: Option<Bulkhead>, times: f64, span: Duration) -> Vec<Made> {
    let system = system(bulkhead);
    let every = Duration::from_secs(1).div_f64(f64::from(CAPACITY) * times);
    let made = open_loop(every, span, |_| {
        let system = Arc::clone(&system);
        async move { system.read("acme", ().into()).await }
    });
    let made = made.await;
    assert_eq!(system.busy(), 0);
    made
}

fn answered(made: &[Made]) -> impl Iterator<Item = &Made> {
    made.iter().filter(|made| made.result.is_ok())
}

/// Answered calls, as a percentage of what the system can serve in that time.
fn goodput(made: &[Made], span: Duration) -> u64 {
    answered(made).count() as u64 * 100 / (u64::from(CAPACITY) * span.as_secs())
}

#[tokio::test(start_paused = true)]
async fn f12_ten_times_the_capacity_is_shed_and_what_is_taken_is_served_in_time() {
    let bulkhead = || Some(Bulkhead { max_in_flight: 10, queue: 5, max_wait: WORK, ..Bulkhead::default() });
    let normal = percentile(answered(&load(bulkhead(), 0.5, SPAN).await), 99);
    let (guarded, left) = (load(bulkhead(), 10.0, SPAN).await, tasks());
    let accepted = percentile(answered(&guarded), 99);
    let shed = percentile(guarded.iter().filter(|made| made.result.is_err()), 99);
    let bare = goodput(&load(None, 10.0, SPAN / 6).await, SPAN / 6);
    let guarded = goodput(&guarded, SPAN);
    println!(
        "F12, ten times the load for {SPAN:?}: goodput {guarded} % of capacity, {bare} % without a bulkhead"
    );
    println!("  p99 normal {normal:?}, accepted {accepted:?}, shed {shed:?}; {left} tasks left");
    assert!(guarded >= 90, "{guarded} %");
    assert!(accepted <= normal * 2, "{accepted:?} against {normal:?}");
    assert!(shed <= WORK, "a call that is shed is told so after {shed:?}");
    assert_eq!(left, 0);
    assert!(bare < 10, "the guard is not what helps: {bare} % without it");
}
