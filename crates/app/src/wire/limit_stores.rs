//! The stores in which several nodes count together.

use std::sync::Arc;

use adapters::Secrets;
use guard::shared::{Away, Ledger, Store};
use limits::postgres::Postgres;
use limits::redis::Redis;
use secrecy::ExposeSecret;

use super::chores::Chores;
use crate::cli::Failure;
use crate::config::{Config, LimitStore, Server, Url, Vault};

/// The stores, and those of them in which somebody must forget. Nothing is connected before the first call.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) stores: Vec<Arc<Store>>,
    forgetful: Vec<(String, Arc<Postgres>)>,
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
                opened.forgetful.push((name.clone(), postgres.clone()));
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
    /// Adds the forgetting to the chores.
    pub(super) fn forget(self, chores: &mut Chores) {
        for (name, postgres) in self.forgetful {
            chores.forget_counts(&name, postgres);
        }
    }
}
