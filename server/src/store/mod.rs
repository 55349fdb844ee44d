//! What a relay keeps: one log of records, blobs and a little typed state, behind a trait.
//!
//! The module owns durability and idempotence. It must never know connections, rows, sessions or
//! what a cell holds, and nothing outside [`sled`] may know that sled exists: the conformance suite
//! in `contract` is the definition of a store, and every implementation passes it.

mod recent;
pub(crate) mod sled;
pub(crate) mod steady;

#[cfg(test)]
pub(crate) mod contract;
#[cfg(test)]
pub(crate) mod memory;

use std::sync::Arc;

use staffetta_protocol::wire::ids::{BlobId, Digest, Lane, LogId, Seq, TeamId};
use staffetta_protocol::wire::{Cells, running_hash};

/// Cells at the end of the log whose ids a store remembers, so that a repeated PUT is recognised.
pub(crate) const REMEMBERED_IDS: usize = 65_536;
/// Bytes of cells that may wait for the writer before `append` answers [`StoreError::Busy`].
pub(crate) const MAX_QUEUED: usize = 16 * 1024 * 1024;
/// Bytes of a state value at most.
pub(crate) const MAX_STATE_VALUE: usize = 7 * 1024;
/// Bytes of a state key at most.
pub(crate) const MAX_STATE_KEY: usize = 64;

/// What identifies a log; all three go into its running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogIdentity {
    /// The team whose log it is.
    pub(crate) team: TeamId,
    /// The lane.
    pub(crate) lane: Lane,
    /// The log's random id.
    pub(crate) log: LogId,
}

impl LogIdentity {
    /// `h(0)`.
    pub(crate) fn start(&self) -> Digest {
        running_hash::start(&self.team, self.lane, &self.log)
    }
}

/// A place in the log and the running hash there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The last cell's seq, 0 in an empty log.
    pub(crate) seq: Seq,
    /// The running hash after that cell.
    pub(crate) hash: Digest,
}

/// Consecutive cells as they stand in the log.
#[derive(Clone)]
pub(crate) struct Span {
    /// The seq of the first cell.
    pub(crate) first: Seq,
    /// The cells; none only in a read above the head.
    pub(crate) cells: Cells,
    /// The running hash after the last cell.
    pub(crate) hash: Digest,
}

/// Cells that just became durable, with the running hash after each of them.
pub(crate) struct Commit {
    /// The seq of the first cell.
    pub(crate) first: Seq,
    /// The cells, never none.
    pub(crate) cells: Cells,
    /// As many hashes as cells.
    pub(crate) hashes: Vec<Digest>,
}

/// A place at which the log can be cut cheaply, and an upper bound of the age of what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The last seq before the cut.
    pub(crate) end: Seq,
    /// Steady seconds after which nothing before the cut was appended.
    pub(crate) until: u64,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The peer's fault: an id that stands in the log with another cell.
    #[error("this id is taken by other bytes")]
    Conflict,
    /// The caller's fault: a value, key or chunk above its bound.
    #[error("larger than the store takes")]
    TooLarge,
    /// The caller's fault: the log was not created, or was created before.
    #[error("the log is not in that state")]
    NoLog,
    /// The world's: too much waits for the disk.
    #[error("too much waits for the disk")]
    Busy,
    /// The world's: the disk is below the low-water mark.
    #[error("the disk is nearly full")]
    LowDisk,
    /// The world's: the store failed and is being opened again.
    #[error("the store failed and is being opened again")]
    Stopped,
    /// The world's: something on the disk is not what was written there.
    #[error("{segment} is damaged: {what}")]
    Damaged {
        /// The directory's name.
        segment: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operator's: files of an unknown or newer format.
    #[error("the store's format is not one this version knows; nothing was changed")]
    Format,
    /// The operator's: another process holds the store.
    #[error("another process holds the store")]
    Locked,
    /// The world's.
    #[error("the disk failed: {0}")]
    Io(#[from] std::io::Error),
    /// The world's, from the embedded database.
    #[error("the database failed: {0}")]
    Database(String),
}

/// Where the answer of an append goes: the seq of each cell, in order.
pub(crate) type Done = Box<dyn FnOnce(Result<Vec<Seq>, StoreError>) + Send>;
/// Who is told of every commit, before its appends are answered.
pub(crate) type Listener = Arc<dyn Fn(&Arc<Commit>) + Send + Sync>;
/// Seconds; handed in so that a story can move it.
pub(crate) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Whether a store takes what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It does.
    Ready,
    /// It reads and takes nothing until there is more room on its disk.
    LowDisk,
    /// It failed and is being opened again; nothing is acknowledged.
    Failed,
}

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// A key's new value, or its removal.
pub(crate) struct Change {
    /// The key, at most [`MAX_STATE_KEY`] bytes.
    pub(crate) key: Vec<u8>,
    /// The value, at most [`MAX_STATE_VALUE`] bytes, or `None` to remove it.
    pub(crate) value: Option<Vec<u8>>,
}

