//! A kind of adapter that whoever starts the server brings: known to the configuration, built, and let go of at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adapters::{Built, Env, Kind, Kinds};
use app::config;
use app::wire::House;
use diag::{Field, Node, Shape};
use futures_util::future::BoxFuture;
use port::{Adapter, Call, Ctx, Fault, Operation, Repeat, Reply, Spec};
use serde_json::Value;

/// Whether the pigeon was let go.
static FREE: AtomicBool = AtomicBool::new(false);

const PIGEON: Kind = Kind {
    name: "pigeon",
    reference: "# pigeon\n",
    shape: || Shape::object([Field::new("loft", Shape::text()).required()]),
    check: |_, _| Vec::new(),
    spec: |system, _| Some(spec(system)),
    build,
};

struct Pigeon(Spec);

fn spec(system: &str) -> Spec {
    let operations = vec![Operation::new("fly", Repeat::Never)];
    Spec { system: system.into(), adapter: "pigeon", version: "1.0.0", operations, probe_every: None }
}

fn build<'a>(system: &'a str, _section: &'a Node, _env: &'a Env) -> BoxFuture<'a, Built> {
    Box::pin(async move {
        // As one that connects.
        tokio::task::yield_now().await;
        Ok(Arc::new(Pigeon(spec(system))) as _)
    })
}

impl Adapter for Pigeon {
    fn spec(&self) -> &Spec {
        &self.0
    }

    async fn call(&self, _ctx: &Ctx, _call: Call) -> Result<Reply, Fault> {
        Ok(Reply::default())
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {
        FREE.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_is_handed_over_is_a_kind_like_the_others() {
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let (file, store) = (folder.path().join("cardan.yaml"), folder.path().join("cardan.db"));
    let text = "listen: 127.0.0.1:0\nsystems: { post: { pigeon: { loft: roof } } }\n";
    std::fs::write(&file, format!("cardan: 1\nstore: sqlite:{}\n{text}", store.display())).unwrap();
    let kinds = Kinds::built_in().with(PIGEON);
    let unknown = config::load(&file).unwrap_err().to_string();
    assert!(unknown.contains("pigeon"), "{unknown}");
    let wrong = text.replace("loft", "lofty");
    let source = diag::Source { file: "x.yaml".into(), text: format!("cardan: 1\n{wrong}").into() };
    let refused = config::check_with(&[source], &kinds);
    assert!(refused.config.is_none() && !refused.found.is_empty());

    let (config, warnings) = config::load_with(&file, &kinds).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let house = House::open(&config).await.unwrap();
    let url = format!("http://{}/v1/systems/post", house.address);
    let shown: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!((&shown["adapter"], &shown["operations"][0]["name"]), (&"pigeon".into(), &"fly".into()));
    assert!(!FREE.load(Ordering::Relaxed));
    house.close().await;
    assert!(FREE.load(Ordering::Relaxed), "a system is let go of when the server closes");
}
