//! The least that durable work costs on this disk: what a figure of the store or of a flow stands beside.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many syncs make a floor.
pub const SYNCS: usize = 1000;

/// The store's own table and index, in its own modes, and nothing else.
pub const EVENTS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER, version INTEGER, type TEXT, at INTEGER,
        tenant TEXT, correlation TEXT, causation TEXT, data TEXT, sum INTEGER);
    CREATE UNIQUE INDEX events_of_stream ON events (stream, version);";

/// Makes a file of [`SYNCS`] blocks of 4 KiB that is on the disk.
///
/// # Errors
/// When the disk has no room for it.
pub fn blocks(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    file.write_all_at(&vec![0; 4096 * SYNCS], 0)?;
    file.sync_all()?;
    Ok(file)
}

/// Writes each of the blocks again, and how long its `fdatasync` took.
///
/// # Errors
/// When the disk does not take it.
pub fn syncs(file: &File) -> io::Result<Vec<Duration>> {
    (0..SYNCS as u64).map(|block| sync(file, block)).collect()
}

fn sync(file: &File, block: u64) -> io::Result<Duration> {
    file.write_all_at(&[1; 4096], block * 4096)?;
    let begin = Instant::now();
    file.sync_data()?;
    Ok(begin.elapsed())
}
