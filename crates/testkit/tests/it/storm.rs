//! F13: a system that is healthy, then slow, then down, then back, under a load that does not relent.

use std::sync::Arc;
use std::time::Duration;

use guard::{Breaker, Budget, Bulkhead, Policy, Retry};
use port::{Fault, Kind, Landed, Reply};
use tokio::time::Instant;

use crate::load::{Made, open_loop, tasks};
use crate::model::Modelled;

const PHASE: Duration = Duration::from_secs(10);
const EVERY: Duration = Duration::from_millis(1);
const SEED: u64 = 13;

/// One phase after the other, each as long.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Healthy,
    Slow,
    Down,
    Back,
}

use Phase::{Back, Down, Healthy, Slow};

const PHASES: [Phase; 4] = [Healthy, Slow, Down, Back];

fn phase(since: Duration) -> Phase {
    PHASES[usize::try_from(since.as_secs() / PHASE.as_secs()).unwrap().min(3)]
}

/// Slow is slower than an attempt may take.
async fn behave(phase: Phase) -> Result<Reply, Fault> {
    match phase {
        Healthy | Back => tokio::time::sleep(Duration::from_millis(10)).await,
        Slow => tokio::time::sleep(Duration::from_millis(400)).await,
        Down => return Err(Fault::new(Kind::Connect, Landed::No, "modelled")),
    }
    Ok(Reply::default())
}

/// What the load showed.
struct Storm {
    made: Vec<Made>,
    /// Calls that arrived, by phase.
    arrived: [u64; 4],
}

impl Storm {
    async fn under(policy: Policy) -> Self {
        let began = Instant::now();
        let arrived = Arc::new(std::sync::Mutex::new([0; 4]));
        let count = Arc::clone(&arrived);
        let system = Modelled::new(policy, SEED, move |_| {
            let phase = phase(began.elapsed());
            count.lock().unwrap()[phase as usize] += 1;
            behave(phase)
        });
        let made = open_loop(EVERY, PHASE * 4, |_| {
            let system = Arc::clone(&system);
            async move { system.read("acme", ().into()).await }
        });
        let made = made.await;
        assert_eq!((system.busy(), tasks()), (0, 0), "something is left running");
        let arrived = *arrived.lock().unwrap();
        assert_eq!(arrived.iter().sum::<u64>(), system.arrived());
        Self { made, arrived }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    fn amplification(&self, phases: &[Phase]) -> f64 {
        let offered = self.made.iter().filter(|made| phases.contains(&phase(made.due))).count();
        phases.iter().map(|phase| self.arrived[*phase as usize]).sum::<u64>() as f64 / offered as f64
    }

    /// From the system's return to the moment after which no call fails.
    fn recovery(&self) -> Duration {
        let failed = self.made.iter().filter(|made| made.result.is_err() && phase(made.due) == Back);
        failed.map(|made| made.due + EVERY - PHASE * 3).max().unwrap_or_default()
    }

    fn print(&self, name: &str) {
        let each = PHASES.map(|phase| format!("{phase:?} {:.4}", self.amplification(&[phase])));
        let outage = self.amplification(&[Slow, Down]);
        println!("  {name:<20} {}  outage {outage:.4}  recovery {:?}", each.join("  "), self.recovery());
    }
}

/// A breaker that looks again soon: the system is back within its longest open time.
fn policy(breaker: bool, budget: u32) -> Policy {
    let breaker = breaker.then(|| Breaker {
        open_for: Duration::from_millis(100),
        max_open: Duration::from_millis(400),
        ..Breaker::default()
    });
    let retry = Retry { budget: Budget { capacity: budget, ..Budget::default() }, ..Retry::default() };
    Policy {
        retry,
        breaker,
        bulkhead: Some(Bulkhead { max_in_flight: 1_000, queue: 0, ..Bulkhead::default() }),
        attempt_timeout: Duration::from_millis(250),
        deadline: Some(Duration::from_secs(2)),
        ..Policy::default()
    }
}

#[tokio::test(start_paused = true)]
async fn f13_a_retry_storm_does_not_break_out() {
    println!("F13, 1,000 calls/s, attempts that arrived per call that was offered (seed {SEED}):");
    let alone = Storm::under(policy(false, 1_000_000)).await;
    alone.print("three attempts");
    let budget = Storm::under(policy(false, Budget::default().capacity)).await;
    budget.print("… and the budget");
    let breaker = Storm::under(policy(true, Budget::default().capacity)).await;
    breaker.print("… and the breaker");
    assert!(alone.amplification(&[Down]) > 2.9, "without a guard it breaks out, or the load shows nothing");
    assert!(budget.amplification(&[Slow, Down]) <= 1.10);
    assert!(breaker.amplification(&[Slow, Down]) <= 0.05);
    assert!(breaker.recovery() <= Duration::from_millis(500), "{:?}", breaker.recovery());
}
