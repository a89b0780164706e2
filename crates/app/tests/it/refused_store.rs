//! Stores that a server refuses to open: told in exact words, and not a byte of them is changed.

use std::path::Path;

use expect_test::{Expect, expect};
use rusqlite::Connection;
use store::{Append, Batch, Expected, NewEvent, Options, Store};
use tempfile::TempDir;

use crate::cardan::{Cardan, Ended};
use crate::scene::{Scene, pizza};

/// A folder with the example's configuration and `bytes` where its store should be.
fn given(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardan.yaml"), pizza(0, 1)).unwrap();
    std::fs::write(store_in(&folder), bytes).unwrap();
    folder
}

fn store_in(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("cardan.db")
}

/// A store that holds something, all of it in its main file.
async fn sound() -> TempDir {
    let folder = given(&[]);
    let store = Store::open(store_in(&folder), Options::default()).unwrap();
    let event = NewEvent {
        type_: "Happened".into(),
        data: b"{}".to_vec(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: "acme".into(),
        correlation: "cor-1".into(),
        causation: None,
    };
    let append = Append { stream: "orders".into(), expected: Expected::NoStream, events: vec![event] };
    store.commit(Batch { appends: vec![append], ..Batch::default() }).await.unwrap();
    store.close().await;
    on(&folder, "PRAGMA wal_checkpoint(TRUNCATE)");
    folder
}

fn on(folder: &TempDir, sql: &str) {
    let connection = Connection::open(store_in(folder)).unwrap();
    connection.execute_batch(sql).unwrap();
}

async fn serve(folder: &Path) -> Ended {
    Cardan::new(folder, &["serve"]).end().await
}

/// The server says `expected`, and the store's bytes are what they were.
async fn refuses(folder: &TempDir, expected: Expect) {
    let before = std::fs::read(store_in(folder)).unwrap();
    serve(folder.path()).await.refused(&expected);
    assert!(std::fs::read(store_in(folder)).unwrap() == before, "the store was changed");
}

#[tokio::test]
async fn random_bytes_are_no_store() {
    let mut dice = fastrand::Rng::with_seed(7);
    let bytes: Vec<u8> = std::iter::repeat_with(|| dice.u8(..)).take(64 * 1024).collect();
    refuses(
        &given(&bytes),
        expect![[r#"
        cardan: opening the store: cardan.db: not a database; name a cardan store or a path where nothing is
    "#]],
    )
    .await;
}

/// SQLite keeps the schema in the first page, behind 100 bytes of header.
#[tokio::test]
async fn a_store_with_flipped_bytes_is_corrupt() {
    let folder = sound().await;
    let mut bytes = std::fs::read(store_in(&folder)).unwrap();
    bytes[100..116].iter_mut().for_each(|byte| *byte ^= 0xff);
    std::fs::write(store_in(&folder), bytes).unwrap();
    refuses(&folder, expect![[r#"
        cardan: opening the store cardan.db: store is corrupt: database disk image is malformed; restore a backup
    "#]]).await;
}

/// As after a copy that did not finish.
#[tokio::test]
async fn a_store_that_was_cut_is_corrupt() {
    let folder = sound().await;
    let bytes = std::fs::read(store_in(&folder)).unwrap();
    std::fs::write(store_in(&folder), &bytes[..bytes.len() / 2]).unwrap();
    refuses(&folder, expect![[r#"
        cardan: opening the store cardan.db: store is corrupt: database disk image is malformed; restore a backup
    "#]]).await;
}

#[tokio::test]
async fn a_store_that_lost_what_was_acknowledged_is_corrupt() {
    let folder = sound().await;
    on(&folder, "DELETE FROM events");
    on(&folder, "PRAGMA wal_checkpoint(TRUNCATE)");
    let before = std::fs::read(store_in(&folder)).unwrap();
    let lock = std::fs::canonicalize(folder.path()).unwrap().join("cardan.db.lock");
    let ended = serve(folder.path()).await;
    ended.refused_where(|text| text.replace(lock.to_str().unwrap(), "cardan.db.lock"), &expect![[r#"
        cardan: opening the store cardan.db: store is corrupt: the log ends at position 0, but 1 was acknowledged (if this is a restored backup, remove cardan.db.lock); restore a backup
    "#]]);
    assert!(std::fs::read(store_in(&folder)).unwrap() == before, "the store was changed");
}

#[tokio::test]
async fn a_store_of_a_newer_cardan_is_refused() {
    let folder = sound().await;
    on(&folder, "PRAGMA user_version = 999");
    on(&folder, "PRAGMA wal_checkpoint(TRUNCATE)");
    refuses(&folder, expect![[r#"
        cardan: opening the store cardan.db: store has schema 999, this cardan knows up to 9: run the cardan that wrote it, or a newer one
    "#]]).await;
}

#[tokio::test]
async fn a_database_of_another_application_is_refused() {
    let folder = given(&[]);
    on(&folder, "CREATE TABLE invoices (number INTEGER PRIMARY KEY); INSERT INTO invoices VALUES (1)");
    refuses(&folder, expect![[r#"
        cardan: opening the store: cardan.db: a database of another application; name a cardan store or a path where nothing is
    "#]]).await;
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["cardan.db", "cardan.yaml"], "nothing is left beside it");
}

#[tokio::test]
async fn a_folder_is_no_store() {
    let folder = given(&[]);
    std::fs::remove_file(store_in(&folder)).unwrap();
    std::fs::create_dir(store_in(&folder)).unwrap();
    serve(folder.path()).await.refused(&expect![[r#"
        cardan: opening the store: cardan.db: a directory; name a cardan store or a path where nothing is
    "#]]);
}

#[tokio::test]
async fn a_store_that_another_server_has_open_is_refused() {
    let mut scene = Scene::open().await;
    let store = scene.folder().join("cardan.db");
    let text = pizza(0, 1).replace("sqlite:cardan.db", &format!("sqlite:{}", store.display()));
    std::fs::write(scene.folder().join("second.yaml"), text).unwrap();
    let ended = Cardan::new(scene.folder(), &["serve", "second.yaml"]).end().await;
    ended.refused_where(
        |text| text.replace(store.to_str().unwrap(), "STORE"),
        &expect![[r#"
        cardan: opening the store: STORE: already open in another cardan; one store has one server
    "#]],
    );
    assert!(scene.serves().await, "the first server was disturbed");
    let told = scene.play(&crate::scene::example("paid.yaml")).await;
    assert!(told.done().contains("succeeded"), "{}", told.out);
}
