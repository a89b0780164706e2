//! How a store is opened.

use std::time::Duration;

/// How a store is opened. The defaults are for production.
#[derive(Clone, Debug)]
pub struct Options {
    /// Batches that may wait for the writer before [`crate::Error::Busy`].
    pub queue: usize,
    /// Bytes that may wait for the writer before [`crate::Error::Busy`].
    pub queue_bytes: usize,
    /// Batches in one commit to disk. About 32–64 is best: more makes the log's checkpoints stall.
    pub group: usize,
    /// Bytes in one commit to disk, beyond which no further batch joins.
    pub group_bytes: usize,
    /// Largest batch, in bytes.
    pub batch_bytes: usize,
    /// Connections for reading.
    pub readers: usize,
    /// Most rows one read returns.
    pub page_rows: usize,
    /// Bytes after which a read returns what it has.
    pub page_bytes: usize,
    /// Largest size of the database file in bytes; `None` leaves it to the disk.
    pub file_bytes: Option<u64>,
    /// How often a full store looks whether there is space again.
    pub probe: Duration,
}

impl Options {
    /// The defaults, with room for what bodies of up to so many bytes become: an act is kept as it came, as the change it
    /// makes and in the row of what it changes, beside what is written for each act.
    pub fn for_bodies(bytes: usize) -> Self {
        let usual = Self::default();
        let batch_bytes = usual.batch_bytes.max(bytes.saturating_mul(4).saturating_add(4 << 20));
        Self { batch_bytes, queue_bytes: usual.queue_bytes.max(batch_bytes), ..usual }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4096,
            queue_bytes: 64 << 20,
            group: 64,
            group_bytes: 1 << 20,
            batch_bytes: 16 << 20,
            readers: 4,
            page_rows: 10_000,
            page_bytes: 16 << 20,
            file_bytes: None,
            probe: Duration::from_millis(500),
        }
    }
}
