//! How ids, secrets and small enumerations stand in a row.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::secret::Secret;
use crate::wire::ids::{
    BlobId, CellId, ContentId, DeviceId, Digest, InviteId, LogId, MemberId, RoomId,
};

macro_rules! ids {
    ($($id:ty),*) => { $(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_bytes().as_slice()))
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let blob = value.as_blob()?;
                Self::from_slice(blob).ok_or(FromSqlError::InvalidBlobSize {
                    expected_size: Self::LEN,
                    blob_size: blob.len(),
                })
            }
        }
    )* };
}

ids!(BlobId, CellId, ContentId, DeviceId, Digest, InviteId, LogId, MemberId, RoomId);

/// A closed set of names that stands in a row as its number.
macro_rules! sql_enum {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $code:literal ),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[$variant_doc])* $variant ),* }

        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                let code: i64 = match self { $( Self::$variant => $code ),* };
                Ok(code.into())
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                match value.as_i64()? {
                    $( $code => Ok(Self::$variant), )*
                    other => Err(rusqlite::types::FromSqlError::OutOfRange(other)),
                }
            }
        }
    };
}
pub(super) use sql_enum;

/// A `Debug` that shows the type and none of its values, so that no row reaches a log.
macro_rules! closed_debug {
    ($($name:ident),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )* };
}
pub(super) use closed_debug;

/// Reads a secret straight from the row's memory.
pub(super) fn secret<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<Secret<N>> {
    let blob = row.get_ref(column)?.as_blob()?;
    Secret::copy(blob).ok_or_else(|| size_error(column, N, blob.len()))
}

/// The error of a blob that has another length than it must.
pub(super) fn size_error(column: usize, expected: usize, found: usize) -> rusqlite::Error {
    let error = FromSqlError::InvalidBlobSize { expected_size: expected, blob_size: found };
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
}

/// A list of device ids as one blob.
pub(super) fn join_devices(devices: &[DeviceId]) -> Vec<u8> {
    devices.iter().flat_map(|device| device.0).collect()
}

/// Reads what [`join_devices`] wrote.
pub(super) fn split_devices(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<DeviceId>> {
    let blob = row.get_ref(column)?.as_blob()?;
    let devices = blob.chunks(DeviceId::LEN).map(DeviceId::from_slice).collect::<Option<_>>();
    devices.ok_or_else(|| size_error(column, DeviceId::LEN, blob.len()))
}

/// A list of member ids as one blob.
pub(super) fn join_members(members: &[MemberId]) -> Vec<u8> {
    members.iter().flat_map(|member| member.0).collect()
}

/// Reads what [`join_members`] wrote.
pub(super) fn split_members(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<MemberId>> {
    let blob = row.get_ref(column)?.as_blob()?;
    let members = blob.chunks(MemberId::LEN).map(MemberId::from_slice).collect::<Option<_>>();
    members.ok_or_else(|| size_error(column, MemberId::LEN, blob.len()))
}
