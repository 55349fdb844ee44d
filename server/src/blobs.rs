//! Blobs: who may write them, when they are whole, and telling everybody.
//!
//! A blob's id is the hash of its write secret, so whoever shows the secret may write and delete
//! it. The bytes are opaque. Methods that change something block on the disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blake2::{Blake2s256, Digest as _};
use bytes::Bytes;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::frame::{FailCode, MAX_ANNOUNCED};
use staffetta_protocol::wire::ids::BlobId;
use staffetta_protocol::wire::limits::MAX_BLOB_CHUNKS;
use staffetta_protocol::wire::{Reader, WireError, Writer};

use crate::registry::Refused;
use crate::store::{Change, LogStore, StoreError};

/// Blobs of one relay at most, whole or not.
pub(crate) const MAX_BLOBS: usize = 10_000;

const PREFIX: &[u8] = b"blob/";
const VERSION: u8 = 1;

/// What is known of a blob.
#[derive(Clone)]
struct Meta {
    count: u16,
    size: u64,
    created: u64,
    /// One byte per chunk: whether it is there.
    have: Vec<u8>,
    /// Its number among the announcements, once whole.
    announced: Option<u64>,
}

impl Meta {
    fn is_whole(&self) -> bool {
        self.have.iter().all(|byte| *byte == 1)
    }
}

#[derive(Default)]
struct Table {
    blobs: HashMap<BlobId, Meta>,
    /// Whole blobs by announcement number.
    whole: BTreeMap<u64, BlobId>,
    last: u64,
}

impl Table {
    fn announce(&mut self, id: BlobId) {
        self.last += 1;
        let last = self.last;
        if let Some(meta) = self.blobs.get_mut(&id) {
            meta.announced = Some(last);
            self.whole.insert(last, id);
        }
    }
}

/// One chunk to write.
pub(crate) struct Chunk {
    /// Shows the right to write.
    pub(crate) secret: Secret<32>,
    /// Which, from 0.
    pub(crate) index: u16,
    /// How many the blob has.
    pub(crate) count: u16,
    /// The bytes.
    pub(crate) bytes: Bytes,
}

/// The blobs of a relay.
pub(crate) struct Blobs {
    store: Arc<dyn LogStore>,
    table: Mutex<Table>,
    writing: Mutex<()>,
}

/// The id that a write secret gives the right to.
pub(crate) fn id_of(secret: &Secret<32>) -> BlobId {
    BlobId(Blake2s256::digest(secret.expose()).into())
}

