//! Backups: what a relay needs to stand up again, in one age file.
//!
//! A backup is logical, so it is consistent while the relay serves and knows nothing of how a
//! store lays out its files: configuration and static key, typed state, cells, chunks of blobs.
//! It is sealed to `DIR/backup.recipient` in the format `age-encryption.org/v1`, so the stock age
//! programs open it with `DIR/keys/backup.key` as well. This module must never know connections.

pub(crate) mod age;
mod file;
mod format;
mod read;
mod restore;
mod write;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use self::age::{Identity, Recipient};
pub(crate) use self::file::{create, verify};
pub(crate) use self::restore::{restore, test};
pub(crate) use self::write::write;
use crate::store::StoreError;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Cells of the log.
    pub(crate) cells: u64,
    /// The last cell's seq.
    pub(crate) head: u64,
    /// Values of typed state.
    pub(crate) values: u64,
    /// Chunks of blobs.
    pub(crate) chunks: u64,
    /// BLAKE2s-256 over everything in it, in hexadecimal.
    pub(crate) digest: String,
}

/// Why there is no backup, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// It is not, or no longer, what was written: damaged, cut off, or no backup at all.
    #[error("this is no whole backup: {0}")]
    Damaged(&'static str),
    /// Another key's.
    #[error("this identity does not open the backup; take the key of the relay that made it")]
    WrongIdentity,
    /// The key file holds no age identity, or the recipient file no recipient.
    #[error("no age {0} is in this file")]
    NoKey(&'static str),
    /// A later version wrote it.
    #[error("a later version wrote this backup; restore it with that version")]
    Newer,
    /// `restore` never overwrites.
    #[error("the directory to restore to is not empty; restore never overwrites")]
    NotEmpty,
    /// What was restored is not what was backed up.
    #[error("the restored relay differs from the backup")]
    Differs,
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
