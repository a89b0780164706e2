//! One campaign: a server that is killed again and again, clients that insist, and the audit at the end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::crash::{Audit, Clients, Finding, Ledger, Process, free_port};

use crate::providers;

/// How a server's life ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kill {
    /// SIGKILL so many milliseconds after it was ready.
    After(u64),
    /// At a named point, by its own hand.
    At(&'static str),
}

/// Concurrent clients.
const CLIENTS: usize = 8;
/// How long a server may take to start, and a point to be reached.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a point is passed before it kills, so that it happens in the middle of the work.
const PASSES: u32 = 20;

pub(crate) struct Campaign {
    folder: tempfile::TempDir,
    systems: Process,
    server: Process,
    server_url: String,
    systems_url: String,
    /// Another provider of payments, of which the systems know nothing, and where it listens.
    second: Option<(Process, String)>,
    environment: Vec<(&'static str, &'static str)>,
    ledger: Ledger,
}

impl Campaign {
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix(&format!("cardan-crash-{name}-")).tempdir().unwrap();
        let (port, sim_port) = (free_port().unwrap(), free_port().unwrap());
        let config = configure(folder.path(), port, sim_port);
        let binary = env!("CARGO_BIN_EXE_cardan");
        let listen = format!("127.0.0.1:{sim_port}");
        let log = |name: &str| folder.path().join(name);
        let stock = ["simulate", "--stock", "1000000", "--listen", &listen];
        let systems = Process::new(binary, &stock, &log("simulate.log"));
        let serve = ["serve", "--log", "warn", config.to_str().unwrap()];
        let server = Process::new(binary, &serve, &log("serve.log"));
        Self {
            systems,
            server,
            server_url: format!("http://127.0.0.1:{port}"),
            systems_url: format!("http://127.0.0.1:{sim_port}"),
            second: None,
            environment: Vec::new(),
            ledger: Ledger::default(),
            folder,
        }
    }

    /// Lets payments be made by two providers in turn, of which neither knows the other's keys.
    pub(crate) fn with_two_providers(mut self) -> Self {
        let port = free_port().unwrap();
        let listen = format!("127.0.0.1:{port}");
        let log = self.folder.path().join("second.log");
        let process = Process::new(env!("CARGO_BIN_EXE_cardan"), &["simulate", "--listen", &listen], &log);
        let config = self.folder.path().join("cardan.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, providers::two(&text, port)).unwrap();
        self.second = Some((process, format!("http://{listen}")));
        self
    }

    /// Plants a bug.
    pub(crate) fn with_mutant(mut self, name: &'static str) -> Self {
        self.environment.push(("CARDAN_MUTANT", name));
        self
    }

    /// Runs the campaign and expects nothing wrong.
    pub(crate) async fn run(self, plan: Vec<Kill>) {
        let findings = self.findings(plan).await;
        let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "{} findings:\n{}", told.len(), told.join("\n"));
    }

    /// Runs the campaign and tells what was wrong.
    pub(crate) async fn findings(mut self, plan: Vec<Kill>) -> Vec<Finding> {
        self.systems.start(&[]).unwrap();
        assert!(self.systems.ready(&format!("{}/_sim/state", self.systems_url), PATIENCE).await);
        if let Some((second, url)) = &mut self.second {
            second.start(&[]).unwrap();
            assert!(second.ready(&format!("{url}/_sim/state"), PATIENCE).await);
            providers::take_their_time(&self.systems_url, url).await;
        }
        let clients = Clients::start(&self.server_url, CLIENTS, &self.ledger);
        let kills = plan.len();
        for kill in plan {
            self.live(kill).await;
        }
        self.serve(&[]).await;
        let orders = clients.finish().await;
        self.rest().await;
        let acked = self.ledger.read();
        let mut audit = Audit::collect(&self.server_url, &self.systems_url, &acked).await.unwrap();
        if let Some((_, url)) = &self.second {
            audit.add_payments(url).await.unwrap();
        }
        println!(
            "{kills} kills, {} acts acknowledged, {orders} orders, {} runs, store in {}",
            acked.len(),
            audit.runs.len(),
            self.folder.path().display()
        );
        audit.findings(&acked, orders)
    }

    /// One life of the server.
    async fn live(&mut self, kill: Kill) {
        match kill {
            Kill::After(millis) => {
                self.serve(&[]).await;
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.server.kill();
            }
            Kill::At(point) => {
                let failpoint = format!("{point}:{PASSES}");
                self.serve(&[("CARDAN_FAILPOINT", &failpoint)]).await;
                let reached = async {
                    while self.server.running() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                let reached = tokio::time::timeout(PATIENCE, reached).await;
                assert!(reached.is_ok(), "{point} was not passed {PASSES} times");
                self.server.kill();
            }
        }
    }

    /// Starts the server. It may die at a failpoint before it is ready: then this life is over already.
    async fn serve(&mut self, more: &[(&str, &str)]) {
        let environment: Vec<(&str, &str)> =
            self.environment.iter().copied().chain(more.iter().copied()).collect();
        self.server.start(&environment).unwrap();
        let ready = self.server.ready(&format!("{}/ready", self.server_url), PATIENCE).await;
        let dies_early = !more.is_empty() && !self.server.running();
        assert!(ready || dies_early, "the server did not start:\n{}", self.server.last_words());
    }

    /// Waits until no run is at work.
    async fn rest(&mut self) {
        let quiet = async {
            while !Audit::at_rest(&self.server_url).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // Runs that wait for something longer than this are judged by the audit.
        let _patience = tokio::time::timeout(PATIENCE, quiet).await;
    }
}

/// The pizza example, with this campaign's ports and store, and a guard that gives way at once.
fn configure(folder: &Path, port: u16, sim_port: u16) -> PathBuf {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pizza-orders/cardan.yaml");
    let text = std::fs::read_to_string(example).unwrap();
    let store = folder.join("cardan.db");
    let text = text
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("127.0.0.1:7101", &format!("127.0.0.1:{sim_port}"))
        .replace("sqlite:data/cardan.db", &format!("sqlite:{}", store.display()));
    let path = folder.join("cardan.yaml");
    std::fs::write(&path, unlimited(&text)).unwrap();
    path
}

/// Profiles limit how fast systems are called; a campaign wants to be quick.
fn unlimited(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().strip_prefix("profile: ") {
        // A call whose end nobody saw settles after its deadline.
        Some(_) => "    guard: { limit: off, deadline: 2s, attempt_timeout: 1s }".to_owned(),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
