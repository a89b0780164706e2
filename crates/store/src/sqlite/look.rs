//! A store that is only looked at, also while another process has it: reads as ever, and no commit is taken.

use std::path::Path;
use std::sync::Arc;

use rusqlite::OpenFlags;

use super::fault::Fault;
use super::queue::Queue;
use super::readers::Readers;
use super::shared::Shared;
use super::{Sqlite, Threads, Way, events, open};
use crate::lease::Fence;
use crate::{Error, Options};

impl Sqlite {
    /// Opens what is there for reading. Nothing is made, migrated or locked.
    pub(crate) fn look(path: &Path) -> Result<Self, Error> {
        if !path.is_file() {
            return Err(Error::Io { cause: format!("{}: there is no such file", path.display()) });
        }
        open::must_be_a_database(path)?;
        let head = seen(path).map_err(Fault::into_error)?;
        let (options, shared) = (Options::default(), Arc::new(Shared::new(head)));
        let readers = Readers::new(path, &options);
        // Nobody takes what is put in: a commit is answered as to a store that is closed.
        let (queue, _nobody) = Queue::new(&options, shared.clone());
        let threads = Threads { queue, readers, writer: None, _directory: None };
        Ok(Self {
            way: Way::Threads(threads),
            shared,
            installation: "".into(),
            fence: Arc::new(Fence::new(open::OWNER, 0)),
            claims: Arc::default(),
            batch_bytes: options.batch_bytes,
        })
    }
}

/// The head of the log, when it is a store that this version can read.
fn seen(path: &Path) -> Result<u64, Fault> {
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if open::schema_version(&connection, path)? == 0 {
        return Err(Error::Io { cause: format!("{}: the store is empty", path.display()) }.into());
    }
    events::head(&connection)
}
