//! One case: flows, how bad the world is, what people do and when, when the process dies. All of it from a seed.

use std::time::Duration;

use crate::dice::Dice;
use crate::flows::Flows;
use crate::switches::is_on;
use crate::world::Fate;

/// What a person, or the world around, does at a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    Pause(usize),
    Resume(usize),
    Cancel(usize),
    Restart(usize, u64),
    /// The newest open letter.
    Replay,
    Discard,
    Wake,
    Signal(usize, u64),
    Publish(u64),
    /// The wall clock is set, forward or back, by so many seconds.
    Jump(i64),
    /// The process ends, and the next one does not know this system.
    Gone(&'static str),
    /// The process ends, and the next one knows all.
    Back,
}

impl Deed {
    /// Its name among the switches.
    fn word(&self) -> &'static str {
        match self {
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Cancel(_) => "cancel",
            Self::Restart(..) => "restart",
            Self::Replay => "replay",
            Self::Discard => "discard",
            Self::Wake => "wake",
            Self::Signal(..) => "signal",
            Self::Publish(_) => "topic",
            Self::Jump(_) => "jump",
            Self::Gone(_) | Self::Back => "gone",
        }
    }
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) flows: Flows,
    pub(crate) runs: usize,
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
        let Self { seed, runs, faults, deeds, kills, tidied, .. } = self;
        format!(
            "seed {seed}, runs {runs}, faults {faults} %, kills {kills:?}, tidied {tidied}, deeds {deeds:?}"
        )
    }

    pub(crate) fn of(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let flows = Flows::random(dice);
        let runs = 1 + dice.below(2) as usize;
        let faults = *dice.pick(&[0, 15, 35, 60]);
        let mut deeds: Vec<_> = (0..dice.below(6)).map(|_| (at(dice), deed(dice))).collect();
        deeds.retain(|(_, deed)| is_on(deed.word()));
        deeds.sort_by_key(|(at, _)| *at);
        let kills: Vec<u64> = (0..dice.below(4)).map(|_| dice.below(400)).collect();
        let kills = if is_on("kill") { kills } else { Vec::new() };
        let tidied = dice.percent(60) && is_on("resume");
        Self { seed, flows, runs, faults, script: Vec::new(), deeds, kills, tidied }
    }
}

fn at(dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.below(120_000))
}

fn deed(dice: &mut Dice) -> Deed {
    let run = dice.below(6) as usize;
    match dice.below(14) {
        0 => Deed::Pause(run),
        1 | 2 => Deed::Resume(run),
        3 | 4 => Deed::Cancel(run),
        5 => Deed::Restart(run, dice.below(100)),
        6 => Deed::Replay,
        7 => Deed::Discard,
        8 => Deed::Wake,
        9 => Deed::Signal(run, dice.below(3)),
        10 => Deed::Publish(dice.below(3)),
        11 => Deed::Jump(dice.below(7200) as i64 - 3600),
        12 => Deed::Gone(["keyed", "plain", "strict"][dice.below(3) as usize]),
        _ => Deed::Back,
    }
}
