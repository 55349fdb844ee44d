//! Standing a relay up from a backup, and proving that one could.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::mpsc::channel;

use serde::Serialize;
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::LogId;

use super::age::Identity;
use super::format::Records;
use super::read::{Item, read};
use super::{BackupError, Summary, file, write};
use crate::config::Config;
use crate::init::{Layout, store_options};
use crate::registry::Parent;
use crate::store::sled::SledStore;
use crate::store::{Change, LogIdentity, LogStore, StoreError};

/// Values of typed state written at a time.
const VALUES: usize = 256;

/// What a restored relay is.
#[derive(Serialize)]
pub(crate) struct Restored {
    /// What was in the backup.
    pub(crate) backup: Summary,
    /// The log it replaces: id in hexadecimal, and the last seq of it that is there.
    pub(crate) parent: Option<(String, u64)>,
    /// The new log's id in hexadecimal.
    pub(crate) log: Option<String>,
}

/// Makes the relay of the backup in `from` in the directory `data`, which must not hold anything.
///
/// Cells keep their seqs and running hashes, but the log gets a new id and names its parent: what
/// the old log took in after the backup is missing here, and devices must not be told otherwise.
pub(crate) fn restore(
    from: &Path,
    data: &Path,
    identity: &Identity,
) -> Result<Restored, BackupError> {
    if data.exists() && fs::read_dir(data)?.next().is_some() {
        return Err(BackupError::NotEmpty);
    }
    // Nothing is made of a backup that is not whole.
    file::verify(from, identity)?;
    let layout = Layout::new(data);
    DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    layout.make_keys()?;
    layout.write_identity(identity)?;
    let mut config = Config::default();
    // The disk must only take what is in the backup.
    config.storage.low_disk = 0;
    let store = SledStore::open(&layout.store(), store_options(&config))?;
    let (mut parent, mut values) = (None, Vec::new());
    let backup = read(file::open(from)?, identity, |item| {
        match item {
            Item::File(name, bytes) => layout.write_backed_up(&name, &bytes)?,
            Item::Value(key, value) => {
                values.push(Change { key, value: Some(value) });
                if values.len() >= VALUES {
                    store.set(std::mem::take(&mut values))?;
                }
            }
            Item::Log(old, base) => {
                parent = Some(old.log);
                let log = LogId::random(&mut OsRandom);
                store.go_on(LogIdentity { log, ..old }, base)?;
            }
            Item::Cells(cells) => append(&store, cells)?,
            Item::Chunk(id, index, bytes) => store.put_chunk(&id, index, &bytes)?,
        }
        Ok(())
    })?;
    if let Some(log) = parent {
        let head = store.head();
        values.push(Parent { log, seq: head.seq, hash: head.hash }.record());
    }
    store.set(values)?;
    let log = store.identity().map(|identity| identity.log.to_hex());
    let parent = parent.map(|log| (log.to_hex(), store.head().seq));
    Ok(Restored { backup, parent, log })
}

fn append(store: &dyn LogStore, cells: Cells) -> Result<(), StoreError> {
    let (answer, answered) = channel();
    store.append(cells, Box::new(move |result| drop(answer.send(result.map(drop)))));
    answered.recv().unwrap_or(Err(StoreError::Stopped))
}

/// Restores the backup in `from` to a temporary directory beside it, and compares: the same
/// state, cells with the same running hash, the same chunks.
pub(crate) fn test(from: &Path, identity: &Identity) -> Result<Summary, BackupError> {
    let place = Scratch::new()?;
    let data = place.0.join("relay");
    let restored = restore(from, &data, identity)?;
    let mut config = Config::default();
    config.storage.low_disk = 0;
    let store = SledStore::open(&Layout::new(&data).store(), store_options(&config))?;
    let mut records = Records::new(io::sink())?;
    let again = write::contents(&store, &mut records)?;
    let head = store.head();
    let wanted = &restored.backup;
    // One value more: the parent.
    let extra = u64::from(restored.parent.is_some());
    let same = (again.cells, again.head, again.chunks, again.values)
        == (wanted.cells, wanted.head, wanted.chunks, wanted.values + extra);
    let mut differs = !same;
    let mut at = None;
    read(file::open(from)?, identity, |item| {
        match item {
            Item::File(name, bytes) => {
                differs |= Layout::new(&data).read_backed_up(&name)? != bytes;
            }
            Item::Value(key, value) => differs |= store.get(&key)?.as_ref() != Some(&value),
            Item::Chunk(id, index, bytes) => {
                differs |= store.chunk(&id, index)?.as_ref() != Some(&bytes);
            }
            Item::Log(_, base) => at = Some(base.seq),
            Item::Cells(cells) => {
                if let Some(seq) = &mut at {
                    let there = store.read(*seq + 1, cells.len())?;
                    differs |= there.cells.records() != cells.records();
                    *seq += cells.len() as u64;
                }
            }
        }
        Ok(())
    })?;
    if differs || at.is_some_and(|seq| seq != head.seq) {
        return Err(BackupError::Differs);
    }
    Ok(restored.backup)
}

/// A private directory that goes when dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let name = LogId::random(&mut OsRandom).to_hex();
        let path = std::env::temp_dir().join(format!("staffetta-backup-test-{name}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is private and holds what the relay's own directory holds.
        let _ = fs::remove_dir_all(&self.0);
    }
}
