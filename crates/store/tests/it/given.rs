//! Batches and stores to begin with.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use store::{Append, Batch, Expected, NewEvent, Options, Store};
use tempfile::TempDir;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + second).unwrap()
}

pub(crate) fn event(data: impl Into<Vec<u8>>) -> NewEvent {
    NewEvent {
        type_: "Happened".into(),
        data: data.into(),
        at: at(0),
        tenant: Arc::from("acme"),
        correlation: Arc::from("cor-1"),
        causation: None,
    }
}

pub(crate) fn append(stream: &str, expected: Expected, events: &[&str]) -> Append {
    Append { stream: stream.into(), expected, events: events.iter().map(|data| event(*data)).collect() }
}

pub(crate) fn batch(stream: &str, expected: Expected, events: &[&str]) -> Batch {
    Batch { appends: vec![append(stream, expected, events)], ..Batch::default() }
}

/// A store on disk that can be opened again.
pub(crate) struct Disk {
    directory: TempDir,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("cardan.db")
    }

    /// The names of what lies in its directory, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.path(), Options::default()).unwrap()
    }
}
