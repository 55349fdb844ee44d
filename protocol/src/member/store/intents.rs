//! What this device wants to commit, until a commit that does it has won.

use rusqlite::types::FromSqlError;

use super::{StoreError, Tx, View};
use crate::wire::ids::{DeviceId, RoomId};

/// A wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentKind {
    /// Add a device.
    Add(DeviceId),
    /// Remove a device.
    Remove(DeviceId),
    /// Renew one's own leaf.
    Update,
    /// Give the room another state: what of it, says its change.
    Set,
    /// Go out of the room with all devices of this member.
    Leave,
    /// Remove a device and add it again, because it asks for it.
    Resync(DeviceId),
}

/// A wish to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewIntent {
    /// The room.
    pub room: RoomId,
    /// What is wanted.
    pub kind: IntentKind,
    /// Not to be tried before, in unix milliseconds.
    pub not_before_ms: u64,
}

/// A wish as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its number on this device.
    pub id: i64,
    /// The room.
    pub room: RoomId,
    /// What is wanted.
    pub kind: IntentKind,
    /// Not to be tried before, in unix milliseconds.
    pub not_before_ms: u64,
    /// How often it was tried.
    pub tries: u32,
}

impl View<'_> {
    /// All wishes, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn intents(&self) -> Result<Vec<Intent>, StoreError> {
        let sql = "SELECT id, room, kind, device, not_before, tries FROM intent ORDER BY id";
        self.rows(sql, [], |row| {
            let code: u8 = row.get(2)?;
            let kind = IntentKind::decode(code, row.get(3)?);
            Ok(Intent {
                id: row.get(0)?,
                room: row.get(1)?,
                kind: kind.ok_or_else(|| FromSqlError::OutOfRange(code.into()))?,
                not_before_ms: row.get(4)?,
                tries: row.get(5)?,
            })
        })
    }
}

impl View<'_> {
    /// What shall be changed of a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn room_change(&self, room: &RoomId) -> Result<Option<Vec<u8>>, StoreError> {
        self.row("SELECT change FROM room_change WHERE room = ?1", [room], |row| row.get(0))
    }
}

impl Tx<'_> {
    /// Keeps a wish and returns its number; one that is there already is not kept twice.
    ///
    /// # Errors
    /// Those of the database.
    pub fn insert_intent(&self, intent: &NewIntent) -> Result<i64, StoreError> {
        let (kind, device) = intent.kind.encode();
        let known = self.row(
            "SELECT id FROM intent WHERE room = ?1 AND kind = ?2 AND device IS ?3",
            (intent.room, kind, device),
            |row| row.get(0),
        )?;
        if let Some(id) = known {
            return Ok(id);
        }
        self.insert(
            "INSERT INTO intent (room, kind, device, not_before, tries) VALUES (?1, ?2, ?3, ?4, 0)",
            (intent.room, kind, device, intent.not_before_ms),
        )
    }

    /// Counts one more try and puts the next off until `not_before_ms`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRow`], else those of the database.
    pub fn retry_intent(&self, id: i64, not_before_ms: u64) -> Result<(), StoreError> {
        let changed = self.execute(
            "UPDATE intent SET tries = tries + 1, not_before = ?2 WHERE id = ?1",
            (id, not_before_ms),
        )?;
        if changed == 0 { Err(StoreError::NoSuchRow) } else { Ok(()) }
    }

    /// Keeps what [`IntentKind::Set`] shall change of a room, as the engine wrote it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_room_change(&self, room: &RoomId, change: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO room_change (room, change) VALUES (?1, ?2)",
            (room, change),
        )?;
        Ok(())
    }

    /// Forgets what was to be changed of a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_room_change(&self, room: &RoomId) -> Result<(), StoreError> {
        self.execute("DELETE FROM room_change WHERE room = ?1", [room])?;
        Ok(())
    }

    /// Forgets a wish that is done or pointless.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_intent(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM intent WHERE id = ?1", [id])?;
        Ok(())
    }
}

impl IntentKind {
    fn encode(self) -> (u8, Option<DeviceId>) {
        match self {
            Self::Add(device) => (0, Some(device)),
            Self::Remove(device) => (1, Some(device)),
            Self::Update => (2, None),
            Self::Set => (3, None),
            Self::Leave => (4, None),
            Self::Resync(device) => (5, Some(device)),
        }
    }

    fn decode(code: u8, device: Option<DeviceId>) -> Option<Self> {
        match (code, device) {
            (0, Some(device)) => Some(Self::Add(device)),
            (1, Some(device)) => Some(Self::Remove(device)),
            (2, None) => Some(Self::Update),
            (3, None) => Some(Self::Set),
            (4, None) => Some(Self::Leave),
            (5, Some(device)) => Some(Self::Resync(device)),
            _ => None,
        }
    }
}
