//! The operators' pages: metrics and health.

use std::sync::Arc;

use gate::{Page, Shown};
use store::Store;
use watch::Health;
use watch::health::{Answer, Check};
use watch::metrics::Format;

use super::control::Guards;
use super::hear::Ears;
use super::present::Present;
use crate::config::Config;

pub(super) fn all(ears: &Arc<Ears>, guards: &Guards, present: Present, config: &Config) -> Vec<Page> {
    let version = std::env::var("VERSION").unwrap_or_else(|_| env!("CARGO_PKG_VERSION").to_owned());
    let checks = vec![database(present.store.clone())];
    let health = Health::new(
        version,
        present.clock.clone(),
        checks,
        config.systems.values().map(|system| system.name.clone()),
    );
    let health = Arc::new(health);
    vec![
        metrics(ears.clone(), guards.clone(), present),
        alive(health.clone()),
        ready(health.clone()),
        adapters(health, ears.clone(), guards.clone()),
    ]
}

/// The store is the one thing this process owns and cannot work without.
fn database(store: Store) -> Check {
    let ask = move || -> futures_util::future::BoxFuture<'static, Result<(), String>> {
        let health = store.health();
        let fault = match (&health.fenced, health.full) {
            (Some(why), _) => Err(format!("fenced: {why}")),
            (None, true) => Err("the disk is full".to_owned()),
            (None, false) => Ok(()),
        };
        Box::pin(async move { fault })
    };
    Check { name: "database", ask: Box::new(ask) }
}

fn metrics(ears: Arc<Ears>, guards: Guards, present: Present) -> Page {
    let show = move |headers: &axum::http::HeaderMap| -> futures_util::future::BoxFuture<'static, Shown> {
        // Asked now rather than told of changes: what an operator says of a breaker is no change of its state.
        for (system, state) in guards.breakers() {
            ears.metrics.breaker(system, state);
            if matches!(guards.standing(system), Some(watch::health::Seen::Fail(_))) {
                ears.metrics.health(system, false);
            }
        }
        for (system, standing) in guards.standings() {
            ears.metrics.guard(system, standing);
        }
        let format = Format::accepted(headers.get("accept").and_then(|value| value.to_str().ok()));
        let (ears, present) = (ears.clone(), present.clone());
        Box::pin(async move {
            present.measure(&ears).await;
            let (content_type, body) = ears.metrics.scrape(format);
            Shown { status: 200, content_type, body }
        })
    };
    Page { path: "/metrics", summary: "What was counted and timed, for Prometheus", show: Box::new(show) }
}

fn alive(health: Arc<Health>) -> Page {
    let show = move |_: &axum::http::HeaderMap| ready_made(shown(health.alive()));
    Page { path: "/health", summary: "Whether this process runs", show: Box::new(show) }
}

fn ready(health: Arc<Health>) -> Page {
    let show = move |_: &axum::http::HeaderMap| -> futures_util::future::BoxFuture<'static, Shown> {
        let health = health.clone();
        Box::pin(async move { shown(health.ready().await) })
    };
    Page { path: "/ready", summary: "Whether what this process owns works", show: Box::new(show) }
}

fn adapters(health: Arc<Health>, ears: Arc<Ears>, guards: Guards) -> Page {
    let show = move |_: &axum::http::HeaderMap| {
        ears.seen().for_each(|(system, seen)| health.saw(system, seen));
        ready_made(shown(health.adapters(|system| guards.standing(system))))
    };
    Page { path: "/health/adapters", summary: "How the connected systems last looked", show: Box::new(show) }
}

fn shown(answer: Answer) -> Shown {
    Shown { status: answer.status, content_type: "application/json", body: answer.body.to_string() }
}

fn ready_made(shown: Shown) -> futures_util::future::BoxFuture<'static, Shown> {
    Box::pin(std::future::ready(shown))
}
