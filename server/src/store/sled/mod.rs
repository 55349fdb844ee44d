//! The store in sled 0.34.7, with its traps avoided; the only module that names sled.
//!
//! ```text
//! format            the format's name, written last but one and read first
//! ballast           nothing: room to be given up when the disk is full
//! state/            a small database of typed state
//! log/seg-N-F-S/    databases of 16 MiB or an hour of the log each
//! blobs/ID/INDEX    plain files
//! ```
//!
//! Power cuts and full disks shaped every rule here: one writer, our own sync of sled's file,
//! small pages, databases made aside and renamed, whole segments dropped.

mod ballast;
mod blobs;
mod files;
mod format;
mod segment;
mod segments;
mod shared;
mod state;
mod writer;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::{BlobId, Seq};

pub(crate) use self::ballast::BALLAST_BYTES;
use self::blobs::Blobs;
pub(crate) use self::files::damage;
use self::files::sync_dir;
use self::format::Step;
use self::shared::{Command, Shared};
use super::{
    Change, Clock, Cut, Done, Head, Health, Listener, LogIdentity, LogStore, Pair, Span,
    StoreError, check_changes,
};

/// Bytes of cells after which a segment is closed.
pub(crate) const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
/// Seconds after which a segment is closed at the next append.
pub(crate) const SEGMENT_SECONDS: u64 = 3600;

/// How a store is kept.
pub(crate) struct SledOptions {
    /// Bytes of free disk below which nothing is appended; opening databases needs some.
    pub(crate) low_disk: u64,
    /// Bytes of ballast beside them, usually [`BALLAST_BYTES`].
    pub(crate) ballast: u64,
    /// Bytes of a segment.
    pub(crate) segment_bytes: usize,
    /// Seconds of a segment.
    pub(crate) segment_seconds: u64,
    /// The wall clock, in unix seconds.
    pub(crate) clock: Clock,
    /// A clock that only goes forward, in seconds since any moment.
    pub(crate) monotonic: Clock,
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
        Self::open_as(dir, options, format::CURRENT, format::STEPS)
    }

    fn open_as(
        dir: &Path,
        options: SledOptions,
        current: u32,
        steps: &[Step],
    ) -> Result<Self, StoreError> {
        format::prepare(dir, current, steps)?;
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

impl Drop for SledStore {
    fn drop(&mut self) {
        self.shared.order(Command::Stop);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl LogStore for SledStore {
    fn health(&self) -> Health {
        self.shared.health()
    }

    fn steady(&self) -> Clock {
        let shared = self.shared.clone();
        Arc::new(move || shared.now())
    }

    fn identity(&self) -> Option<LogIdentity> {
        self.shared.identity()
    }

    fn create(&self, identity: LogIdentity) -> Result<(), StoreError> {
        self.order(|answer| Command::Create(identity, None, answer))
    }

    fn go_on(&self, identity: LogIdentity, base: Head) -> Result<(), StoreError> {
        self.order(|answer| Command::Create(identity, Some(base), answer))
    }

    fn base(&self) -> Result<Head, StoreError> {
        let identity = self.shared.identity().ok_or(StoreError::NoLog)?;
        self.shared.segments().base(&identity)
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
        match self.blobs.put(id, index, bytes) {
            Err(StoreError::Io(error)) if error.kind() == io::ErrorKind::StorageFull => {
                Err(StoreError::LowDisk)
            }
            other => other,
        }
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
        let mut found = self.shared.state.scan(prefix)?;
        found.retain(|(key, _)| !writer::OWN_KEYS.contains(&key.as_slice()));
        Ok(found)
    }

    fn set(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        check_changes(&changes)?;
        self.shared.set(changes)
    }
}
