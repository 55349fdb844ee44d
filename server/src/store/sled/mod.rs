//! The store in sled 0.34.7, with its traps avoided; the only module that names sled.
//!
//! ```text
//! format            the format's name, written last but one and read first
//! state/            a small database of typed state
//! log/seg-N-F-S/    databases of 16 MiB or an hour of the log each
//! blobs/ID/INDEX    plain files
//! ```
//!
//! Power cuts and full disks shaped every rule here: one writer, our own sync of sled's file,
//! small pages, databases made aside and renamed, whole segments dropped.

mod blobs;
mod files;
mod segment;
mod segments;
mod shared;
mod state;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::{BlobId, Seq};

use self::blobs::Blobs;
pub(crate) use self::files::damage;
use self::files::{rename_durably, sync_dir};
use self::shared::{Command, Shared};
use super::{
    Change, Clock, Cut, Done, Head, Listener, LogIdentity, LogStore, Pair, Span, StoreError,
    check_changes,
};

/// Bytes of cells after which a segment is closed.
pub(crate) const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
/// Seconds after which a segment is closed at the next append.
pub(crate) const SEGMENT_SECONDS: u64 = 3600;

const FORMAT: &[u8] = b"staffetta store 1\n";

/// How a store is kept.
pub(crate) struct SledOptions {
    /// Bytes of free disk below which nothing is appended.
    pub(crate) low_disk: u64,
    /// Bytes of a segment.
    pub(crate) segment_bytes: usize,
    /// Seconds of a segment.
    pub(crate) segment_seconds: u64,
    /// The clock.
    pub(crate) clock: Clock,
}

/// The embedded store.
pub(crate) struct SledStore {
    shared: Arc<Shared>,
    blobs: Blobs,
    writer: Option<JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store in `dir`, or makes an empty one if `dir` is absent or empty.
    ///
    /// Refuses, changing nothing, files of a format it does not know; refuses, naming the segment,
    /// one that does not open, a hole in the seqs or a break in the running hash.
    pub(crate) fn open(dir: &Path, options: SledOptions) -> Result<Self, StoreError> {
        check_format(dir)?;
        let log = dir.join("log");
        if !log.exists() {
            fs::create_dir(&log)?;
            sync_dir(dir)?;
        }
        let blobs = Blobs::open(dir)?;
        let (shared, log) = Shared::open(PathBuf::from(dir), options)?;
        let shared = Arc::new(shared);
        let thread = shared.clone();
        let writer = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer::run(&thread, log))?;
        Ok(Self { shared, blobs, writer: Some(writer) })
    }

    fn order(
        &self,
        command: impl FnOnce(std::sync::mpsc::SyncSender<Result<(), StoreError>>) -> Command,
    ) -> Result<(), StoreError> {
        let (answer, answered) = sync_channel(1);
        self.shared.order(command(answer));
        answered.recv().unwrap_or(Err(StoreError::Stopped))
    }
}

fn check_format(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join("format");
    match fs::read(&path) {
        Ok(found) if found == FORMAT => return Ok(()),
        Ok(_) => return Err(StoreError::Format),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Err(_) => fs::create_dir_all(dir)?,
    }
    let tmp = dir.join("tmp-format");
    for entry in fs::read_dir(dir)? {
        if entry?.path() != tmp {
            return Err(StoreError::Format);
        }
    }
    let mut file = File::create(&tmp)?;
    file.write_all(FORMAT)?;
    file.sync_all()?;
    rename_durably(&tmp, &path)
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.shared.order(Command::Stop);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl LogStore for SledStore {
    fn identity(&self) -> Option<LogIdentity> {
        self.shared.identity()
    }

    fn create(&self, identity: LogIdentity) -> Result<(), StoreError> {
        self.order(|answer| Command::Create(identity, answer))
    }

    fn append(&self, batch: Cells, done: Done) {
        if let Err((done, error)) = self.shared.append(batch, done) {
            done(Err(error));
        }
    }

    fn listen(&self, listener: Listener) {
        self.shared.listen(listener);
    }

    fn head(&self) -> Head {
        self.shared.head()
    }

    fn oldest(&self) -> Seq {
        self.shared.oldest()
    }

    fn read(&self, from: Seq, max: usize) -> Result<Span, StoreError> {
        self.shared.read(from, max)
    }

    fn cuts(&self) -> Vec<Cut> {
        let starts = self.shared.segments().starts();
        let head = self.shared.head().seq;
        let ends = starts.iter().skip(1).map(|(first, _)| first - 1).chain([head]);
        let until = |started: u64| started.saturating_add(self.shared.options.segment_seconds);
        starts
            .iter()
            .zip(ends)
            .map(|((_, started), end)| Cut { end, until: until(*started) })
            .collect()
    }

    fn trim(&self, end: Seq) -> Result<(), StoreError> {
        self.order(|answer| Command::Trim(end, answer))
    }

    fn put_chunk(&self, id: &BlobId, index: u32, bytes: &[u8]) -> Result<(), StoreError> {
        if self.shared.disk_is_low() {
            return Err(StoreError::LowDisk);
        }
        self.blobs.put(id, index, bytes)
    }

    fn chunk(&self, id: &BlobId, index: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.blobs.get(id, index)
    }

    fn remove_blob(&self, id: &BlobId) -> Result<(), StoreError> {
        self.blobs.remove(id)
    }

    fn blobs(&self) -> Result<Vec<BlobId>, StoreError> {
        self.blobs.list()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.state.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        self.shared.state.scan(prefix)
    }

    fn set(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        check_changes(&changes)?;
        self.shared.state.set(changes)
    }
}
