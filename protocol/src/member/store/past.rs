//! The running hashes of the places read last: what another device says of the log is compared with
//! them, also after a restart.

use super::{StoreError, Tx, View};
use crate::wire::ids::Seq;

/// Bytes kept of each running hash.
const SHORT: usize = 16;

impl View<'_> {
    /// The short running hashes kept, in log order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn past(&self) -> Result<Vec<(Seq, [u8; 16])>, StoreError> {
        let rows: Vec<(Seq, Vec<u8>)> =
            self.rows("SELECT first, hashes FROM past ORDER BY first", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let of_row = |(first, hashes): (Seq, Vec<u8>)| {
            let hashes: Vec<[u8; SHORT]> = hashes.as_chunks().0.to_vec();
            (first..).zip(hashes)
        };
        Ok(rows.into_iter().flat_map(of_row).collect())
    }
}

impl Tx<'_> {
    /// Keeps the short running hashes of consecutive places from `first` on, and forgets those of
    /// runs that began before `oldest`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_past(&self, first: Seq, hashes: &[[u8; 16]], oldest: Seq) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO past (first, hashes) VALUES (?1, ?2)",
            (first, hashes.as_flattened()),
        )?;
        self.execute("DELETE FROM past WHERE first < ?1", [oldest])?;
        Ok(())
    }
}
