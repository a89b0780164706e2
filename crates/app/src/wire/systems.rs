//! Each configured system: its adapter behind its guard; and the groups made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use guard::{Group, Guarded, World};
use port::{Clock, Link, Systems};

use crate::cli::Failure;
use crate::config::{Config, Vault};

/// The systems as callers see them, and their guards as operators see them.
pub(super) struct Opened {
    pub(super) systems: Systems,
    pub(super) guards: BTreeMap<String, Arc<Guarded>>,
    pub(super) groups: BTreeMap<String, Arc<Group>>,
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
    let groups = groups(config, &guards, &world.clock)?;
    let single = guards.iter().map(|(name, guarded)| (name.clone(), guarded.clone() as Arc<dyn Link>));
    let made = groups.iter().map(|(name, group)| (name.clone(), group.clone() as Arc<dyn Link>));
    Ok(Opened { systems: Systems::new(single.chain(made)), guards, groups })
}

/// Systems made of guarded systems: each member keeps its own breaker, limit and budget, also for other callers.
fn groups(
    config: &Config,
    guards: &BTreeMap<String, Arc<Guarded>>,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<String, Arc<Group>>, Failure> {
    let mut groups = BTreeMap::new();
    for (name, group) in &config.groups {
        let members =
            group.members.iter().filter_map(|member| Some(guards.get(member)?.clone() as Arc<dyn Link>));
        let made = Group::new(&group.name, members.collect(), group.pick.clone(), clock.clone());
        let made = made.map_err(|why| Failure::new(format!("making the group {}: {why}", group.name)))?;
        groups.insert(name.clone(), Arc::new(made));
    }
    Ok(groups)
}
