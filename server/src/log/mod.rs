//! The log as connections see it: appends, the pulse that wakes them, and shared recent cells.
//!
//! Nobody has a queue of cells. Each connection has a cursor; what it needs next lies in the
//! commits kept here, which all connections share, or in the store. This module must never know
//! who a connection is.

pub(crate) mod forget;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::{Digest, Seq};
use staffetta_protocol::wire::limits::MAX_CELLS;
use tokio::sync::watch;

use crate::store::{Commit, Done, Head, Health, LogIdentity, LogStore, Span, StoreError};

/// Bytes of recent cells that connections share.
const RECENT_BYTES: usize = 8 * 1024 * 1024;
/// The most commits kept, so that many small ones stay cheap to search.
const RECENT_COMMITS: usize = 8 * 1024;

/// What wakes connections. A connection compares it with its own cursors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    /// The durable head.
    pub(crate) head: Seq,
    /// The number of the last announced blob.
    pub(crate) announced: u64,
    /// How many invites were used a second time since the start.
    pub(crate) reused: u64,
    /// Nothing is taken in until there is more room on the disk.
    pub(crate) low_disk: bool,
    /// The relay is going down.
    pub(crate) draining: bool,
}

/// The next cells for a cursor.
pub(crate) enum Next {
    /// Cells in shared memory.
    Cells {
        /// The runs, in order, at most [`MAX_CELLS`] cells together.
        runs: Vec<Cells>,
        /// How many cells they hold.
        count: u64,
        /// The running hash after the last.
        hash: Digest,
    },
    /// Cells that only the store has.
    Older,
    /// Cells that are gone: the oldest there is.
    Gap(Seq),
    /// None yet.
    Nothing,
}

#[derive(Default)]
struct Recent {
    commits: VecDeque<Arc<Commit>>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, commit: Arc<Commit>) {
        self.bytes += commit.cells.records().len();
        self.commits.push_back(commit);
        while self.bytes > RECENT_BYTES || self.commits.len() > RECENT_COMMITS {
            let Some(gone) = self.commits.pop_front() else { return };
            self.bytes -= gone.cells.records().len();
        }
    }

    /// Runs from `cursor` on, or `None` if it lies before the first commit.
    fn runs(&self, cursor: Seq) -> Option<Next> {
        let place = self.commits.partition_point(|commit| commit.first <= cursor).checked_sub(1)?;
        let mut runs = Vec::new();
        let (mut next, mut left, mut last) = (cursor, MAX_CELLS, None);
        for commit in self.commits.range(place..) {
            // A commit that the store made without telling leaves a hole; the store fills it.
            if commit.first > next || left == 0 {
                break;
            }
            let skip = usize::try_from(next - commit.first).ok()?;
            let run = commit.cells.slice(skip, skip + left);
            if run.is_empty() {
                continue;
            }
            last = commit.hashes.get(skip + run.len() - 1).copied();
            left -= run.len();
            next += run.len() as u64;
            runs.push(run);
        }
        Some(Next::Cells { runs, count: next - cursor, hash: last? })
    }
}

/// What became durable since the start.
#[derive(Default)]
struct Totals {
    commits: AtomicU64,
    cells: AtomicU64,
}

/// The log of lane 0.
pub(crate) struct Log {
    store: Arc<dyn LogStore>,
    recent: Arc<RwLock<Recent>>,
    pulse: watch::Sender<Pulse>,
    totals: Arc<Totals>,
}

impl Log {
    /// Takes over a store.
    pub(crate) fn new(store: Arc<dyn LogStore>) -> Self {
        let (pulse, _) = watch::channel(Pulse { head: store.head().seq, ..Pulse::default() });
        let recent = Arc::new(RwLock::new(Recent::default()));
        let totals = Arc::new(Totals::default());
        let (kept, sender, counted) = (recent.clone(), pulse.clone(), totals.clone());
        store.listen(Arc::new(move |commit: &Arc<Commit>| {
            let head = commit.first + commit.cells.len() as u64 - 1;
            kept.write().unwrap_or_else(PoisonError::into_inner).push(commit.clone());
            counted.commits.fetch_add(1, Ordering::Relaxed);
            counted.cells.fetch_add(commit.cells.len() as u64, Ordering::Relaxed);
            sender.send_modify(|pulse| pulse.head = head);
        }));
        Self { store, recent, pulse, totals }
    }

