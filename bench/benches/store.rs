//! What a durable commit costs, beside its floor: raw SQLite (WAL, `synchronous=FULL`) writing the same bytes from
//! one thread in groups of 32, in the same run on the same disk.
//!
//! `cargo bench -p bench --bench store`; `CARDAN_BENCH_DIR` chooses the disk, `CARDAN_BENCH_RUNS` how often (5).

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails has no figure")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{floor, machine};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use store::{Append, Batch, Expected, NewEvent, Options, Store};

/// Bytes of JSON per event.
const EVENT: usize = 900;
/// Streams that the events are spread over.
const STREAMS: usize = 64;

/// One case: measures itself in a folder of its own.
type Case = fn(&Path) -> Figures;

fn main() {
    machine::print("store: a durable commit, beside the floor of the same disk");
    println!(
        "# sqlite {}, events of {EVENT} bytes over {STREAMS} streams, WAL, synchronous=FULL",
        rusqlite::version()
    );
    println!("# method: runs interleaved; median of runs; p50 and p99 are of one commit, median over runs");
    let runs: usize = std::env::var("CARDAN_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(5);
    let directory = std::env::var("CARDAN_BENCH_DIR").unwrap_or_else(|_| ".".into());
    let mut rows: Vec<(&str, Vec<Figures>)> = Vec::new();
    for _ in 0..runs {
        let cases: [(&str, Case); 7] = [
            ("fdatasync of 4 KiB", syncs),
            ("floor: raw SQLite, 1 event per commit", |path| raw(path, 1, 4_000)),
            ("floor: raw SQLite, 32 events per commit", |path| raw(path, 32, 96_000)),
            ("store, 1 caller, 1 event per batch", |path| callers(path, 1, 1, 4_000)),
            ("store, 32 callers, 1 event per batch", |path| callers(path, 32, 1, 2_000)),
            ("store, 64 callers, 1 event per batch", |path| callers(path, 64, 1, 1_000)),
            ("store, 1 caller, 32 events per batch", |path| callers(path, 1, 32, 2_000)),
        ];
        for (index, (name, case)) in cases.into_iter().enumerate() {
            let place = tempfile::tempdir_in(&directory).unwrap();
            let figures = case(&place.path().join("bench.db"));
            match rows.get_mut(index) {
                Some(row) => row.1.push(figures),
                None => rows.push((name, vec![figures])),
            }
        }
    }
    println!("\n{:<42} {:>28} {:>10} {:>10}", "", "events/s median (min-max)", "p50 ms", "p99 ms");
    for (name, figures) in &mut rows {
        print(name, figures);
    }
}

struct Figures {
    /// Per second.
    rate: f64,
    /// Of one commit.
    p50: f64,
    /// Of one commit.
    p99: f64,
}

impl Figures {
    fn of(events: usize, whole: Duration, mut each: Vec<Duration>) -> Self {
        each.sort();
        let at = |share: f64| each[((each.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        Self { rate: events as f64 / whole.as_secs_f64(), p50: at(0.5), p99: at(0.99) }
    }
}

fn print(name: &str, figures: &mut [Figures]) {
    figures.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let (least, most) = (figures[0].rate, figures[figures.len() - 1].rate);
    let rate = figures[figures.len() / 2].rate;
    let rate = format!("{rate:.0} ({least:.0}-{most:.0})");
    println!(
        "{name:<42} {rate:>28} {:>10.3} {:>10.3}",
        middle(figures, |f| f.p50),
        middle(figures, |f| f.p99)
    );
}

fn middle(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn syncs(path: &Path) -> Figures {
    let file = floor::blocks(path).unwrap();
    let begin = Instant::now();
    let each = floor::syncs(&file).unwrap();
    Figures::of(floor::SYNCS, begin.elapsed(), each)
}

fn data() -> Vec<u8> {
    let mut data = br#"{"pad":""#.to_vec();
    data.resize(EVENT - 2, b'x');
    data.extend_from_slice(b"\"}");
    data
}

/// The same table and index as the store has, and nothing else.
fn raw(path: &Path, group: usize, events: usize) -> Figures {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(floor::EVENTS).unwrap();
    let sql = "INSERT INTO events VALUES (?1, ?2, ?3, 'Happened', 1760000000, 'acme', 'cor-1', NULL, ?4, 0)";
    let mut insert = connection.prepare(sql).unwrap();
    let data = String::from_utf8(data()).unwrap();
    let (begin, mut each) = (Instant::now(), Vec::new());
    for first in (0..events).step_by(group) {
        let commit = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for event in first..first + group {
            insert
                .execute(params![event as i64 + 1, (event % STREAMS) as i64, (event / STREAMS) as i64, data])
                .unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        each.push(commit.elapsed());
    }
    Figures::of(events, begin.elapsed(), each)
}

/// Async callers that each wait for their commit before the next.
fn callers(path: &Path, callers: usize, events: usize, batches: usize) -> Figures {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = Store::open(path, Options::default()).unwrap();
    let event = NewEvent {
        type_: "Happened".into(),
        data: data(),
        at: Timestamp::from_second(1_760_000_000).unwrap(),
        tenant: Arc::from("acme"),
        correlation: Arc::from("cor-1"),
        causation: None,
    };
    runtime.block_on(async {
        let begin = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| tokio::spawn(call(store.clone(), caller, batches, vec![event.clone(); events])))
            .collect();
        let mut each = Vec::new();
        for task in tasks {
            each.extend(task.await.unwrap());
        }
        Figures::of(callers * events * batches, begin.elapsed(), each)
    })
}

async fn call(store: Store, caller: usize, batches: usize, events: Vec<NewEvent>) -> Vec<Duration> {
    let mut each = Vec::new();
    for batch in 0..batches {
        let stream = format!("stream-{}", (caller + batch * 7) % STREAMS);
        let append = Append { stream, expected: Expected::Any, events: events.clone() };
        let batch = Batch { appends: vec![append], ..Batch::default() };
        let commit = Instant::now();
        store.commit(batch).await.unwrap();
        each.push(commit.elapsed());
    }
    each
}
