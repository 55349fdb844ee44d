//! Direct messages under way: their pieces until all came, and the ids of those that did.

use super::sql::closed_debug;
use super::{StoreError, Tx, View};
use crate::cell::direct::DirectFragment;
use crate::wire::ids::{DeviceId, Seq};
use crate::wire::limits::CHAIN_LIFE;

/// How many unfinished messages of one device are kept at most; a further one is refused.
pub const MAX_OPEN_DIRECT: u64 = 32;

/// How many ids of whole messages of one device are remembered, the newest.
pub const DIRECT_IDS_KEPT: u32 = 1024;

/// What a piece of a direct message did.
#[derive(Clone, PartialEq, Eq)]
pub enum DirectProgress {
    /// Pieces are missing.
    Incomplete,
    /// It was the last: here is the message, once.
    Whole {
        /// What the message is.
        kind: u8,
        /// The place of the piece that came first.
        first: Seq,
        /// The content.
        content: Vec<u8>,
    },
    /// The message was whole before, or the piece is there already.
    Repeated,
    /// It contradicts the message's other pieces, or too many messages are unfinished.
    Refused,
}

closed_debug!(DirectProgress);

impl View<'_> {
    /// How many messages of a device are unfinished.
    ///
    /// # Errors
    /// Those of the database.
    pub fn open_direct(&self, peer: &DeviceId) -> Result<u64, StoreError> {
        self.count("SELECT count(DISTINCT message) FROM direct_part WHERE peer = ?1", [peer])
    }

    fn direct_shape(
        &self,
        peer: &DeviceId,
        message: &[u8; 8],
    ) -> Result<Option<(u16, u8)>, StoreError> {
        let sql = "SELECT count, kind FROM direct_part WHERE peer = ?1 AND message = ?2 LIMIT 1";
        self.row(sql, (peer, message), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn direct_is_done(&self, peer: &DeviceId, message: &[u8; 8]) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM direct_done WHERE peer = ?1 AND message = ?2";
        Ok(self.row(sql, (peer, message), |_| Ok(()))?.is_some())
    }
}

impl Tx<'_> {
    /// Takes a piece that `peer` authentically sent, found at `seq`. A message not whole within
    /// [`CHAIN_LIFE`] seqs of its first piece is void.
    ///
    /// # Errors
    /// Those of the database.
    pub fn accept_direct(
        &self,
        peer: &DeviceId,
        seq: Seq,
        fragment: &DirectFragment,
    ) -> Result<DirectProgress, StoreError> {
        let message = &fragment.id.0;
        if self.direct_is_done(peer, message)? {
            return Ok(DirectProgress::Repeated);
        }
        self.void_direct(peer, seq)?;
        match self.direct_shape(peer, message)? {
            Some(shape) if shape != (fragment.count, fragment.kind) => {
                return Ok(DirectProgress::Refused);
            }
            None if self.open_direct(peer)? >= MAX_OPEN_DIRECT => {
                return Ok(DirectProgress::Refused);
            }
            _ => {}
        }
        if fragment.index >= fragment.count {
            return Ok(DirectProgress::Refused);
        }
        let added = self.execute(
            "INSERT OR IGNORE INTO direct_part (peer, message, place, count, kind, seq, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (peer, message, fragment.index, fragment.count, fragment.kind, seq, &fragment.content),
        )?;
        if added == 0 {
            return Ok(DirectProgress::Repeated);
        }
        let here = self.count(
            "SELECT count(*) FROM direct_part WHERE peer = ?1 AND message = ?2",
            (peer, message),
        )?;
        if here < u64::from(fragment.count) {
            return Ok(DirectProgress::Incomplete);
        }
        self.finish_direct(peer, fragment)
    }

    /// Forgets what a device that is gone left unfinished, and its ids.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_direct(&self, peer: &DeviceId) -> Result<(), StoreError> {
        self.execute("DELETE FROM direct_part WHERE peer = ?1", [peer])?;
        self.execute("DELETE FROM direct_done WHERE peer = ?1", [peer])?;
        Ok(())
    }

    fn void_direct(&self, peer: &DeviceId, seq: Seq) -> Result<(), StoreError> {
        let Some(before) = seq.checked_sub(CHAIN_LIFE) else { return Ok(()) };
        self.execute(
            "DELETE FROM direct_part WHERE peer = ?1 AND message IN
             (SELECT message FROM direct_part WHERE peer = ?1 AND seq <= ?2)",
            (peer, before),
        )?;
        Ok(())
    }

    fn finish_direct(
        &self,
        peer: &DeviceId,
        fragment: &DirectFragment,
    ) -> Result<DirectProgress, StoreError> {
        let message = &fragment.id.0;
        let parts: Vec<(Seq, Vec<u8>)> = self.rows(
            "SELECT seq, content FROM direct_part WHERE peer = ?1 AND message = ?2 ORDER BY place",
            (peer, message),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        self.execute("DELETE FROM direct_part WHERE peer = ?1 AND message = ?2", (peer, message))?;
        self.execute("INSERT INTO direct_done (peer, message) VALUES (?1, ?2)", (peer, message))?;
        self.execute(
            "DELETE FROM direct_done WHERE peer = ?1 AND id <=
             (SELECT id FROM direct_done WHERE peer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (peer, DIRECT_IDS_KEPT),
        )?;
        let first = parts.iter().map(|(seq, _)| *seq).min().unwrap_or_default();
        let content = parts.into_iter().flat_map(|(_, content)| content).collect();
        Ok(DirectProgress::Whole { kind: fragment.kind, first, content })
    }
}
