//! The stores in which several nodes count together, and the sweeping of what they no longer need.

use std::sync::Arc;
use std::time::Duration;

use adapters::Secrets;
use guard::shared::postgres::Postgres;
use guard::shared::redis::Redis;
use guard::shared::{Away, Ledger, Store};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::cli::Failure;
use crate::config::{Config, LimitStore, Server, Url, Vault};

/// How often rows that nobody counts with any more are deleted.
const SWEEP: Duration = Duration::from_secs(600);

/// The stores, and those of them that somebody must sweep. Nothing is connected before the first call.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) stores: Vec<Arc<Store>>,
    swept: Vec<(String, Arc<Postgres>)>,
}

pub(super) fn open(config: &Config, vault: &Vault) -> Result<Opened, Failure> {
    let mut opened = Opened::default();
    for (name, store) in &config.limit_stores {
        let url = address(store, vault)?;
        let wrong = |why: Away| Failure::new(format!("opening the limit store {name}: {why}"));
        let ledger: Arc<dyn Ledger> = match store.server {
            Server::Redis => Arc::new(Redis::new(&url).map_err(wrong)?),
            Server::Postgres => {
                let postgres = Arc::new(Postgres::new(&url).map_err(wrong)?);
                opened.swept.push((name.clone(), postgres.clone()));
                postgres
            }
        };
        opened.stores.push(Arc::new(Store::new(name, ledger, store.patience)));
    }
    Ok(opened)
}

fn address(store: &LimitStore, vault: &Vault) -> Result<String, Failure> {
    match &store.url {
        Url::Open(url) => Ok(url.clone()),
        Url::Secret(name) => {
            let secret = vault.get(name);
            let secret = secret.ok_or_else(|| Failure::new(format!("secret {name:?} is not declared")))?;
            Ok(secret.expose_secret().to_owned())
        }
    }
}

impl Opened {
    /// Adds the sweeping to the chores. Every node sweeps; one that finds nothing to do has done no harm.
    pub(super) fn sweep(self, chores: &mut JoinSet<()>) {
        for (name, postgres) in self.swept {
            chores.spawn(async move {
                let mut ticks = tokio::time::interval(SWEEP);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    swept(&name, postgres.forget_expired().await);
                }
            });
        }
    }
}

/// A store that cannot be swept now is swept later: its rows are only in the way.
fn swept(store: &str, outcome: Result<u64, Away>) {
    match outcome {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(store, rows, "store of shared limits swept"),
        Err(away) => tracing::warn!(store, %away, "store of shared limits cannot be swept"),
    }
}
