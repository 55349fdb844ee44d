//! Files on their way: out of this device while their chunks wait for the relay, and in while
//! their chunks come from it. What is kept of blobs is as it came, sealed.

use rusqlite::Row;

use super::messages::{COLUMNS, message_row};
use super::sql::{closed_debug, secret};
use super::{MessageRow, StoreError, Tx, View};
use crate::secret::Secret;
use crate::wire::ids::{BlobId, ContentId, Digest, RoomId};

/// The most chunks kept of blobs that nobody has asked for yet: 120 MiB.
pub const MAX_KEPT_CHUNKS: u64 = 2_048;
/// How long chunks are kept that no message refers to, in seconds.
const KEPT_S: u64 = 3_600;

/// A file whose message is written once the relay has all of it. It holds the blob's key, so it
/// can be neither copied nor printed.
pub struct Upload {
    /// The blob.
    pub blob: BlobId,
    /// The id that the message will have.
    pub content: ContentId,
    /// The room it is for.
    pub room: RoomId,
    /// The file's name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The blob's key.
    pub key: Secret<32>,
    /// The hash of the file's bytes.
    pub hash: Digest,
    /// How many chunks the blob has.
    pub count: u16,
}

const _: () = assert!(std::mem::needs_drop::<Upload>());

/// A file to be written to this computer's disk.
#[derive(Clone, PartialEq, Eq)]
pub struct Download {
    /// The message that names it.
    pub content: ContentId,
    /// Its blob.
    pub blob: BlobId,
    /// Where it goes.
    pub path: String,
}

closed_debug!(Upload, Download);

/// How many chunks of a blob are here, and how many it has; 0 and 0 if none came yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Here.
    pub have: u16,
    /// In all.
    pub count: u16,
}

impl Progress {
    /// Whether all are here.
    pub fn is_whole(self) -> bool {
        self.have > 0 && self.have == self.count
    }
}

impl View<'_> {
    /// The upload of a blob.
    ///
    /// # Errors
    /// Those of the database.
    pub fn upload(&self, blob: &BlobId) -> Result<Option<Upload>, StoreError> {
        let sql = "SELECT blob, content, room, name, size, secret, hash, count FROM upload
            WHERE blob = ?1";
        self.row(sql, [blob], upload_row)
    }

    /// The uploads of which a relay has confirmed some chunks, but not all.
    ///
    /// # Errors
    /// Those of the database.
    pub fn uploads_begun(&self) -> Result<Vec<Upload>, StoreError> {
        let sql = "SELECT blob, content, room, name, size, secret, hash, count FROM upload
            WHERE (SELECT count(*) FROM blob_out WHERE blob = upload.blob) < count";
        self.rows(sql, [], upload_row)
    }

    /// How many chunks of a blob the relay has not confirmed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn chunks_left(&self, blob: &BlobId) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM blob_out WHERE blob = ?1", [blob])
    }

    /// How much of a blob is here.
    ///
    /// # Errors
    /// Those of the database.
    pub fn progress(&self, blob: &BlobId) -> Result<Progress, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM blob_in WHERE blob = ?1),
            ifnull((SELECT count FROM blob_in WHERE blob = ?1 LIMIT 1), 0)";
        let found = self.row(sql, [blob], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (have, count) = found.unwrap_or((0, 0));
        Ok(Progress { have, count })
    }

    /// The chunks of a blob that are here, in their order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn chunks_of(&self, blob: &BlobId) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT chunk FROM blob_in WHERE blob = ?1 ORDER BY place";
        self.rows(sql, [blob], |row| row.get(0))
    }

    /// A blob of this device that nothing refers to any more, and its write secret.
    ///
    /// # Errors
    /// Those of the database.
    pub fn dead_blob(&self) -> Result<Option<(BlobId, Secret<32>)>, StoreError> {
        // Asked at every step: looked up one by one, and no list of all messages made.
        let sql = "SELECT blob, secret FROM own_blob AS own
            WHERE NOT EXISTS (SELECT 1 FROM message AS m
                    WHERE m.content = own.content AND m.deleted = 0)
                AND NOT EXISTS (SELECT 1 FROM upload AS u WHERE u.blob = own.blob) LIMIT 1";
        self.row(sql, [], |row| Ok((row.get(0)?, secret(row, 1)?)))
    }

    /// The files to be written to disk.
    ///
    /// # Errors
    /// Those of the database.
    pub fn downloads(&self) -> Result<Vec<Download>, StoreError> {
        self.rows("SELECT content, blob, path FROM download ORDER BY rowid", [], |row| {
            Ok(Download { content: row.get(0)?, blob: row.get(1)?, path: row.get(2)? })
        })
    }

    /// The messages that name files, of one room or all, in log order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn file_messages(&self, room: Option<&RoomId>) -> Result<Vec<MessageRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE content IN (SELECT content FROM file) AND deleted = 0
             AND (?1 IS NULL OR room = ?1) ORDER BY place, id"
        );
        self.rows(&sql, [room], message_row)
    }
}

