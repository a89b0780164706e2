//! A guarded rest system on the machine's clock, built as the wiring builds it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::{Env, Kinds, Secrets};
use diag::Node;
use futures_util::FutureExt;
use guard::{Guarded, Listener, Policy};
use jiff::Timestamp;
use port::{Call, Clock, Ctx, Fault, IdempotencyKey, Link, Reply, SystemClock};
use secrecy::SecretString;
use serde_json::json;

use crate::ear::Ear;

/// The largest answer that is read, in bytes.
pub(crate) const MOST: u64 = 64 * 1024;

/// A system of three operations on one path: `read` (safe), `charge` (keyed), `post` (never to be repeated).
pub(crate) struct Rested {
    pub(crate) guarded: Guarded,
    pub(crate) ear: Arc<Ear>,
}

/// The machine's time, but for the wall clock: it stands at noon, so that a date is as far away whenever it is read.
struct Noon;

impl Noon {
    fn time() -> Timestamp {
        Timestamp::constant(1_767_268_800, 0)
    }
}

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Self::time()
    }
    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
    fn nanos(&self) -> u64 {
        SystemClock.nanos()
    }
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _name: &str) -> Option<SecretString> {
        None
    }
}

impl Rested {
    pub(crate) fn at(addr: SocketAddr, policy: Policy) -> Self {
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let section = json!({
            "url": format!("http://{addr}"), "max_response": MOST,
            "operations": {
                "read": { "get": "/thing" },
                "charge": { "post": "/thing", "repeat": "keyed" },
                "post": { "post": "/thing" },
            }
        });
        let env = Env::new(Arc::new(NoSecrets)).unwrap();
        let build = Kinds::built_in().find("rest").unwrap().build;
        // The adapter waits for nothing while it is built.
        let link = build("remote", &Node::from_json(&section), &env).now_or_never().unwrap().unwrap();
        let ear = Arc::<Ear>::default();
        let listener = Arc::clone(&ear) as Arc<dyn Listener>;
        Self { guarded: Guarded::new(link, policy, listener, Arc::new(Noon)), ear }
    }

    /// What the wall clock says, always.
    pub(crate) fn now() -> Timestamp {
        Noon::time()
    }

    /// Makes a call that must end within `limit`.
    pub(crate) async fn call(&self, operation: &str, limit: Duration) -> Result<Reply, Fault> {
        let key = IdempotencyKey::new("run-1/step-2");
        let call = Call { operation: operation.into(), input: json!({}).into(), key };
        let mut ctx = Ctx::new("acme", "matrix").within(limit);
        ctx.clock = Arc::new(Noon);
        self.guarded.call(&ctx, call).await
    }
}
