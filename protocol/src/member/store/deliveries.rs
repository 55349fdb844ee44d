//! What a bot has not acknowledged, and the idempotency keys of what it sent.

use super::{StoreError, Tx, View};
use crate::wire::ids::ContentId;

/// How long an idempotency key is remembered, in seconds.
pub const KEY_LIFETIME_S: u64 = 24 * 60 * 60;

impl View<'_> {
    /// The first `limit` messages that were not acknowledged, in the order they were added.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unacked(&self, limit: u32) -> Result<Vec<ContentId>, StoreError> {
        let sql = "SELECT content FROM delivery ORDER BY id LIMIT ?1";
        self.rows(sql, [limit], |row| row.get(0))
    }

    /// The message that was sent under an idempotency key.
    ///
    /// # Errors
    /// Those of the database.
    pub fn by_key(&self, key: &str) -> Result<Option<ContentId>, StoreError> {
        self.row("SELECT content FROM idempotency WHERE key = ?1", [key], |row| row.get(0))
    }
}

impl Tx<'_> {
    /// Adds a message to those to be acknowledged; once, however often it is added.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_delivery(&self, content: &ContentId) -> Result<(), StoreError> {
        self.execute("INSERT OR IGNORE INTO delivery (content) VALUES (?1)", [content])?;
        Ok(())
    }

    /// Acknowledges a message; false if it was, or never had to be.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ack_delivery(&self, content: &ContentId) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM delivery WHERE content = ?1", [content])? > 0)
    }

    /// Remembers that `content` was sent under `key` at `at` (unix seconds); false, and nothing
    /// changed, if the key is taken.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remember_key(
        &self,
        key: &str,
        content: &ContentId,
        at: u64,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT OR IGNORE INTO idempotency (key, content, at) VALUES (?1, ?2, ?3)";
        Ok(self.execute(sql, (key, content, at))? > 0)
    }

    /// Forgets the keys that are older than [`KEY_LIFETIME_S`] at `now` (unix seconds).
    ///
    /// # Errors
    /// Those of the database.
    pub fn purge_keys(&self, now: u64) -> Result<usize, StoreError> {
        let before = now.saturating_sub(KEY_LIFETIME_S);
        self.execute("DELETE FROM idempotency WHERE at < ?1", [before])
    }
}
