//! Whether the database is as it was written, and what it shows of other people's clocks.

use super::{StoreError, View};

/// How many of the newest messages of others are asked what time it was.
const CLAIMS: u32 = 50;

impl View<'_> {
    /// Whether every page and index is in order. It reads the whole database.
    pub fn is_whole(&self) -> bool {
        let first = self.row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        // A page that cannot be read is an error, and no order either.
        matches!(first, Ok(Some(said)) if said == "ok")
    }

    /// The latest time, in unix seconds, that one of the newest messages of others claims.
    ///
    /// # Errors
    /// Those of the database.
    pub fn latest_claim(&self) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT max(sent_at) FROM (SELECT sent_at FROM message
            WHERE own = 0 AND seq IS NOT NULL ORDER BY id DESC LIMIT ?1)";
        Ok(self.row(sql, [CLAIMS], |row| row.get(0))?.flatten())
    }
}
