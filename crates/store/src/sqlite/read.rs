//! One reading connection, and how much it may return.

use rusqlite::{Connection, Params, Row};

use super::fault::Fault;

/// One reading connection, and how much it may return.
pub(crate) struct Read<'c> {
    pub(super) connection: &'c Connection,
    pub(super) page_rows: usize,
    pub(super) page_bytes: usize,
}

impl Read<'_> {
    /// How many rows a caller that asked for `limit` gets at most.
    pub(super) fn rows(&self, limit: usize) -> i64 {
        let rows = if limit == 0 { self.page_rows } else { limit.min(self.page_rows) };
        rows as i64
    }

    /// The row that a statement finds, if any.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        decode: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(decode).transpose()
    }

    /// The rows that a statement finds, until they weigh more than a page. `decode` says what a row weighs.
    pub(super) fn page<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut decode: impl FnMut(&Row<'_>) -> Result<(T, usize), Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let (mut page, mut weight) = (Vec::new(), 0);
        while weight < self.page_bytes
            && let Some(row) = rows.next()?
        {
            let (item, bytes) = decode(row)?;
            weight += bytes;
            page.push(item);
        }
        Ok(page)
    }
}
