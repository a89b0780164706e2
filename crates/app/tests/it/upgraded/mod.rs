//! A store that cardan 0.1.0 wrote, killed while it had a live run in every state (`tests/data/store-0.1.0`, made by
//! `scripts/fixture/store-0.1.0.py`): today's server opens it, and every run goes on to its right end.

mod systems;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::crash::{Process, client, free_port};

use self::systems::Ledger;

/// How long a run may take to come to its end.
const PATIENCE: Duration = Duration::from_secs(60);

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store-0.1.0").join(file)
}

fn json_of(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(data(file)).unwrap()).unwrap()
}

/// Today's server on the old store, and the systems it calls.
struct Upgraded {
    _folder: tempfile::TempDir,
    _server: Process,
    url: String,
    ledger: Arc<Mutex<Ledger>>,
    /// The runs by what they were doing when the old server was killed.
    runs: Value,
    acts: u32,
}

impl Upgraded {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("cardan.db");
        let sql = std::fs::read_to_string(data("store.sql")).unwrap();
        rusqlite::Connection::open(&store).unwrap().execute_batch(&sql).unwrap();
        let before = json_of("ledger.json");
        let ledger = Arc::new(Mutex::new(Ledger::before(before.as_array().unwrap())));
        let (port, systems) = (free_port().unwrap(), systems::serve(ledger.clone()).await);
        let text = std::fs::read_to_string(data("cardan.yaml")).unwrap();
        let text = text.replace("PORT", &port.to_string()).replace("SYSTEMS", &systems);
        let config = folder.path().join("cardan.yaml");
        std::fs::write(&config, text.replace("STORE", store.to_str().unwrap())).unwrap();
        let arguments = ["serve", "--log", "warn", config.to_str().unwrap()];
        let mut server =
            Process::new(env!("CARGO_BIN_EXE_cardan"), &arguments, &folder.path().join("serve.log"));
        server.start(&[]).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        assert!(server.ready(&format!("{url}/ready"), PATIENCE).await, "{}", server.last_words());
        let runs = json_of("runs.json");
        Self { _folder: folder, _server: server, url, ledger, runs, acts: 0 }
    }

    fn run(&self, name: &str) -> &str {
        self.runs[name]["run"].as_str().unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        client().get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = client().post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Says something about an order in its conversation, as the one who has spoken there before.
    async fn say(&mut self, order: &str, act: Value) -> Value {
        self.acts += 1;
        let mut whole = json!({
            "id": format!("act_new_{}", self.acts), "timestamp": "2026-12-24T00:00:00Z", "speaker": "ada",
        });
        whole.as_object_mut().unwrap().extend(act.as_object().unwrap().clone());
        let (status, answer) = self.post(&format!("/v1/conversations/conv_{order}/acts"), &whole).await;
        assert!(status == 200 || status == 202, "{status} {answer}");
        answer
    }

    async fn fact(&mut self, order: &str, field: &str, value: Value) -> Value {
        self.say(order, json!({ "type": "fact", "entity": order, "field": field, "value": value })).await
    }

    /// Tries the dead letters of a run again.
    async fn replay(&self, name: &str) {
        let letters = self.get("/v1/dead?state=open").await;
        let mine = |letter: &&Value| letter["source"].as_str().unwrap().starts_with(self.run(name));
        let letters: Vec<&Value> = letters["dead"].as_array().unwrap().iter().filter(mine).collect();
        assert!(!letters.is_empty(), "no dead letter of {name}");
        for letter in letters {
            let (status, answer) =
                self.post(&format!("/v1/dead/{}/replay", letter["id"].as_str().unwrap()), &json!({})).await;
            assert!(status < 300, "{status} {answer}");
        }
    }

    /// Waits for a run's status; what is wrong when it does not come.
    async fn ends(&self, name: &str, status: &str) -> Result<(), String> {
        let path = format!("/v1/runs/{}", self.run(name));
        let there = async {
            while self.get(&path).await["status"] != status {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, there).await {
            Ok(()) => Ok(()),
            Err(_) => Err(format!("{name} is not {status}: {:#}", self.get(&path).await)),
        }
    }

    /// What was done for an order: charged, refunded, noted, mailed, rung.
    fn effects(&self, order: &str) -> [usize; 5] {
        let ledger = self.ledger.lock();
        let ring = ledger.done("/shop/ring", order) + ledger.done("/quick/ring", order);
        let [charge, refund, note, mail] = ["charge", "refund", "note", "mail"]
            .map(|operation| ledger.done(&format!("/shop/{operation}"), order));
        [charge, refund, note, mail, ring]
    }
}

/// What persons do about the runs that wait for one.
async fn people_act(server: &mut Upgraded) {
    server.replay("exhausted").await;
    server.replay("parked").await;
    server.replay("dead").await;
    server.fact("order_asks", "colour", "blue".into()).await;
    let yes = json!({ "type": "confirm", "entity": "order_confirms", "summary": "Shall it be charged?", "awaiting": false, "confirmed": true });
    server.say("order_confirms", yes).await;
    server.fact("order_listens", "paid", true.into()).await;
    for (name, command) in [("paused", "resume"), ("signals", "cancel")] {
        let (status, answer) =
            server.post(&format!("/v1/runs/{}/{command}", server.run(name)), &json!({})).await;
        assert!(status < 300, "{status} {answer}");
    }
}

/// Where each run ends, and what then has been done for its order: charged, refunded, noted, mailed, rung.
const ENDS: [(&str, &str, &str, [usize; 5]); 23] = [
    ("out", "succeeded", "order_out", [2, 0, 2, 0, 0]),
    ("queued", "succeeded", "order_out", [2, 0, 2, 0, 0]),
    ("out_keyed", "succeeded", "order_out_keyed", [1, 0, 1, 0, 0]),
    ("lost", "succeeded", "order_lost", [1, 0, 1, 0, 0]),
    ("done", "succeeded", "order_done", [1, 0, 1, 0, 0]),
    ("timer", "succeeded", "order_timer", [1, 0, 1, 0, 0]),
    ("retry", "succeeded", "order_retry", [1, 0, 0, 0, 0]),
    ("exhausted", "succeeded", "order_exhausted", [1, 0, 1, 0, 0]),
    ("asks", "succeeded", "order_asks", [1, 0, 1, 0, 0]),
    ("confirms", "succeeded", "order_confirms", [1, 0, 0, 0, 0]),
    ("listens", "succeeded", "order_listens", [1, 0, 1, 0, 0]),
    ("signals", "cancelled", "order_signals", [1, 1, 0, 0, 0]),
    ("parent", "succeeded", "child_of_order_parent", [1, 0, 1, 0, 0]),
    ("parent", "succeeded", "order_parent", [1, 0, 1, 0, 0]),
    ("paused", "succeeded", "order_paused", [1, 0, 1, 0, 0]),
    ("rings", "paused", "order_rings", [1, 0, 0, 0, 1]),
    ("looks", "succeeded", "order_looks", [0, 0, 0, 0, 1]),
    ("undoes", "compensated", "order_undoes", [1, 1, 0, 0, 0]),
    ("parked", "compensated", "order_parked", [1, 1, 0, 0, 0]),
    ("cancelled", "cancelled", "order_cancelled", [1, 1, 0, 0, 0]),
    ("rounds", "succeeded", "order_rounds_b", [1, 0, 0, 0, 0]),
    ("forks", "succeeded", "order_forks_left", [1, 0, 0, 0, 0]),
    ("forks", "succeeded", "order_forks_right", [1, 0, 0, 0, 0]),
];

/// Messages that were due, begun or dead when the old server was killed.
const MAILS: [&str; 3] = ["order_due", "order_begun", "order_dead"];

#[tokio::test(flavor = "multi_thread")]
async fn every_run_of_an_old_store_goes_on_to_its_right_end() {
    let mut server = Upgraded::open().await;
    people_act(&mut server).await;
    let mut wrong = Vec::new();
    for (name, status, order, effects) in ENDS {
        wrong.extend(server.ends(name, status).await.err());
        let found = server.effects(order);
        if found != effects {
            wrong.push(format!(
                "{name}: {order} has {found:?}, expected {effects:?} (charged, refunded, noted, mailed, rung)"
            ));
        }
    }
    for order in MAILS {
        let mailed = async {
            while server.effects(order)[3] != 1 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, mailed).await.is_err() {
            wrong.push(format!("the mail of {order} was sent {} times", server.effects(order)[3]));
        }
    }
    wrong.extend(server.ledger.lock().wrong.iter().cloned());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was out when the old server was killed is asked for again under the keys that it had.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_out_is_sent_again_under_its_old_key() {
    let server = Upgraded::open().await;
    for name in ["out", "out_keyed", "lost", "retry", "cancelled", "undoes", "rounds", "forks"] {
        let ended = ["succeeded", "compensated", "cancelled"];
        let path = format!("/v1/runs/{}", server.run(name));
        let over = async {
            while !ended.contains(&server.get(&path).await["status"].as_str().unwrap()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, over).await.unwrap_or_else(|_| panic!("{name} does not end"));
    }
    let again = json_of("ledger.json");
    let out = again.as_array().unwrap().iter().filter(|entry| entry["answered"] == false);
    let ledger = server.ledger.lock();
    for entry in out.filter(|entry| !entry["path"].as_str().unwrap().ends_with("ring")) {
        let (path, key) = (entry["path"].as_str().unwrap(), entry["key"].as_str().unwrap());
        assert!(ledger.is_old(key));
        assert!(ledger.came.contains(&(path.to_owned(), key.to_owned())), "{path} did not come under {key}");
    }
}

/// A caller who repeats a commit under its key, with another act, causes nothing new.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_an_old_commit_stands() {
    let mut server = Upgraded::open().await;
    let commit = json!({
        "type": "commit", "entity": "order_done", "action": "create", "system": "charge", "idempotency_key": "K-done",
    });
    let answer = server.say("order_done", commit).await;
    let run = answer["integrations"][0]["run"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (run.as_str(), &answer["replayed"]),
        (server.run("done"), &json!(true)),
        "answered as the first"
    );
    let over = async {
        while !run.is_empty() && server.get(&format!("/v1/runs/{run}")).await["status"] != "succeeded" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.unwrap();
    assert_eq!(server.effects("order_done"), [1, 0, 1, 0, 0]);
    let other = json!({
        "id": "act_other", "timestamp": "2026-12-24T00:00:00Z", "speaker": "ada", "type": "commit", "entity": "order_other",
        "action": "create", "system": "charge", "idempotency_key": "K-done",
    });
    let (status, refused) = server.post("/v1/conversations/conv_order_other/acts", &other).await;
    assert_eq!((status, &refused["code"]), (422, &json!("commit.key_reused")), "{refused}");
}

/// What was said before is known, and what was asked still demands.
#[tokio::test(flavor = "multi_thread")]
async fn old_conversations_are_remembered() {
    let mut server = Upgraded::open().await;
    let entity = server.get("/v1/conversations/conv_talk/entities/order_talk").await;
    let fields = json!({ "size": "large", "notes": ["ring twice", "leave it at the door"] });
    assert_eq!(entity["fields"], fields);
    server.say("talk", json!({ "type": "fact", "entity": "order_talk", "field": "notes", "value": "and knock", "operation": "append" })).await;
    let entity = server.get("/v1/conversations/conv_talk/entities/order_talk").await;
    assert_eq!(entity["fields"]["notes"], json!(["ring twice", "leave it at the door", "and knock"]));
    server
        .say(
            "talk",
            json!({ "type": "fact", "entity": "order_talk", "field": "email", "value": "x".repeat(41) }),
        )
        .await;
    let entity = server.get("/v1/conversations/conv_talk/entities/order_talk").await;
    assert_eq!(entity["fields"].get("email"), None, "the ask's constraint is forgotten");
}
