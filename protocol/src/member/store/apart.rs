//! What this device read of a log that the team left, and that the team's log does not hold at that
//! place: kept beside the log until it stands in it, behind what others wrote meanwhile.
//!
//! Its places are moved out of the way, by more than any log has, in every table that names them.

use super::ring::RingCell;
use super::{ChannelKind, StoreError, Tx, View};
use crate::wire::ids::{CellId, ContentId, DeviceId, RoomId, Seq};
use crate::wire::limits::CELL;

/// What is added to the places of what stands apart: 2^62.
pub const APART: Seq = 1 << 62;

impl View<'_> {
    /// Cells that stand apart, after a place of theirs, in their order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn apart_after(&self, after: Seq, limit: u32) -> Result<Vec<RingCell>, StoreError> {
        let sql = "SELECT seq, cell_id, cell FROM ring WHERE seq BETWEEN ?1 AND ?3
                   ORDER BY seq LIMIT ?2";
        self.ring_cells(sql, (after.max(APART) + 1, 2 * APART - 1), limit)
    }

    /// Where a cell stands apart, if it does, with exactly these bytes.
    ///
    /// # Errors
    /// Those of the database.
    pub fn place_apart(&self, id: &CellId, cell: &[u8; CELL]) -> Result<Option<Seq>, StoreError> {
        let sql = "SELECT seq FROM ring
                   WHERE cell_id = ?1 AND cell = ?2 AND seq >= 4611686018427387904";
        self.row(sql, (id, cell), |row| row.get(0))
    }

    /// The newest `limit` messages that a device wrote in a room and that were placed after `after`
    /// or stand apart, oldest first: content id, bytes, and whether it stands apart.
    ///
    /// # Errors
    /// Those of the database.
    pub fn written_after(
        &self,
        room: &RoomId,
        device: &DeviceId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<(ContentId, Vec<u8>, bool)>, StoreError> {
        let sql = "SELECT content, raw, seq >= ?4 FROM message
                   WHERE room = ?1 AND place > ?2 AND seq IS NOT NULL AND device = ?3 AND deleted = 0
                   ORDER BY place DESC, id DESC LIMIT ?5";
        let mut found = self.rows(sql, (room, after, device, APART, limit), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        found.reverse();
        Ok(found)
    }
}

impl Tx<'_> {
    /// Everything that was read after a place stands apart from now on; roster entries and running
    /// hashes from there on are forgotten, and what is sent has no place there.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_apart(&self, after: Seq) -> Result<(), StoreError> {
        self.execute("UPDATE ring SET seq = seq + ?2 WHERE seq > ?1", (after, APART))?;
        self.execute("UPDATE message SET seq = seq + ?2 WHERE seq > ?1", (after, APART))?;
        self.execute("UPDATE epoch SET opened = opened + ?2 WHERE opened > ?1", (after, APART))?;
        self.execute("UPDATE room SET opened = opened + ?2 WHERE opened > ?1", (after, APART))?;
        self.execute(
            "UPDATE channel SET opened = opened + ?2 WHERE opened > ?1 AND kind IN (?3, ?4, ?5)",
            (after, APART, ChannelKind::Room, ChannelKind::Control, ChannelKind::Check),
        )?;
        self.execute("UPDATE out_cell SET seq = NULL WHERE seq > ?1", [after])?;
        self.execute("DELETE FROM roster WHERE seq > ?1", [after])?;
        self.execute("DELETE FROM past WHERE first > ?1", [after])?;
        // 16 bytes for each place.
        self.execute("UPDATE past SET hashes = substr(hashes, 1, 16 * (?1 + 1 - first))", [after])?;
        Ok(())
    }

    /// A cell that stood apart has its place in the log. Whether its channel was known when it was
    /// read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_in_place(&self, apart: Seq, seq: Seq) -> Result<bool, StoreError> {
        let both = (apart, seq);
        let sql = "DELETE FROM ring WHERE seq = ?1 RETURNING known";
        let known = self.row(sql, [apart], |row| row.get(0))?.unwrap_or_default();
        self.execute("UPDATE message SET seq = ?2 WHERE seq = ?1", both)?;
        self.execute("UPDATE epoch SET opened = ?2 WHERE opened = ?1", both)?;
        self.execute("UPDATE room SET opened = ?2 WHERE opened = ?1", both)?;
        self.execute("UPDATE channel SET opened = ?2 WHERE opened = ?1", both)?;
        Ok(known)
    }

    /// A message that was placed after `since` has a later place.
    ///
    /// # Errors
    /// Those of the database.
    pub fn move_message(
        &self,
        content: &ContentId,
        since: Seq,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE message SET seq = ?3 WHERE content = ?1 AND seq > ?2";
        self.execute(sql, (content, since, seq))?;
        Ok(())
    }

    /// An own message that stood apart is to be sent again, as if it had no place yet.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_back(&self, content: &ContentId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE message SET seq = NULL, state = ?2 WHERE content = ?1",
            (content, super::MessageState::Queued),
        )?;
        Ok(())
    }
}
