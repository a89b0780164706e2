//! One store, one server; and a note of how far it has acknowledged.
//!
//! Beside the database lies a file that the open store holds locked. After every commit the position of the last
//! durable event is written into it, without a sync: that survives the process and mostly the machine. A log that
//! ends before the noted position has lost what was acknowledged (a damaged or missing write-ahead log, say), which
//! SQLite alone would take for the torn end of an unfinished write.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::sum;
use crate::Error;

/// The held lock: of the database's file itself, so that no other name of it leads past the lock, and of the file beside it.
#[derive(Debug)]
pub(super) struct Lock {
    note: File,
    /// Closed last: closing it gives away what SQLite has locked of the same file.
    database: File,
    path: PathBuf,
}

impl Lock {
    pub(super) fn path(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        name.into()
    }

    /// Takes the lock, or says that somebody has it. Makes the database's file when there is none, for nobody but us.
    pub(super) fn take(named: &Path) -> Result<Self, Error> {
        let real = std::fs::canonicalize(named).unwrap_or_else(|_| named.to_owned());
        let beside = Self::path(&real);
        let locked = |file: &File, path: &Path| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: named.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(failed(path, &cause)),
        };
        let note = open_own(&beside)?;
        locked(&note, &beside)?;
        let database = open_own(&real)?;
        locked(&database, &real)?;
        Ok(Self { note, database, path: real })
    }

    /// The database's file by its real name.
    pub(super) fn database(&self) -> &Path {
        &self.path
    }

    /// The noted position; 0 when there is no note that can be read.
    pub(super) fn noted(&mut self) -> u64 {
        let mut note = [0; 16];
        let read = self.note.seek(SeekFrom::Start(0)).and_then(|_| self.note.read_exact(&mut note));
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
        let _ = self.note.seek(SeekFrom::Start(0)).and_then(|_| self.note.write_all(&note));
    }
}

/// Unlocks by name: closing alone leaves the lock to a copy of the descriptor, as a child process has before it begins.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.database.unlock();
        let _ = self.note.unlock();
    }
}

fn failed(path: &Path, cause: &std::io::Error) -> Error {
    Error::Io { cause: format!("opening {}: {cause}", path.display()) }
}

/// Opens a file of the store, or makes it for nobody but us. A link in its place is not followed.
fn open_own(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    let file = options.open(path).map_err(|cause| failed(path, &cause))?;
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(Error::Io { cause: format!("opening {}: it is no file", path.display()) }),
        Err(cause) => Err(failed(path, &cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_descriptor_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cardan.db");
        let lock = Lock::take(&path).unwrap();
        let copies = (lock.note.try_clone().unwrap(), lock.database.try_clone().unwrap());
        assert!(matches!(Lock::take(&path), Err(Error::Locked { .. })));
        drop(lock);
        Lock::take(&path).unwrap();
        drop(copies);
    }
}
