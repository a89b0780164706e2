//! Bugs on purpose: each is planted in a process of its own, and the simulation has to notice it within its seeds.

use std::process::Command;

/// Every bug that the simulation notices, and the rule that it breaks.
const BUGS: &[(&str, &str)] = &[
    ("forget-undo", "R5: everything that was done is undone"),
    ("skip-intent", "R2: an intent is written before it leaves"),
    ("forget-unknown", "R2: what may have landed is undone"),
    ("forget-loser", "R5: the losers of a race are undone"),
    ("keep-key", "R4: the next in line is let go when a run is over"),
    ("forget-parent", "R5: a child's end reaches its parent"),
    ("wake-nobody", "R14: a process that begins goes on with what the one before left"),
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
