#![doc = include_str!("README.md")]

mod client;
mod config;
mod fault;

use std::sync::Arc;

use diag::{Diagnostic, Node};
use futures_util::future::BoxFuture;
use port::{Adapter, Call, Ctx, Fault, Operation, Repeat, Reply, Spec};

use crate::{Built, Env, Kind, http};
use client::Client;

/// What the list of kinds knows of it.
pub const KIND: Kind = Kind {
    name: "NAME",
    reference: include_str!("README.md"),
    shape: config::shape,
    check,
    spec: described_by,
    build,
};

/// A system that takes anything at one address.
#[derive(Debug)]
struct Remote {
    spec: Spec,
    client: Client,
}

impl Adapter for Remote {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn call(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        self.client.perform(ctx, &call).await
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Err(fault::unasked())
    }

    async fn close(&self) {}
}

fn check(system: &str, section: &Node) -> Vec<Diagnostic> {
    config::read(system, section).1
}

fn described_by(system: &str, section: &Node) -> Option<Spec> {
    config::read(system, section).0.map(|_| spec(system))
}

fn build<'a>(system: &'a str, section: &'a Node, env: &'a Env) -> BoxFuture<'a, Built> {
    Box::pin(async move {
        let (config, found) = config::read(system, section);
        let http = http::Client::new(system, config.ok_or(found)?, section, &config::CODES, env)?;
        let remote = Remote { spec: spec(system), client: Client { http } };
        Ok(Arc::new(remote) as _)
    })
}

fn spec(system: &str) -> Spec {
    Spec {
        system: system.into(),
        adapter: KIND.name,
        version: env!("CARGO_PKG_VERSION"),
        operations: vec![Operation::new("act", Repeat::Never), Operation::new("look", Repeat::Safe)],
        probe_every: None,
    }
}
