//! Who reads this profile's messages at least once, what they have not acknowledged, and the
//! idempotency keys of what was sent.

use rusqlite::Row;

use super::{MessageRow, StoreError, Tx, View};
use crate::wire::ids::{ContentId, RoomId};

/// How long an idempotency key is remembered, in seconds.
pub const KEY_LIFETIME_S: u64 = 24 * 60 * 60;
/// The most messages kept for one consumer; beyond, the oldest go and are counted.
pub const MAX_BACKLOG: u32 = 100_000;

/// A message that a consumer has not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number, in the order of the log; unique among all consumers.
    pub number: i64,
    /// The message.
    pub content: ContentId,
    /// Whether it only changes another one: an edit, a deletion, a reaction.
    pub change: bool,
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery { number: row.get(0)?, content: row.get(1)?, change: row.get(2)? })
}

impl View<'_> {
    /// The number of a consumer that was added under `name`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn consumer(&self, name: &str) -> Result<Option<i64>, StoreError> {
        self.row("SELECT id FROM consumer WHERE name = ?1", [name], |row| row.get(0))
    }

    /// How many consumers there are.
    ///
    /// # Errors
    /// Those of the database.
    pub fn consumers(&self) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM consumer", [])
    }

    /// What a consumer has not acknowledged after a number (0: from the beginning), oldest first,
    /// at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unacked(
        &self,
        consumer: i64,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = "SELECT id, content, change FROM delivery
            WHERE consumer = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        self.rows(sql, (consumer, after, limit), delivery)
    }

    /// The messages up to a number that a consumer has not acknowledged, oldest first, at most
    /// `limit`; nothing that only changes others.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unacked_messages(
        &self,
        consumer: i64,
        last: i64,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = "SELECT id, content, change FROM delivery
            WHERE consumer = ?1 AND change = 0 AND id <= ?2 ORDER BY id LIMIT ?3";
        self.rows(sql, (consumer, last, limit), delivery)
    }

    /// How many messages up to a number a consumer has not acknowledged, at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unacked_upto(&self, consumer: i64, last: i64, limit: u32) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM delivery
            WHERE consumer = ?1 AND change = 0 AND id <= ?2 LIMIT ?3)";
        self.count(sql, (consumer, last, limit))
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
    /// Adds a consumer, of one room if one is named, or gives it another room; returns its number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_consumer(&self, name: &str, room: Option<&RoomId>) -> Result<i64, StoreError> {
        self.execute(
            "INSERT INTO consumer (name, room, missed) VALUES (?1, ?2, 0)
             ON CONFLICT (name) DO UPDATE SET room = ?2 WHERE room IS NOT ?2",
            (name, room),
        )?;
        self.consumer(name)?.ok_or(StoreError::NoSuchRow)
    }

    /// Forgets a consumer and what waits for it; false if there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_consumer(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM consumer WHERE name = ?1", [name])? > 0)
    }

    /// Adds a message of a room to what every consumer of it is to acknowledge; once, however often
    /// it is added. False if nobody has anything more to acknowledge.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_delivery(&self, message: &MessageRow) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM consumer WHERE room IS NULL OR room = ?1";
        let consumers: Vec<i64> = self.rows(sql, [message.room], |row| row.get(0))?;
        let mut added = 0;
        // A row at a time: a statement that adds several costs SQLite a file in memory.
        for consumer in consumers {
            added += self.execute(
                "INSERT OR IGNORE INTO delivery (consumer, content, change) VALUES (?1, ?2, ?3)",
                (consumer, message.content, !message.shown),
            )?;
        }
        // Seldom enough that counting costs nothing.
        let last = self.connection().last_insert_rowid();
        let step = i64::from(MAX_BACKLOG / 100);
        if last % step < i64::try_from(added).unwrap_or(step) {
            self.trim_deliveries(MAX_BACKLOG)?;
        }
        Ok(added > 0)
    }

    /// Keeps the newest `kept` deliveries of each consumer and counts the others as missed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn trim_deliveries(&self, kept: u32) -> Result<(), StoreError> {
        let sql = "SELECT consumer, count(*) - ?1 FROM delivery GROUP BY consumer
            HAVING count(*) > ?1";
        let over: Vec<(i64, i64)> = self.rows(sql, [kept], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (consumer, surplus) in over {
            self.execute(
                "DELETE FROM delivery WHERE id IN
                 (SELECT id FROM delivery WHERE consumer = ?1 ORDER BY id LIMIT ?2)",
                (consumer, surplus),
            )?;
            self.miss(consumer, surplus)?;
        }
        Ok(())
    }

    fn miss(&self, consumer: i64, count: i64) -> Result<(), StoreError> {
        let sql = "UPDATE consumer SET missed = missed + ?2 WHERE id = ?1";
        self.execute(sql, (consumer, count))?;
        Ok(())
    }

    /// Messages vanished: what was to be delivered of them is missed.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn miss_vanished(&self) -> Result<(), StoreError> {
        const GONE: &str = "content NOT IN (SELECT content FROM message)";
        let sql = format!("SELECT consumer, count(*) FROM delivery WHERE {GONE} GROUP BY consumer");
        let gone: Vec<(i64, i64)> = self.rows(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (consumer, count) in &gone {
            self.miss(*consumer, *count)?;
        }
        if !gone.is_empty() {
            self.execute(&format!("DELETE FROM delivery WHERE {GONE}"), [])?;
        }
        Ok(())
    }

    /// How many messages a consumer has missed since it was last asked.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_missed(&self, consumer: i64) -> Result<u64, StoreError> {
        let sql = "SELECT missed FROM consumer WHERE id = ?1";
        let missed: u64 = self.row(sql, [consumer], |row| row.get(0))?.unwrap_or(0);
        if missed > 0 {
            self.execute("UPDATE consumer SET missed = 0 WHERE id = ?1", [consumer])?;
        }
        Ok(missed)
    }

    /// Has everything after a message delivered once more, beside what is not acknowledged yet, in
    /// the order of the log.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRow`] if there is no such message, else those of the database.
    pub fn replay(&self, consumer: i64, since: &ContentId) -> Result<(), StoreError> {
        let sql = "SELECT place, id FROM message WHERE content = ?1";
        let place: Option<(i64, i64)> =
            self.row(sql, [since], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (place, id) = place.ok_or(StoreError::NoSuchRow)?;
        self.execute(
            "INSERT OR REPLACE INTO delivery (consumer, content, change)
             SELECT ?1, m.content, m.shown = 0 FROM message AS m, consumer AS c
             WHERE c.id = ?1 AND (c.room IS NULL OR c.room = m.room)
               AND (m.content IN (SELECT content FROM delivery WHERE consumer = ?1)
                 OR (m.own = 0 AND m.deleted = 0 AND (m.shown OR m.target IS NOT NULL)
                   AND (m.place, m.id) > (?2, ?3)))
             ORDER BY m.place, m.id",
            (consumer, place, id),
        )?;
        Ok(())
    }

    /// Takes something out that nobody can be told any more.
    ///
    /// # Errors
    /// Those of the database.
    pub fn drop_delivery(&self, number: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM delivery WHERE id = ?1", [number])?;
        Ok(())
    }

    /// Acknowledges something, and with it whatever before it only changes others; false if it
    /// was, or never had to be.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ack_delivery(&self, consumer: i64, content: &ContentId) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM delivery WHERE consumer = ?1 AND content = ?2";
        let number: Option<i64> = self.row(sql, (consumer, content), |row| row.get(0))?;
        if let Some(number) = number {
            self.drop_delivery(number)?;
            let sql = "DELETE FROM delivery WHERE consumer = ?1 AND change = 1 AND id < ?2";
            self.execute(sql, (consumer, number))?;
        }
        Ok(number.is_some())
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
