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
        Ok(self.seen(room, device)?.map(|(value, _)| value))
    }

    /// The highest counter seen, and how many below it are missing.
    fn seen(&self, room: &RoomId, device: &DeviceId) -> Result<Option<(u64, u64)>, StoreError> {
        let sql = "SELECT value, missing FROM counter WHERE room = ?1 AND device = ?2";
        self.row(sql, (room, device), |row| Ok((row.get(0)?, row.get(1)?)))
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
        let (before, missing) = self.seen(room, own)?.unwrap_or_default();
        let next = before.checked_add(1).ok_or(StoreError::OutOfRange)?;
        self.put_counter(room, own, (next, missing))?;
        Ok(next)
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
        let (value, missing) = match self.seen(room, device)? {
            None => (counter, 0),
            Some((value, missing)) if counter > value => {
                (counter, missing.saturating_add(counter - value - 1))
            }
            Some((value, missing)) => (value, missing.saturating_sub(1)),
        };
        self.put_counter(room, device, (value, missing))?;
        Ok(missing)
    }

    /// One plain row: what returns rows or may take back several costs SQLite a file in memory.
    fn put_counter(
        &self,
        room: &RoomId,
        device: &DeviceId,
        (value, missing): (u64, u64),
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO counter (room, device, value, missing) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (room, device) DO UPDATE SET value = ?3, missing = ?4",
            (room, device, value, missing),
        )?;
        Ok(())
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
