//! What a durable step costs: a flow of ten keyed calls over a real store on this disk and a system that answers at
//! once; beside the floor in the same run: `fdatasync`, and raw SQLite (WAL, `synchronous=FULL`), one insert per step.
//!
//! `cargo bench -p bench --bench flow`; `CARDAN_BENCH_DIR` chooses the disk, `CARDAN_BENCH_RUNS` how often (5).

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails has no figure")]
#![expect(clippy::cast_precision_loss, reason = "counts of steps are far below 2^52")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::stats::{Latencies, Runs};
use bench::{floor, machine};
use conversation::{ConversationPort, Motion, Outgoing};
use flow::{Deps, Engine, Known, Limits, RunId, Silence, Start};
use port::{Adapter, Call, Ctx, Fault, Operation, Repeat, Reply, SeededEntropy, Spec, SystemClock, Systems};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use store::{Batch, Options, Receipt, Store};

const STEPS: usize = 10;
/// Runs of the one client.
const ALONE: usize = 200;
/// Clients at once, and the runs of each.
const CLIENTS: usize = 64;
const EACH: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// One case: measures itself in a folder of its own.
type Case = fn(&Path) -> Figures;

fn main() {
    machine::print("flow: ten keyed steps, one commit each, beside the floor of the same disk");
    println!(
        "# sqlite {}, WAL, synchronous=FULL; runs interleaved, median (lowest–highest)",
        rusqlite::version()
    );
    let runs: usize = std::env::var("CARDAN_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(5);
    let directory = std::env::var("CARDAN_BENCH_DIR").unwrap_or_else(|_| ".".into());
    let cases: [(&str, Case); 4] = [
        ("floor: fdatasync of 4 KiB", syncs),
        ("floor: raw SQLite, 1 insert per step", inserts),
        ("flow, 1 client", |place| flows(place, 1, ALONE)),
        ("flow, 64 clients", |place| flows(place, CLIENTS, EACH)),
    ];
    let mut rows: [Vec<Figures>; 4] = Default::default();
    for _ in 0..runs {
        for ((_, case), row) in cases.iter().zip(&mut rows) {
            let place = tempfile::tempdir_in(&directory).unwrap();
            row.push(case(&place.path().join("bench.db")));
        }
    }
    for ((name, _), row) in cases.iter().zip(&rows) {
        print(name, row);
    }
}

/// What one case showed in one run.
struct Figures {
    /// Steps per second.
    rate: f64,
    /// Of one sync, one insert, or one whole flow.
    latencies: Latencies,
    /// CPU seconds of this process per thousand steps.
    cpu: f64,
}

/// Measures something that makes `steps` steps and tells how long each of its parts took.
fn measured(steps: usize, work: impl FnOnce() -> Vec<Duration>) -> Figures {
    let process = std::process::id();
    let (begin, cpu) = (Instant::now(), machine::cpu_seconds(process));
    let latencies = Latencies::new(work());
    let (took, cpu) = (begin.elapsed().as_secs_f64(), machine::cpu_seconds(process) - cpu);
    Figures { rate: steps as f64 / took, latencies, cpu: cpu * 1000.0 / steps as f64 }
}

fn print(name: &str, runs: &[Figures]) {
    let over = |figure: fn(&Figures) -> f64| Runs::new(runs.iter().map(figure).collect());
    println!("\n{name}");
    println!("  steps/s               {}", over(|run| run.rate));
    println!("  p50 ms                {}", over(|run| run.latencies.percentile(0.5)));
    println!("  p99 ms                {}", over(|run| run.latencies.percentile(0.99)));
    println!("  CPU s per 1,000 steps {}", over(|run| run.cpu));
}

fn syncs(path: &Path) -> Figures {
    let file = floor::blocks(path).unwrap();
    measured(floor::SYNCS, || floor::syncs(&file).unwrap())
}

/// What a step must write at least: its journal entry, in the store's own table, committed by itself.
fn inserts(path: &Path) -> Figures {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(floor::EVENTS).unwrap();
    let sql =
        "INSERT INTO events VALUES (?1, ?2, ?3, 'StepSucceeded', 1760000000, 'acme', 'cor-1', NULL, ?4, 0)";
    let mut insert = connection.prepare(sql).unwrap();
    let data =
        json!({ "type": "StepSucceeded", "path": "step_1", "output": answer(), "attempts": 1, "ms": 0 });
    let data = data.to_string();
    let mut step = |at: usize| {
        let begin = Instant::now();
        let row = params![at as i64 + 1, (at / STEPS) as i64, (at % STEPS) as i64, data];
        insert.execute(row).unwrap();
        begin.elapsed()
    };
    measured(ALONE * STEPS, || (0..ALONE * STEPS).map(&mut step).collect())
}

/// Clients that each wait for the end of their run before they commit the next.
fn flows(path: &Path, clients: usize, each: usize) -> Figures {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = Store::open(path, Options::default()).unwrap();
    let engine = runtime.block_on(open(&store));
    let figures =
        measured(clients * each * STEPS, || runtime.block_on(drive(&store, &engine, clients, each)));
    runtime.block_on(engine.stop(PATIENCE));
    figures
}

async fn drive(store: &Store, engine: &Engine, clients: usize, each: usize) -> Vec<Duration> {
    let client = |client| tokio::spawn(commits(store.clone(), engine.clone(), client, each));
    let clients: Vec<_> = (0..clients).map(client).collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await.unwrap());
    }
    latencies
}

