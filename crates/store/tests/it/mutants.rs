//! The tests can fail: with a bug planted, the test that guards against it goes red.

use std::process::{Command, Stdio};

/// Runs one test of this binary in a process of its own with a bug planted, and says whether it passed.
fn passes(mutant: &str, test: &str) -> bool {
    let this = std::env::current_exe().unwrap();
    let mut child = Command::new(this);
    child.args(["--exact", test]).env("CARDAN_MUTANT", mutant).stdout(Stdio::null()).stderr(Stdio::null());
    child.status().unwrap().success()
}

#[test]
fn planted_bugs_are_caught() {
    let guarded = [
        ("ignore-expected-version", "append::b5_version_is_checked_in_the_writing_transaction"),
        ("ignore-expected-version", "append::one_winner_per_expected_version"),
        ("ignore-expected-version", "oracle::the_store_answers_as_the_model_does"),
        ("drop-key-row", "keys::of_many_claims_one_wins"),
        ("drop-key-row", "oracle::the_store_answers_as_the_model_does"),
        ("ignore-checksum", "damage::a_flipped_bit_in_the_middle_of_the_log_is_named"),
        ("no-fence", "leases::a_handle_whose_store_was_taken_over_writes_nothing_more"),
        ("ack-early", "crash::what_was_acknowledged_survives_a_kill"),
    ];
    for (mutant, test) in guarded {
        assert!(passes("none", test), "{test} is red without a bug");
        assert!(!passes(mutant, test), "{test} is green with {mutant}");
    }
}