    /// Wakes on every change of the pulse.
    pub(crate) fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }

    /// Changes the pulse.
    pub(crate) fn beat(&self, change: impl FnOnce(&mut Pulse)) {
        self.pulse.send_modify(change);
    }

    /// Commits and cells made durable since the start; each commit is one sync of the disk.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let Totals { commits, cells } = &*self.totals;
        (commits.load(Ordering::Relaxed), cells.load(Ordering::Relaxed))
    }

    /// The log's identity, once the relay is claimed.
    pub(crate) fn identity(&self) -> Option<LogIdentity> {
        self.store.identity()
    }

    /// The durable head.
    pub(crate) fn head(&self) -> Head {
        self.store.head()
    }

    /// The oldest seq held.
    pub(crate) fn oldest(&self) -> Seq {
        self.store.oldest()
    }

    /// Whether the store takes what it is given; may look at the disk.
    pub(crate) fn health(&self) -> Health {
        self.store.health()
    }

    /// Appends; see [`LogStore::append`]. Everybody hears of a disk that is low or no longer so.
    pub(crate) fn append(&self, cells: Cells, done: Done) {
        let pulse = self.pulse.clone();
        let told = move |result: Result<Vec<Seq>, StoreError>| {
            match &result {
                Ok(_) => tell_low_disk(&pulse, false),
                Err(StoreError::LowDisk) => tell_low_disk(&pulse, true),
                Err(_) => {}
            }
            done(result);
        };
        self.store.append(cells, Box::new(told));
    }

    /// Tells everybody whether the disk is low, if that is news.
    pub(crate) fn tell_low_disk(&self, is_low: bool) {
        tell_low_disk(&self.pulse, is_low);
    }

    /// What a connection whose next seq is `cursor` should be sent.
    pub(crate) fn next(&self, cursor: Seq) -> Next {
        if cursor > self.store.head().seq {
            return Next::Nothing;
        }
        let runs = self.recent.read().unwrap_or_else(PoisonError::into_inner).runs(cursor);
        match runs {
            Some(next) => next,
            None if cursor < self.store.oldest() => Next::Gap(self.store.oldest()),
            None => Next::Older,
        }
    }

    /// Reads older cells from the store; blocks.
    pub(crate) fn read(&self, cursor: Seq) -> Result<Span, StoreError> {
        self.store.read(cursor, MAX_CELLS)
    }
}

fn tell_low_disk(pulse: &watch::Sender<Pulse>, is_low: bool) {
    pulse.send_if_modified(|pulse| std::mem::replace(&mut pulse.low_disk, is_low) != is_low);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::{append, batch, hash_of, identity};
    use crate::store::memory::MemoryStore;

    #[test]
    fn nothing_above_the_durable_head_is_pushed_and_cells_come_in_order_without_gaps() {
        let store = Arc::new(MemoryStore::new(Arc::new(|| 0)));
        let log = Log::new(store.clone());
        store.create(identity()).unwrap();
        let mut pulse = log.pulse();
        assert!(matches!(log.next(1), Next::Nothing));
        (0..30).for_each(|n| drop(append(&*store, batch(n * 5..n * 5 + 5)).unwrap()));
        assert!(pulse.has_changed().unwrap() && pulse.borrow_and_update().head == 150);
        let mut cursor = 1;
        while let Next::Cells { runs, count, hash } = log.next(cursor) {
            assert_eq!(runs.iter().map(Cells::len).sum::<usize>() as u64, count);
            for (id, _) in runs.iter().flat_map(Cells::iter) {
                assert_eq!(id.0[..8], (cursor - 1).to_be_bytes());
                cursor += 1;
            }
            assert_eq!(hash, hash_of(cursor - 1));
        }
        assert_eq!(cursor, 151);
    }

    #[test]
    fn what_is_not_recent_comes_from_the_store_and_what_is_forgotten_is_a_gap() {
        let store = Arc::new(MemoryStore::new(Arc::new(|| 0)));
        store.create(identity()).unwrap();
        append(&*store, batch(0..10)).unwrap();
        let log = Log::new(store.clone());
        assert!(matches!(log.next(4), Next::Older));
        assert_eq!(log.read(4).unwrap().cells.len(), 7);
        store.trim(6).unwrap();
        assert!(matches!(log.next(4), Next::Gap(7)));
    }
}
