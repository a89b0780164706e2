//! What may be opened, and by whom.

use rusqlite::Connection;
use store::{Error, Expected, Options, Store};

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
    assert_eq!(error, Error::Newer { found: 99, ours: 1 });
    assert_eq!(
        error.to_string(),
        "store has schema 99, this cardan knows up to 1: run the cardan that wrote it, or a newer one"
    );
    assert_eq!(std::fs::read(disk.path()).unwrap(), before);
}

#[test]
fn another_applications_database_is_refused() {
    let disk = Disk::new();
    Connection::open(disk.path()).unwrap().execute_batch("CREATE TABLE photos (id)").unwrap();
    assert!(matches!(refused(&disk), Error::Foreign { what: "a database of another application", .. }));
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
