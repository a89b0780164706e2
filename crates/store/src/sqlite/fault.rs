//! From what SQLite says to what the store says.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::Error;

/// Why a statement, or the batch it belongs to, was not carried out.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The batch contradicts what is there, or a row is not what was written.
    Refused(Error),
    /// SQLite could not.
    Sqlite(rusqlite::Error),
}

impl Fault {
    /// A row or file that is not what was written.
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Refused(Error::Corrupt { what: what.into() })
    }

    /// Whether the next batch may well succeed; otherwise nothing more may be written.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Sqlite(cause) => {
                let error = told(cause);
                matches!(error, Error::Full | Error::Busy) || code(cause) == Some(ErrorCode::TooBig)
            }
        }
    }

    /// What to tell the caller.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(cause) => told(&cause),
        }
    }
}

fn code(cause: &rusqlite::Error) -> Option<ErrorCode> {
    cause.sqlite_error_code()
}

fn told(cause: &rusqlite::Error) -> Error {
    match code(cause) {
        Some(ErrorCode::DiskFull) => Error::Full,
        // The index of the write-ahead log could not grow: nothing was written yet.
        Some(_) if cause.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) => {
            Error::Full
        }
        // No file could be opened: descriptors have run out, and come back. Nothing was written yet.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen) => Error::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation) => {
            Error::Corrupt { what: cause.to_string() }
        }
        _ if is_misread(cause) => Error::Corrupt { what: cause.to_string() },
        _ => Error::Io { cause: cause.to_string() },
    }
}

/// A column that does not hold what the schema says can only be damage.
fn is_misread(cause: &rusqlite::Error) -> bool {
    matches!(
        cause,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

impl From<rusqlite::Error> for Fault {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
