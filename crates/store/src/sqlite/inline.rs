//! A store in memory and without threads: commits and reads are done within the caller's poll, so that whoever holds the
//! clock and the dice holds everything. The rules are the same code as those of a store on disk.
//!
//! A test decides about each moment (see [`Fate`]). A process that dies leaves its rows behind, as on a disk; its handles
//! answer nothing any more, so that whatever of it still runs does no harm. The next process has a handle of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::apply::{Ledger, apply};
use super::fault::Fault;
use super::read::Read;
use super::shared::Shared;
use super::{keys, open, signals};
use crate::lease::Fence;
use crate::{Batch, Error, Fate, Lease, Moment, Options, Receipt};

type Decide = Box<dyn FnMut(Moment<'_>) -> Fate + Send>;

/// The same for every such store, so that the same test sends the same keys.
pub(super) const INSTALLATION: &str = "i_aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Rows forgotten in one transaction.
const PRUNED: usize = 500;

/// One process's handle on the rows.
#[derive(Debug)]
pub(super) struct Inline {
    rows: Arc<Rows>,
    /// Which process this is.
    life: u64,
    shared: Arc<Shared>,
}

/// What outlives a process.
struct Rows {
    database: Mutex<(Connection, Ledger)>,
    /// The process that lives; 0 when none does.
    living: AtomicU64,
    lives: AtomicU64,
    decide: Mutex<Option<Decide>>,
    batch_bytes: usize,
    page_rows: usize,
    page_bytes: usize,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("living", &self.living).finish_non_exhaustive()
    }
}

impl Inline {
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        let connection = open::in_memory().map_err(Fault::into_error)?;
        let fence = Arc::new(Fence::new(open::OWNER, 1));
        let rows = Rows {
            database: Mutex::new((connection, Ledger::new(0, fence))),
            living: AtomicU64::new(1),
            lives: AtomicU64::new(1),
            decide: Mutex::default(),
            batch_bytes: options.batch_bytes,
            page_rows: options.page_rows.max(1),
            page_bytes: options.page_bytes,
        };
        Ok(Self { rows: Arc::new(rows), life: 1, shared: Arc::new(Shared::new(0)) })
    }

    /// The next process's handle; earlier ones are dead from now on.
    pub(super) fn reopened(&self) -> Self {
        let life = self.rows.lives.fetch_add(1, Ordering::SeqCst) + 1;
        self.rows.living.store(life, Ordering::SeqCst);
        self.take_over();
        let head = self.rows.database.lock().1.head();
        Self { rows: self.rows.clone(), life, shared: Arc::new(Shared::new(head)) }
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    pub(super) fn fence(&self) -> Arc<Fence> {
        self.rows.database.lock().1.fence().clone()
    }

    /// Begins the next epoch; nobody is in the middle of a commit.
    pub(super) fn take_over(&self) -> Lease {
        self.rows.database.lock().1.fence().take()
    }

    pub(super) fn decide(&self, decide: Decide) {
        *self.rows.decide.lock() = Some(decide);
    }

    pub(super) fn close(&self) {
        self.shared.fence("closed");
    }

    pub(super) async fn commit(&self, batch: &Batch, lease: &Lease) -> Result<Receipt, Error> {
        batch.fits(self.rows.batch_bytes)?;
        let fate = self.meet(Moment::Commit(batch)).await;
        let refused = match fate {
            Fate::Busy => Some(Error::Busy),
            Fate::Full => Some(Error::Full),
            Fate::Done | Fate::DiesBefore | Fate::DiesAfter => self.shared.fenced(),
        };
        let committed = match refused {
            Some(error) => Err(error),
            None => self.transact(|connection, ledger| apply(connection, ledger, (batch, lease))),
        };
        self.survive(fate).await;
        committed
    }

    pub(super) async fn prune(&self, now: Timestamp) -> Result<u64, Error> {
        self.live().await;
        self.transact(|connection, _| {
            let keys = keys::prune(connection, now, PRUNED)?;
            Ok((keys + signals::prune(connection, PRUNED)?) as u64)
        })
    }

    pub(super) async fn read<T>(
        &self,
        reading: impl FnOnce(&Read<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let fate = self.meet(Moment::Read).await;
        let read = {
            let database = self.rows.database.lock();
            let Rows { page_rows, page_bytes, .. } = *self.rows;
            reading(&Read { connection: &database.0, page_rows, page_bytes }).map_err(Fault::into_error)
        };
        self.survive(fate).await;
        read
    }

    fn transact<T>(
        &self,
        work: impl FnOnce(&Connection, &mut Ledger) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let (done, head) = {
            let mut database = self.rows.database.lock();
            let (connection, ledger) = &mut *database;
            (transaction(connection, ledger, work), ledger.head())
        };
        if head != *self.shared.head.borrow() {
            self.shared.head.send_replace(head);
        }
        done.map_err(Fault::into_error)
    }

    /// What the test decides. A process that is dead, or dies before this, gets no further.
    async fn meet(&self, moment: Moment<'_>) -> Fate {
        self.live().await;
        let fate = self.rows.decide.lock().as_mut().map_or(Fate::Done, |decide| decide(moment));
        if fate == Fate::DiesBefore {
            self.die().await;
        }
        // Whoever decides may also have ended this process.
        self.live().await;
        fate
    }

    async fn survive(&self, fate: Fate) {
        if fate == Fate::DiesAfter {
            self.die().await;
        }
    }

    async fn die(&self) {
        let _ = self.rows.living.compare_exchange(self.life, 0, Ordering::SeqCst, Ordering::SeqCst);
        self.live().await;
    }

    /// Never returns in a process that has died.
    async fn live(&self) {
        if self.rows.living.load(Ordering::SeqCst) != self.life {
            std::future::pending::<()>().await;
        }
    }
}

fn transaction<T>(
    connection: &Connection,
    ledger: &mut Ledger,
    work: impl FnOnce(&Connection, &mut Ledger) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let head = ledger.head();
    connection.prepare_cached("BEGIN")?.execute([])?;
    let done = work(connection, ledger).and_then(|done| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(done)
    });
    if done.is_err() {
        connection.prepare_cached("ROLLBACK")?.execute([])?;
        ledger.forget(head);
    }
    done
}
