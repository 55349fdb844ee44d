//! Full-text search over the messages kept here; the index lies in the same sealed database.

use super::messages::{COLUMNS, message_row};
use super::{MessageRow, StoreError, View};
use crate::wire::ids::RoomId;

/// The most words of one search; further ones are ignored.
pub const MAX_SEARCH_WORDS: usize = 16;

impl View<'_> {
    /// The `limit` messages that this device has had last and that hold all `words`, ignoring case and
    /// accents, oldest first; the last word may be the beginning of one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn search(
        &self,
        words: &str,
        room: Option<&RoomId>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        // Quoted, so that nothing typed is an operator of the index.
        let quoted: Vec<String> = words
            .split(|found: char| !found.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(MAX_SEARCH_WORDS)
            .map(|word| format!("\"{word}\""))
            .collect();
        if quoted.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = quoted.join(" ") + "*";
        // The index first (CROSS JOIN keeps the order) and in its own order, so that of a word's many
        // hits only the newest are looked at.
        let sql = format!(
            "SELECT {COLUMNS} FROM word CROSS JOIN message ON message.id = word.rowid
             WHERE word MATCH ?1 AND (?2 IS NULL OR room = ?2) AND deleted = 0
             ORDER BY word.rowid DESC LIMIT ?3"
        );
        let mut found = self.rows(&sql, (wanted, room, limit), message_row)?;
        found.reverse();
        Ok(found)
    }
}
