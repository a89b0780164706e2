//! Each configured system: its adapter behind its guard.

use std::collections::BTreeMap;
use std::sync::Arc;

use guard::{Guarded, World};
use port::{Link, Systems};

use crate::cli::Failure;
use crate::config::{Config, Vault};

/// The systems as callers see them, and their guards as operators see them.
pub(super) struct Opened {
    pub(super) systems: Systems,
    pub(super) guards: BTreeMap<String, Arc<Guarded>>,
}

pub(super) fn open(config: &Config, vault: Vault, world: World) -> Result<Opened, Failure> {
    let env = adapters::Env::new(Arc::new(vault))
        .map_err(|error| Failure::new(format!("making the HTTP client: {error}")))?;
    let mut guards = BTreeMap::new();
    for (name, system) in &config.systems {
        let link = (system.kind.build)(&system.name, &system.section, &env)
            .map_err(|found| Failure::found(&found))?;
        let guarded = Guarded::within(world.clone(), link, system.policies.clone());
        guards.insert(name.clone(), Arc::new(guarded));
    }
    let links = guards.iter().map(|(name, guarded)| (name.clone(), guarded.clone() as Arc<dyn Link>));
    Ok(Opened { systems: Systems::new(links), guards })
}
