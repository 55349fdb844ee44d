//! What later messages, and time, do to earlier ones.

use super::messages::{COLUMNS, message_row};
use super::sql::join_members;
use super::{MessageRow, OutKind, StoreError, Tx, View};
use crate::wire::ids::{ContentId, DeviceId, MemberId, RoomId};

impl View<'_> {
    /// The messages that change a message or are reactions to it, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn about(&self, target: &ContentId, kind: u8) -> Result<Vec<MessageRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE target = ?1 AND kind = ?2 AND deleted = 0 AND seq IS NOT NULL
             ORDER BY place, id"
        );
        self.rows(&sql, (target, kind), message_row)
    }

    /// How many messages of unknown kinds are kept of a device in a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unknown_count(&self, room: &RoomId, device: &DeviceId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM message
            WHERE room = ?1 AND device = ?2 AND shown = 0 AND target IS NULL";
        self.count(sql, (room, device))
    }

    /// When the next message is to vanish, in unix seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn next_expiry(&self) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT min(expires_at) FROM message WHERE expires_at IS NOT NULL";
        Ok(self.row(sql, [], |row| row.get(0))?.flatten())
    }
}

impl Tx<'_> {
    /// Replaces a message's text; what it said before is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub fn edit_message(
        &self,
        target: &ContentId,
        text: &str,
        mentions: &[MemberId],
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE message SET text = ?2, mentions = ?3, edited = 1, raw = x''
             WHERE content = ?1 AND deleted = 0",
            (target, text, join_members(mentions)),
        )?;
        Ok(())
    }

    /// Leaves nothing of a message, its edits and its reactions but their ids and places, so that
    /// a repetition is still known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_message(&self, target: &ContentId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE message SET text = '', raw = x'', mentions = x'', deleted = 1, read = 1
             WHERE content = ?1 OR target = ?1",
            [target],
        )?;
        self.execute("DELETE FROM delivery WHERE content = ?1", [target])?;
        self.drop_file_remains()
    }

    /// Forgets a message that was never sent, and what was to be sent of it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn withdraw_message(&self, content: &ContentId) -> Result<(), StoreError> {
        self.execute("DELETE FROM message WHERE content = ?1", [content])?;
        let sql = "SELECT id FROM outbox WHERE content = ?1";
        for message in self.rows(sql, [content], |row| row.get(0))? {
            self.remove_out(message)?;
        }
        self.execute("DELETE FROM idempotency WHERE content = ?1", [content])?;
        self.drop_file_remains()
    }

    /// Forgets the messages whose time has come by `now` (unix seconds), what was to be delivered
    /// or sent of them, and says how many there were.
    ///
    /// # Errors
    /// Those of the database.
    pub fn purge_expired(&self, now: u64) -> Result<usize, StoreError> {
        // What is said of a message goes with it.
        let gone = self.execute(
            "DELETE FROM message WHERE expires_at <= ?1 OR target IN
             (SELECT content FROM message WHERE expires_at <= ?1)",
            [now],
        )?;
        if gone > 0 {
            self.miss_vanished()?;
            let sql = "SELECT id FROM outbox WHERE kind = ?1 AND content IS NOT NULL
                AND content NOT IN (SELECT content FROM message)";
            for message in self.rows(sql, [OutKind::Text], |row| row.get(0))? {
                self.remove_out(message)?;
            }
            self.drop_file_remains()?;
        }
        Ok(gone)
    }
}
