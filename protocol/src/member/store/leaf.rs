//! When this device has renewed its leaf in each room.

use super::{StoreError, Tx, View};
use crate::wire::ids::RoomId;

/// How an own leaf stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeafState {
    /// The day, since 1970, on which it was renewed, or made.
    pub day: u64,
    /// Messages wait for its renewal until this time, in unix milliseconds.
    pub patience_ms: u64,
}

impl View<'_> {
    /// How the own leaf stands in a room; day 0 if nothing is known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn leaf_state(&self, room: &RoomId) -> Result<LeafState, StoreError> {
        let sql = "SELECT day, patience FROM leaf WHERE room = ?1";
        let found = self
            .row(sql, [room], |row| Ok(LeafState { day: row.get(0)?, patience_ms: row.get(1)? }))?;
        Ok(found.unwrap_or_default())
    }
}

impl Tx<'_> {
    /// Notes how the own leaf stands in a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_leaf_state(&self, room: &RoomId, state: LeafState) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO leaf (room, day, patience) VALUES (?1, ?2, ?3)",
            (room, state.day, state.patience_ms),
        )?;
        Ok(())
    }

    /// Forgets a room that this device has left.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_leaf_state(&self, room: &RoomId) -> Result<(), StoreError> {
        self.execute("DELETE FROM leaf WHERE room = ?1", [room])?;
        Ok(())
    }
}
