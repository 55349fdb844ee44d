//! Stories of the store: what survives, what does not, and what nobody can read.

mod direct;
mod many;
mod rows;
mod rows_engine;
mod rows_people;
mod safety;
mod sealed;

use std::convert::Infallible;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::random::{OsRandom, bytes};
use crate::wire::ids::{CellId, ContentId, DeviceId, MemberId, RoomId};
use crate::wire::limits::CELL;

struct World {
    dir: TempDir,
    key: DbKey,
    store: Store,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    make_private_dir(dir.path()).unwrap();
    let key = DbKey::generate(&mut OsRandom);
    let store = Store::create(dir.path(), &key, no_other_tables).unwrap();
    World { dir, key, store }
}

fn no_other_tables(_: &mut Connection) -> Result<(), Infallible> {
    Ok(())
}

fn open(dir: &Path, key: &DbKey) -> Result<Store, StoreError> {
    Store::open(dir, key, no_other_tables)
}

impl World {
    fn step<T>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> T {
        self.store.step(work).unwrap()
    }

    fn view<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T, StoreError>) -> T {
        self.store.view(work).unwrap()
    }

    /// Closes the store and opens it again.
    fn reopened(self) -> Self {
        let Self { dir, key, store } = self;
        drop(store);
        let store = open(dir.path(), &key).unwrap();
        Self { dir, key, store }
    }
}

fn room() -> RoomId {
    RoomId::random(&mut OsRandom)
}

fn device() -> DeviceId {
    DeviceId::random(&mut OsRandom)
}

fn content() -> ContentId {
    ContentId::random(&mut OsRandom)
}

fn cells(count: usize) -> Vec<(CellId, [u8; CELL])> {
    (0..count).map(|_| (CellId::random(&mut OsRandom), bytes(&mut OsRandom))).collect()
}

fn out(kind: OutKind) -> NewOut {
    NewOut { kind, room: None, epoch: 0, content: None, plain: vec![1], queued_at: 5 }
}

fn message(room: RoomId, seq: Option<u64>, text: &str) -> MessageRow {
    MessageRow {
        content: content(),
        room,
        seq,
        device: device(),
        member: MemberId::random(&mut OsRandom),
        own: seq.is_none(),
        sent_at: 1_800_000_000,
        counter: 1,
        kind: 1,
        text: text.to_owned(),
        reply_to: None,
        raw: text.as_bytes().to_vec(),
        expires_at: None,
        state: if seq.is_none() { MessageState::Queued } else { MessageState::Received },
        read: seq.is_none(),
        shown: true,
        target: None,
        mentions: Vec::new(),
        edited: false,
        deleted: false,
    }
}
