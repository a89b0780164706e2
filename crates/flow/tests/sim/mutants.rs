//! Bugs on purpose: each is planted in a process of its own, and the simulation has to notice it within its seeds.

use std::process::Command;

/// Every bug that the simulation notices, and the rule that it breaks. The first are tried each time.
const BUGS: &[(&str, &str)] = &[
    ("everybody-first", "R4: of one key one run at a time is at work"),
    ("skip-intent", "R2: an intent is written before it leaves"),
    ("forget-unknown", "R2: what may have landed is undone"),
    ("conclude-too-early", "R2: nothing is concluded before the outcome has settled"),
    ("resend-never-on-retry", "R2: what must not be repeated is not, when a `try` tries again"),
    ("end-in-doubt", "R2: a run does not end while nobody knows what stands"),
    ("tells-not-begun", "R2: a message that must not be repeated is written down before it leaves"),
    ("ignore-expected-version", "R3: a commit that is made twice begins one run"),
    ("keep-key", "R4: the next in line is let go when a run is over"),
    ("forget-undo", "R5: everything that was done is undone"),
    ("forget-loser", "R5: the losers of a race are undone"),
    ("forget-parent", "R5: a child's end reaches its parent"),
    ("fault-undoes", "R6: our own fault undoes nothing that was done"),
    ("missing-is-a-no", "R6: what is not configured has refused nothing"),
    ("one-question", "R7: an answer names its question"),
    ("listen-twice", "R8: what is heard is heard once"),
    ("listen-from-now", "R8: what came since the run began is heard"),
    ("endless-runs", "R9: no more runs come of one than are allowed"),
    ("tells-overtake", "R11: messages of one key arrive as they were told"),
    ("wake-nobody", "R14: a process that begins goes on with what the one before left"),
    ("key-without-run", "R15: no two intents have one key"),
];
/// How many of them are tried each time; `make sim-mutants` tries all.
const A_COUPLE: usize = 2;

/// Whether the simulation notices this bug, and what it says then.
fn notices(bug: &str) -> Option<String> {
    let test = std::env::current_exe().unwrap();
    let mut play = Command::new(test);
    play.args(["every_effect_is_once_or_undone", "--exact", "--nocapture"]);
    play.env("CARDAN_MUTANT", bug).env("SIM_STOP", "1").env_remove("SIM_SEED");
    let played = play.output().unwrap();
    let said = String::from_utf8_lossy(&played.stdout).into_owned();
    (!played.status.success()).then_some(said)
}

#[test]
fn planted_bugs_are_noticed() {
    let all = std::env::var("SIM_MUTANTS").is_ok();
    let tried = BUGS.iter().take(if all { BUGS.len() } else { A_COUPLE });
    let mut unnoticed = Vec::new();
    for (bug, rule) in tried {
        match notices(bug) {
            Some(said) => println!(
                "{bug} ({rule}): {}",
                said.lines().find(|line| line.contains("seed ")).unwrap_or("noticed")
            ),
            None => unnoticed.push(*bug),
        }
    }
    assert!(unnoticed.is_empty(), "nobody noticed {unnoticed:?}");
}
