//! A store in memory, for stories that are not about disks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::{BlobId, CellId, Digest, Seq};
use staffetta_protocol::wire::limits::{BLOB_CHUNK, CELL};

use super::recent::{Draft, Recent};
use super::{
    Change, Clock, Cut, Done, Head, Health, Listener, LogIdentity, LogStore, Pair, Span,
    StoreError, check_changes,
};

/// A store that lives as long as its process.
pub(crate) struct MemoryStore {
    inner: Mutex<Inner>,
    clock: Clock,
}

struct Inner {
    identity: Option<LogIdentity>,
    recent: Recent,
    /// From `oldest` on.
    log: Vec<(CellId, [u8; CELL], Digest)>,
    oldest: Seq,
    base: Digest,
    listener: Option<Listener>,
    chunks: BTreeMap<([u8; 32], u32), Vec<u8>>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryStore {
    pub(crate) fn new(clock: Clock) -> Self {
        let inner = Inner {
            identity: None,
            recent: Recent::new(0, Digest([0; 32])),
            log: Vec::new(),
            oldest: 1,
            base: Digest([0; 32]),
            listener: None,
            chunks: BTreeMap::new(),
            state: BTreeMap::new(),
        };
        Self { inner: Mutex::new(inner), clock }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogStore for MemoryStore {
    fn health(&self) -> Health {
        Health::Ready
    }

    fn steady(&self) -> Clock {
        self.clock.clone()
    }

    fn identity(&self) -> Option<LogIdentity> {
        self.inner().identity
    }

    fn create(&self, identity: LogIdentity) -> Result<(), StoreError> {
        self.go_on(identity, Head { seq: 0, hash: identity.start() })
    }

    fn go_on(&self, identity: LogIdentity, base: Head) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.identity.is_some() {
            return Err(StoreError::NoLog);
        }
        inner.identity = Some(identity);
        inner.recent = Recent::new(base.seq, base.hash);
        (inner.oldest, inner.base) = (base.seq + 1, base.hash);
        Ok(())
    }

    fn base(&self) -> Result<Head, StoreError> {
        let inner = self.inner();
        inner.identity.ok_or(StoreError::NoLog)?;
        Ok(Head { seq: inner.oldest - 1, hash: inner.base })
    }

    fn append(&self, batch: Cells, done: Done) {
        let mut inner = self.inner();
        if inner.identity.is_none() {
            drop(inner);
            return done(Err(StoreError::NoLog));
        }
        let mut draft = Draft::new(&inner.recent);
        let answer = draft.admit(&mut inner.recent, &batch);
        if let Some(commit) = draft.finish() {
            let stored = commit.cells.iter().zip(&commit.hashes);
            inner.log.extend(stored.map(|((id, cell), hash)| (id, *cell, *hash)));
            if let Some(listener) = inner.listener.clone() {
                listener(&std::sync::Arc::new(commit));
            }
        }
        drop(inner);
        done(answer);
    }

    fn listen(&self, listener: Listener) {
        self.inner().listener = Some(listener);
    }

    fn head(&self) -> Head {
        let inner = self.inner();
        Head { seq: inner.recent.seq(), hash: inner.recent.hash() }
    }

    fn oldest(&self) -> Seq {
        self.inner().oldest
    }

    fn read(&self, from: Seq, max: usize) -> Result<Span, StoreError> {
        let inner = self.inner();
        let first = from.max(inner.oldest);
        let skip = usize::try_from(first - inner.oldest).unwrap_or(usize::MAX);
        let found = inner.log.iter().skip(skip).take(max);
        let hash = found.clone().next_back().map_or(inner.recent.hash(), |(.., hash)| *hash);
        let cells = Cells::collect(found.map(|(id, cell, _)| (*id, cell)));
        Ok(Span { first, cells, hash })
    }

    fn cuts(&self) -> Vec<Cut> {
        vec![Cut { end: self.head().seq, until: (self.clock)() }]
    }

    fn trim(&self, end: Seq) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let end = end.min(inner.recent.seq());
        while inner.oldest <= end {
            inner.base = inner.log.remove(0).2;
            inner.oldest += 1;
        }
        Ok(())
    }

    fn put_chunk(&self, id: &BlobId, index: u32, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > BLOB_CHUNK {
            return Err(StoreError::TooLarge);
        }
        let mut inner = self.inner();
        let chunk = inner.chunks.entry((id.0, index)).or_insert_with(|| bytes.to_vec());
        if chunk == bytes { Ok(()) } else { Err(StoreError::Conflict) }
    }

    fn chunk(&self, id: &BlobId, index: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.inner().chunks.get(&(id.0, index)).cloned())
    }

    fn remove_blob(&self, id: &BlobId) -> Result<(), StoreError> {
        self.inner().chunks.retain(|(blob, _), _| *blob != id.0);
        Ok(())
    }

    fn blobs(&self) -> Result<Vec<BlobId>, StoreError> {
        let mut ids: Vec<_> = self.inner().chunks.keys().map(|(blob, _)| BlobId(*blob)).collect();
        ids.dedup();
        Ok(ids)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.inner().state.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let inner = self.inner();
        let from = inner.state.range(prefix.to_vec()..);
        Ok(from
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect())
    }

    fn set(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        check_changes(&changes)?;
        let mut inner = self.inner();
        for Change { key, value } in changes {
            match value {
                Some(value) => inner.state.insert(key, value),
                None => inner.state.remove(&key),
            };
        }
        Ok(())
    }
}
