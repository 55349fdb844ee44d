//! Receipts: how far each member has read each room, as far as it has said so.

use super::{StoreError, Tx, View};
use crate::wire::ids::{ContentId, MemberId, RoomId, Seq};

impl View<'_> {
    /// How far each member says it has read a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn receipts(&self, room: &RoomId) -> Result<Vec<(MemberId, Seq)>, StoreError> {
        let sql = "SELECT member, seq FROM receipt WHERE room = ?1 ORDER BY member";
        self.rows(sql, [room], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The place of the last message of others up to which a room is read here without a gap.
    ///
    /// # Errors
    /// Those of the database.
    pub fn read_to(&self, room: &RoomId) -> Result<Option<Seq>, StoreError> {
        let sql = "SELECT max(seq) FROM message WHERE room = ?1 AND own = 0 AND shown = 1
            AND read = 1 AND place < ifnull(
                (SELECT min(place) FROM message WHERE room = ?1 AND read = 0 AND shown = 1),
                9223372036854775807)";
        Ok(self.row(sql, [room], |row| row.get(0))?.flatten())
    }

    /// The newest own message of a room with a place in a range, its end included.
    ///
    /// # Errors
    /// Those of the database.
    pub fn newest_own(
        &self,
        room: &RoomId,
        after: Seq,
        to: Seq,
    ) -> Result<Option<ContentId>, StoreError> {
        let sql = "SELECT content FROM message WHERE room = ?1 AND own = 1 AND shown = 1
            AND deleted = 0 AND place > ?2 AND place <= ?3 ORDER BY place DESC LIMIT 1";
        self.row(sql, (room, after, to), |row| row.get(0))
    }
}

impl Tx<'_> {
    /// Notes how far a member has read a room; an earlier place changes nothing. Returns the place
    /// known before if this one is later.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_receipt(
        &self,
        room: &RoomId,
        member: &MemberId,
        seq: Seq,
    ) -> Result<Option<Seq>, StoreError> {
        let sql = "SELECT seq FROM receipt WHERE room = ?1 AND member = ?2";
        let before: Option<Seq> = self.row(sql, (room, member), |row| row.get(0))?;
        let before = before.unwrap_or_default();
        if seq <= before {
            return Ok(None);
        }
        self.execute(
            "INSERT OR REPLACE INTO receipt (room, member, seq) VALUES (?1, ?2, ?3)",
            (room, member, seq),
        )?;
        Ok(Some(before))
    }
}
