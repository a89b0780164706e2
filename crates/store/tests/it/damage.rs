//! F4: torn tails, flipped bits, cut files. What was acknowledged comes back as it was, or the store says that it
//! is damaged; it never panics and never returns other bytes.

use std::collections::BTreeMap;
use std::path::Path;

use store::{Batch, Error, Expected, Options, State, Store};

use crate::given::{Disk, append, batch};

const MUTATIONS: u64 = 200;

/// A store with a database and, when `wal`, a write-ahead log that was not moved; and what was acknowledged.
async fn written(disk: &Disk, wal: bool) -> BTreeMap<u64, Vec<u8>> {
    let store = disk.open();
    let mut acknowledged = BTreeMap::new();
    for turn in 0..40u64 {
        let data = format!("{{\"turn\":{turn},\"pad\":\"{}\"}}", "p".repeat(turn as usize * 37 % 900));
        let stream = format!("s-{}", turn % 5);
        let states = vec![State { kind: "entity", id: stream.clone(), data: Some(data.clone().into()) }];
        let whole =
            Batch { appends: vec![append(&stream, Expected::Any, &[&data])], states, ..Batch::default() };
        acknowledged.insert(store.commit(whole).await.unwrap().position, data.into_bytes());
    }
    if wal {
        // As if the process were killed: the files as they are now.
        let copy = disk.path().with_extension("copy");
        std::fs::create_dir(&copy).unwrap();
        for file in ["cardan.db", "cardan.db-wal", "cardan.db.lock"] {
            std::fs::copy(disk.path().with_file_name(file), copy.join(file)).unwrap();
        }
        drop(store);
        for file in ["cardan.db", "cardan.db-wal", "cardan.db.lock"] {
            std::fs::copy(copy.join(file), disk.path().with_file_name(file)).unwrap();
        }
    } else {
        store.close().await;
    }
    acknowledged
}

/// Opens and reads everything. `Ok` holds what was found.
async fn everything(path: &Path) -> Result<BTreeMap<u64, Vec<u8>>, Error> {
    let store = Store::open(path, Options::default())?;
    let mut found = BTreeMap::new();
    for stream in 0..5 {
        store.stream(&format!("s-{stream}"), 0, 1000).await?;
    }
    store.states("entity", "", None, 1000).await?;
    for event in store.log(0, 1000).await? {
        found.insert(event.position, event.data);
    }
    store.commit(batch("after", Expected::Any, &["{}"])).await?;
    Ok(found)
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut fastrand::Rng) -> String {
    let place = dice.usize(..bytes.len());
    match dice.u8(..4) {
        0 => {
            bytes.truncate(place);
            format!("cut at {place}")
        }
        1 => {
            let end = (place + dice.usize(1..4096)).min(bytes.len());
            bytes[place..end].fill(0);
            format!("zeroes at {place}..{end}")
        }
        _ => {
            let bit = dice.u8(..8);
            bytes[place] ^= 1 << bit;
            format!("bit {bit} flipped at {place}")
        }
    }
}

async fn check(file: &str, wal: bool) {
    let seed = std::env::var("CARDAN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed);
    let disk = Disk::new();
    let acknowledged = written(&disk, wal).await;
    let names = ["cardan.db", "cardan.db-wal", "cardan.db.lock"];
    let files: Vec<_> = names
        .iter()
        .map(|name| (name, std::fs::read(disk.path().with_file_name(name)).unwrap_or_default()))
        .collect();
    let (mut whole, mut said) = (0, 0);
    for mutation in 0..MUTATIONS {
        let mut dice = fastrand::Rng::with_seed(seed + mutation);
        let mutated = tempfile::tempdir().unwrap();
        let mut what = String::new();
        for (name, bytes) in &files {
            let mut bytes = bytes.clone();
            if **name == file {
                what = mutate(&mut bytes, &mut dice);
            }
            std::fs::write(mutated.path().join(name), bytes).unwrap();
        }
        let replay = format!("{file}: {what}; replay with CARDAN_SEED={} on mutation 0", seed + mutation);
        match everything(&mutated.path().join("cardan.db")).await {
            Ok(found) => {
                assert_eq!(found, acknowledged, "{replay}");
                whole += 1;
            }
            Err(Error::Corrupt { .. } | Error::Foreign { .. } | Error::Newer { .. } | Error::Io { .. }) => {
                said += 1
            }
            Err(Error::Fenced { .. }) => said += 1,
            Err(other) => panic!("{other}: {replay}"),
        }
    }
    println!("{file}: {MUTATIONS} mutations, {whole} harmless, {said} reported, 0 silent");
    assert!(said > 0, "no mutation was noticed");
}

#[tokio::test]
async fn a_damaged_database_is_noticed() {
    check("cardan.db", false).await;
}

#[tokio::test]
async fn a_damaged_write_ahead_log_is_noticed() {
    check("cardan.db-wal", true).await;
}

#[tokio::test]
async fn a_flipped_bit_in_the_middle_of_the_log_is_named() {
    let disk = Disk::new();
    written(&disk, false).await;
    let mut bytes = std::fs::read(disk.path()).unwrap();
    let needle = b"{\"turn\":17,";
    let place = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[place + 2] ^= 1;
    std::fs::write(disk.path(), bytes).unwrap();
    let store = disk.open();
    let error = store.log(0, 1000).await.unwrap_err();
    assert_eq!(error, Error::Corrupt { what: "event at position 18 is not what was written".into() });
    assert_eq!(store.verify().await.unwrap_err(), error);
    assert_eq!(store.log(18, 1000).await.unwrap().len(), 22);
}

#[tokio::test]
async fn a_lost_write_ahead_log_is_noticed() {
    let disk = Disk::new();
    written(&disk, true).await;
    std::fs::remove_file(disk.path().with_extension("db-wal")).unwrap();
    let error = Store::open(disk.path(), Options::default()).unwrap_err();
    assert!(matches!(&error, Error::Corrupt { what } if what.contains("40 was acknowledged")), "{error}");
}

#[tokio::test]
async fn a_damaged_timer_is_named() {
    let disk = Disk::new();
    let store = disk.open();
    let timer =
        store::Timer { id: "t_1".into(), run: "run_1".into(), step: "w".into(), due: crate::given::at(9) };
    let set = Batch { timers: vec![store::TimerOp::Set(timer)], ..Batch::default() };
    store.commit(set).await.unwrap();
    store.verify().await.unwrap();
    store.close().await;
    let flip = "UPDATE timers SET due = due | (1 << 56)";
    rusqlite::Connection::open(disk.path()).unwrap().execute(flip, []).unwrap();
    let what = r#"timer "t_1" of run run_1 is not what was written"#;
    let store = disk.open();
    assert_eq!(store.verify().await, Err(Error::Corrupt { what: what.into() }));
    let damaged = store.damaged_timers().await.unwrap();
    assert_eq!(damaged.iter().map(|timer| &*timer.id).collect::<Vec<_>>(), ["t_1"]);
}
