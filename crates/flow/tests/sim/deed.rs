//! What people, or the world around, do at a time.

use crate::dice::Dice;
use crate::world::SYSTEMS;

/// What a person, or the world around, does at a time. Runs are named by their number, in order of start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    Pause(usize),
    Resume(usize),
    /// As `Resume`, and what may have landed is sent again.
    SendAgain(usize),
    Cancel(usize),
    Restart(usize, u64),
    /// One of its steps, as the world's ledger has it.
    Settle(usize, u64),
    /// An ended run is undone; with `true`, also below a later one of its key.
    Undo(usize, bool),
    ReleaseKey(usize),
    /// The newest open letter.
    Replay,
    Discard,
    Wake,
    Signal(usize, u64),
    Publish(u64),
    /// One of the questions that were asked is withdrawn by a person, or by its conversation.
    Withdraw(u64),
    /// Another commit for the same entity.
    Newcomer,
    /// A commit that was made before is made again.
    Repeated(usize),
    /// Other definitions of the same flows.
    Deploy(Version),
    /// The wall clock is set, forward or back, by so many seconds.
    Jump(i64),
    /// The process ends, and the next one does not know this system.
    Gone(&'static str),
    /// The process ends, and the next one knows all.
    Back,
}

/// Which definitions are deployed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version {
    First,
    Second,
    /// The second, without the flow that others begin.
    Without(&'static str),
}

impl Deed {
    /// Its name among the switches.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::SendAgain(_) => "again",
            Self::Cancel(_) => "cancel",
            Self::Restart(..) => "restart",
            Self::Settle(..) => "settle",
            Self::Undo(..) => "undo",
            Self::ReleaseKey(_) => "release",
            Self::Replay => "replay",
            Self::Discard => "discard",
            Self::Wake => "wake",
            Self::Signal(..) => "signal",
            Self::Publish(_) => "topic",
            Self::Withdraw(_) => "withdraw",
            Self::Newcomer => "newcomer",
            Self::Repeated(_) => "repeated",
            Self::Deploy(_) => "deploy",
            Self::Jump(_) => "jump",
            Self::Gone(_) | Self::Back => "gone",
        }
    }

    pub(crate) fn random(dice: &mut Dice) -> Self {
        let run = dice.below(6) as usize;
        match dice.below(28) {
            0 | 1 => Self::Pause(run),
            2 | 3 => Self::Resume(run),
            4 => Self::SendAgain(run),
            5..=7 => Self::Cancel(run),
            8 => Self::Restart(run, dice.below(100)),
            9 | 10 => Self::Settle(run, dice.below(100)),
            11 | 12 => Self::Undo(run, dice.percent(50)),
            13 => Self::ReleaseKey(run),
            14 => Self::Replay,
            15 => Self::Discard,
            16 => Self::Wake,
            17 | 18 => Self::Signal(run, dice.below(3)),
            19 | 20 => Self::Publish(dice.below(3)),
            21 => Self::Withdraw(dice.below(100)),
            22 | 23 => Self::Newcomer,
            24 => Self::Repeated(run),
            25 => {
                Self::Deploy(*dice.pick(&[Version::First, Version::Second, Version::Without("grandchild")]))
            }
            26 => Self::Jump(dice.below(7200) as i64 - 3600),
            _ if dice.percent(50) => Self::Gone(SYSTEMS[dice.below(3) as usize]),
            _ => Self::Back,
        }
    }
}