impl Tx<'_> {
    /// Notes that a message follows once a blob is at the relay.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_upload(&self, upload: &Upload) -> Result<(), StoreError> {
        let Upload { blob, content, room, name, size, key, hash, count } = upload;
        self.execute(
            "INSERT INTO upload (blob, content, room, name, size, secret, hash, count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (blob, content, room, name, size, key.expose(), hash, count),
        )?;
        Ok(())
    }

    /// Forgets an upload and the chunks that are still waiting.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_upload(&self, blob: &BlobId) -> Result<(), StoreError> {
        self.execute("DELETE FROM upload WHERE blob = ?1", [blob])?;
        self.execute("DELETE FROM blob_out WHERE blob = ?1", [blob])?;
        Ok(())
    }

    /// Keeps the write secret of a blob of this device, with which the relay deletes it once its
    /// message is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_own_blob(
        &self,
        blob: &BlobId,
        content: &ContentId,
        secret: &Secret<32>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO own_blob (blob, content, secret) VALUES (?1, ?2, ?3)";
        self.execute(sql, (blob, content, secret.expose()))?;
        Ok(())
    }

    /// Queues the blobs of this device once more whose chunks it keeps, as every device keeps those
    /// that all fetch.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_own_blobs_again(&self) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO blob_out (blob, secret, place, count, chunk)
            SELECT blob, secret, place, count, chunk FROM own_blob JOIN blob_in USING (blob)
            WHERE (SELECT count(*) FROM blob_in AS kept WHERE kept.blob = own_blob.blob) = count
            ORDER BY blob, place";
        self.execute(sql, [])?;
        Ok(())
    }

    /// The relay does not take a blob that it is given once more.
    ///
    /// # Errors
    /// Those of the database.
    pub fn give_up_own_blob(&self, blob: &BlobId) -> Result<(), StoreError> {
        let sql = "DELETE FROM blob_out WHERE blob = ?1 AND blob IN (SELECT blob FROM own_blob)";
        self.execute(sql, [blob])?;
        Ok(())
    }

    /// The relay has deleted a blob of this device, or has it no more.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_own_blob(&self, blob: &BlobId) -> Result<(), StoreError> {
        self.execute("DELETE FROM own_blob WHERE blob = ?1", [blob])?;
        Ok(())
    }

    /// Notes which blob a message names.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_file(&self, content: &ContentId, blob: &BlobId) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO file (content, blob) VALUES (?1, ?2)";
        self.execute(sql, (content, blob))?;
        Ok(())
    }

    /// Keeps the next chunk of a blob, which came at `at` (unix seconds): always if its file is to
    /// be written, else within [`MAX_KEPT_CHUNKS`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_chunk(
        &self,
        blob: &BlobId,
        index: u16,
        count: u16,
        chunk: &[u8],
        at: u64,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR IGNORE INTO blob_in (blob, place, count, chunk, at)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE ?2 = (SELECT count(*) FROM blob_in WHERE blob = ?1)
                AND (EXISTS (SELECT 1 FROM download WHERE blob = ?1)
                    OR (SELECT count(*) FROM blob_in) < ?6)",
            (blob, index, count, chunk, at, MAX_KEPT_CHUNKS),
        )?;
        Ok(())
    }

    /// Forgets the chunks of a blob.
    ///
    /// # Errors
    /// Those of the database.
    pub fn drop_chunks(&self, blob: &BlobId) -> Result<(), StoreError> {
        self.execute("DELETE FROM blob_in WHERE blob = ?1", [blob])?;
        Ok(())
    }

    /// Forgets chunks to which no message has referred for an hour before `now` (unix seconds).
    ///
    /// # Errors
    /// Those of the database.
    pub fn drop_stray_chunks(&self, now: u64) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM blob_in WHERE at < ?1 AND blob NOT IN (SELECT blob FROM file)",
            [now.saturating_sub(KEPT_S)],
        )?;
        Ok(())
    }

    /// Notes where a file is to be written; a later place replaces an earlier one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_download(&self, download: &Download) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO download (content, blob, path) VALUES (?1, ?2, ?3)",
            (download.content, download.blob, &download.path),
        )?;
        Ok(())
    }

    /// Forgets that a file was to be written.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_download(&self, content: &ContentId) -> Result<(), StoreError> {
        self.execute("DELETE FROM download WHERE content = ?1", [content])?;
        Ok(())
    }

    /// Forgets what is left of files whose message is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn drop_file_remains(&self) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM blob_in WHERE blob IN (SELECT blob FROM file
             WHERE content NOT IN (SELECT content FROM message WHERE deleted = 0))",
            "DELETE FROM download
             WHERE content NOT IN (SELECT content FROM message WHERE deleted = 0)",
            "DELETE FROM file WHERE content NOT IN (SELECT content FROM message WHERE deleted = 0)",
        ] {
            self.execute(sql, [])?;
        }
        Ok(())
    }
}

fn upload_row(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        blob: row.get(0)?,
        content: row.get(1)?,
        room: row.get(2)?,
        name: row.get(3)?,
        size: row.get(4)?,
        key: secret(row, 5)?,
        hash: row.get(6)?,
        count: row.get(7)?,
    })
}
