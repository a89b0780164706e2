//! Connections to read with, lent to one read at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::open;
use super::read::Read;
use crate::{Error, Options};

/// Connections to read with. They are made when first needed, up to a number.
#[derive(Clone, Debug)]
pub(crate) struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
    page_rows: usize,
    page_bytes: usize,
}

impl Readers {
    pub(super) fn new(path: &Path, options: &Options) -> Self {
        Self(Arc::new(Inner {
            path: path.to_owned(),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(options.readers.max(1))),
            page_rows: options.page_rows.max(1),
            page_bytes: options.page_bytes,
        }))
    }

    /// Reads on a thread that may block. Dropping the future lets the read end by itself.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&Read<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = self.0.clone();
        let place = self.place().await?;
        let read = tokio::task::spawn_blocking(move || {
            let _place = place;
            let connection = inner.lend()?;
            let Inner { page_rows, page_bytes, .. } = *inner;
            let read = reading(&Read { connection: &connection, page_rows, page_bytes });
            inner.idle.lock().push(connection);
            read
        });
        match read.await {
            Ok(read) => read.map_err(Fault::into_error),
            Err(cause) => Err(Error::Io { cause: format!("reading: {cause}") }),
        }
    }

    /// A connection of its own for a read that wants to change its settings; not given back.
    pub(super) fn own(&self) -> Result<Connection, Fault> {
        self.0.connect()
    }

    /// How many rows a query that asked for `limit` gets at most.
    pub(super) fn rows(&self, limit: usize) -> usize {
        if limit == 0 { self.0.page_rows } else { limit.min(self.0.page_rows) }
    }

    /// Bytes after which a query returns what it has.
    pub(super) fn page_bytes(&self) -> usize {
        self.0.page_bytes
    }

    /// A place among the reads, to be held while reading with a connection of one's own.
    pub(super) async fn place(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
        self.0.places.clone().acquire_owned().await.map_err(|_| Error::Closed)
    }
}

impl Inner {
    fn lend(&self) -> Result<Connection, Fault> {
        let idle = self.idle.lock().pop();
        idle.map_or_else(|| self.connect(), Ok)
    }

    fn connect(&self) -> Result<Connection, Fault> {
        let connection = open::connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}
