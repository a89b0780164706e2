//! Alive, ready, and how the external systems looked when they were last called.
//!
//! Liveness asks nothing. Readiness asks only what this process owns (its store, its engine): an external system
//! that is down must not take every instance out of service. Nothing here calls an external system.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use parking_lot::RwLock;
use port::Clock;
use serde_json::{Map, Value, json};

/// How long one readiness check may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// A status and a JSON body.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// One thing this process owns and cannot work without.
pub struct Check {
    /// Its name in the answer: `database`, `conversation-processor`.
    pub name: &'static str,
    /// Asks it. The text of an error reads after a colon and holds no secret.
    pub ask: Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

/// How an external system looked when it was last heard of, or how its breaker stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// The last call was answered, after so long.
    Pass(Duration),
    /// It works with a reserve: the last call failed, or its breaker is half open.
    Warn(&'static str),
    /// Its breaker is open, or its last probe failed.
    Fail(&'static str),
}

/// What the health endpoints answer. Cheap to share in an `Arc`.
pub struct Health {
    version: String,
    clock: Arc<dyn Clock>,
    checks: Vec<Check>,
    adapters: RwLock<BTreeMap<String, Option<Seen>>>,
}

impl Health {
    /// `adapters` names the configured systems; until they are called nothing is known about them.
    pub fn new(
        version: impl Into<String>,
        clock: Arc<dyn Clock>,
        checks: Vec<Check>,
        adapters: impl IntoIterator<Item = String>,
    ) -> Self {
        let adapters = adapters.into_iter().map(|name| (name, None)).collect();
        Self { version: version.into(), clock, checks, adapters: RwLock::new(adapters) }
    }

    /// Tells how a system looked. Systems that were not configured are ignored.
    pub fn saw(&self, system: &str, seen: Seen) {
        if let Some(known) = self.adapters.write().get_mut(system) {
            *known = Some(seen);
        }
    }

    /// `/health`: this process runs. Nothing else is asked.
    pub fn alive(&self) -> Answer {
        let body = json!({"status": "healthy", "timestamp": self.now(), "version": self.version});
        Answer { status: 200, body }
    }

    /// `/ready`: what this process owns works. 503 when it does not.
    pub async fn ready(&self) -> Answer {
        let checks = join_all(self.checks.iter().map(|check| self.one(check))).await;
        let healthy = checks.iter().all(|check| check["status"] == "healthy");
        let status = if healthy { "healthy" } else { "unhealthy" };
        let body = json!({"status": status, "timestamp": self.now(), "checks": checks});
        Answer { status: if healthy { 200 } else { 503 }, body }
    }

    async fn one(&self, check: &Check) -> Value {
        let started = self.clock.instant();
        let asked = tokio::time::timeout(PATIENCE, (check.ask)()).await;
        let took = self.clock.instant().saturating_duration_since(started);
        let mut told = Map::new();
        told.insert("name".into(), check.name.into());
        let fault = match asked {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault),
            Err(_) => Some("no answer within 1 s".to_owned()),
        };
        told.insert("status".into(), if fault.is_none() { "healthy" } else { "unhealthy" }.into());
        told.insert("responseTime".into(), millis(took));
        if let Some(fault) = fault {
            told.insert("error".into(), fault.into());
        }
        told.into()
    }

    /// `/health/adapters`: each system as it was last seen; 503 when any fails. No system is asked.
    ///
    /// What `standing` knows of a system now, as of an open breaker, goes before what was heard of it last.
    pub fn adapters(&self, standing: impl Fn(&str) -> Option<Seen>) -> Answer {
        let adapters = self.adapters.read();
        let now = adapters.iter().map(|(name, seen)| (name, standing(name).or(*seen)));
        let adapters: BTreeMap<&String, Option<Seen>> = now.collect();
        let pass = |seen: &Option<Seen>| matches!(seen, Some(Seen::Pass(_)));
        let fail = |seen: &Option<Seen>| matches!(seen, Some(Seen::Fail(_)));
        let status = if adapters.values().any(fail) {
            "unhealthy"
        } else if adapters.values().all(pass) {
            "healthy"
        } else {
            "degraded"
        };
        let checks: Map<String, Value> =
            adapters.iter().map(|(name, seen)| ((*name).clone(), shown(*seen))).collect();
        let body = json!({"status": status, "checks": checks, "timestamp": self.now()});
        Answer { status: if status == "unhealthy" { 503 } else { 200 }, body }
    }

    fn now(&self) -> String {
        self.clock.now().to_string()
    }
}

fn shown(seen: Option<Seen>) -> Value {
    match seen {
        None => json!({"status": "warn", "message": "not called yet"}),
        Some(Seen::Pass(took)) => json!({"status": "pass", "latency": millis(took)}),
        Some(Seen::Warn(why)) => json!({"status": "warn", "message": why}),
        Some(Seen::Fail(why)) => json!({"status": "fail", "message": why}),
    }
}

/// Whole microseconds, told in milliseconds.
fn millis(took: Duration) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a double holds 285 years of microseconds exactly")]
    let millis = took.as_micros() as f64 / 1000.0;
    millis.into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use port::SystemClock;

