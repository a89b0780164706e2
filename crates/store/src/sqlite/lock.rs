//! One store, one server; and a note of how far it has acknowledged.
//!
//! Beside the database lies a file that the open store holds locked. After every commit the position of the last
//! durable event is written into it, without a sync: that survives the process and mostly the machine. A log that
//! ends before the noted position has lost what was acknowledged (a damaged or missing write-ahead log, say), which
//! SQLite alone would take for the torn end of an unfinished write.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::sum;
use crate::Error;

/// The held lock file.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn path(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        name.into()
    }

    /// Takes the lock, or says that somebody has it.
    pub(super) fn take(database: &Path) -> Result<Self, Error> {
        let path = Self::path(database);
        let io = |cause: &std::io::Error| Error::Io { cause: format!("opening {}: {cause}", path.display()) };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|cause| io(&cause))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: database.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(io(&cause)),
        }
    }

    /// The noted position; 0 when there is no note that can be read.
    pub(super) fn noted(&mut self) -> u64 {
        let mut note = [0; 16];
        let read = self.0.seek(SeekFrom::Start(0)).and_then(|_| self.0.read_exact(&mut note));
        let (position, kept) = note.split_at(8);
        match read {
            Ok(()) if kept == sum::of(&[position]).to_le_bytes() => {
                u64::from_le_bytes(position.try_into().unwrap_or_default())
            }
            _ => 0,
        }
    }

    /// Notes that everything up to `position` is durable.
    pub(super) fn note(&mut self, position: u64) {
        let position = position.to_le_bytes();
        let mut note = [0; 16];
        note[..8].copy_from_slice(&position);
        note[8..].copy_from_slice(&sum::of(&[&position]).to_le_bytes());
        // The note only guards; what it guards is durable already, so that a full disk may refuse it.
        let _ = self.0.seek(SeekFrom::Start(0)).and_then(|_| self.0.write_all(&note));
    }
}
