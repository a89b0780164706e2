#![doc = include_str!("README.md")]

mod answer;
mod client;
mod config;
mod content;
mod cost;
mod fault;
mod headers;
mod key_form;
mod operation;
mod pieces;
mod probe;
mod request;
mod section;
mod shape;
mod template;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use diag::{Diagnostic, Node};
use futures_util::future::BoxFuture;
use port::{Adapter, Blob, Call, Ctx, Fault, Kind as FaultKind, Landed, Operation, Reply, Spec};
use schema::Schema;
use serde_json::json;

use crate::list::Built;
use crate::{Env, Kind, http};
use client::Client;
use config::Config;
use content::Output;
use operation::Plan;
use probe::Probe;

/// What the list of kinds knows of it.
pub const KIND: Kind = Kind {
    name: "rest",
    reference: include_str!("README.md"),
    shape: shape::shape,
    check,
    spec: described_by,
    build,
};

/// A system that speaks JSON over HTTP.
#[derive(Debug)]
struct Rest {
    spec: Spec,
    client: Client,
    probe: Option<Probe>,
}

impl Adapter for Rest {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn call(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let Some(plan) = self.client.operations.get(&*call.operation) else {
            let fault = Fault::new(FaultKind::Invalid, Landed::No, "the system has no such operation");
            return Err(fault.with("operation", &*call.operation));
        };
        self.client.perform(ctx, plan, &call).await
    }

    async fn probe(&self, ctx: &Ctx) -> Result<(), Fault> {
        match &self.probe {
            Some(probe) => self.client.http.scrubbed_fault(probe.ask(ctx, &self.client).await),
            None => Err(Fault::new(FaultKind::Invalid, Landed::No, "the system declares no probe")),
        }
    }

    /// The pool is everybody's, and its idle connections end by themselves.
    async fn close(&self) {}
}

fn check(system: &str, section: &Node) -> Vec<Diagnostic> {
    config::read(system, section).1
}

fn described_by(system: &str, section: &Node) -> Option<Spec> {
    config::read(system, section).0.map(|config| spec(system, &config))
}

fn build<'a>(system: &'a str, section: &'a Node, env: &'a Env) -> BoxFuture<'a, Built> {
    Box::pin(async move { built(system, section, env) })
}

fn built(system: &str, section: &Node, env: &Env) -> Built {
    let (config, found) = config::read(system, section);
    let config = config.ok_or(found)?;
    let spec = spec(system, &config);
    let Config { http, operations, probe } = config;
    let http = http::Client::new(system, http, section, &config::CODES, env)?;
    Ok(Arc::new(Rest { spec, client: Client { http, operations }, probe }))
}

fn spec(system: &str, config: &Config) -> Spec {
    Spec {
        system: system.into(),
        adapter: KIND.name,
        version: env!("CARGO_PKG_VERSION"),
        operations: config.operations.iter().map(|(name, plan)| described(name, plan)).collect(),
        probe_every: config.probe.as_ref().map(|probe| probe.every),
    }
}

/// How the system knows a repeat: by which header, in which form.
fn keyed_as(plan: &Plan) -> String {
    match (plan.repeat, &plan.key_form) {
        (port::Repeat::Keyed, Some(form)) => format!("{} {}", plan.key_header, form.named()),
        (port::Repeat::Keyed, None) => plan.key_header.to_string(),
        (other, _) => format!("{other:?}").to_lowercase(),
    }
}

fn described(name: &str, plan: &Plan) -> Operation {
    Operation {
        name: name.into(),
        summary: plan.summary.clone(),
        repeat: plan.repeat,
        undo: plan.undo.as_deref().map(Into::into),
        verify: plan.verify.clone(),
        settles_within: plan.settles_within,
        in_progress_until: plan.in_progress.until,
        input: plan.input.clone(),
        output: match &plan.output {
            Output::Json(schema) => schema.clone(),
            Output::Text => Schema::compile(&json!({ "type": "string" })).unwrap_or_default(),
            Output::Bytes => Blob::schema(),
            Output::Lines | Output::Events => {
                Schema::compile(&json!({ "type": "array" })).unwrap_or_default()
            }
            Output::Either => Schema::any(),
        },
        may_be_silent: plan.may_be_silent(),
        partition: Some(plan.partition.clone()),
        cost: plan.cost.clone(),
        keyed_as: keyed_as(plan).into(),
    }
}
