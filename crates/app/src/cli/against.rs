//! What live runs of a store need and a configuration lacks, for `cardan check --against`.

use std::path::Path;

use flow::{Need, Needs};
use store::Store;

use super::Failure;
use crate::config::Config;

/// Reads the store, also while a server runs on it.
pub(super) fn needs(store: &Path, config: &Config) -> Result<Vec<Need>, Failure> {
    let looking = async {
        let opened = Store::look(store);
        let store = opened.map_err(|error| Failure::new(format!("reading {}: {error}", store.display())))?;
        let mut needs = Needs::of(store, config.known());
        let mut found = Vec::new();
        while let Some(page) = needs.next().await.map_err(|error| Failure::new(error.to_string()))? {
            found.extend(page);
        }
        Ok(found)
    };
    tokio::runtime::Builder::new_current_thread().build()?.block_on(looking)
}

/// One line about a need.
pub(super) fn line(need: &Need) -> String {
    let Need { run, flow, step, verb, missing, .. } = need;
    format!("{run} (flow {flow}): step {step} needs {missing} ({verb}), which is not configured\n")
}
