//! Projection rows: what the log amounts to, kept so that nobody has to fold it again.

/// A projection row to write with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Which projection (`entity`, `conversation`).
    pub kind: &'static str,
    /// Which row of it: 1–512 bytes.
    pub id: String,
    /// Its new content; `None` deletes the row.
    pub data: Option<Vec<u8>>,
}

impl State {
    pub(crate) fn size(&self) -> usize {
        self.id.len() + self.data.as_ref().map_or(0, Vec::len)
    }
}

/// A projection row as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    /// Which row of its projection.
    pub id: String,
    /// Its content, byte for byte as it was written.
    pub data: Vec<u8>,
    /// Head of the log in the batch that wrote it: what is at or before this is contained in the row.
    pub position: u64,
}