impl Blobs {
    /// Reads what blobs there are.
    pub(crate) fn open(store: Arc<dyn LogStore>) -> Result<Self, StoreError> {
        let mut table = Table::default();
        for (key, value) in store.scan(PREFIX)? {
            let damaged = || StoreError::Damaged { segment: "state".into(), what: "a blob" };
            let id = key.strip_prefix(PREFIX).and_then(BlobId::from_slice).ok_or_else(damaged)?;
            let meta = decode(value).map_err(|_| damaged())?;
            let is_whole = meta.is_whole();
            table.blobs.insert(id, meta);
            if is_whole {
                table.announce(id);
            }
        }
        // A crash may leave a first chunk that nobody knows of.
        for id in store.blobs()? {
            if !table.blobs.contains_key(&id) {
                store.remove_blob(&id)?;
            }
        }
        Ok(Self { store, table: Mutex::new(table), writing: Mutex::default() })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one chunk once; the number of the announcement if that made the blob whole.
    pub(crate) fn put(&self, chunk: &Chunk, now: u64) -> Result<Option<u64>, Refused> {
        let _writing = self.writing();
        let id = id_of(&chunk.secret);
        if chunk.count == 0 || chunk.count > MAX_BLOB_CHUNKS || chunk.index >= chunk.count {
            return Err(FailCode::TooLarge.into());
        }
        let known = self.table().blobs.get(&id).cloned();
        let mut meta = match known {
            Some(meta) if meta.count != chunk.count => return Err(FailCode::Conflict.into()),
            Some(meta) => meta,
            None if self.table().blobs.len() >= MAX_BLOBS => return Err(FailCode::TooLarge.into()),
            None => Meta {
                count: chunk.count,
                size: 0,
                created: now,
                have: vec![0; chunk.count.into()],
                announced: None,
            },
        };
        match self.store.put_chunk(&id, chunk.index.into(), &chunk.bytes) {
            Err(StoreError::Conflict) => return Err(FailCode::Conflict.into()),
            other => other?,
        }
        let Some(have) = meta.have.get_mut(usize::from(chunk.index)) else { return Ok(None) };
        if *have == 1 {
            return Ok(None);
        }
        *have = 1;
        meta.size += chunk.bytes.len() as u64;
        self.store.set(vec![Change { key: key(&id), value: Some(encode(&meta)) }])?;
        let is_whole = meta.is_whole();
        let mut table = self.table();
        table.blobs.insert(id, meta);
        if !is_whole {
            return Ok(None);
        }
        table.announce(id);
        Ok(Some(table.last))
    }

    /// Reads one chunk of a whole blob, and how many there are.
    pub(crate) fn get(&self, id: &BlobId, index: u16) -> Result<(u16, Bytes), Refused> {
        let count = match self.table().blobs.get(id) {
            Some(meta) if meta.announced.is_some() && index < meta.count => meta.count,
            _ => return Err(FailCode::Unknown.into()),
        };
        let chunk = self.store.chunk(id, index.into())?.ok_or(FailCode::Unknown)?;
        Ok((count, chunk.into()))
    }

    /// Deletes the blob that `secret` gives the right to.
    pub(crate) fn delete(&self, secret: &Secret<32>) -> Result<(), Refused> {
        let _writing = self.writing();
        let id = id_of(secret);
        if !self.table().blobs.contains_key(&id) {
            return Err(FailCode::Unknown.into());
        }
        Ok(self.remove(&id)?)
    }

    /// Deletes blobs that were begun before the unix second `before`.
    pub(crate) fn forget(&self, before: u64) -> Result<(), StoreError> {
        let _writing = self.writing();
        let old: Vec<BlobId> = {
            let table = self.table();
            let old = table.blobs.iter().filter(|(_, meta)| meta.created < before);
            old.map(|(id, _)| *id).collect()
        };
        old.iter().try_for_each(|id| self.remove(id))
    }

    fn remove(&self, id: &BlobId) -> Result<(), StoreError> {
        self.store.remove_blob(id)?;
        self.store.set(vec![Change { key: key(id), value: None }])?;
        let mut table = self.table();
        if let Some(number) = table.blobs.remove(id).and_then(|meta| meta.announced) {
            table.whole.remove(&number);
        }
        Ok(())
    }

    /// The last announcement's number.
    pub(crate) fn last(&self) -> u64 {
        self.table().last
    }

    /// The announcements after number `after`, one frame's worth, and the last one's number.
    pub(crate) fn announced_after(&self, after: u64) -> (Vec<(BlobId, u64)>, u64) {
        let table = self.table();
        let mut last = after;
        let mut out = Vec::new();
        for (number, id) in table.whole.range(after + 1..).take(MAX_ANNOUNCED) {
            let Some(meta) = table.blobs.get(id) else { continue };
            out.push((*id, meta.size));
            last = *number;
        }
        if out.len() < MAX_ANNOUNCED {
            last = table.last;
        }
        (out, last)
    }
}

/// The blob and the chunks of it that are there, if `key` and `value` are a blob's in the typed
/// state.
pub(crate) fn held(key: &[u8], value: &[u8]) -> Option<(BlobId, Vec<u16>)> {
    let id = key.strip_prefix(PREFIX).and_then(BlobId::from_slice)?;
    let meta = decode(value.to_vec()).ok()?;
    let held = (0..).zip(&meta.have).filter(|(_, have)| **have == 1);
    Some((id, held.map(|(index, _)| index).collect()))
}

fn key(id: &BlobId) -> Vec<u8> {
    [PREFIX, &id.0].concat()
}

fn encode(meta: &Meta) -> Vec<u8> {
    let mut out = Writer::default();
    out.u8(VERSION).u16(meta.count).u64(meta.size).u64(meta.created).put(&meta.have);
    out.finish()
}

fn decode(value: Vec<u8>) -> Result<Meta, WireError> {
    let mut read = Reader::new(value.into());
    if read.u8()? != VERSION {
        return Err(WireError::Value);
    }
    let (count, size, created) = (read.u16()?, read.u64()?, read.u64()?);
    let have = read.take(count.into())?.to_vec();
    read.finish()?;
    Ok(Meta { count, size, created, have, announced: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn chunk(secret: u8, index: u16, count: u16, bytes: &'static [u8]) -> Chunk {
        let secret = Secret::copy(&[secret; 32]).unwrap();
        Chunk { secret, index, count, bytes: Bytes::from_static(bytes) }
    }

    fn code(result: Result<impl Sized, Refused>) -> FailCode {
        match result {
            Err(Refused::Peer(code)) => code,
            _ => unreachable!("the peer is at fault"),
        }
    }

    #[test]
    fn chunks_are_write_once_and_ids_are_announced_to_all_when_a_blob_is_whole() {
        let store: Arc<dyn LogStore> = Arc::new(MemoryStore::new(Arc::new(|| 0)));
        let blobs = Blobs::open(store.clone()).unwrap();
        let id = id_of(&Secret::copy(&[1; 32]).unwrap());
        assert_eq!(blobs.put(&chunk(1, 1, 2, b"world"), 5).unwrap(), None);
        assert_eq!(code(blobs.get(&id, 1)), FailCode::Unknown);
        assert_eq!(code(blobs.put(&chunk(1, 1, 2, b"other"), 5)), FailCode::Conflict);
        assert_eq!(code(blobs.put(&chunk(1, 0, 3, b"hello"), 5)), FailCode::Conflict);
        assert_eq!(code(blobs.put(&chunk(1, 2, 2, b"hello"), 5)), FailCode::TooLarge);
        assert_eq!(blobs.put(&chunk(1, 1, 2, b"world"), 5).unwrap(), None);
        assert_eq!(blobs.put(&chunk(1, 0, 2, b"hello "), 5).unwrap(), Some(1));
        assert_eq!(blobs.get(&id, 0).unwrap(), (2, Bytes::from_static(b"hello ")));
        assert_eq!(blobs.announced_after(0), (vec![(id, 11)], 1));
        // The same after a restart.
        let blobs = Blobs::open(store).unwrap();
        assert_eq!(blobs.announced_after(0), (vec![(id, 11)], 1));
        assert_eq!(blobs.announced_after(1), (vec![], 1));
    }

    #[test]
    fn bput_and_bdel_show_the_write_secret() {
        let store = Arc::new(MemoryStore::new(Arc::new(|| 0)));
        let blobs = Blobs::open(store.clone()).unwrap();
        blobs.put(&chunk(1, 0, 1, b"x"), 5).unwrap();
        // Whoever knows only the id has no secret that leads to it.
        let id = id_of(&Secret::copy(&[1; 32]).unwrap());
        assert_eq!(code(blobs.delete(&Secret::copy(&id.0).unwrap())), FailCode::Unknown);
        blobs.delete(&Secret::copy(&[1; 32]).unwrap()).unwrap();
        assert_eq!(code(blobs.get(&id, 0)), FailCode::Unknown);
        assert!(store.blobs().unwrap().is_empty());
        blobs.put(&chunk(2, 0, 1, b"x"), 5).unwrap();
        blobs.forget(5).unwrap();
        assert_eq!(store.blobs().unwrap().len(), 1);
        blobs.forget(6).unwrap();
        assert!(store.blobs().unwrap().is_empty());
    }
}
