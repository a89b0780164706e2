//! An open loop: calls start when they are due, whether or not earlier ones were answered.

use std::time::Duration;

use port::Fault;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What came of one call.
pub(crate) struct Made {
    pub(crate) number: u64,
    /// Since the load began.
    pub(crate) due: Duration,
    pub(crate) took: Duration,
    pub(crate) result: Result<(), Fault>,
}

/// Starts a call every so often for so long, and waits for all of them.
pub(crate) async fn open_loop<F>(
    every: Duration,
    span: Duration,
    mut start: impl FnMut(u64) -> F,
) -> Vec<Made>
where
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let began = Instant::now();
    let (mut out, mut due) = (JoinSet::new(), Duration::ZERO);
    for number in 0.. {
        if due >= span {
            break;
        }
        tokio::time::sleep_until(began + due).await;
        let call = start(number);
        out.spawn(async move {
            let result = call.await;
            Made { number, due, took: began.elapsed() - due, result }
        });
        due += every;
    }
    let mut made = out.join_all().await;
    made.sort_by_key(|made| made.number);
    made
}

/// The latency below which `percent` of the calls lie.
pub(crate) fn percentile<'a>(made: impl IntoIterator<Item = &'a Made>, percent: usize) -> Duration {
    let mut took: Vec<_> = made.into_iter().map(|made| made.took).collect();
    took.sort_unstable();
    let last = took.len().saturating_sub(1);
    took.get(last * percent / 100).copied().unwrap_or_default()
}

/// Between 10 and 20 ms, the same for the same number.
pub(crate) fn usual(number: u64) -> Duration {
    Duration::from_millis(fastrand::Rng::with_seed(number).u64(10..=20))
}

/// Tasks of this runtime that have not ended, but for the one that asks.
pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
