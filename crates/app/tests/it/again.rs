//! Callers who come again after a kill, because they were not answered: what was begun is answered, not begun again.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::crash::{Process, client, free_port};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with one flow, that can be killed.
struct Server {
    _folder: tempfile::TempDir,
    process: Process,
    url: String,
}

impl Server {
    async fn open() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port().unwrap());
        let config = folder.path().join("cardan.yaml");
        let store = folder.path().join("cardan.db");
        let text = format!(
            "cardan: 1\nstore: sqlite:{}\nlisten: 127.0.0.1:{port}\n\
             flows: {{ shop: {{ on: {{ commit: {{ system: shop }} }}, do: [ {{ wait: 1ms }} ] }} }}\n",
            store.display()
        );
        std::fs::write(&config, text).unwrap();
        let arguments = ["serve", "--log", "warn", config.to_str().unwrap()];
        let process =
            Process::new(env!("CARGO_BIN_EXE_cardan"), &arguments, &folder.path().join("serve.log"));
        let mut server = Self { _folder: folder, process, url: format!("http://127.0.0.1:{port}") };
        server.start().await;
        server
    }

    async fn start(&mut self) {
        self.process.start(&[]).unwrap();
        assert!(
            self.process.ready(&format!("{}/ready", self.url), PATIENCE).await,
            "{}",
            self.process.last_words()
        );
    }

    /// Kills the server while it is asked, after so long, and starts it again.
    async fn dies(&mut self, asked: impl Future<Output = ()>, after: Duration) {
        let process = &mut self.process;
        let kill = async {
            tokio::time::sleep(after).await;
            process.kill();
        };
        tokio::join!(asked, kill);
        self.start().await;
    }
}

/// What is answered; nothing by a server that is killed.
async fn post(url: &str, path: &str, key: Option<&str>, body: &Value) -> Option<(u16, Value)> {
    let mut request = client().post(format!("{url}{path}")).header("prefer", "wait=10").json(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

/// A commit under the round's key, with an act id of its own.
fn commit(round: u32, number: u32) -> Value {
    json!({
        "id": format!("act_{round}_{number}"), "timestamp": "2026-01-01T00:00:00Z", "speaker": "ada", "type": "commit",
        "entity": format!("order_{round}"), "action": "create", "system": "shop", "idempotency_key": format!("k-{round}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_under_one_key_are_one_run_also_over_a_kill() {
    let mut server = Server::open().await;
    for round in 0..4 {
        let (url, path) = (server.url.clone(), format!("/v1/conversations/conv_{round}/acts"));
        let one = |number: u32| {
            let (url, path) = (url.clone(), path.clone());
            async move {
                // Some have a key of their own at the door, too.
                let key = number.is_multiple_of(2).then(|| format!("r-{round}-{number}"));
                post(&url, &path, key.as_deref(), &commit(round, number)).await
            }
        };
        let all = |from: u32| join_all((from..from + 30).map(one));
        let asked = async { drop(all(0).await) };
        server.dies(asked, Duration::from_millis(5 + 20 * u64::from(round))).await;
        let answers = join_all([all(0), all(30)]).await.concat();
        let runs: Vec<&Value> =
            answers.iter().flatten().map(|(_, told)| &told["integrations"][0]["run"]).collect();
        assert_eq!(runs.len(), 60);
        assert!(runs.iter().all(|run| run.is_string() && *run == runs[0]), "{answers:?}");
        let listed = client().get(format!("{url}/v1/runs?conversation=conv_{round}")).send().await.unwrap();
        let listed: Value = listed.json().await.unwrap();
        assert_eq!(listed["runs"].as_array().map(Vec::len), Some(1), "{listed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn making_and_ending_a_conversation_is_answered_as_it_was_also_over_a_kill() {
    let mut server = Server::open().await;
    for round in 0..6 {
        let url = server.url.clone();
        let made = json!({"id": format!("conv_{round}"), "participants": [{"id": "ada", "type": "human"}]});
        let end = format!("/v1/conversations/conv_{round}/end");
        let failed = json!({"status": "failed"});
        let (make_key, end_key) = (format!("make-{round}"), format!("end-{round}"));
        let make = || post(&url, "/v1/conversations", Some(&make_key), &made);
        let end = || post(&url, &end, Some(&end_key), &failed);
        let after = Duration::from_millis(round);
        server.dies(async { drop(make().await) }, after).await;
        let (status, first) = make().await.unwrap();
        assert_eq!((status, &first["status"]), (201, &json!("active")), "{first}");
        server.dies(async { drop(end().await) }, after).await;
        let (status, ended) = end().await.unwrap();
        assert_eq!((status, &ended["status"]), (200, &json!("failed")), "{ended}");
        assert_eq!(make().await.unwrap(), (201, first), "as it was answered first");
    }
}
