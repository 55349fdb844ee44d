//! The device's sealed store: one SQLCipher database, its key file and the profile's lock.
//!
//! It owns rows and the moment they become durable: a step of the engine is one SQL transaction,
//! in which MLS state, messages, outgoing cells, channel keys, unfinished fragments and the cursor
//! change together or not at all. It must never know what a row means: it judges no commit, checks
//! no signature, reads no clock, opens no socket.
//!
//! [`View`] holds what may be read, [`Tx`] (which is a `View` as well) what may be changed; a `Tx`
//! exists only inside [`Store::step`].

mod access;
mod apart;
mod beacons;
mod blobs;
mod chains;
mod changes;
mod channels;
mod counters;
mod deliveries;
mod devices;
mod direct;
mod disk;
mod error;
mod files;
mod health;
mod intents;
mod invites;
mod key;
mod kv;
mod leaf;
mod lock;
mod messages;
mod meta;
mod outbox;
mod packages;
mod past;
mod pending;
mod receipts;
mod resyncs;
mod ring;
mod rooms;
mod roster;
mod schema;
mod search;
mod sql;
#[cfg(test)]
mod tests;
mod uploads;
mod wipe;

use std::ops::Deref;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, Row, TransactionBehavior};

pub use access::AccessRow;
pub use apart::APART;
pub use beacons::{BeaconClock, CheckKeyRow, EPOCHS_KEPT, EpochRow};
pub use blobs::BlobChunk;
pub use chains::{ChainRow, NewChain};
pub use channels::{CONTROL_EPOCHS_KEPT, ChannelKind, ChannelRow, NewChannel};
pub use counters::Missing;
pub use deliveries::{Delivery, KEY_LIFETIME_S, MAX_BACKLOG};
pub use direct::{DIRECT_IDS_KEPT, DirectProgress, MAX_OPEN_DIRECT};
pub use disk::{read_file, write_file};
pub use error::StoreError;
pub use files::make_private_dir;
pub use intents::{Intent, IntentKind, NewIntent};
pub use invites::InviteRow;
pub use key::{
    Calibration, DbKey, KeyError, Passphrase, change_passphrase, create_key, has_key, unlock_key,
};
pub use kv::MAX_VALUES;
pub use leaf::LeafState;
pub use lock::{LockError, ProfileLock};
pub use messages::{MessageQuery, MessageRow, MessageState, Unread};
pub use meta::{Cursor, MetaKey};
pub use outbox::{NewOut, OutCell, OutKind, OutRow, OutgoingCell, OwnCell};
pub use packages::{MAX_PACKAGES_PER_DEVICE, PackageCount};
pub use pending::{HELD_PER_ROOM, Held, PendingCommit, RequiredRemoval};
pub use resyncs::{HelpRow, ResyncRow};
pub use ring::{RING_CELLS, RING_LIFETIME_S, RingCell};
pub use rooms::{RoomRow, RoomStatus};
pub use roster::RosterRow;
pub use search::MAX_SEARCH_WORDS;
pub use uploads::{Download, MAX_KEPT_CHUNKS, Progress, Upload};
pub use wipe::wipe;

/// An opened, unlocked store. It may move between threads; one thread uses it at a time.
pub struct Store {
    connection: Connection,
}

/// What the store holds, at one moment.
pub struct View<'c> {
    connection: &'c Connection,
}

/// One step: everything written through it becomes durable together, or nothing does.
pub struct Tx<'c> {
    view: View<'c>,
}

impl Store {
    /// Makes the database of a new profile in `dir`, which exists (see [`make_private_dir`]).
    ///
    /// `migrate` brings other tables of the same database (the MLS provider's) up to date; it runs
    /// outside any transaction of ours, on every open.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] if `dir` has a database, else as [`Store::open`].
    pub fn create<E>(
        dir: &Path,
        key: &DbKey,
        migrate: impl FnOnce(&mut Connection) -> Result<(), E>,
    ) -> Result<Self, StoreError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        schema::create_file(dir)?;
        Self::open(dir, key, migrate)
    }

    /// Opens the database in `dir`: key first, then the version, then WAL, FULL and
    /// `secure_delete`, then migrations.
    ///
    /// # Errors
    /// [`StoreError::NoProfile`], [`StoreError::WrongKey`], [`StoreError::Newer`] (nothing is
    /// changed), [`StoreError::Migration`], or what the disk said.
    pub fn open<E>(
        dir: &Path,
        key: &DbKey,
        migrate: impl FnOnce(&mut Connection) -> Result<(), E>,
    ) -> Result<Self, StoreError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let connection =
            schema::open(dir, key, |connection| migrate(connection).map_err(Into::into))?;
        Ok(Self { connection })
    }

    /// Whether `dir` has a database. It may be locked, foreign or damaged.
    pub fn exists(dir: &Path) -> bool {
        schema::path(dir).exists()
    }

    /// Runs `work` in one SQL transaction: committed (durably) if it returns `Ok`, rolled back
    /// if it returns `Err`, panics or the process dies.
    ///
    /// After an error every in-memory MLS group that `work` touched is ahead of the disk: drop it
    /// and load it again.
    ///
    /// # Errors
    /// What `work` returned, or the failure of the transaction itself.
    pub fn step<T, E>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        // Immediate: a step that reads first must not fail when it comes to write.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let done = work(&Tx { view: View { connection: &transaction } })?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(done)
    }

    /// Empties the write-ahead log, in which what was deleted still stands. No effect while another
    /// connection reads.
    ///
    /// # Errors
    /// What the disk said.
    pub fn empty_log(&self) -> Result<(), StoreError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Reads one consistent state; nothing can be written.
    ///
    /// # Errors
    /// What `work` returned, or the failure of the transaction itself.
    pub fn view<T, E>(&self, work: impl FnOnce(&View<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let transaction = self.connection.unchecked_transaction().map_err(StoreError::from)?;
        work(&View { connection: &transaction })
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = View<'c>;

    fn deref(&self) -> &Self::Target {
        &self.view
    }
}

impl Tx<'_> {
    /// The connection inside this step's transaction, for the MLS storage provider and nothing
    /// else: it must not begin, commit or roll back.
    pub fn connection(&self) -> &Connection {
        self.view.connection
    }

    fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        Ok(self.connection().prepare_cached(sql)?.execute(params)?)
    }

    fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        Ok(self.connection().prepare_cached(sql)?.insert(params)?)
    }
}

impl View<'_> {
    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
    }
}
