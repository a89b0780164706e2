//! Single calls are collected and arrive as one: in a running house, whose close sends what is still waiting.

use std::sync::Arc;
use std::time::Duration;

use app::config;
use app::wire::House;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// How long runs may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a system that takes many records at once was asked, a body per call.
type Asked = Arc<Mutex<Vec<Value>>>;

/// Refuses a body with a poison record whole, as systems do.
async fn bulk(State(asked): State<Asked>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    asked.lock().push(body.clone());
    let records = body["records"].as_array().unwrap();
    if records.iter().any(|record| record["name"] == "poison") {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "title": "a record is invalid" })));
    }
    let results: Vec<Value> = records.iter().map(|record| json!({ "saved": record["id"] })).collect();
    (StatusCode::OK, Json(json!({ "results": results })))
}

struct Scene {
    folder: tempfile::TempDir,
    asked: Asked,
    house: House,
}

impl Scene {
    /// A house that collects up to `size` records for so long.
    async fn open(size: u32, timeout: &str) -> Self {
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let asked = Asked::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let system = listener.local_addr().unwrap();
        let router = Router::new().route("/bulk", post(bulk)).with_state(asked.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "cardan: 1
store: sqlite:{}
listen: 127.0.0.1:0
systems:
  crm:
    guard:
      operations:
        save: {{ batch: {{ into: save_many, items: records, results: results, keys: key, size: {size}, timeout: {timeout} }} }}
    rest:
      url: http://{system}
      operations:
        save: {{ put: '/one/{{id}}', repeat: keyed }}
        save_many: {{ post: /bulk, repeat: safe }}
flows:
  save:
    on: {{ commit: {{ system: contacts }} }}
    do: [ {{ save: {{ call: crm.save, with: {{ id: '${{ entity.id }}', name: '${{ entity.name }}' }} }} }} ]
    result: {{ saved: '${{ steps.save.saved }}' }}
",
            folder.path().join("cardan.db").display()
        );
        std::fs::write(folder.path().join("cardan.yaml"), text).unwrap();
        let house = Self::house(&folder).await;
        Self { folder, asked, house }
    }

    async fn house(folder: &tempfile::TempDir) -> House {
        let (config, warnings) = config::load(&folder.path().join("cardan.yaml")).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        House::open(&config).await.unwrap()
    }

    async fn commit(&self, entity: &str, name: &str) {
        let about = json!({ "id": entity, "type": "contact" });
        let mut acts = [
            json!({ "type": "fact", "entity": about, "field": "name", "value": name }),
            json!({ "type": "commit", "entity": entity, "action": "create", "system": "contacts" }),
        ];
        for (at, act) in acts.iter_mut().enumerate() {
            act["id"] = json!(format!("act_{entity}_{at}"));
            act["speaker"] = json!("ada");
            act["timestamp"] = json!("2026-01-01T00:00:00Z");
        }
        let url = format!("http://{}/v1/conversations/conv_{entity}/acts", self.house.address);
        let answer = reqwest::Client::new().post(url).json(&acts).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The runs, once `count` of them have that status.
    async fn runs(&self, count: usize, status: &str) -> Vec<Value> {
        let url = format!("http://{}/v1/runs?limit=100", self.house.address);
        let there = async {
            loop {
                let page: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
                let runs = page["runs"].as_array().unwrap().clone();
                if runs.iter().filter(|run| run["status"] == status).count() == count {
                    return runs;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap_or_else(|_| panic!("no {count} runs are {status}"))
    }

    fn records(&self) -> Vec<Vec<Value>> {
        self.asked.lock().iter().map(|body| body["records"].as_array().unwrap().clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collected_calls_arrive_as_one_and_a_poison_item_fails_alone() {
    let scene = Scene::open(4, "1h").await;
    for (entity, name) in [("c1", "ada"), ("c2", "poison"), ("c3", "bruno"), ("c4", "carla")] {
        scene.commit(entity, name).await;
    }
    scene.runs(3, "succeeded").await;
    let runs = scene.runs(1, "failed").await;
    let refused = runs.iter().find(|run| run["status"] != "succeeded").unwrap();
    assert_eq!(refused["conversation"], "conv_c2");
    let asked = scene.records();
    assert_eq!(asked[0].len(), 4, "all in one: {asked:?}");
    let keys: Vec<&Value> = asked[0].iter().map(|record| &record["key"]).collect();
    let own: std::collections::BTreeSet<&str> = keys.iter().filter_map(|key| key.as_str()).collect();
    assert_eq!(own.len(), 4, "each its own: {keys:?}");
    let alone: Vec<&Vec<Value>> = asked.iter().filter(|records| records.len() == 1).collect();
    assert!(alone.iter().any(|records| records[0]["name"] == "poison"), "{asked:?}");
    scene.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_the_house_sends_what_is_collected() {
    let scene = Scene::open(100, "1h").await;
    for entity in ["c1", "c2", "c3"] {
        scene.commit(entity, "ada").await;
    }
    scene.runs(3, "running").await;
    assert!(scene.records().is_empty(), "they wait for more");
    let Scene { folder, asked, house } = scene;
    house.close().await;
    let sent = asked.lock().len();

    let house = Scene::house(&folder).await;
    let scene = Scene { folder, asked, house };
    scene.runs(3, "succeeded").await;
    let records = scene.records();
    assert_eq!(records.iter().map(Vec::len).sum::<usize>(), 3, "each once: {records:?}");
    assert_eq!(records.len(), sent, "and all of them before the house was closed");
    scene.house.close().await;
}
