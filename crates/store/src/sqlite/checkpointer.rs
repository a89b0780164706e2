//! Moves the write-ahead log into the database, off the writer's path.
//!
//! Mostly passively: without holding up anybody. Under a load that never pauses, a passive move never quite reaches
//! the end, so beyond a bound the writer is held up for the little that a passive move left.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::fault::Fault;
use super::open;
use super::shared::Shared;
use crate::{Error, failpoint};

/// Frames (of one page, 4 KiB) in the write-ahead log from which it is moved.
const MOVED: i64 = 1_000;
/// Frames from which the writer is held up to begin the write-ahead log anew: 64 MiB.
const BOUND: i64 = 16_384;

/// The thread; ends when the writer's connection does.
pub(super) struct Checkpointer(Option<JoinHandle<()>>);

impl Checkpointer {
    /// Starts the thread and has `writer` wake it when the log has grown.
    pub(super) fn start(path: &Path, writer: &mut Connection, shared: Arc<Shared>) -> Result<Self, Error> {
        let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(Fault::into_error)?;
        // Opens the write-ahead log now, so that no later move of it needs a file that callers have taken.
        let _ = checkpoint(&connection, "PASSIVE");
        // How long a reader that stays behind may hold up the writer beyond the bound.
        connection
            .busy_timeout(Duration::from_millis(50))
            .map_err(|cause| Fault::from(cause).into_error())?;
        let (wake, grown) = sync_channel(1);
        let hook = writer.wal_hook(Some(move |_: &mut _, frames| {
            if i64::from(frames) >= MOVED {
                // Woken already, or gone.
                let _ = wake.try_send(());
            }
            Ok(())
        }));
        hook.map_err(|cause| Fault::from(cause).into_error())?;
        let thread = std::thread::Builder::new().name("store-checkpoint".into());
        let spawned = thread.spawn(move || run(&connection, &grown, &shared));
        spawned
            .map(|thread| Self(Some(thread)))
            .map_err(|cause| Error::Io { cause: format!("starting the checkpointer: {cause}") })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, grown: &Receiver<()>, shared: &Shared) {
    let mut bound = BOUND;
    while grown.recv().is_ok() && shared.fenced().is_none() {
        failpoint("store.checkpoint");
        match step(connection, bound) {
            Ok(Step::Done) => {}
            Ok(Step::Restarted) => bound = BOUND,
            // A reader holds an old state: trying at every commit would hold up the writer each time.
            Ok(Step::Hindered) => bound *= 2,
            Err(fault) if fault.may_pass() => {}
            Err(fault) => shared.fence(&format!("moving the write-ahead log: {}", fault.into_error())),
        }
    }
}

enum Step {
    Done,
    Restarted,
    Hindered,
}

fn step(connection: &Connection, bound: i64) -> Result<Step, Fault> {
    let (_, frames) = checkpoint(connection, "PASSIVE")?;
    if frames < bound {
        return Ok(Step::Done);
    }
    let (hindered, _) = checkpoint(connection, "RESTART")?;
    Ok(if hindered { Step::Hindered } else { Step::Restarted })
}

/// Whether somebody was in the way, and how many frames the log has.
fn checkpoint(connection: &Connection, mode: &str) -> Result<(bool, i64), Fault> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    Ok(connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}
