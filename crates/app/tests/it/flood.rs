//! Load on a server, and what came of it: requests that start when they are due, whoever is still waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;

/// Between an answer and the next question.
const PULSE: Duration = Duration::from_millis(20);

/// What came of one request.
pub(crate) struct Answer {
    /// From the moment it was due.
    pub(crate) took: Duration,
    pub(crate) status: u16,
    /// Seconds that the server asks to wait.
    pub(crate) retry_after: Option<u64>,
}

impl Answer {
    pub(crate) fn accepted(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Refused for now, and told when to come back.
    pub(crate) fn shed(&self) -> bool {
        matches!(self.status, 429 | 503) && self.retry_after.is_some_and(|wait| wait >= 1)
    }
}

/// Sends a request and keeps what is of interest of the answer. `due` is when it should have been sent.
pub(crate) async fn ask(request: RequestBuilder, due: Instant) -> Answer {
    let answer = request.send().await.unwrap();
    let wait = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
    let status = answer.status().as_u16();
    // To its end, so that the connection can be used again.
    let _read = answer.bytes().await.unwrap();
    Answer { took: due.elapsed(), status, retry_after: wait }
}

/// Sends what `request` makes, so many a second for so long, and waits for all answers.
pub(crate) async fn open_loop(
    per_second: f64,
    span: Duration,
    mut request: impl FnMut(&Client, u64) -> RequestBuilder,
) -> Vec<Answer> {
    let (client, began, mut out) = (Client::new(), Instant::now(), JoinSet::new());
    let every = Duration::from_secs(1).div_f64(per_second);
    let mut due = began;
    for number in 0.. {
        if due >= began + span {
            break;
        }
        tokio::time::sleep_until(due).await;
        out.spawn(ask(request(&client, number), due));
        due += every;
    }
    out.join_all().await
}

/// Asks one thing all the time, from a thread of its own: who floods in this process would keep its answers waiting too.
pub(crate) struct Pulse {
    stop: Arc<AtomicBool>,
    asking: JoinHandle<Vec<Answer>>,
}

impl Pulse {
    pub(crate) fn of(url: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let pulse = async move {
            let (client, mut seen) = (Client::new(), Vec::new());
            while !told.load(Ordering::Relaxed) {
                seen.push(ask(client.get(&url), Instant::now()).await);
                tokio::time::sleep(PULSE).await;
            }
            seen
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asking = thread::spawn(move || runtime.block_on(pulse));
        Self { stop, asking }
    }

    /// Every answer so far.
    pub(crate) async fn stop(self) -> Vec<Answer> {
        self.stop.store(true, Ordering::Relaxed);
        spawn_blocking(|| self.asking.join().unwrap()).await.unwrap()
    }
}

/// The time below which so many percent of the answers lie.
pub(crate) fn percentile<'a>(answers: impl IntoIterator<Item = &'a Answer>, percent: usize) -> Duration {
    let mut took: Vec<_> = answers.into_iter().map(|answer| answer.took).collect();
    took.sort_unstable();
    let last = took.len().saturating_sub(1);
    took.get(last * percent / 100).copied().unwrap_or_default()
}