/// A relay's memory. All methods may block on a disk except `append`, `head` and `oldest`.
pub(crate) trait LogStore: Send + Sync {
    /// Whether it takes what it is given.
    fn health(&self) -> Health;

    /// Seconds that never jump: unix seconds until the wall clock jumps, and then still counting
    /// ages. Cuts are given in them.
    fn steady(&self) -> Clock;

    /// The log's identity, once it was created.
    fn identity(&self) -> Option<LogIdentity>;

    /// Creates the log. `NoLog` if there is one already.
    fn create(&self, identity: LogIdentity) -> Result<(), StoreError>;

    /// Creates a log that goes on after the place `base` of another, whose cells it does not hold:
    /// the first cell appended gets the seq after it. `NoLog` if there is a log already.
    fn go_on(&self, identity: LogIdentity, base: Head) -> Result<(), StoreError>;

    /// The place just before the oldest cell. `NoLog` if there is no log.
    fn base(&self) -> Result<Head, StoreError>;

    /// Appends `cells` in order and calls `done` when they are durable.
    ///
    /// Idempotent for the last [`REMEMBERED_IDS`] cells: one that stands in the log gets its seq,
    /// and an id with other bytes refuses all of `cells`. Never blocks.
    fn append(&self, cells: Cells, done: Done);

    /// Sets who is told of commits; each is told once, in order, before its appends are answered.
    fn listen(&self, listener: Listener);

    /// The durable head.
    fn head(&self) -> Head;

    /// The seq of the first cell that is still there (head + 1 if none is).
    fn oldest(&self) -> Seq;

    /// Reads from `from` towards the durable head, `max` cells at most and, if there are any,
    /// at least one. Nothing above the durable head is ever read; `from` must not be below
    /// [`LogStore::oldest`], else the span begins later.
    fn read(&self, from: Seq, max: usize) -> Result<Span, StoreError>;

    /// Where the log can be cut, oldest first; the last is the head's.
    fn cuts(&self) -> Vec<Cut>;

    /// Forgets what lies at or below `end`, as far as the cuts allow.
    fn trim(&self, end: Seq) -> Result<(), StoreError>;

    /// Writes a chunk once: the same bytes again are fine, others are a `Conflict`.
    fn put_chunk(&self, id: &BlobId, index: u32, bytes: &[u8]) -> Result<(), StoreError>;

    /// Reads a chunk.
    fn chunk(&self, id: &BlobId, index: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes a blob; removing what is not there is fine.
    fn remove_blob(&self, id: &BlobId) -> Result<(), StoreError>;

    /// All blobs.
    fn blobs(&self) -> Result<Vec<BlobId>, StoreError>;

    /// A state value.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// All state whose key begins with `prefix`, in key order; not what the store itself notes.
    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError>;

    /// Makes all `changes` or none; durable on return.
    fn set(&self, changes: Vec<Change>) -> Result<(), StoreError>;
}

/// Checks the bounds of state changes, for the implementations.
fn check_changes(changes: &[Change]) -> Result<(), StoreError> {
    let fits = |change: &Change| {
        change.key.len() <= MAX_STATE_KEY
            && change.value.as_ref().is_none_or(|value| value.len() <= MAX_STATE_VALUE)
    };
    if changes.iter().all(fits) { Ok(()) } else { Err(StoreError::TooLarge) }
}

/// Reads the whole log of `store`, checks its running hash, and counts its cells.
///
/// # Errors
/// The store's own; `Damaged` if what it read does not lead to its head.
pub(crate) fn verify(store: &dyn LogStore) -> Result<u64, StoreError> {
    const STEP: usize = 1_024;
    let damaged = |what| StoreError::Damaged { segment: "the log".into(), what };
    let (head, oldest) = (store.head(), store.oldest());
    let (mut next, mut hash) = (oldest, None);
    while next <= head.seq {
        let span = store.read(next, STEP)?;
        if span.first != next || span.cells.is_empty() {
            return Err(damaged("a hole in the seqs"));
        }
        if let Some(before) = hash {
            let walked = span
                .cells
                .iter()
                .fold(before, |hash, (id, cell)| running_hash::next(&hash, &id, cell));
            if walked != span.hash {
                return Err(damaged("a break in the running hash"));
            }
        }
        next += span.cells.len() as u64;
        hash = Some(span.hash);
    }
    match hash {
        Some(hash) if hash != head.hash => Err(damaged("a break in the running hash")),
        _ => Ok(head.seq + 1 - oldest),
    }
}
