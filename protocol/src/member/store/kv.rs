//! What a bot keeps beside the messages: values under names of its own.

use super::{StoreError, Tx, View};

/// The most values of one profile.
pub const MAX_VALUES: u64 = 4_096;

impl View<'_> {
    /// The value under `key`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn value(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.row("SELECT value FROM kv WHERE key = ?1", [key], |row| row.get(0))
    }
}

impl Tx<'_> {
    /// Puts a value under `key`; false, and nothing changed, if there are [`MAX_VALUES`] others.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_value(&self, key: &str, value: &str) -> Result<bool, StoreError> {
        let others = self.count("SELECT count(*) FROM kv WHERE key <> ?1", [key])?;
        if others >= MAX_VALUES {
            return Ok(false);
        }
        let sql = "INSERT INTO kv (key, value) VALUES (?1, ?2)
            ON CONFLICT (key) DO UPDATE SET value = ?2";
        self.execute(sql, (key, value))?;
        Ok(true)
    }

    /// Forgets the value under `key`; false if there was none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_value(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM kv WHERE key = ?1", [key])? > 0)
    }
}