    use super::*;

    fn check(name: &'static str, answer: Result<(), &'static str>) -> Check {
        let ask = move || -> BoxFuture<'static, Result<(), String>> {
            Box::pin(async move { answer.map_err(str::to_owned) })
        };
        Check { name, ask: Box::new(ask) }
    }

    fn health(checks: Vec<Check>, adapters: &[&str]) -> Health {
        Health::new("1.2.3", Arc::new(SystemClock), checks, adapters.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn alive_says_version_and_time() {
        let answer = health(vec![], &[]).alive();
        assert_eq!(
            (answer.status, &answer.body["status"], &answer.body["version"]),
            (200, &json!("healthy"), &json!("1.2.3"))
        );
        assert!(answer.body["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')));
    }

    #[tokio::test]
    async fn ready_names_what_is_missing() {
        let answer =
            health(vec![check("database", Err("disk is full")), check("engine", Ok(()))], &[]).ready().await;
        assert_eq!((answer.status, &answer.body["status"]), (503, &json!("unhealthy")));
        assert_eq!(answer.body["checks"][0]["error"], "disk is full");
        assert_eq!(answer.body["checks"][1]["status"], "healthy");
        assert!(answer.body["checks"][1].get("error").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn b37_a_check_that_hangs_ends_and_fails() {
        let hang = Check { name: "database", ask: Box::new(|| Box::pin(std::future::pending())) };
        let answer = health(vec![hang], &[]).ready().await;
        assert_eq!(
            (answer.status, &answer.body["checks"][0]["error"]),
            (503, &json!("no answer within 1 s"))
        );
    }

    #[tokio::test]
    async fn b36_a_dead_crm_neither_kills_nor_empties_the_service() {
        let asked = Arc::new(AtomicU32::new(0));
        let counter = asked.clone();
        let ask = move || -> BoxFuture<'static, Result<(), String>> {
            counter.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(()) })
        };
        let health = health(vec![Check { name: "database", ask: Box::new(ask) }], &["crm"]);
        health.saw("crm", Seen::Fail("circuit is open"));
        assert_eq!(health.alive().status, 200);
        assert_eq!(health.adapters(|_| None).status, 503);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "neither asks anything");
        assert_eq!(health.ready().await.status, 200);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "each check is asked once");
    }

    #[test]
    fn what_is_not_known_is_a_warning() {
        let health = health(vec![], &["crm", "mail"]);
        health.saw("crm", Seen::Pass(Duration::from_micros(12_345)));
        health.saw("stranger", Seen::Fail("not configured"));
        let answer = health.adapters(|_| None);
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("degraded")));
        assert_eq!(
            answer.body["checks"],
            json!({"crm": {"status": "pass", "latency": 12.345}, "mail": {"status": "warn", "message": "not called yet"}})
        );
    }

    #[test]
    fn an_open_breaker_goes_before_the_last_call() {
        let health = health(vec![], &["crm", "mail"]);
        health.saw("crm", Seen::Warn("timeout"));
        health.saw("mail", Seen::Pass(Duration::ZERO));
        let open = |system: &str| (system == "crm").then_some(Seen::Fail("breaker is open"));
        let answer = health.adapters(open);
        let crm = json!({"status": "fail", "message": "breaker is open"});
        assert_eq!((answer.status, &answer.body["checks"]["crm"]), (503, &crm));
        assert_eq!(health.adapters(|_| None).status, 200, "it is closed again");
    }
}
