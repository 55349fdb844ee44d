//! Counters of senders, which show how many of their messages are missing.

use super::{StoreError, Tx, View};
use crate::wire::ids::{DeviceId, RoomId};

/// How many messages of a device are missing in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The room.
    pub room: RoomId,
    /// Whose messages.
    pub device: DeviceId,
    /// How many.
    pub count: u64,
}

impl View<'_> {
    /// The highest counter seen from a device in a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn seen_counter(
        &self,
        room: &RoomId,
        device: &DeviceId,
    ) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT value FROM counter WHERE room = ?1 AND device = ?2";
        self.row(sql, (room, device), |row| row.get(0))
    }

    /// Whose messages are missing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn missing(&self) -> Result<Vec<Missing>, StoreError> {
        let sql = "SELECT room, device, missing FROM counter WHERE missing > 0
            ORDER BY room, device";
        self.rows(sql, [], |row| {
            Ok(Missing { room: row.get(0)?, device: row.get(1)?, count: row.get(2)? })
        })
    }
}

impl Tx<'_> {
    /// Takes the next counter of this device in a room, from 1.
    ///
    /// # Errors
    /// Those of the database.
    pub fn next_counter(&self, room: &RoomId, own: &DeviceId) -> Result<u64, StoreError> {
        let next = self.row(
            "INSERT INTO counter (room, device, value) VALUES (?1, ?2, 1)
             ON CONFLICT (room, device) DO UPDATE SET value = value + 1 RETURNING value",
            (room, own),
            |row| row.get(0),
        )?;
        next.ok_or(StoreError::Damaged)
    }

    /// Notes a counter seen from a device in a room, and returns how many of that device's
    /// messages are missing now. The first counter seen says nothing of what came before it; a
    /// late one fills its gap.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_seen_counter(
        &self,
        room: &RoomId,
        device: &DeviceId,
        counter: u64,
    ) -> Result<u64, StoreError> {
        let missing = self.row(
            "INSERT INTO counter (room, device, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (room, device) DO UPDATE SET
                 missing = max(0, CASE WHEN excluded.value > value
                     THEN missing + excluded.value - value - 1 ELSE missing - 1 END),
                 value = max(value, excluded.value)
             RETURNING missing",
            (room, device, counter),
            |row| row.get(0),
        )?;
        missing.ok_or(StoreError::Damaged)
    }

    /// Forgets what is missing: somebody has seen it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn clear_missing(&self) -> Result<(), StoreError> {
        self.execute("UPDATE counter SET missing = 0 WHERE missing > 0", [])?;
        Ok(())
    }
}
