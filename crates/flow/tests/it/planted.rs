//! Bugs on purpose: what a run waits for is held by tests that go red with each of them.

use std::process::Command;

/// A bug, and a test that notices it.
const BUGS: [(&str, &str); 6] = [
    ("listen-from-now", "listening::what_comes_before_the_listen_is_heard"),
    ("listen-twice", "listening::two_events_satisfy_two_listens_in_their_order"),
    ("missing-is-a-no", "faults::what_is_not_configured_blocks_and_goes_on_when_it_is_there_again"),
    ("fault-undoes", "faults::a_result_that_cannot_be_made_undoes_nothing"),
    ("forget-once", "once_ever::a_second_child_of_the_key_is_refused_whoever_begins_it"),
    ("endless-runs", "faults::as_many_runs_come_of_one_as_are_allowed"),
];

#[test]
fn planted_bugs_are_noticed() {
    let passes = |bug: &str, test: &str| {
        let mut play = Command::new(std::env::current_exe().unwrap());
        play.args([test, "--exact"]).env("CARDAN_MUTANT", bug);
        let played = play.output().unwrap();
        let said = String::from_utf8_lossy(&played.stdout).into_owned();
        assert!(said.contains("running 1 test"), "{test}: {said}");
        played.status.success()
    };
    for (bug, test) in BUGS {
        assert!(!passes(bug, test), "{test} does not notice {bug}");
    }
}
