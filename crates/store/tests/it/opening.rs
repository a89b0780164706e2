//! What may be opened, and by whom.

use jiff::Timestamp;
use rusqlite::Connection;
use store::{Batch, Error, Expected, KeyOp, KeyRecord, Options, Store};

use crate::given::{Disk, batch};

fn refused(disk: &Disk) -> Error {
    Store::open(disk.path(), Options::default()).unwrap_err()
}

#[tokio::test]
async fn a_newer_store_is_refused_and_left_as_it_is() {
    let disk = Disk::new();
    disk.open().close().await;
    Connection::open(disk.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(disk.path()).unwrap();
    let error = refused(&disk);
    assert_eq!(error, Error::Newer { found: 99, ours: 9 });
    assert_eq!(
        error.to_string(),
        "store has schema 99, this cardan knows up to 9: run the cardan that wrote it, or a newer one"
    );
    assert_eq!(std::fs::read(disk.path()).unwrap(), before);
}

#[test]
fn another_applications_database_is_refused() {
    let disk = Disk::new();
    Connection::open(disk.path()).unwrap().execute_batch("CREATE TABLE photos (id)").unwrap();
    let before = std::fs::read(disk.path()).unwrap();
    assert!(matches!(refused(&disk), Error::Foreign { what: "a database of another application", .. }));
    assert_eq!(std::fs::read(disk.path()).unwrap(), before);
    assert_eq!(disk.files(), ["cardan.db"], "nothing is left beside it");
}

/// Another application may keep a write-ahead log as well; it is not taken in, and no log is begun.
#[test]
fn another_applications_write_ahead_log_is_left_alone() {
    let disk = Disk::new();
    let other = Connection::open(disk.path()).unwrap();
    other
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA application_id = 7; CREATE TABLE photos (id)")
        .unwrap();
    drop(other);
    assert!(matches!(refused(&disk), Error::Foreign { what: "a database of another application", .. }));
    assert_eq!(disk.files(), ["cardan.db"]);
}

/// What a store of the first schema holds is there after the others were put in place.
#[tokio::test]
async fn an_older_store_is_brought_up_to_date() {
    let disk = Disk::new();
    let old = Connection::open(disk.path()).unwrap();
    old.execute_batch(include_str!("../../src/sqlite/schema/1.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 0x43415244; PRAGMA user_version = 1;
         INSERT INTO runs VALUES (1, 'run_1', 't', 'f', 'h', 'k', 'queued', 1, NULL, NULL, 0, 0, NULL, NULL);
         INSERT INTO outbox VALUES ('run_1/mail', 'tell', 'email.send', '{}', 't', 'c', 7000000000, 1, NULL, 0)",
    )
    .unwrap();
    // As the first version made it: nothing of a lease is in it.
    let parts: [&[u8]; 6] = [b"", b"", b"t", b"k", &[7; 32], b"a"];
    let sum = parts.iter().fold(0, |seed, part| xxhash_rust::xxh3::xxh3_64_with_seed(part, seed)) as i64;
    let open = "INSERT INTO keys VALUES ('t', 'k', ?1, 'a', NULL, 0, 9000000000000000000, ?2)";
    old.execute(open, rusqlite::params![[7_u8; 32], sum]).unwrap();
    drop(old);
    let store = disk.open();
    let key = store.key("t", "k").await.unwrap().unwrap();
    assert_eq!((&*key.lease.owner, key.lease.epoch), ("server", 0), "its epoch is over");
    let again = KeyOp::Claim(KeyRecord { owner: "b".into(), ..key });
    store.commit(Batch { keys: vec![again], ..Batch::default() }).await.unwrap();
    let first = store.in_line("t", "f", "k", 1).await.unwrap();
    assert_eq!(first[0].id, "run_1");
    assert_eq!(store.census().await.unwrap().outbox_since, Timestamp::from_second(7).ok());
    let heads = store.outbox_heads("tell", "email", 9).await.unwrap();
    assert_eq!((heads[0].id.as_str(), heads[0].key.as_str()), ("run_1/mail", "run_1"));
    store.close().await;
    let version: i32 = Connection::open(disk.path())
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 9);
}

/// A store keeps its installation id for as long as it lives, and no other has it.
#[tokio::test]
async fn every_store_has_an_installation_id_of_its_own() {
    let disk = Disk::new();
    let store = disk.open();
    let id = store.installation();
    assert_eq!((&id[..2], id.len()), ("i_", 28));
    store.close().await;
    assert_eq!(disk.open().installation(), id);
    let others = [Disk::new().open().installation(), Store::temporary().unwrap().installation()];
    assert!(!others.contains(&id) && others[0] != others[1]);
}

#[tokio::test]
async fn a_damaged_installation_id_is_noticed() {
    let disk = Disk::new();
    disk.open().close().await;
    Connection::open(disk.path()).unwrap().execute("UPDATE meta SET value = 'i_other'", []).unwrap();
    assert_eq!(refused(&disk), Error::Corrupt { what: "the installation id is not what was written".into() });
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let disk = Disk::new();
    std::fs::write(disk.path(), "dear diary").unwrap();
    assert!(matches!(refused(&disk), Error::Foreign { what: "not a database", .. }));
    assert_eq!(std::fs::read(disk.path()).unwrap(), b"dear diary");
}

#[test]
fn a_directory_is_refused() {
    let disk = Disk::new();
    std::fs::create_dir(disk.path()).unwrap();
    assert!(matches!(refused(&disk), Error::Foreign { what: "a directory", .. }));
}

#[tokio::test]
async fn one_store_has_one_server() {
    let disk = Disk::new();
    let first = disk.open();
    assert_eq!(refused(&disk), Error::Locked { path: disk.path() });
    drop(first);
    disk.open();
}

#[tokio::test]
async fn missing_directories_are_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/cardan.db");
    let store = Store::open(&path, Options::default()).unwrap();
    store.commit(batch("s", Expected::NoStream, &["{}"])).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_is_one_file_and_its_note() {
    let disk = Disk::new();
    let store = disk.open();
    store.commit(batch("s", Expected::NoStream, &["{}"])).await.unwrap();
    store.close().await;
    let wal = disk.path().with_extension("db-wal");
    assert_eq!(std::fs::metadata(wal).map_or(0, |file| file.len()), 0);
}

#[tokio::test]
async fn a_store_that_is_open_can_be_looked_at() {
    let disk = Disk::new();
    assert!(
        matches!(Store::look(disk.path()), Err(Error::Io { .. })),
        "nothing is there, and nothing is made"
    );
    assert!(!disk.path().exists());
    let store = disk.open();
    store.commit(batch("s", Expected::Any, &["1"])).await.unwrap();
    let looked = Store::look(disk.path()).unwrap();
    store.commit(batch("s", Expected::Any, &["2"])).await.unwrap();
    assert_eq!(looked.version("s").await.unwrap(), 2, "what is written meanwhile is seen");
    assert_eq!(looked.commit(batch("s", Expected::Any, &["3"])).await, Err(Error::Closed));
    store.close().await;
    assert_eq!(Store::look(disk.path()).unwrap().version("s").await.unwrap(), 2);
}

/// The number says one thing, the tables another: a step that was taken is not taken again.
#[tokio::test]
async fn a_wrong_version_number_is_put_right() {
    for number in [3, 0, -1] {
        let disk = Disk::new();
        let store = disk.open();
        store.commit(batch("s", Expected::NoStream, &["{}"])).await.unwrap();
        store.close().await;
        Connection::open(disk.path()).unwrap().pragma_update(None, "user_version", number).unwrap();
        assert_eq!(disk.open().stream("s", 0, 0).await.unwrap().len(), 1, "{number}");
    }
}

#[tokio::test]
async fn what_is_not_ours_in_a_store_is_refused() {
    let disk = Disk::new();
    disk.open().close().await;
    let planted = "CREATE TABLE loot (a); CREATE TRIGGER t AFTER INSERT ON events BEGIN INSERT INTO loot VALUES (new.data); END";
    Connection::open(disk.path()).unwrap().execute_batch(planted).unwrap();
    let what = r#"it holds the table "loot", which no cardan has made"#;
    assert_eq!(refused(&disk), Error::Corrupt { what: what.into() });
    Connection::open(disk.path()).unwrap().execute_batch("DROP TRIGGER t; DROP TABLE loot").unwrap();
    disk.open().close().await;
    Connection::open(disk.path()).unwrap().execute_batch("DROP INDEX timers_due").unwrap();
    assert_eq!(refused(&disk), Error::Corrupt { what: r#"the index "timers_due" is missing"#.into() });
}

/// Whatever name leads to it, and though its lock file is gone: one store, one server.
#[test]
fn no_other_name_leads_past_the_lock() {
    let disk = Disk::new();
    let _first = disk.open();
    let other = |name: &str| disk.path().with_file_name(name);
    std::os::unix::fs::symlink(disk.path(), other("symbolic.db")).unwrap();
    std::fs::hard_link(disk.path(), other("hard.db")).unwrap();
    for name in ["symbolic.db", "hard.db"] {
        let error = Store::open(other(name), Options::default()).unwrap_err();
        assert_eq!(error, Error::Locked { path: other(name) });
    }
    std::fs::remove_file(other("cardan.db.lock")).unwrap();
    assert_eq!(refused(&disk), Error::Locked { path: disk.path() });
}

#[test]
fn the_lock_file_follows_no_link() {
    let disk = Disk::new();
    let victim = disk.path().with_file_name("victim");
    std::fs::write(&victim, "it matters").unwrap();
    std::os::unix::fs::symlink(&victim, disk.path().with_file_name("cardan.db.lock")).unwrap();
    assert!(matches!(refused(&disk), Error::Io { .. }));
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "it matters");
}

#[tokio::test]
async fn files_are_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let disk = Disk::new();
    let store = disk.open();
    store.commit(batch("s", Expected::NoStream, &["{}"])).await.unwrap();
    for name in disk.files() {
        let mode = std::fs::metadata(disk.path().with_file_name(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
