//! Several servers, each with a store of its own, before the same simulated systems.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::crash::{Process, free_port};

/// How long a process may take to start, or runs to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers and the systems. All end with it.
pub(crate) struct Nodes {
    folder: tempfile::TempDir,
    _systems: Process,
    /// Where the simulated systems listen.
    pub(crate) systems: SocketAddr,
    pub(crate) nodes: Vec<Node>,
}

/// One server.
pub(crate) struct Node {
    _process: Process,
    pub(crate) url: String,
    log: std::path::PathBuf,
}

impl Nodes {
    /// The systems alone.
    pub(crate) async fn none() -> Self {
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let systems: SocketAddr = format!("127.0.0.1:{}", free_port().unwrap()).parse().unwrap();
        let arguments = ["simulate", "--listen", &systems.to_string()];
        let log = folder.path().join("simulate.log");
        let mut process = Process::new(env!("CARGO_BIN_EXE_cardan"), &arguments, &log);
        process.start(&[]).unwrap();
        let ready = process.ready(&format!("http://{systems}/_sim/state"), PATIENCE).await;
        assert!(ready, "{}", process.last_words());
        Self { folder, _systems: process, systems, nodes: Vec::new() }
    }

    /// Starts another server with `config`, in which `SYSTEMS` is the address of the simulated systems. What comes
    /// before it (`cardan`, `store`, `listen`) is each server's own.
    pub(crate) async fn serve(&mut self, config: &str) {
        self.serve_in(&[], config).await;
    }

    /// The same with extra environment variables.
    pub(crate) async fn serve_in(&mut self, environment: &[(&str, &str)], config: &str) {
        let config = config.replace("SYSTEMS", &format!("http://{}", self.systems));
        let (number, folder) = (self.nodes.len(), self.folder.path());
        self.nodes.push(Node::start(number, folder, environment, &config).await);
    }

    /// What was asked of a simulated system.
    pub(crate) async fn ledger(&self, system: &str) -> Vec<Value> {
        let url = format!("http://{}/_sim/{system}/ledger", self.systems);
        let asked: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        asked.as_array().unwrap().clone()
    }
}

impl Node {
    async fn start(
        number: usize,
        folder: &std::path::Path,
        environment: &[(&str, &str)],
        config: &str,
    ) -> Self {
        let port = free_port().unwrap();
        let file = folder.join(format!("node-{number}.yaml"));
        let store = folder.join(format!("node-{number}.db"));
        let own = format!("cardan: 1\nstore: sqlite:{}\nlisten: 127.0.0.1:{port}\n", store.display());
        std::fs::write(&file, own + config).unwrap();
        let log = folder.join(format!("node-{number}.log"));
        let arguments = ["serve", "--log", "info", file.to_str().unwrap()];
        let mut process = Process::new(env!("CARGO_BIN_EXE_cardan"), &arguments, &log);
        process.start(environment).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        assert!(process.ready(&format!("{url}/ready"), PATIENCE).await, "{}", process.last_words());
        Self { _process: process, url, log }
    }

    /// Commits an action on an entity of its own, with these fields.
    pub(crate) async fn commit(&self, system: &str, entity: &str, fields: &Value) {
        let about = json!({ "id": entity, "type": "order" });
        let fact = |(field, value): (&String, &Value)| json!({ "type": "fact", "entity": about, "field": field, "value": value });
        let mut acts: Vec<Value> = fields.as_object().unwrap().iter().map(fact).collect();
        acts.push(json!({ "type": "commit", "entity": entity, "action": "create", "system": system }));
        for (at, act) in acts.iter_mut().enumerate() {
            act["id"] = json!(format!("act_{system}_{entity}_{at}"));
            act["speaker"] = json!("ada");
            act["timestamp"] = json!("2026-01-01T00:00:00Z");
        }
        let url = format!("{}/v1/conversations/conv_{entity}/acts", self.url);
        let answer = reqwest::Client::new().post(url).json(&acts).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Every run, once there are `count` of them and each is over or waits for something.
    pub(crate) async fn runs(&self, count: usize) -> Vec<Value> {
        let there = async {
            loop {
                let page = self.get("/v1/runs?limit=100").await;
                let runs = page["runs"].as_array().unwrap().clone();
                if runs.len() == count && runs.iter().all(rests) {
                    return runs;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let there = tokio::time::timeout(PATIENCE, there).await;
        match there {
            Ok(runs) => runs,
            Err(_) => panic!("{:#}", self.get("/v1/runs?limit=100").await),
        }
    }

    /// What a page of the API says.
    pub(crate) async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().json().await.unwrap()
    }

    /// The lines of `/metrics` that begin so.
    pub(crate) async fn metrics(&self, name: &str) -> Vec<String> {
        let text = reqwest::get(format!("{}/metrics", self.url)).await.unwrap().text().await.unwrap();
        text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

/// Whether a run is over, or waits for something; one that is queued has yet to begin.
fn rests(run: &Value) -> bool {
    let ended =
        ["succeeded", "failed", "compensated", "cancelled"].iter().any(|status| run["status"] == *status);
    let waits = run["blocked_on"]["reason"].as_str().is_some_and(|reason| reason != "queued");
    ended || (waits && run["status"] != "queued")
}
