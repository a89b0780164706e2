//! A flood of acts, and what operators wait for meanwhile: at the door that everybody uses, and at their own.
//! `cargo bench -p bench --bench flood`
//!
//! Each connection sends its next act as soon as the last was answered, also when that was refused.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bench::http::{Load, Script, drive};
use bench::machine;
use bench::pulse::Pulse;
use bench::server::{Server, binary, free};
use bench::stats::{Latencies, Runs};

const RUNS: usize = 3;
const PERIOD: Duration = Duration::from_secs(8);
const CONNECTIONS: usize = 256;
const IN_FLIGHT: [usize; 3] = [64, 128, 10_000];
/// The health that a probe asks for, and what `cardan flow list --stuck` does.
const ASKED: [&str; 2] = ["/ready", "/v1/runs?stuck=true"];

fn main() {
    machine::print("a flood of acts, and what operators wait for");
    let binary = binary().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "method: {CONNECTIONS} connections from this process, on the same cores, each as fast as it is answered; operators \
         ask every 20 ms on a connection and a thread of their own; {RUNS} runs of {} s in turn",
        PERIOD.as_secs()
    );
    for in_flight in IN_FLIGHT {
        let mut doors = [Door::new("main", in_flight), Door::new("operators'", in_flight)];
        for run in 0..RUNS {
            for door in &mut doors {
                runtime.block_on(door.flooded(&binary, run));
            }
        }
        doors.iter().for_each(Door::print);
    }
    println!("load after: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}

/// Where operators ask, and what came of it.
struct Door {
    name: &'static str,
    in_flight: usize,
    accepted: Vec<f64>,
    p99: Vec<f64>,
    /// p50, p99 and how many were refused, of each thing that is asked.
    asked: [(Vec<f64>, Vec<f64>, usize); 2],
}

impl Door {
    fn new(name: &'static str, in_flight: usize) -> Self {
        Self { name, in_flight, accepted: Vec::new(), p99: Vec::new(), asked: Default::default() }
    }

    async fn flooded(&mut self, binary: &Path, run: usize) {
        let folder = tempfile::tempdir().unwrap();
        let (server, operators) = self.open(binary, folder.path());
        let pulses = ASKED.map(|path| Pulse::of(operators, path).unwrap());
        let load = flood(server.address, run).await;
        for (pulse, (p50, p99, bad)) in pulses.into_iter().zip(&mut self.asked) {
            let (latencies, refused): (Latencies, usize) = pulse.stop().unwrap();
            p50.push(latencies.percentile(0.5));
            p99.push(latencies.percentile(0.99));
            *bad += refused;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
        let share = 1.0 - load.refused as f64 / load.latencies.count() as f64;
        self.accepted.push(load.rate * share);
        self.p99.push(load.latencies.percentile(0.99));
    }

    /// A server, and where its operators are heard.
    fn open(&self, binary: &Path, folder: &Path) -> (Server, SocketAddr) {
        let (address, own) = (free().unwrap(), free().unwrap());
        let store = folder.join("cardan.db");
        let mut text = format!(
            "cardan: 1\nstore: sqlite:{}\nlisten: {address}\nlimits: {{ in_flight: {} }}\n",
            store.display(),
            self.in_flight
        );
        let apart = self.name != "main";
        if apart {
            text += &format!("operators: {{ listen: {own} }}\n");
        }
        let config = folder.join("cardan.yaml");
        std::fs::write(&config, text).unwrap();
        let arguments = ["serve", "--log", "error", config.to_str().unwrap()];
        let server = Server::start(binary, &arguments, address).unwrap();
        (server, if apart { own } else { address })
    }

    fn print(&self) {
        let runs = |figures: &[f64]| Runs::new(figures.to_vec());
        println!(
            "in_flight {:>6}, asked at the {} door: {} acts/s accepted, p99 of all answers {} ms",
            self.in_flight,
            self.name,
            runs(&self.accepted),
            runs(&self.p99)
        );
        for (path, (p50, p99, bad)) in ASKED.iter().zip(&self.asked) {
            println!("    {path:<20} p50 {} ms, p99 {} ms, {bad} refused", runs(p50), runs(p99));
        }
    }
}

async fn flood(to: SocketAddr, run: usize) -> Load {
    let script: Arc<Script> = Arc::new(move |connection, number| {
        let path = format!("/v1/conversations/conv_{run}_{connection}_{}/acts", number / 500);
        let act = format!(
            r#"{{"id":"act_{number}","type":"fact","timestamp":"2026-01-01T00:00:00Z","speaker":"ada","entity":{{"id":"order_1","type":"order"}},"field":"note","value":"a note of ordinary length, number {number}"}}"#
        );
        (path, act)
    });
    drive(to, CONNECTIONS, PERIOD, "application/json", script).await.unwrap()
}
