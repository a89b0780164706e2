//! How values stand in columns.

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use super::fault::Fault;

/// Bytes kept as text, as they are: what is JSON can be read with any SQLite shell.
pub(super) struct Json<'a>(pub(super) &'a [u8]);

impl ToSql for Json<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// The bytes of a text or blob column.
pub(super) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], Fault> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            Err(Fault::corrupt(format!("column {column} holds no bytes")))
        }
    }
}

/// The text of a column.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, Fault> {
    std::str::from_utf8(bytes(row, column)?)
        .map_err(|_| Fault::corrupt(format!("column {column} is not UTF-8")))
}

/// A position, version or count.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| Fault::corrupt(format!("column {column} is negative")))
}

/// A time, held to what 64 bits of nanoseconds can say (the years 1677 to 2262).
pub(super) fn nanos(at: Timestamp) -> i64 {
    at.as_nanosecond().clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// A time read back.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp, Fault> {
    Ok(from_nanos(row.get(column)?))
}

/// A time that may be absent.
pub(super) fn time_or_none(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Fault> {
    Ok(row.get::<_, Option<i64>>(column)?.map(from_nanos))
}

fn from_nanos(nanos: i64) -> Timestamp {
    // Every 64-bit count of nanoseconds is a time that `Timestamp` can hold.
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}
