//! Where rooms stood: this device's own epochs, what the beacons of others said of them, and when
//! the next beacon of this device is due.

use rusqlite::types::FromSqlError;

use super::{StoreError, Tx, View};
use crate::wire::ids::{DeviceId, RoomId, Seq};

/// For how many epochs of a room own and others' states are kept.
pub const EPOCHS_KEPT: u64 = 256;

/// One epoch of a room, as this device was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochRow {
    /// The epoch.
    pub epoch: u64,
    /// The place of the commit that opened it.
    pub opened: Seq,
    /// Its authenticator.
    pub authenticator: [u8; 48],
}

/// When a room's beacon is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeaconClock {
    /// In unix seconds.
    pub due: u64,
    /// The device whose beacons put nobody's off: it let another one in again, which waits for
    /// the word of a second.
    pub not_by: Option<DeviceId>,
    /// When this device sent one itself, or came into the room, in unix seconds.
    pub own: u64,
}

/// Since when an epoch gives a room's check key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckKeyRow {
    /// The epoch.
    pub epoch: u64,
    /// Unix seconds on this device.
    pub since: u64,
}

impl View<'_> {
    /// An epoch of a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn epoch(&self, room: &RoomId, epoch: u64) -> Result<Option<EpochRow>, StoreError> {
        let sql = "SELECT epoch, opened, authenticator FROM epoch WHERE room = ?1 AND epoch = ?2";
        self.row(sql, (room, epoch), epoch_row)
    }

    /// The epoch in which a room was at a place; `None` before the first that is known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn epoch_at(&self, room: &RoomId, seq: Seq) -> Result<Option<EpochRow>, StoreError> {
        let sql = "SELECT epoch, opened, authenticator FROM epoch
                   WHERE room = ?1 AND opened <= ?2 ORDER BY epoch DESC LIMIT 1";
        self.row(sql, (room, seq), epoch_row)
    }

    /// The room and epoch that a commit at this place opened.
    ///
    /// # Errors
    /// Those of the database.
    pub fn opened_at(&self, place: Seq) -> Result<Vec<RoomId>, StoreError> {
        self.rows("SELECT room FROM epoch WHERE opened = ?1", [place], |row| row.get(0))
    }

    /// The beacons kept of one epoch of a room, as they came.
    ///
    /// # Errors
    /// Those of the database.
    pub fn beacons(&self, room: &RoomId, epoch: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM beacon WHERE room = ?1 AND epoch = ?2 ORDER BY device";
        self.rows(sql, (room, epoch), |row| row.get(0))
    }

    /// When the beacons of all rooms are due.
    ///
    /// # Errors
    /// Those of the database.
    pub fn beacon_clocks(&self) -> Result<Vec<(RoomId, BeaconClock)>, StoreError> {
        self.rows("SELECT room, due, not_by, own FROM beacon_clock", [], |row| {
            let clock = BeaconClock { due: row.get(1)?, not_by: row.get(2)?, own: row.get(3)? };
            Ok((row.get(0)?, clock))
        })
    }

    /// The epochs whose check keys are kept of a room, oldest first; the last is the present one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn check_keys(&self, room: &RoomId) -> Result<Vec<CheckKeyRow>, StoreError> {
        let sql = "SELECT epoch, since FROM check_key WHERE room = ?1 ORDER BY epoch";
        self.rows(sql, [room], |row| Ok(CheckKeyRow { epoch: row.get(0)?, since: row.get(1)? }))
    }
}

impl Tx<'_> {
    /// Keeps a room's present epoch, and forgets those more than [`EPOCHS_KEPT`] before it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_epoch(&self, room: &RoomId, row: &EpochRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO epoch (room, epoch, opened, authenticator)
             VALUES (?1, ?2, ?3, ?4)",
            (room, row.epoch, row.opened, row.authenticator),
        )?;
        let oldest = row.epoch.saturating_sub(EPOCHS_KEPT);
        self.execute("DELETE FROM epoch WHERE room = ?1 AND epoch < ?2", (room, oldest))?;
        self.execute("DELETE FROM beacon WHERE room = ?1 AND epoch < ?2", (room, oldest))?;
        Ok(())
    }

    /// Keeps a device's last beacon of an epoch.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_beacon(
        &self,
        room: &RoomId,
        epoch: u64,
        device: &DeviceId,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO beacon (room, epoch, device, bytes) VALUES (?1, ?2, ?3, ?4)",
            (room, epoch, device, bytes),
        )?;
        Ok(())
    }

    /// Says when a room's beacon is due.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_beacon_clock(&self, room: &RoomId, clock: &BeaconClock) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO beacon_clock (room, due, not_by, own)
             VALUES (?1, ?2, ?3, ?4)",
            (room, clock.due, clock.not_by, clock.own),
        )?;
        Ok(())
    }

    /// Notes a check key.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_check_key(&self, room: &RoomId, row: &CheckKeyRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR IGNORE INTO check_key (room, epoch, since) VALUES (?1, ?2, ?3)",
            (room, row.epoch, row.since),
        )?;
        Ok(())
    }

    /// Forgets a check key.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_check_key(&self, room: &RoomId, epoch: u64) -> Result<(), StoreError> {
        self.execute("DELETE FROM check_key WHERE room = ?1 AND epoch = ?2", (room, epoch))?;
        Ok(())
    }

    /// Forgets where a room stood and all that was said of it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_epochs(&self, room: &RoomId) -> Result<(), StoreError> {
        for table in ["epoch", "beacon", "beacon_clock", "check_key"] {
            self.execute(&format!("DELETE FROM {table} WHERE room = ?1"), [room])?;
        }
        Ok(())
    }
}

fn epoch_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<EpochRow> {
    let authenticator = row.get_ref(2)?.as_blob()?;
    let authenticator = authenticator.try_into().map_err(|_| FromSqlError::InvalidBlobSize {
        expected_size: 48,
        blob_size: authenticator.len(),
    })?;
    Ok(EpochRow { epoch: row.get(0)?, opened: row.get(1)?, authenticator })
}
