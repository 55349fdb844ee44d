//! The roster's signed entries, in the order of the chain.

use super::sql::closed_debug;
use super::{StoreError, Tx, View};
use crate::member::identity::SignatureBytes;
use crate::wire::ids::Seq;

/// A signed roster entry as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// Its number in the chain, from 0.
    pub number: u32,
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// The signature over them.
    pub signature: SignatureBytes,
    /// Its place in the log; 0 if it came with a snapshot.
    pub seq: Seq,
}

closed_debug!(RosterRow);

impl View<'_> {
    /// All entries by number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entries(&self) -> Result<Vec<RosterRow>, StoreError> {
        self.rows("SELECT number, bytes, signature, seq FROM roster ORDER BY number", [], |row| {
            Ok(RosterRow {
                number: row.get(0)?,
                bytes: row.get(1)?,
                signature: SignatureBytes(row.get(2)?),
                seq: row.get(3)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Appends an entry that the chain has accepted.
    ///
    /// # Errors
    /// A second entry of one number is an error of the caller and fails in the database.
    pub fn append_entry(
        &self,
        number: u32,
        bytes: &[u8],
        signature: &SignatureBytes,
        seq: Seq,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO roster (number, bytes, signature, seq) VALUES (?1, ?2, ?3, ?4)",
            (number, bytes, signature.0, seq),
        )?;
        Ok(())
    }
}
