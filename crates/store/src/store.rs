//! The handle everybody holds.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::sqlite::Sqlite;
use crate::{Batch, Claim, Error, Fate, Health, Lease, Moment, Options, Receipt, Verified, Work};

/// The log and the rows beside it. Cheap to clone; the last handle to go closes the store.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) sqlite: Arc<Sqlite>,
    /// Under which it commits.
    lease: Lease,
}

impl Store {
    fn over(sqlite: Sqlite) -> Self {
        let lease = sqlite.fence().lease();
        Self { sqlite: Arc::new(sqlite), lease }
    }

    /// Opens the store at `path`, or makes one where nothing is. Older stores are migrated. A new epoch begins: see
    /// [`Lease`].
    ///
    /// Blocks for as long as the disk takes; starts the writer's threads.
    ///
    /// # Errors
    /// [`Error::Newer`], [`Error::Foreign`], [`Error::Locked`], [`Error::Corrupt`], [`Error::Io`].
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        Ok(Self::over(Sqlite::open(path.as_ref(), options)?))
    }

    /// Looks at the store at `path`, also while another process has it open: what is read is what was committed, and no
    /// commit is taken ([`Error::Closed`]). Nothing is made or migrated.
    ///
    /// # Errors
    /// [`Error::Newer`], [`Error::Foreign`], [`Error::Io`].
    pub fn look(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::over(Sqlite::look(path.as_ref())?))
    }

    /// A store in a new directory of the system's temporary place, without syncs, removed with its last handle.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn temporary() -> Result<Self, Error> {
        Ok(Self::over(Sqlite::temporary(Options::default())?))
    }

    /// A store in memory that does everything within the caller's poll, by the same rules: for tests that hold time and
    /// chance. Nothing of it is on a disk, and it has no threads.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn inline() -> Result<Self, Error> {
        Ok(Self::over(Sqlite::inline(&Options::default())?))
    }

    /// The next process's handle on the rows of an inline store; the handles before it answer nothing any more. Any other
    /// store has one process: this handle.
    #[must_use]
    pub fn reopened(&self) -> Self {
        self.sqlite.reopened().map_or_else(|| self.clone(), Self::over)
    }

    /// Has a test decide what happens at each moment of an inline store; no other store asks.
    pub fn decide(&self, decide: impl FnMut(Moment<'_>) -> Fate + Send + 'static) {
        self.sqlite.decide(decide);
    }

    /// Commits a batch: when this returns `Ok`, it is on disk (`fsync`) and every reader sees it.
    ///
    /// Dropping the future does not undo the batch. Batches of concurrent callers share a sync; a refused one leaves
    /// nothing behind and does not disturb the others.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Key`], [`Error::Lapsed`], [`Error::NotOpen`] when the batch contradicts what is
    /// there; [`Error::LeaseOver`] when somebody else has taken the store over; [`Error::TooLarge`], [`Error::Busy`], [`Error::Full`], [`Error::Fenced`], [`Error::Closed`].
    pub async fn commit(&self, batch: Batch) -> Result<Receipt, Error> {
        self.sqlite.commit(batch, self.lease.clone()).await
    }

    /// The lease under which this handle commits.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whether this handle's lease is in force: nothing may be sent for what was read under one that is over.
    pub fn holds(&self) -> bool {
        !self.sqlite.fence().is_over(&self.lease)
    }

    /// The same for whoever is about to send.
    ///
    /// # Errors
    /// [`Error::LeaseOver`].
    pub fn must_hold(&self) -> Result<(), Error> {
        self.sqlite.fence().check(&self.lease)
    }

    /// Takes the store over, as a process does that opens it: what was committed before is there, and whatever earlier
    /// handles commit from now on is refused with [`Error::LeaseOver`]. They can still read.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Closed`].
    pub async fn take_over(&self) -> Result<Self, Error> {
        let lease = self.sqlite.take_over().await?;
        Ok(Self { sqlite: self.sqlite.clone(), lease })
    }

    /// Claims a piece of work, unless somebody works on it already.
    pub fn claim(&self, work: Work, id: &str) -> Option<Claim> {
        self.sqlite.claims().claim((work, id), &self.lease, self.sqlite.fence())
    }

    /// Whether a piece of work is claimed, by whomever.
    pub fn is_claimed(&self, work: Work, id: &str) -> bool {
        self.sqlite.claims().is_claimed(work, id, self.sqlite.fence())
    }

    /// The position of the last visible event; changes wake followers. Never runs ahead of what a read finds.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.sqlite.head()
    }

    /// Which installation this store belongs to: `i_` and 26 letters and digits, random, made with the store and kept for
    /// good. It is part of every key that is sent to a system, so that no two stores ever send the same one.
    pub fn installation(&self) -> Arc<str> {
        self.sqlite.installation()
    }

    /// The largest batch, in bytes, that [`Store::commit`] takes.
    pub fn batch_bytes(&self) -> usize {
        self.sqlite.batch_bytes()
    }

    /// Forgets idempotency records that expired at or before `now` and taken signals of ended runs.
    ///
    /// Works in small batches between the commits of others. Returns how many rows went.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn prune(&self, now: Timestamp) -> Result<u64, Error> {
        self.must_hold()?;
        self.sqlite.prune(now).await
    }

    /// Reads everything and compares checksums, positions and versions.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the first thing that is wrong.
    pub async fn verify(&self) -> Result<Verified, Error> {
        self.sqlite.verify().await
    }

    /// How the store is doing. Does not touch the disk.
    pub fn health(&self) -> Health {
        let mut health = self.sqlite.health();
        if !self.holds() {
            health.fenced.get_or_insert_with(|| "somebody else has taken the store over".to_owned());
        }
        health
    }

    /// Commits what is queued and closes the writer, also for other handles.
    pub async fn close(self) {
        self.sqlite.close().await;
    }
}
