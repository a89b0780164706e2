//! F2, F5: the process is killed at each named point, or the kernel refuses its writes. The ledger of what was
//! acknowledged is kept outside.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use store::{Error, Expected, Options, Store};

use crate::given::{Disk, batch};

const STREAM: &str = "s";

/// Not a test by itself: the process that suffers. Appends and prints each version that was acknowledged.
#[tokio::test]
#[ignore = "the other tests of this file run it in a process of its own"]
async fn victim() {
    let Ok(path) = std::env::var("CARDAN_VICTIM") else { return };
    let store = Store::open(path, Options::default()).unwrap();
    let mut version = store.version(STREAM).await.unwrap();
    let data = "x".repeat(30_000);
    let error = loop {
        match store.commit(batch(STREAM, Expected::Version(version), &[&data])).await {
            Ok(committed) => version = committed.versions[0],
            Err(error) => break error,
        }
        println!("acknowledged {version}");
    };
    let again = store.commit(batch("other", Expected::Any, &["{}"])).await.unwrap_err();
    let fenced = matches!((error, &again), (Error::Fenced { .. }, Error::Fenced { .. }));
    println!("fenced {}", u64::from(fenced && !store.health().is_ready()));
}

/// Runs the victim to its end. Returns the last number it printed after each word.
fn run(command: &mut Command, disk: &Disk) -> (u64, u64) {
    command.env("CARDAN_VICTIM", disk.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut victim = command.spawn().unwrap();
    let (mut acknowledged, mut fenced) = (0, 0);
    for line in BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let number = |word| line.split_once(word).and_then(|(_, number)| number.parse().ok());
        acknowledged = number("acknowledged ").unwrap_or(acknowledged);
        fenced = number("fenced ").unwrap_or(fenced);
    }
    victim.wait().unwrap();
    (acknowledged, fenced)
}

/// Nothing acknowledged is lost; at most what was on its way is there besides. Returns what is there.
async fn check(disk: &Disk, acknowledged: u64, what: &str) -> u64 {
    let store = disk.open();
    let found = store.version(STREAM).await.unwrap();
    assert!(
        (acknowledged..=acknowledged + 1).contains(&found),
        "{what}: {found}, acknowledged {acknowledged}"
    );
    assert_eq!(store.verify().await.unwrap().events, found);
    found
}

const VICTIM: [&str; 4] = ["--exact", "crash::victim", "--ignored", "--nocapture"];

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    for point in store::failpoints() {
        let (disk, mut before) = (Disk::new(), 0);
        for nth in [1, 2, 7] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(VICTIM).env("CARDAN_FAILPOINT", format!("{point}:{nth}"));
            let (acknowledged, fenced) = run(&mut command, &disk);
            assert_eq!(fenced, 0, "{point}:{nth} was not passed");
            before = check(&disk, acknowledged.max(before), &format!("{point}:{nth}")).await;
        }
    }
}

#[tokio::test]
async fn a_refused_write_is_never_acknowledged_and_fences_the_store() {
    for blocks in [700, 1000, 3000] {
        let disk = Disk::new();
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new("sh");
        // Writes beyond the limit fail with EFBIG, which SQLite reports as an I/O error.
        command
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
            .arg(this)
            .args(VICTIM);
        let (acknowledged, fenced) = run(&mut command, &disk);
        assert!(acknowledged > 0 && fenced == 1, "{blocks} blocks: {acknowledged}, {fenced}");
        check(&disk, acknowledged, &format!("{blocks} blocks")).await;
    }
}
