//! Rooms as this device last saw them.

use rusqlite::Row;
use rusqlite::types::FromSqlError;

use super::sql::closed_debug;
use super::{StoreError, Tx, View};
use crate::wire::ids::{RoomId, Seq};

/// Whether a room goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomStatus {
    /// It does.
    Active,
    /// It stands still and says why, by a code of the engine's.
    Frozen(u8),
    /// This device is no longer in it.
    Left,
    /// A valid commit names a roster entry that has not arrived.
    Waiting {
        /// The roster number named.
        number: u32,
        /// Since when, in unix seconds.
        since: u64,
    },
}

/// A room.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomRow {
    /// The room's id, its MLS group id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// Its kind, by the code in the room's state.
    pub kind: u8,
    /// How long messages stay on devices, in seconds; 0 for ever.
    pub lifetime_s: u32,
    /// Whether it goes on.
    pub status: RoomStatus,
    /// The current epoch.
    pub epoch: u64,
    /// The place of the commit that opened the epoch.
    pub opened: Seq,
    /// The highest roster number that a commit of the room named.
    pub roster_floor: u32,
    /// How many members it has.
    pub members: u32,
}

const SELECT: &str = "SELECT id, name, topic, kind, lifetime, status, detail, since, epoch, opened,
    roster_floor, members FROM room";

closed_debug!(RoomRow);

impl View<'_> {
    /// A room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn room(&self, id: &RoomId) -> Result<Option<RoomRow>, StoreError> {
        self.row(&format!("{SELECT} WHERE id = ?1"), [id], room_row)
    }

    /// All rooms, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn rooms(&self) -> Result<Vec<RoomRow>, StoreError> {
        self.rows(&format!("{SELECT} ORDER BY name, id"), [], room_row)
    }
}

impl Tx<'_> {
    /// Adds or replaces a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_room(&self, room: &RoomRow) -> Result<(), StoreError> {
        let (status, detail, since) = room.status.encode();
        self.execute(
            "INSERT OR REPLACE INTO room (id, name, topic, kind, lifetime, status, detail, since,
             epoch, opened, roster_floor, members)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            (
                room.id,
                &room.name,
                &room.topic,
                room.kind,
                room.lifetime_s,
                status,
                detail,
                since,
                room.epoch,
                room.opened,
                room.roster_floor,
                room.members,
            ),
        )?;
        Ok(())
    }

    /// Changes only whether a room goes on.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRow`], else those of the database.
    pub fn set_room_status(&self, room: &RoomId, status: RoomStatus) -> Result<(), StoreError> {
        let (status, detail, since) = status.encode();
        let changed = self.execute(
            "UPDATE room SET status = ?2, detail = ?3, since = ?4 WHERE id = ?1",
            (room, status, detail, since),
        )?;
        if changed == 0 { Err(StoreError::NoSuchRow) } else { Ok(()) }
    }
}

impl RoomStatus {
    fn encode(self) -> (u8, u32, u64) {
        match self {
            Self::Active => (0, 0, 0),
            Self::Frozen(reason) => (1, reason.into(), 0),
            Self::Left => (2, 0, 0),
            Self::Waiting { number, since } => (3, number, since),
        }
    }

    fn decode(status: u8, detail: u32, since: u64) -> Option<Self> {
        match status {
            0 => Some(Self::Active),
            1 => u8::try_from(detail).ok().map(Self::Frozen),
            2 => Some(Self::Left),
            3 => Some(Self::Waiting { number: detail, since }),
            _ => None,
        }
    }
}

fn room_row(row: &Row<'_>) -> rusqlite::Result<RoomRow> {
    let code: u8 = row.get(5)?;
    let status = RoomStatus::decode(code, row.get(6)?, row.get(7)?);
    Ok(RoomRow {
        id: row.get(0)?,
        name: row.get(1)?,
        topic: row.get(2)?,
        kind: row.get(3)?,
        lifetime_s: row.get(4)?,
        status: status.ok_or_else(|| FromSqlError::OutOfRange(code.into()))?,
        epoch: row.get(8)?,
        opened: row.get(9)?,
        roster_floor: row.get(10)?,
        members: row.get(11)?,
    })
}
