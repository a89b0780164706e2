//! `cardan check --against STORE`: live runs that need what a configuration lacks are told before it is deployed.

use std::path::Path;

use expect_test::expect;
use serde_json::Value;

use crate::cardan::Cardan;

fn config(ships: &str) -> String {
    format!(
        "cardan: 1\nstore: sqlite:cardan.db\nlisten: 127.0.0.1:0\n\
         systems: {{ shop: {{ rest: {{ url: 'http://127.0.0.1:9', operations: {{ {ships}: {{ post: /ship, repeat: keyed }} }} }} }} }}\n\
         flows: {{ pay: {{ on: {{ commit: {{ system: shop }} }}, do: [ {{ nap: {{ wait: 1h }} }}, {{ two: {{ call: shop.{ships}, compensate: none }} }} ] }} }}\n"
    )
}

/// A live run of the flow, in a store of its own.
async fn live(folder: &Path) -> String {
    use std::sync::Arc;
    let sources = [diag::Source { file: "cardan.yaml".into(), text: config("ship").into() }];
    let config = app::config::check(&sources).config.unwrap();
    let store = store::Store::open(folder.join("cardan.db"), store::Options::default()).unwrap();
    struct Nobody(store::Store);
    impl conversation::ConversationPort for Nobody {
        fn say<'a>(
            &'a self,
            _: conversation::Outgoing,
            batch: store::Batch,
            _: &'a dyn conversation::Motion,
        ) -> futures_util::future::BoxFuture<'a, Result<store::Receipt, store::Error>> {
            Box::pin(self.0.commit(batch))
        }
        fn may_say<'a>(
            &'a self,
            _: conversation::Outgoing,
            _: &'a dyn conversation::Motion,
        ) -> futures_util::future::BoxFuture<'a, Result<Option<conversation::NotSaid>, store::Error>>
        {
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
    let engine = flow::Engine::open(flow::Deps {
        store: store.clone(),
        systems: port::Systems::default(),
        conversations: Arc::new(Nobody(store.clone())),
        definitions: config.flows.values().cloned().collect(),
        known: config.known(),
        clock: Arc::new(port::SystemClock),
        entropy: Arc::new(port::SystemEntropy),
        limits: flow::Limits::default(),
        listener: Arc::new(flow::Silence),
    })
    .await
    .unwrap();
    let mut start = flow::Start::default();
    start.run = flow::RunId::of_commit("local", "conv_1", "act_1", "pay").to_string();
    (start.flow, start.tenant, start.correlation) = ("pay".into(), "local".into(), "c".into());
    start.input = serde_json::json!({ "entity": {} });
    let mut batch = store::Batch::default();
    let run = engine.begin(&mut batch, start).unwrap();
    store.commit(batch).await.unwrap();
    engine.stop(std::time::Duration::ZERO).await;
    store.close().await;
    run.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_live_runs_need_is_told_before_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let run = live(folder.path()).await;
    let check = async |ships: &str, more: &[&str]| {
        std::fs::write(folder.path().join("cardan.yaml"), config(ships)).unwrap();
        let arguments = [&["check", "cardan.yaml", "--against", "cardan.db"], more].concat();
        Cardan::new(folder.path(), &arguments).end().await
    };
    let well = check("ship", &[]).await;
    expect!["cardan.yaml: valid: 1 system, 1 flow and 0 warnings; 0 steps of live runs need what is not configured\n"]
        .assert_eq(well.done());
    let gone = check("shipp", &[]).await;
    expect![[r#"
        RUN (flow pay): step two needs shop.ship (call), which is not configured
        cardan.yaml: valid: 1 system, 1 flow and 0 warnings; 1 step of live runs needs what is not configured
    "#]]
    .assert_eq(&gone.out.replace(&run, "RUN"));
    assert_eq!((gone.code, gone.err.as_str()), (1, ""));
    let json = check("shipp", &["--json"]).await;
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["valid"], &json["needs"][0]["missing"]),
        (&Value::Bool(true), &Value::from("shop.ship"))
    );
    let none = Cardan::new(folder.path(), &["check", "cardan.yaml", "--against", "other.db"]).end().await;
    none.refused(&expect![["cardan: reading other.db: store: other.db: there is no such file\n"]]);
    assert!(!folder.path().join("other.db").exists(), "looking makes nothing");
}
