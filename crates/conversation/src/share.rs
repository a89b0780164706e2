//! How many keys of commits each organisation has. They are kept as long as the log, so their number is bounded: a full
//! share refuses a further key, and forgets none.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Code, Conversations, Error, identity};

/// What organisations have of their shares: counted in the store at the first key, then kept up to date.
pub(crate) struct Shares {
    most: u64,
    used: Mutex<HashMap<Arc<str>, u64>>,
}

impl Shares {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: u64::try_from(most).unwrap_or(u64::MAX), used: Mutex::default() }
    }

    /// An organisation has so many keys more.
    pub(crate) fn took(&self, tenant: &str, keys: u64) {
        if let Some(used) = self.used.lock().get_mut(tenant) {
            *used += keys;
        }
    }
}

impl Conversations {
    /// Refuses a key that the organisation has no room for.
    pub(crate) async fn room_for_key(&self, tenant: &Arc<str>) -> Result<(), Error> {
        let Shares { most, used } = &*self.shares;
        let known = used.lock().get(tenant).copied();
        let count = match known {
            Some(count) => count,
            None => {
                let count = self.store.count_keys(tenant, identity::PREFIX, *most).await?;
                *used.lock().entry(tenant.clone()).or_insert(count)
            }
        };
        if count < *most {
            return Ok(());
        }
        let detail = format!("the organisation has {most} commit keys, as many as limits.commit_keys allows");
        Err(Error::because(Code::CommitKeysFull, detail))
    }
}
