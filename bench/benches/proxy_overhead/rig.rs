//! The same exchange twice: with the HTTP client alone, and through the rest adapter behind a whole guard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters::{Env, Kinds, Secrets};
use futures_util::FutureExt;
use guard::{Algorithm, Deaf, Guarded, Limit, Mode, Policy};
use port::{Call, Ctx, IdempotencyKey, Link, SystemClock};
use secrecy::SecretString;
use serde_json::{Value, json};

/// Which of the two.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Bare,
    Guarded,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Bare => "bare",
            Kind::Guarded => "guarded",
        }
    }
}

pub(crate) struct Rig {
    client: reqwest::Client,
    url: String,
    guarded: Guarded,
    ctx: Ctx,
    body: Value,
}

/// 1 KB of JSON.
pub(crate) fn body() -> Value {
    json!({ "text": "x".repeat(1013) })
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _name: &str) -> Option<SecretString> {
        None
    }
}

impl Rig {
    pub(crate) fn new(to: SocketAddr) -> Self {
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let env = Env::new(Arc::new(NoSecrets)).unwrap();
        let section = json!({ "url": format!("http://{to}"), "operations": { "echo": { "post": "/echo", "repeat": "keyed" } } });
        let build = Kinds::built_in().find("rest").unwrap().build;
        // The adapter waits for nothing while it is built.
        let link = build("remote", &diag::Node::from_json(&section), &env).now_or_never().unwrap().unwrap();
        let guarded = Guarded::new(link, whole(), Arc::new(Deaf), Arc::new(SystemClock));
        let (client, url) = (env.http, format!("http://{to}/echo"));
        Self { client, url, guarded, ctx: Ctx::new("acme", "bench"), body: body() }
    }

    pub(crate) async fn call(&self, kind: Kind) {
        let answer = match kind {
            Kind::Bare => self.bare().await,
            Kind::Guarded => self.guarded().await,
        };
        assert_eq!(answer, self.body);
    }

    async fn bare(&self) -> Value {
        let answer = self.client.post(&self.url).json(&self.body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn guarded(&self) -> Value {
        let key = IdempotencyKey::new("run-1/charge");
        let call = Call { operation: "echo".into(), input: self.body.clone().into(), key };
        self.guarded.call(&self.ctx.within(Duration::from_secs(5)), call).await.unwrap().output
    }
}

/// Every stage, with room for the load.
fn whole() -> Policy {
    let algorithm = Algorithm::TokenBucket;
    let limit = Limit {
        per: guard::Per::System,
        capacity: 100_000,
        refill_per_second: 1e6,
        weight: 1,
        mode: Mode::Reject,
        algorithm,
        shared: None,
    };
    Policy { limit: Some(limit), deadline: Some(Duration::from_secs(5)), ..Policy::default() }
}
