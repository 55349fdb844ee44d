//! What a room waits for: one's own commit in flight, removals that the next commit must carry,
//! messages held back while the roster is behind.

use super::sql::{closed_debug, join_devices, split_devices};
use super::{StoreError, Tx, View};
use crate::wire::ids::{DeviceId, RoomId, Seq};

/// How many messages a waiting room holds back at most.
pub const HELD_PER_ROOM: u64 = 4096;

/// One's own commit, sent and not yet seen to win or lose. It has no time-out.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingCommit {
    /// The room.
    pub room: RoomId,
    /// The epoch it would end.
    pub epoch: u64,
    /// Its number in the outbox, where its exact cells are.
    pub out_message: i64,
    /// The commit message.
    pub commit: Vec<u8>,
    /// The Welcome, to be sent only after the win.
    pub welcome: Option<Vec<u8>>,
    /// The devices it adds.
    pub added: Vec<DeviceId>,
}

/// A removal that somebody asked for: every later commit of the epoch must carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredRemoval {
    /// The room.
    pub room: RoomId,
    /// The epoch.
    pub epoch: u64,
    /// Who is to go.
    pub device: DeviceId,
    /// Who asked.
    pub by: DeviceId,
}

/// A message held back.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// The place at which it was complete.
    pub seq: Seq,
    /// The kind in its fragments' headers.
    pub kind: u8,
    /// The message.
    pub bytes: Vec<u8>,
}

closed_debug!(PendingCommit, Held);

impl View<'_> {
    /// The room's commit in flight.
    ///
    /// # Errors
    /// Those of the database.
    pub fn pending_commit(&self, room: &RoomId) -> Result<Option<PendingCommit>, StoreError> {
        let sql = "SELECT room, epoch, out_message, bytes, welcome, added
                   FROM pending_commit WHERE room = ?1";
        self.row(sql, [room], |row| {
            Ok(PendingCommit {
                room: row.get(0)?,
                epoch: row.get(1)?,
                out_message: row.get(2)?,
                commit: row.get(3)?,
                welcome: row.get(4)?,
                added: split_devices(row, 5)?,
            })
        })
    }

    /// The removals that a commit of (room, epoch) must carry.
    ///
    /// # Errors
    /// Those of the database.
    pub fn required_removals(
        &self,
        room: &RoomId,
        epoch: u64,
    ) -> Result<Vec<RequiredRemoval>, StoreError> {
        let sql = "SELECT room, epoch, device, by FROM required_removal
                   WHERE room = ?1 AND epoch = ?2 ORDER BY device";
        self.rows(sql, (room, epoch), |row| {
            Ok(RequiredRemoval {
                room: row.get(0)?,
                epoch: row.get(1)?,
                device: row.get(2)?,
                by: row.get(3)?,
            })
        })
    }

    /// How many messages a room holds back.
    ///
    /// # Errors
    /// Those of the database.
    pub fn held_count(&self, room: &RoomId) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM held WHERE room = ?1", [room])
    }
}

impl Tx<'_> {
    /// Keeps the room's commit in flight, in place of an earlier one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_pending_commit(&self, pending: &PendingCommit) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO pending_commit
             (room, epoch, out_message, bytes, welcome, added) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                pending.room,
                pending.epoch,
                pending.out_message,
                &pending.commit,
                &pending.welcome,
                join_devices(&pending.added),
            ),
        )?;
        Ok(())
    }

    /// Forgets the room's commit in flight, when it has won or lost.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_pending_commit(&self, room: &RoomId) -> Result<(), StoreError> {
        self.execute("DELETE FROM pending_commit WHERE room = ?1", [room])?;
        Ok(())
    }

    /// Keeps a required removal; the first to ask is remembered.
    ///
    /// # Errors
    /// Those of the database.
    pub fn require_removal(&self, removal: &RequiredRemoval) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR IGNORE INTO required_removal (room, epoch, device, by)
             VALUES (?1, ?2, ?3, ?4)",
            (removal.room, removal.epoch, removal.device, removal.by),
        )?;
        Ok(())
    }

    /// Forgets the removals required in epochs before `epoch`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn drop_removals_before(&self, room: &RoomId, epoch: u64) -> Result<(), StoreError> {
        self.execute("DELETE FROM required_removal WHERE room = ?1 AND epoch < ?2", (room, epoch))?;
        Ok(())
    }

    /// Holds a message back; false, and nothing kept, once the room holds [`HELD_PER_ROOM`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn hold(&self, room: &RoomId, held: &Held) -> Result<bool, StoreError> {
        if self.held_count(room)? >= HELD_PER_ROOM {
            return Ok(false);
        }
        self.execute(
            "INSERT OR IGNORE INTO held (room, seq, kind, bytes) VALUES (?1, ?2, ?3, ?4)",
            (room, held.seq, held.kind, &held.bytes),
        )?;
        Ok(true)
    }

    /// Takes the first `limit` messages a room holds back, in log order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_held(&self, room: &RoomId, limit: u32) -> Result<Vec<Held>, StoreError> {
        let sql = "SELECT seq, kind, bytes FROM held WHERE room = ?1 ORDER BY seq LIMIT ?2";
        let held = self.rows(sql, (room, limit), |row| {
            Ok(Held { seq: row.get(0)?, kind: row.get(1)?, bytes: row.get(2)? })
        })?;
        for taken in &held {
            self.execute("DELETE FROM held WHERE room = ?1 AND seq = ?2", (room, taken.seq))?;
        }
        Ok(held)
    }
}
