//! The page: what happens in each cell, in words.

use expect_test::expect_file;

use super::{CAUSES, ENDINGS, Ending, Then, is_kept};

const HEAD: &str = "\
# What becomes of an effect

An effect is what a run wants in another system. Wherever it comes from, it is created, sent, settled and undone by the
same code ([decision 0013](../decisions/0013-one-path-for-effects.md)). This table says what is so in the end, for each
construct that causes effects and each way on which a run may end or be disturbed. Every cell is tested: page and tests
come from one list (`crates/flow/tests/sim/cells`).

";

const WORDS: &str = "
- **stands**: the run has succeeded, and each of its effects is there once.
- **undone**: the run is over, or has gone another way, and nothing is there any more.
- **letter**: the run has succeeded; the message waits as a dead letter for a person (`cardan dead list`).
- **said**: the run is over, and what it published or said is in the log once; an undo does not take it back. **said again**: once
  more, for that was asked for.
- **waits**: the run is not over and says what it waits for; `cardan flow show RUN` names it and what settles it.

";

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::LaterFailure => "a later step fails",
            Self::Cancel => "cancel",
            Self::LateTimeout => "timeout, lands late",
            Self::Crash => "crash at any write",
            Self::Restart => "restart from the step",
            Self::PauseResume => "pause, resume",
            Self::Replay => "exhausted, replay",
            Self::Discard => "exhausted, discard",
        }
    }

    /// What happens on this way.
    fn told(self) -> &'static str {
        match self {
            Self::Success => {
                "Nothing goes wrong. The branch that loses a race is undone beside what goes on with the winner."
            }
            Self::LaterFailure => "What was done is undone, the last first, and then the run is over.",
            Self::Cancel => "A call that is out comes home first; then what was done is undone.",
            Self::LateTimeout => {
                "The answer does not come within the step's timeout, and the effect lands after that. Under a key the call is \
                 made again, and what the system answers counts for both. Without a key it is looked up; where nothing says \
                 how, a person settles it."
            }
            Self::Crash => {
                "The process is killed before or after any commit, read or call, and the next one goes on."
            }
            Self::Restart => {
                "A run that has ended is restarted: what its step did is done again under the same key, unless it was undone. \
                 A run that the step began and that stands is not begun again. A system without keys does it once more: that \
                 is what was asked for; when it refuses, it is looked up, or a person says what became of it."
            }
            Self::PauseResume => {
                "Nothing new is begun until somebody resumes; what time came meanwhile counts then."
            }
            Self::Replay => {
                "The system could not be reached as often as it was tried; a person replays the dead letter."
            }
            Self::Discard => {
                "A person discards the dead letter: that decides about the letter, not about the run."
            }
        }
    }
}

impl Then {
    fn word(self) -> String {
        match self {
            Self::Stands => "stands".to_owned(),
            Self::Undone => "undone".to_owned(),
            Self::Letter => "letter".to_owned(),
            Self::Waits(reason) => format!("waits: `{reason}`"),
            Self::Said(1) => "said".to_owned(),
            Self::Said(_) => "said again".to_owned(),
            Self::StandsOr(reason) => format!("stands, or waits: `{reason}`"),
        }
    }
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    format!("| {} |\n", cells.into_iter().collect::<Vec<_>>().join(" | "))
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page += &row(["cause".to_owned()].into_iter().chain(ENDINGS.map(|ending| ending.name().to_owned())));
    page += &row(std::iter::repeat_n("---".to_owned(), ENDINGS.len() + 1));
    for cause in &CAUSES {
        let cells = ENDINGS.map(|ending| match is_kept(cause, ending) {
            true => ending.then(cause.kind).word(),
            false => format!("{} (not kept yet)", ending.then(cause.kind).word()),
        });
        page += &row([cause.name.to_owned()].into_iter().chain(cells));
    }
    page += WORDS;
    for ending in ENDINGS {
        page += &format!("**{}.** {}\n\n", ending.name(), ending.told());
    }
    page.trim_end().to_owned() + "\n"
}

#[test]
fn the_page_is_what_the_cells_say() {
    expect_file!["../../../../../docs/reference/effects.md"].assert_eq(&page());
}
