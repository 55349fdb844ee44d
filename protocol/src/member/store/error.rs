//! What can go wrong with the store, by who is at fault.

use rusqlite::ErrorCode;

/// A failure of the store. None of its texts holds a value of a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no database in the directory.
    #[error("no profile here")]
    NoProfile,
    /// There is a database in the directory already; it was not touched.
    #[error("a profile is already here")]
    AlreadyThere,
    /// The database does not open under this key: another profile's key, or a damaged file.
    #[error("the database does not open under this key")]
    WrongKey,
    /// The database was written by a newer program; nothing was changed.
    #[error("the profile has format {found}, this program knows up to {known}")]
    Newer {
        /// The format found.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// The disk is full. Nothing of the step was kept.
    #[error("the disk is full")]
    DiskFull,
    /// A row cannot be read as what it must be.
    #[error("the database is damaged")]
    Damaged,
    /// The caller gave a number that a row cannot hold (above 2^63 - 1).
    #[error("a value is out of range")]
    OutOfRange,
    /// The caller named a row that is not there.
    #[error("no such row")]
    NoSuchRow,
    /// Another owner of tables could not bring them up to date.
    #[error("the database could not be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file operation failed.
    #[error("a file of the profile cannot be read or written")]
    Io(#[source] std::io::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Damaged,
            rusqlite::Error::ToSqlConversionFailure(_) => Self::OutOfRange,
            other => match other.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::DiskFull,
                Some(ErrorCode::DatabaseCorrupt) => Self::Damaged,
                Some(ErrorCode::NotADatabase) => Self::WrongKey,
                _ => Self::Database(other),
            },
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NoProfile,
            std::io::ErrorKind::StorageFull => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}
