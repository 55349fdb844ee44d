//! Blobs on their way to the relay: sealed chunks that it has not confirmed yet.

use super::sql::secret;
use super::{StoreError, Tx, View};
use crate::secret::Secret;
use crate::wire::ids::BlobId;

/// A chunk to be handed over. It holds the blob's write secret, so it can be neither copied nor
/// printed.
pub struct BlobChunk {
    /// The blob.
    pub blob: BlobId,
    /// Shows the relay that the blob is ours.
    pub secret: Secret<32>,
    /// Which chunk, from 0.
    pub index: u16,
    /// How many the blob has.
    pub count: u16,
    /// The sealed bytes.
    pub chunk: Vec<u8>,
}

impl View<'_> {
    /// The next chunk to hand over.
    ///
    /// # Errors
    /// Those of the database.
    pub fn next_blob_chunk(&self) -> Result<Option<BlobChunk>, StoreError> {
        let sql = "SELECT blob, secret, place, count, chunk FROM blob_out ORDER BY id LIMIT 1";
        self.row(sql, [], |row| {
            Ok(BlobChunk {
                blob: row.get(0)?,
                secret: secret(row, 1)?,
                index: row.get(2)?,
                count: row.get(3)?,
                chunk: row.get(4)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Queues a chunk.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_blob_chunk(&self, chunk: &BlobChunk) -> Result<(), StoreError> {
        self.insert(
            "INSERT INTO blob_out (blob, secret, place, count, chunk) VALUES (?1, ?2, ?3, ?4, ?5)",
            (chunk.blob, chunk.secret.expose(), chunk.index, chunk.count, &chunk.chunk),
        )?;
        Ok(())
    }

    /// Forgets a chunk that the relay has confirmed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_blob_chunk(&self, blob: &BlobId, index: u16) -> Result<(), StoreError> {
        self.execute("DELETE FROM blob_out WHERE blob = ?1 AND place = ?2", (blob, index))?;
        Ok(())
    }
}
