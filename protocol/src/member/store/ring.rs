//! The last cells of the log. Those that matched no channel are kept because a Welcome names an
//! earlier place, and the joiner reads on from there; all, because another relay may lack them.

use super::apart::APART;
use super::outbox::cell_bytes;
use super::sql::closed_debug;
use super::{StoreError, Tx, View};
use crate::wire::ids::{CellId, Digest, Seq};
use crate::wire::limits::CELL;

/// How many cells are kept at most: 64 MiB of them.
pub const RING_CELLS: u32 = 64 * 1024;

/// How long a cell is kept, in seconds: 48 hours.
pub const RING_LIFETIME_S: u64 = 48 * 60 * 60;

/// A cell as it came.
#[derive(Clone)]
pub struct RingCell {
    /// Its place.
    pub seq: Seq,
    /// Its id.
    pub id: CellId,
    /// Its bytes.
    pub cell: Box<[u8; CELL]>,
}

closed_debug!(RingCell);

impl View<'_> {
    /// Up to `limit` cells that matched nothing, from the place `from` on, in log order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ring_from(&self, from: Seq, limit: u32) -> Result<Vec<RingCell>, StoreError> {
        let sql = "SELECT seq, cell_id, cell FROM ring
                   WHERE known = 0 AND seq BETWEEN ?1 AND ?3 ORDER BY seq LIMIT ?2";
        self.ring_cells(sql, (from, APART - 1), limit)
    }

    /// Up to `limit` cells, matched or not, from the place `from` on, in log order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tail_from(&self, from: Seq, limit: u32) -> Result<Vec<RingCell>, StoreError> {
        let sql = "SELECT seq, cell_id, cell FROM ring WHERE seq BETWEEN ?1 AND ?3
                   ORDER BY seq LIMIT ?2";
        self.ring_cells(sql, (from, APART - 1), limit)
    }

    pub(super) fn ring_cells(
        &self,
        sql: &str,
        (from, to): (Seq, Seq),
        limit: u32,
    ) -> Result<Vec<RingCell>, StoreError> {
        self.rows(sql, (from, limit, to), |row| {
            Ok(RingCell { seq: row.get(0)?, id: row.get(1)?, cell: cell_bytes(row, 2)? })
        })
    }

    /// The running hash at a place whose cell is still kept.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ring_hash(&self, seq: Seq) -> Result<Option<Digest>, StoreError> {
        self.row("SELECT hash FROM ring WHERE seq = ?1", [seq], |row| row.get(0))
    }
}

impl Tx<'_> {
    /// Keeps a cell that came at `now` (unix seconds), the running hash at its place, and whether
    /// it matched a channel. Call [`Tx::trim_ring`] now and then.
    ///
    /// # Errors
    /// Those of the database.
    pub fn push_ring(
        &self,
        seq: Seq,
        id: &CellId,
        cell: &[u8; CELL],
        hash: &Digest,
        (known, now): (bool, u64),
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR IGNORE INTO ring (seq, at, known, hash, cell_id, cell)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (seq, now, known, hash, id, cell),
        )?;
        Ok(())
    }

    /// Notes that a cell has found its channel.
    ///
    /// # Errors
    /// Those of the database.
    pub fn known_ring(&self, seq: Seq) -> Result<(), StoreError> {
        self.execute("UPDATE ring SET known = 1 WHERE seq = ?1", [seq])?;
        Ok(())
    }

    /// Forgets what is older than [`RING_LIFETIME_S`] at `now` (unix seconds), and the oldest
    /// beyond [`RING_CELLS`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn trim_ring(&self, now: u64) -> Result<(), StoreError> {
        self.trim_ring_to(now, RING_CELLS)
    }

    pub(super) fn trim_ring_to(&self, now: u64, cells: u32) -> Result<(), StoreError> {
        let before = now.saturating_sub(RING_LIFETIME_S);
        self.execute("DELETE FROM ring WHERE at < ?1", [before])?;
        // The index by age is small; counting in the table would read every cell.
        let oldest_surplus: Option<(u64, Seq)> = self.row(
            "SELECT at, seq FROM ring INDEXED BY ring_at
             ORDER BY at DESC, seq DESC LIMIT 1 OFFSET ?1",
            [cells],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if let Some(surplus) = oldest_surplus {
            self.execute("DELETE FROM ring WHERE (at, seq) <= (?1, ?2)", surplus)?;
        }
        Ok(())
    }
}
