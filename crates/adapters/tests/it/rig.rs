//! Builds adapters as the wiring does and calls them.

use std::sync::Arc;
use std::time::Duration;

use adapters::{Built, Env, Kind, Kinds, Secrets};
use diag::Node;
use futures_util::FutureExt;
use port::{Call, Ctx, Fault, IdempotencyKey, Link, Reply};
use secrecy::SecretString;
use serde_json::Value;

pub(crate) const SECRET: &str = "hunter2-hunter2";

struct Vault;

impl Secrets for Vault {
    fn get(&self, name: &str) -> Option<SecretString> {
        match name {
            "KEY" => Some(SECRET.into()),
            "EMPTY" => Some("".into()),
            "UNSENDABLE" => Some("a\nb".into()),
            "CALLER" => Some(include_str!("../data/tls/caller.key").into()),
            _ => None,
        }
    }
}

pub(crate) fn env() -> Env {
    _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Env::new(Arc::new(Vault)).unwrap()
}

pub(crate) fn build(kind: &Kind, section: &Value) -> Arc<dyn Link> {
    let node = Node::from_json(section);
    let findings = (kind.shape)().check(&node).into_iter().chain((kind.check)("remote", &node));
    assert_eq!(findings.collect::<Vec<_>>(), [], "{section}");
    match built(kind, &node) {
        Ok(link) => link,
        Err(found) => panic!("{found:?}"),
    }
}

/// No kind of the list waits for anything while it is built.
pub(crate) fn built(kind: &Kind, section: &Node) -> Built {
    (kind.build)("remote", section, &env()).now_or_never().unwrap()
}

pub(crate) fn kind(name: &str) -> Kind {
    *Kinds::built_in().find(name).unwrap()
}

pub(crate) fn rest(section: Value) -> Arc<dyn Link> {
    build(&kind("rest"), &section)
}

pub(crate) fn ctx() -> Ctx {
    Ctx::new("acme", "corr-1")
}

pub(crate) async fn call(link: &dyn Link, operation: &str, input: Value) -> Result<Reply, Fault> {
    call_in(&ctx(), link, operation, input).await
}

/// Calls with little time.
pub(crate) async fn hurried(
    link: &dyn Link,
    operation: &str,
    input: Value,
    milliseconds: u64,
) -> Result<Reply, Fault> {
    call_in(&ctx().within(Duration::from_millis(milliseconds)), link, operation, input).await
}

pub(crate) async fn call_in(ctx: &Ctx, link: &dyn Link, op: &str, input: Value) -> Result<Reply, Fault> {
    link.call(
        ctx,
        Call { operation: op.into(), input: input.into(), key: IdempotencyKey::new("run-1.step-2") },
    )
    .await
}
