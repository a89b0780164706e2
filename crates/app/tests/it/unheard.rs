//! Whoever reads what a command prints may leave early, as `head` does; a disk may be full.

use std::fs::File;
use std::process::{Command, Stdio};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../act/tests/data/astra-vectors.jsonl");
const TALKATIVE: [&[&str]; 3] = [&["schema"], &["validate", VECTORS], &["check", "nowhere.yaml"]];

/// Exit code and what it said to standard error.
fn ended(arguments: &[&str], stdout: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardan"));
    command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    let ended = command.spawn().unwrap().wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_reader_that_left_ends_a_command_quietly() {
    for arguments in TALKATIVE {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(ended(arguments, writer), (Some(141), String::new()), "{arguments:?}");
    }
}

#[test]
fn an_answer_that_finds_no_room_is_no_answer() {
    for arguments in TALKATIVE {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let says = "cardan: No space left on device (os error 28)\n".to_owned();
        assert_eq!(ended(arguments, full), (Some(2), says), "{arguments:?}");
    }
}
