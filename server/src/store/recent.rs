//! The ids of the last cells, with which a repeated PUT is recognised.
//!
//! No cell is kept: a repeated one is compared through the running hash, which commits to it.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};
use staffetta_protocol::wire::ids::{CellId, Digest, Seq};

use super::{Commit, REMEMBERED_IDS, Records, StoreError, chain, records};

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

    /// Adds the next record and returns the running hash after it.
    pub(super) fn push(&mut self, id: CellId, record: &[u8]) -> Digest {
        let hash = chain::next(&self.hash(), record);
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

    /// The seq of a known record, or `Conflict` if its id stands for other bytes.
    fn find(&self, id: &CellId, record: &[u8]) -> Result<Option<Seq>, StoreError> {
        let Some(&seq) = self.seqs.get(id) else { return Ok(None) };
        let place = usize::try_from(seq - self.base).unwrap_or(usize::MAX);
        let hash_at = |cells: usize| match cells {
            0 => Some(self.before),
            _ => self.cells.get(cells - 1).map(|(_, hash)| *hash),
        };
        match (hash_at(place.saturating_sub(1)), hash_at(place)) {
            (Some(previous), Some(hash)) if chain::next(&previous, record) == hash => Ok(Some(seq)),
            _ => Err(StoreError::Conflict),
        }
    }
}

/// A commit in the making: the new records of several appends, in order.
pub(super) struct Draft {
    first: Seq,
    records: BytesMut,
    hashes: Vec<Digest>,
}

impl Draft {
    /// Begins after the last cell of `recent`.
    pub(super) fn new(recent: &Recent) -> Self {
        Self { first: recent.seq() + 1, records: BytesMut::new(), hashes: Vec::new() }
    }

    /// Takes the new ones of `batch` and returns all seqs, or refuses the whole batch.
    pub(super) fn admit(
        &mut self,
        recent: &mut Recent,
        batch: &Records,
    ) -> Result<Vec<Seq>, StoreError> {
        let mut fresh: Vec<(CellId, &[u8])> = Vec::new();
        for (id, record) in batch.iter() {
            if let Some((_, first)) = fresh.iter().find(|(known, _)| *known == id) {
                if *first != record {
                    return Err(StoreError::Conflict);
                }
            } else if recent.find(&id, record)?.is_none() {
                fresh.push((id, record));
            }
        }
        let mut seqs = Vec::with_capacity(batch.iter().count());
        for (id, record) in batch.iter() {
            if let Some(seq) = recent.find(&id, record)? {
                seqs.push(seq);
                continue;
            }
            self.hashes.push(recent.push(id, record));
            self.records.extend_from_slice(record);
            seqs.push(recent.seq());
        }
        Ok(seqs)
    }

    /// Bytes of the new records so far.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The commit, or `None` if every record was known.
    pub(super) fn finish(self) -> Option<Commit> {
        let records: Bytes = self.records.freeze();
        (!records.is_empty()).then_some(Commit { first: self.first, records, hashes: self.hashes })
    }
}

/// Rebuilds `recent` from stored records.
pub(super) fn replay(recent: &mut Recent, stored: &[u8]) {
    for (id, record) in records(stored) {
        recent.push(id, record);
    }
}
