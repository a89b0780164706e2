//! Each configured system: its adapter behind its guard; and the groups made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use guard::batch::Batched;
use guard::{Group, Guarded, World};
use port::{Clock, Link, Systems};

use crate::cli::Failure;
use crate::config::{Config, Vault};

/// The systems as callers see them, and their guards as operators see them.
pub(super) struct Opened {
    pub(super) systems: Systems,
    pub(super) guards: BTreeMap<String, Arc<Guarded>>,
    pub(super) groups: BTreeMap<String, Arc<Group>>,
    /// Where calls are collected, to be flushed when the house closes.
    pub(super) batches: Vec<Arc<Batched>>,
}

pub(super) async fn open(config: &Config, vault: Vault, world: World) -> Result<Opened, Failure> {
    let env = adapters::Env::new(Arc::new(vault)).map_err(Failure::new)?;
    let (mut guards, mut links, mut batches) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (name, system) in &config.systems {
        let link = match (system.kind.build)(&system.name, &system.section, &env).await {
            Ok(link) => link,
            Err(found) => {
                close(links.values()).await;
                return Err(Failure::found(&found));
            }
        };
        let guarded = Arc::new(Guarded::within(world.clone(), link, system.policies.clone()));
        let link: Arc<dyn Link> = if system.batches.is_empty() {
            guarded.clone()
        } else {
            let batched = Arc::new(Batched::new(guarded.clone(), system.batches.clone()));
            batches.push(batched.clone());
            batched
        };
        guards.insert(name.clone(), guarded);
        links.insert(name.clone(), link);
    }
    let groups = groups(config, &links, &world.clock)?;
    links.extend(groups.iter().map(|(name, group)| (name.clone(), group.clone() as Arc<dyn Link>)));
    Ok(Opened { systems: Systems::new(links), guards, groups, batches })
}

/// Lets every system go, all at once.
pub(super) async fn close(links: impl Iterator<Item = &Arc<dyn Link>>) {
    join_all(links.map(|link| link.close())).await;
}

/// Systems made of guarded systems: each member keeps its own breaker, limit and budget, also for other callers.
fn groups(
    config: &Config,
    links: &BTreeMap<String, Arc<dyn Link>>,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<String, Arc<Group>>, Failure> {
    let mut groups = BTreeMap::new();
    for (name, group) in &config.groups {
        let members = group.members.iter().filter_map(|member| links.get(member).cloned());
        let made = Group::new(&group.name, members.collect(), group.pick.clone(), clock.clone());
        let made = made.map_err(|why| Failure::new(format!("making the group {}: {why}", group.name)))?;
        groups.insert(name.clone(), Arc::new(made));
    }
    Ok(groups)
}
