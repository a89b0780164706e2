//! The pizza example with its simulated systems, on free ports and in a folder of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use testkit::crash::{Process, free_port};

use crate::cardan::{Cardan, Ended};

/// How long a process may take to start, or a run to end.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pizza-orders").join(file)
}

/// The example's configuration with its store at `cardan.db` and other ports; 0 is any free one.
pub(crate) fn pizza(port: u16, systems: u16) -> String {
    let text = std::fs::read_to_string(example("cardan.yaml")).unwrap();
    text.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("127.0.0.1:7101", &format!("127.0.0.1:{systems}"))
        .replace("sqlite:data/cardan.db", "sqlite:cardan.db")
}

/// The same without the guards' limits, which would make its flows wait for each other.
pub(crate) fn unlimited(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().strip_prefix("profile: ") {
        Some(_) => "    guard: { limit: off }\n".to_owned(),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// Where the acts of an order go, and the acts: what there is to say about it, and its commit.
pub(crate) fn acts(order: &str) -> (String, Vec<Value>) {
    let act = |number: usize, type_: &str, rest: Value| {
        let mut act = serde_json::json!({
            "id": format!("act_{order}_{number}"), "timestamp": "2026-01-01T00:00:00Z",
            "speaker": "ada", "type": type_, "entity": order,
        });
        act.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        act
    };
    let fields = serde_json::json!({
        "customer_id": "cust_ada", "items": [{ "product_id": "margherita", "quantity": 1 }],
        "total_amount": 9.5, "currency": "EUR", "delivery_address": "Via Roma 12", "email": "ada@example.com",
        "payment_method": "tok_visa",
    });
    let facts = fields.as_object().unwrap().iter().enumerate().map(|(number, (field, value))| {
        act(number, "fact", serde_json::json!({ "field": field, "value": value }))
    });
    let commit = serde_json::json!({ "system": "order_management", "action": "create" });
    let path = format!("/v1/conversations/conv_{order}/acts");
    (path, facts.chain([act(99, "commit", commit)]).collect())
}

/// A running server and the systems it talks to. Both end with it.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    _systems: Process,
    server: Process,
    url: String,
    pub(crate) systems_url: String,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        Self::with(|text| text).await
    }

    /// The same with a changed configuration.
    pub(crate) async fn with(change: impl Fn(String) -> String) -> Self {
        Self::set("warn", change).await
    }

    /// The same with a more talkative log.
    pub(crate) async fn logging(level: &str) -> Self {
        Self::set(level, |text| text).await
    }

    /// Both.
    pub(crate) async fn set(level: &str, change: impl Fn(String) -> String) -> Self {
        // Once a process; a second call changes nothing and is no mistake.
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (port, sim_port) = (free_port().unwrap(), free_port().unwrap());
        let config = folder.path().join("cardan.yaml");
        let store = format!("sqlite:{}", folder.path().join("cardan.db").display());
        let text = pizza(port, sim_port).replace("sqlite:cardan.db", &store);
        std::fs::write(&config, change(text)).unwrap();
        let start = |arguments: &[&str], log: &str| {
            let mut process = Process::new(env!("CARGO_BIN_EXE_cardan"), arguments, &folder.path().join(log));
            process.start(&[]).unwrap();
            process
        };
        let mut systems = start(&["simulate", "--listen", &format!("127.0.0.1:{sim_port}")], "simulate.log");
        let mut server = start(&["serve", "--log", level, config.to_str().unwrap()], "serve.log");
        let (url, systems_url) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{sim_port}"));
        assert!(
            systems.ready(&format!("{systems_url}/_sim/state"), PATIENCE).await,
            "{}",
            systems.last_words()
        );
        // Not `/ready`, which may be at another address.
        assert!(server.ready(&format!("{url}/openapi.json"), PATIENCE).await, "{}", server.last_words());
        Self { folder, _systems: systems, server, url, systems_url }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the server still answers.
    pub(crate) async fn serves(&mut self) -> bool {
        self.server.ready(&format!("{}/ready", self.url), PATIENCE).await
    }

    /// A command that talks to the server.
    pub(crate) async fn cardan(&self, arguments: &[&str]) -> Ended {
        Cardan::new(self.folder(), arguments).env("CARDAN_URL", &self.url).end().await
    }

    /// Plays a story of the example.
    pub(crate) async fn play(&self, story: &Path) -> Ended {
        let story = story.to_str().unwrap();
        self.cardan(&["play", story, "--pace", "0", "--systems", &self.systems_url]).await
    }

    /// Says what there is to say about an order and commits it, in one request with these headers.
    pub(crate) async fn order(&self, order: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let (path, acts) = acts(order);
        let request = reqwest::Client::new().post(self.at(&path)).json(&acts);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
        answer
    }

    /// The same; the run that it starts.
    pub(crate) async fn ordered(&self, order: &str) -> String {
        Self::run_of(self.order(order, &[]).await).await
    }

    /// The run that an order started.
    pub(crate) async fn run_of(answer: reqwest::Response) -> String {
        let told: Value = answer.json().await.unwrap();
        let run = &told.as_array().unwrap().last().unwrap()["integrations"][0]["run"];
        run.as_str().unwrap().to_owned()
    }

    /// The address of a path of the server.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Kills the server with SIGKILL and starts it again.
    pub(crate) async fn killed(&mut self) {
        self.killed_and(|_| ()).await;
    }

    /// The same; in between something is done to its store.
    pub(crate) async fn killed_and(&mut self, done: impl FnOnce(&Path)) {
        self.server.kill();
        done(&self.folder().join("cardan.db"));
        self.server.start(&[]).unwrap();
        let url = self.at("/openapi.json");
        assert!(self.server.ready(&url, PATIENCE).await, "{}", self.server.last_words());
    }

    /// What a path of the server shows.
    pub(crate) async fn page(&self, path: &str) -> String {
        reqwest::get(self.at(path)).await.unwrap().text().await.unwrap()
    }

    /// What the server wrote to its log so far, one document per line.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder().join("serve.log")).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The cells of a table that a command prints, without its headings.
    pub(crate) async fn rows(&self, arguments: &[&str]) -> Vec<Vec<String>> {
        let ended = self.cardan(arguments).await;
        let cells = |line: &str| {
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        };
        ended.done().lines().skip(1).map(cells).collect()
    }

    /// The JSON that a command prints.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(self.cardan(arguments).await.done()).unwrap()
    }

    /// Waits until a run is in a status.
    pub(crate) async fn run_is(&self, run: &str, status: &str) {
        self.becomes(&["flow", "show", "--json", run], "/status", status).await;
    }

    /// Waits until a dead letter is in a state.
    pub(crate) async fn letter_is(&self, letter: &str, state: &str) {
        self.becomes(&["dead", "show", letter], "/state", state).await;
    }

    /// Waits until a run waits for this.
    pub(crate) async fn run_waits_for(&self, run: &str, reason: &str) {
        self.becomes(&["flow", "show", "--json", run], "/blocked_on/reason", reason).await;
    }

    /// Waits until the only message in the outbox waits for this; its row.
    pub(crate) async fn kept_message(&self, reason: &str) -> Vec<String> {
        let there = async {
            loop {
                match &self.rows(&["outbox", "list"]).await[..] {
                    [row] if row[4].starts_with(reason) => return row.clone(),
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("no message waits for that")
    }

    /// Waits until it is so.
    pub(crate) async fn eventually(&self, is_so: impl AsyncFn() -> bool) {
        let there = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let there = tokio::time::timeout(PATIENCE, there).await;
        assert!(there.is_ok(), "it never is: {:#?}", self.log());
    }

    async fn becomes(&self, shown: &[&str], pointer: &str, expected: &str) {
        let there = async {
            while self.json(shown).await.pointer(pointer).is_none_or(|found| found != expected) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let there = tokio::time::timeout(PATIENCE, there).await;
        assert!(there.is_ok(), "its {pointer} is not {expected}: {}", self.cardan(shown).await.out);
    }

    /// What the systems hold, in their own words.
    pub(crate) async fn state(&self) -> Value {
        self.asked("state").await
    }

    /// The mails that were sent; waits for the first, because `tell` is delivered after its run has gone on.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        let sent = async {
            loop {
                let messages = &self.state().await["email"]["messages"];
                match values(messages).into_iter().cloned().collect::<Vec<_>>() {
                    none if none.is_empty() => tokio::time::sleep(Duration::from_millis(50)).await,
                    some => return some,
                }
            }
        };
        tokio::time::timeout(PATIENCE, sent).await.expect("no mail was sent")
    }

    /// What was asked of a system.
    pub(crate) async fn ledger(&self, system: &str) -> Vec<Value> {
        self.asked(&format!("{system}/ledger")).await.as_array().unwrap().clone()
    }

    async fn asked(&self, what: &str) -> Value {
        reqwest::get(format!("{}/_sim/{what}", self.systems_url)).await.unwrap().json().await.unwrap()
    }

    /// Fills the shelves: enough of the pizza that [`acts`] order.
    pub(crate) async fn fill(&self) {
        let url = format!("{}/inventory/products/margherita", self.systems_url);
        let filled = reqwest::Client::new().put(url).json(&serde_json::json!({ "on_hand": 1_000_000 }));
        assert!(filled.send().await.unwrap().status().is_success());
    }

    /// What a system counted: calls, effects, and keys with more than one effect.
    pub(crate) async fn effects(&self, system: &str) -> Value {
        self.asked(&format!("{system}/effects")).await
    }

    /// Tells a system how to behave.
    pub(crate) async fn behave(&self, system: &str, knob: &Value) {
        let url = format!("{}/_sim/{system}/behave", self.systems_url);
        let answer = reqwest::Client::new().post(url).json(knob).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

/// The values of an object, whose names are given out at random.
pub(crate) fn values(object: &Value) -> Vec<&Value> {
    object.as_object().unwrap().values().collect()
}
