//! What the cases have covered.

use crate::ledger::Ledger;
use crate::oracle::Found;
use crate::world::World;

/// What the cases have covered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    pub(crate) intents: u64,
    pub(crate) effects: u64,
    pub(crate) late: u64,
    pub(crate) undone: u64,
    pub(crate) unknown: u64,
    pub(crate) deeds: u64,
    pub(crate) obeyed: u64,
    pub(crate) crashes: u64,
    pub(crate) live: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, ledger: &Ledger, found: &Found, world: &World) {
        let marks: std::collections::BTreeSet<_> =
            ledger.requests.iter().filter(|it| it.operation.ends_with("put")).map(|it| &it.mark).collect();
        self.intents += marks.len() as u64;
        self.effects += ledger.effects.len() as u64;
        self.late += ledger.late;
        self.undone += ledger.undone;
        self.runs += found.runs.len() as u64;
        self.unknown += found.unknown;
        self.live += found.runs.values().filter(|run| !run.view.status.is_ended()).count() as u64;
        self.crashes += world.crashes();
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.intents += other.intents;
        self.effects += other.effects;
        self.late += other.late;
        self.undone += other.undone;
        self.unknown += other.unknown;
        self.deeds += other.deeds;
        self.obeyed += other.obeyed;
        self.crashes += other.crashes;
        self.live += other.live;
    }
}
