//! What the guard and the rest adapter add to a bare HTTP call. `cargo bench -p bench --bench proxy_overhead`
//!
//! 1,000 requests a second whether or not the last was answered, 16 connections, 1 KB each way, the same client, pool
//! and server for both. Bare and guarded calls take turns of 100 ms, so that whatever else the machine does falls on
//! both. A latency runs from the moment its request was due. Ends with 1 when an aim is missed, for `make bench-gate`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should say so and stop")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod remote;
mod rig;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::stats::{Latencies, Runs};
use rig::{Kind, Rig};

const WORKERS: u64 = 16;
const EVERY: Duration = Duration::from_millis(1);
/// Requests in one turn.
const TURN: u64 = 100;
const ROUNDS: usize = 5;
/// Requests in one round, both kinds.
const ROUND: u64 = 6_000;
const WARM_UP: u64 = 2_000;

/// At most so many milliseconds more at the median, and at the 99th percentile.
const AIMS: [(&str, f64, f64); 2] = [("p50", 0.5, 0.5), ("p99", 0.99, 1.5)];

/// The number of a request in its round, what it was, and how long it took.
type Sample = (u64, Kind, Duration);

fn main() -> ExitCode {
    bench::machine::print("a guarded call over a bare one");
    println!(
        "# method: {ROUNDS} rounds of {ROUND} requests at 1,000/s, {WORKERS} connections, median (lowest–highest)"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let rounds = runtime.block_on(measure());
    keep(&rounds);
    let reached = AIMS.map(|(name, share, aim)| report(&rounds, name, share, aim));
    if reached.into_iter().all(|reached| reached) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure() -> Vec<Vec<Sample>> {
    let rig = Arc::new(Rig::new(remote::start()));
    round(&rig, WARM_UP).await;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(&rig, ROUND).await);
    }
    rounds
}

async fn round(rig: &Arc<Rig>, requests: u64) -> Vec<Sample> {
    let start = Instant::now() + Duration::from_millis(10);
    let workers: Vec<_> =
        (0..WORKERS).map(|worker| tokio::spawn(work(Arc::clone(rig), start, worker, requests))).collect();
    let mut seen = Vec::new();
    for worker in workers {
        seen.extend(worker.await.unwrap());
    }
    seen.sort_by_key(|(number, ..)| *number);
    seen
}

/// One connection's share of the requests.
async fn work(rig: Arc<Rig>, start: Instant, worker: u64, requests: u64) -> Vec<Sample> {
    let mut seen = Vec::new();
    for number in (worker..requests).step_by(16) {
        let due = start + EVERY * u32::try_from(number).unwrap();
        tokio::time::sleep_until(due.into()).await;
        let kind = if (number / TURN).is_multiple_of(2) { Kind::Bare } else { Kind::Guarded };
        rig.call(kind).await;
        seen.push((number, kind, due.elapsed()));
    }
    seen
}

fn percentile(round: &[Sample], kind: Kind, share: f64) -> f64 {
    let of_kind = round.iter().filter(|(_, which, _)| *which == kind);
    Latencies::new(of_kind.map(|(.., took)| *took)).percentile(share)
}

fn report(rounds: &[Vec<Sample>], name: &str, share: f64, aim: f64) -> bool {
    let each = |kind| rounds.iter().map(move |round| percentile(round, kind, share));
    let added = each(Kind::Guarded).zip(each(Kind::Bare)).map(|(guarded, bare)| guarded - bare);
    let added = Runs::new(added.collect());
    println!("{name} bare     {} ms", Runs::new(each(Kind::Bare).collect()));
    println!("{name} guarded  {} ms", Runs::new(each(Kind::Guarded).collect()));
    let reached = added.median() <= aim;
    println!("{name} added    {added} ms  aim ≤ {aim} ms: {}", if reached { "reached" } else { "missed" });
    reached
}

/// Writes every latency down, in microseconds, a line per turn.
fn keep(rounds: &[Vec<Sample>]) {
    let mut log =
        String::from("# round kind: microseconds from due to answered, in order; a line per turn\n");
    _ = writeln!(log, "# load after: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    for (at, round) in rounds.iter().enumerate() {
        for turn in round.chunks(usize::try_from(TURN).unwrap()) {
            _ = write!(log, "{at} {}:", turn[0].1.as_str());
            turn.iter().for_each(|(.., took)| _ = write!(log, " {}", took.as_micros()));
            log.push('\n');
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("log");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("proxy_overhead.txt"), log).unwrap();
    println!("every latency is in bench/log/proxy_overhead.txt");
}
