//! The ids of the last cells, with which a repeated PUT is recognised.
//!
//! No cell is kept: a repeated one is compared through the running hash, which commits to it.

use std::collections::{HashMap, VecDeque};

use bytes::BytesMut;
use staffetta_protocol::wire::ids::{CellId, Digest, Seq};
use staffetta_protocol::wire::limits::CELL;
use staffetta_protocol::wire::{Cells, running_hash};

use super::{Commit, REMEMBERED_IDS, StoreError};

/// The last ids of a log and the running hash after each.
pub(super) struct Recent {
    seqs: HashMap<CellId, Seq>,
    cells: VecDeque<(CellId, Digest)>,
    /// The running hash before the first of `cells`.
    before: Digest,
    /// The seq before the first of `cells`.
    base: Seq,
}

impl Recent {
    /// Begins after `seq`, where the running hash is `hash`.
    pub(super) fn new(seq: Seq, hash: Digest) -> Self {
        Self { seqs: HashMap::new(), cells: VecDeque::new(), before: hash, base: seq }
    }

    /// The last seq.
    pub(super) fn seq(&self) -> Seq {
        self.base + self.cells.len() as u64
    }

    /// The running hash after the last cell.
    pub(super) fn hash(&self) -> Digest {
        self.cells.back().map_or(self.before, |(_, hash)| *hash)
    }

    /// Adds the next cell and returns the running hash after it.
    pub(super) fn push(&mut self, id: CellId, cell: &[u8; CELL]) -> Digest {
        let hash = running_hash::next(&self.hash(), &id, cell);
        self.cells.push_back((id, hash));
        self.seqs.insert(id, self.seq());
        if self.cells.len() > REMEMBERED_IDS {
            self.forget_first();
        }
        hash
    }

    fn forget_first(&mut self) {
        let Some((id, hash)) = self.cells.pop_front() else { return };
        self.base += 1;
        self.before = hash;
        // An id that came again after it was forgotten has a later seq and stays known.
        if self.seqs.get(&id) == Some(&self.base) {
            self.seqs.remove(&id);
        }
    }

    /// The seq of a known cell, or `Conflict` if its id stands for other bytes.
    fn find(&self, id: &CellId, cell: &[u8; CELL]) -> Result<Option<Seq>, StoreError> {
        let Some(&seq) = self.seqs.get(id) else { return Ok(None) };
        let place = usize::try_from(seq - self.base).unwrap_or(usize::MAX);
        let hash_at = |cells: usize| match cells {
            0 => Some(self.before),
            _ => self.cells.get(cells - 1).map(|(_, hash)| *hash),
        };
        match (hash_at(place.saturating_sub(1)), hash_at(place)) {
            (Some(previous), Some(hash)) if running_hash::next(&previous, id, cell) == hash => {
                Ok(Some(seq))
            }
            _ => Err(StoreError::Conflict),
        }
    }
}

/// A commit in the making: the new cells of several appends, in order.
pub(super) struct Draft {
    first: Seq,
    cells: BytesMut,
    hashes: Vec<Digest>,
}

impl Draft {
    /// Begins after the last cell of `recent`.
    pub(super) fn new(recent: &Recent) -> Self {
        Self { first: recent.seq() + 1, cells: BytesMut::new(), hashes: Vec::new() }
    }

    /// Takes the new ones of `batch` and returns all seqs, or refuses the whole batch.
    pub(super) fn admit(
        &mut self,
        recent: &mut Recent,
        batch: &Cells,
    ) -> Result<Vec<Seq>, StoreError> {
        let mut fresh: Vec<(CellId, &[u8; CELL])> = Vec::new();
        for (id, cell) in batch.iter() {
            if let Some((_, first)) = fresh.iter().find(|(known, _)| *known == id) {
                if *first != cell {
                    return Err(StoreError::Conflict);
                }
            } else if recent.find(&id, cell)?.is_none() {
                fresh.push((id, cell));
            }
        }
        let mut seqs = Vec::with_capacity(batch.len());
        for (id, cell) in batch.iter() {
            if let Some(seq) = recent.find(&id, cell)? {
                seqs.push(seq);
                continue;
            }
            self.hashes.push(recent.push(id, cell));
            self.cells.extend_from_slice(&id.0);
            self.cells.extend_from_slice(cell);
            seqs.push(recent.seq());
        }
        Ok(seqs)
    }

    /// The commit, or `None` if every cell was known.
    pub(super) fn finish(self) -> Option<Commit> {
        let cells = Cells::from_records(self.cells.freeze()).ok()?;
        (!cells.is_empty()).then_some(Commit { first: self.first, cells, hashes: self.hashes })
    }
}