async fn commits(store: Store, engine: Engine, client: usize, each: usize) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(each);
    for commit in 0..each {
        let begin = Instant::now();
        let mut batch = Batch::default();
        let run = engine.begin(&mut batch, start(client, commit)).unwrap();
        store.commit(batch).await.unwrap();
        engine.committed(std::slice::from_ref(&run));
        let view = engine.wait(run.as_str(), PATIENCE).await.unwrap();
        latencies.push(begin.elapsed());
        assert_eq!(view.status, store::RunStatus::Succeeded, "{:?}", view.error);
    }
    latencies
}

fn start(client: usize, commit: usize) -> Start {
    let (conversation, commit) = (format!("conv_{client}"), format!("act_{commit}"));
    let mut start = Start::default();
    start.run = RunId::of_commit("acme", &conversation, &commit, "order").to_string();
    start.flow = "order".into();
    start.tenant = "acme".into();
    start.conversation = Some(conversation);
    start.commit = Some(commit);
    start.correlation = "cor-1".into();
    start.input = json!({ "entity": { "id": "order-1", "customer_id": "c-1", "total_amount": 42 } });
    start
}

async fn open(store: &Store) -> Engine {
    let spec = Spec {
        system: "erp".into(),
        adapter: "fake",
        version: "1.0.0",
        operations: vec![operation()],
        probe_every: None,
    };
    let known = Known::from_specs([&spec]);
    let call = json!({ "call": "erp.book", "with": { "order": "${ entity.id }", "amount": "${ entity.total_amount }" },
        "compensate": "none" });
    let node = diag::Node::from_json(&json!({ "do": vec![call; STEPS] }));
    let (definition, found) = flow::compile("order", &node, &known);
    let deps = Deps {
        store: store.clone(),
        systems: Systems::new([("erp".to_owned(), Arc::new(Erp(spec)) as Arc<dyn port::Link>)]),
        conversations: Arc::new(Mute(store.clone())),
        definitions: vec![definition.unwrap_or_else(|| panic!("{found:?}"))],
        known,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SeededEntropy::new(7)),
        limits: Limits::default(),
        listener: Arc::new(Silence),
    };
    Engine::open(deps).await.unwrap()
}

fn operation() -> Operation {
    Operation::new("book", Repeat::Keyed)
}

fn answer() -> Value {
    json!({ "id": "booking-1", "status": "booked", "lines": [{ "product": "p1", "quantity": 2 }] })
}

/// A system that answers at once.
struct Erp(Spec);

impl Adapter for Erp {
    fn spec(&self) -> &Spec {
        &self.0
    }

    async fn call(&self, _ctx: &Ctx, _call: Call) -> Result<Reply, Fault> {
        Ok(Reply { output: answer(), status: Some(port::Status::http(200)), ..Reply::default() })
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

/// Commits and says nothing.
struct Mute(Store);

impl ConversationPort for Mute {
    fn say<'a>(
        &'a self,
        _outgoing: Outgoing,
        batch: Batch,
        _motion: &'a dyn Motion,
    ) -> futures_util::future::BoxFuture<'a, Result<Receipt, store::Error>> {
        Box::pin(self.0.commit(batch))
    }

    fn may_say<'a>(
        &'a self,
        _: conversation::Outgoing,
        _: &'a dyn conversation::Motion,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<conversation::NotSaid>, store::Error>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn is_open<'a>(
        &'a self,
        _tenant: &'a str,
        _conversation: &'a str,
    ) -> futures_util::future::BoxFuture<'a, Result<bool, store::Error>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}
