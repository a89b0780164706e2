//! Acts over HTTP as a client sees them: each acknowledged after fsync; and what the process costs.
//!
//! Beside it, in the same run, the floor: raw SQLite in WAL mode with `synchronous=FULL`, the same number of bytes,
//! one thread, 32 rows per commit.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bench::http::{Load, Script, drive};
use bench::server::{Server, binary, free};
use bench::stats::Runs;
use bench::{machine, server};

const RUNS: usize = 5;
const PERIOD: Duration = Duration::from_secs(4);
/// Acts in one NDJSON upload.
const LINES: u64 = 1000;

fn main() {
    machine::print("acts over HTTP, fsync before each acknowledgement");
    let binary = binary().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    start_up(&binary, folder.path());
    let (server, _config) = serve(&binary, folder.path(), "load");
    println!(
        "method: closed loop over keep-alive connections from this process, on the same two cores; {RUNS} runs of {} s",
        PERIOD.as_secs()
    );
    for connections in [1, 64] {
        runtime.block_on(single(&server, connections));
    }
    runtime.block_on(bulk(&server));
    println!("resident memory after the load: {:.0} MiB", server.resident_mib());
    floor(folder.path());
    idle(&server);
}

/// Start-up to ready, resident memory and CPU when idle.
fn start_up(binary: &Path, folder: &Path) {
    let mut ready = Vec::new();
    let mut resident = Vec::new();
    for run in 0..RUNS {
        let (server, _config) = serve(binary, folder, &format!("start{run}"));
        ready.push(server.ready_after.as_secs_f64() * 1000.0);
        thread::sleep(Duration::from_millis(300));
        resident.push(server.resident_mib());
    }
    println!("start-up to accepting: {} ms (aim 300)", Runs::new(ready));
    println!("resident memory when idle: {} MiB (aim 60)", Runs::new(resident));
}

fn serve(binary: &Path, folder: &Path, name: &str) -> (Server, PathBuf) {
    let address = free().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pizza-orders/cardan.yaml");
    let text = std::fs::read_to_string(example).unwrap();
    let store = folder.join(format!("{name}.db"));
    let text = text
        .replace("127.0.0.1:8080", &address.to_string())
        .replace("sqlite:data/cardan.db", &format!("sqlite:{}", store.display()));
    let config = folder.join(format!("{name}.yaml"));
    std::fs::write(&config, text).unwrap();
    let arguments = ["serve", "--log", "error", config.to_str().unwrap()];
    (server::Server::start(binary, &arguments, address).unwrap(), config)
}

fn fact(connection: usize, number: u64, run: u64) -> String {
    format!(
        r#"{{"id":"act_{run}_{connection}_{number}","type":"fact","timestamp":"2026-01-01T00:00:00Z","speaker":"ada","entity":{{"id":"order_{connection}","type":"order"}},"field":"note","value":"a note of ordinary length, number {number}"}}"#
    )
}

async fn single(server: &Server, connections: usize) {
    let mut all = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS as u64 {
        let script: Arc<Script> = Arc::new(move |connection, number| {
            // A new conversation now and then, as in life.
            let path =
                format!("/v1/conversations/conv_s{connections}_{run}_{connection}_{}/acts", number / 500);
            (path, fact(connection, number, run))
        });
        let before = server.cpu_seconds();
        let load = drive(server.address, connections, PERIOD, "application/json", script).await.unwrap();
        told(&load);
        all.0.push(load.rate);
        all.1.push(load.latencies.percentile(0.5));
        all.2.push(load.latencies.percentile(0.99));
        #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
        all.3.push((server.cpu_seconds() - before) * 1e6 / load.latencies.count() as f64);
    }
    let (rate, p50, p99, cpu) = (Runs::new(all.0), Runs::new(all.1), Runs::new(all.2), Runs::new(all.3));
    println!(
        "single acts, {connections:>2} connections: {rate} acts/s, p50 {p50} ms, p99 {p99} ms, {cpu} µs of server CPU per act"
    );
}

async fn bulk(server: &Server) {
    let mut rates = Vec::new();
    for run in 0..RUNS as u64 {
        let script: Arc<Script> = Arc::new(move |connection, number| {
            let lines = (0..LINES).map(|line| fact(connection, number * LINES + line, run));
            let body = lines.collect::<Vec<_>>().join("\n");
            (format!("/v1/conversations/conv_b{run}_{connection}_{number}/acts"), body)
        });
        let load = drive(server.address, 4, PERIOD, "application/x-ndjson", script).await.unwrap();
        told(&load);
        #[expect(clippy::cast_precision_loss, reason = "a constant")]
        rates.push(load.rate * LINES as f64);
    }
    println!("NDJSON, 4 connections × {LINES} acts: {} acts/s", Runs::new(rates));
}

fn told(load: &Load) {
    assert_eq!(load.refused, 0, "the server refused acts");
}

/// Raw SQLite: what this disk and this library give at best.
fn floor(folder: &Path) {
    let body = fact(1, 1, 1);
    let mut rates = Vec::new();
    for run in 0..RUNS {
        let store = rusqlite::Connection::open(folder.join(format!("floor{run}.db"))).unwrap();
        store.pragma_update(None, "journal_mode", "WAL").unwrap();
        store.pragma_update(None, "synchronous", "FULL").unwrap();
        store.execute_batch("CREATE TABLE events (position INTEGER PRIMARY KEY, data BLOB)").unwrap();
        let (start, mut rows) = (Instant::now(), 0u32);
        while start.elapsed() < PERIOD / 2 {
            store.execute_batch("BEGIN IMMEDIATE").unwrap();
            for _ in 0..32 {
                store
                    .prepare_cached("INSERT INTO events (data) VALUES (?)")
                    .unwrap()
                    .execute([body.as_bytes()])
                    .unwrap();
            }
            store.execute_batch("COMMIT").unwrap();
            rows += 32;
        }
        rates.push(f64::from(rows) / start.elapsed().as_secs_f64());
    }
    println!("floor: raw SQLite, one thread, 32 rows per commit: {} rows/s", Runs::new(rates));
}

fn idle(server: &Server) {
    thread::sleep(Duration::from_secs(1));
    let before = server.cpu_seconds();
    thread::sleep(Duration::from_secs(5));
    let share = (server.cpu_seconds() - before) / 5.0 * 100.0;
    println!("CPU when idle, over 5 s: {share:.1} % of one core (aim 0)");
}
