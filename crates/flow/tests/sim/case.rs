//! One case: flows, how bad the world is, what people do and when, when the process dies. All of it from a seed.

use std::time::Duration;

use crate::deed::Deed;
use crate::dice::Dice;
use crate::flows::Flows;
use crate::switches::is_on;
use crate::world::Fate;

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) flows: Flows,
    pub(crate) runs: usize,
    /// How many runs may come of one.
    pub(crate) runs_per_root: u64,
    /// Of a hundred requests, so many go wrong.
    pub(crate) faults: u64,
    /// What becomes of the first requests that would act, before anything is left to chance.
    pub(crate) script: Vec<Fate>,
    pub(crate) deeds: Vec<(Duration, Deed)>,
    /// Twice the number of a moment, and one more when the process dies after it.
    pub(crate) kills: Vec<u64>,
    /// Whether people look after what is left at the end.
    pub(crate) tidied: bool,
}

impl Case {
    /// All but the flows, on a few lines.
    pub(crate) fn told(&self) -> String {
        let Self { seed, runs, runs_per_root, faults, deeds, kills, tidied, .. } = self;
        format!(
            "seed {seed}, runs {runs} with {runs_per_root} below each, faults {faults} %, kills {kills:?}, tidied {tidied}, deeds {deeds:?}"
        )
    }

    pub(crate) fn of(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let flows = Flows::random(dice);
        let runs = 1 + dice.below(2) as usize;
        let runs_per_root = if is_on("budget") { *dice.pick(&[1, 3, 1000]) } else { 1000 };
        let faults = *dice.pick(&[0, 15, 35, 60]);
        let mut deeds: Vec<_> = (0..dice.below(8)).map(|_| (at(dice), Deed::random(dice))).collect();
        deeds.retain(|(_, deed)| is_on(deed.word()));
        deeds.sort_by_key(|(at, _)| *at);
        let kills: Vec<u64> = (0..dice.below(4)).map(|_| dice.below(400)).collect();
        let kills = if is_on("kill") { kills } else { Vec::new() };
        let tidied = dice.percent(60) && is_on("resume");
        Self { seed, flows, runs, runs_per_root, faults, script: Vec::new(), deeds, kills, tidied }
    }
}

fn at(dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.below(120_000))
}
