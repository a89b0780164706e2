//! How many keys each organisation has that are kept as long as the log: those of commits, and those of which only one run
//! may ever begin. Their number is bounded: a full share refuses a further key, and forgets none.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use store::{Batch, KeyOp, Store};

use crate::motion::ONCE;
use crate::{Code, Error, identity};

/// What organisations have of their shares: counted in the store at the first key, then kept up to date.
pub(crate) struct Shares {
    store: Store,
    most: u64,
    used: Mutex<HashMap<Arc<str>, u64>>,
}

impl Shares {
    pub(crate) fn new(store: Store, most: usize) -> Self {
        Self { store, most: u64::try_from(most).unwrap_or(u64::MAX), used: Mutex::default() }
    }

    /// An organisation has so many keys more.
    pub(crate) fn took(&self, tenant: &str, keys: u64) {
        if let Some(used) = self.used.lock().get_mut(tenant) {
            *used += keys;
        }
    }

    /// Refuses so many keys more that the organisation has no room for.
    pub(crate) async fn room(&self, tenant: &Arc<str>, keys: u64) -> Result<(), Error> {
        let known = self.used.lock().get(tenant).copied();
        let count = match known {
            Some(count) => count,
            None => {
                let count = self.count(tenant).await?;
                *self.used.lock().entry(tenant.clone()).or_insert(count)
            }
        };
        if count.saturating_add(keys) <= self.most {
            return Ok(());
        }
        let detail = format!("the organisation has {count} keys, limits.commit_keys allows {}", self.most);
        Err(Error::because(Code::CommitKeysFull, detail))
    }

    async fn count(&self, tenant: &str) -> Result<u64, Error> {
        let mut count = 0;
        for prefix in [identity::PREFIX, ONCE] {
            count += self.store.count_keys(tenant, prefix, self.most).await?;
        }
        Ok(count)
    }
}

/// How many keys of which only one run may ever begin are new with these rows.
pub(crate) fn once_keys(rows: &Batch) -> u64 {
    let new = |key: &&KeyOp| matches!(key, KeyOp::Claim(record) if record.key.starts_with(ONCE));
    rows.keys.iter().filter(new).count() as u64
}
