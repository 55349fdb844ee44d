//! What a store is: every implementation passes all of this.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use staffetta_protocol::wire::ids::{BlobId, Digest, Lane, LogId, Seq, TeamId};
use staffetta_protocol::wire::limits::{BLOB_CHUNK, CELL_RECORD};
use staffetta_protocol::wire::{Cells, running_hash};

use super::memory::MemoryStore;
use super::sled::{SEGMENT_SECONDS, SledOptions, SledStore};
use super::*;

/// A store and the directory it lives in, if it does.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn LogStore>,
    _dir: Option<tempfile::TempDir>,
}

fn memory() -> Subject {
    Subject { store: Arc::new(MemoryStore::new(Arc::new(|| 0))), _dir: None }
}

fn sled() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions {
        low_disk: 0,
        ballast: 0,
        // Small, so that every story crosses segments.
        segment_bytes: 30 * CELL_RECORD,
        segment_seconds: SEGMENT_SECONDS,
        clock: Arc::new(|| 0),
        monotonic: Arc::new(|| 0),
    };
    let store = SledStore::open(&dir.path().join("store"), options).unwrap();
    Subject { store: Arc::new(store), _dir: Some(dir) }
}

pub(crate) fn identity() -> LogIdentity {
    LogIdentity { team: TeamId([1; 32]), lane: Lane(0), log: LogId([2; 16]) }
}

/// The cell numbered `n`: its id and its bytes tell which it is.
pub(crate) fn record(n: u64) -> Vec<u8> {
    let mut record = vec![(n % 251) as u8; CELL_RECORD];
    record[..8].copy_from_slice(&n.to_be_bytes());
    record[CELL_RECORD - 8..].copy_from_slice(&n.to_be_bytes());
    record
}

pub(crate) fn batch(cells: impl IntoIterator<Item = u64>) -> Cells {
    run(cells.into_iter().flat_map(record).collect())
}

fn run(records: Vec<u8>) -> Cells {
    Cells::from_records(Bytes::from(records)).unwrap()
}

/// The running hash of the log that holds the cells numbered 0 to `count` - 1.
pub(crate) fn hash_of(count: u64) -> Digest {
    let cells = |hash, n| {
        batch([n]).iter().fold(hash, |hash, (id, cell)| running_hash::next(&hash, &id, cell))
    };
    (0..count).fold(identity().start(), cells)
}

fn start_append(store: &dyn LogStore, batch: Cells) -> Receiver<Result<Vec<Seq>, StoreError>> {
    let (answer, answered) = channel();
    store.append(batch, Box::new(move |result| answer.send(result).unwrap()));
    answered
}

pub(crate) fn append(store: &dyn LogStore, batch: Cells) -> Result<Vec<Seq>, StoreError> {
    start_append(store, batch).recv().unwrap()
}

fn read_all(store: &dyn LogStore, from: Seq, max: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut next = from;
    loop {
        let span = store.read(next, max).unwrap();
        assert_eq!(span.first, next);
        if span.cells.is_empty() {
            return out;
        }
        assert!(span.cells.len() <= max);
        next += span.cells.len() as u64;
        out.extend_from_slice(span.cells.records());
    }
}

fn nothing_is_appended_before_the_log_is_created(subject: Subject) {
    assert!(matches!(append(&*subject.store, batch([1])), Err(StoreError::NoLog)));
    assert_eq!(subject.store.identity(), None);
    subject.store.create(identity()).unwrap();
    assert!(matches!(subject.store.create(identity()), Err(StoreError::NoLog)));
    assert_eq!(subject.store.identity(), Some(identity()));
    assert_eq!(subject.store.head(), Head { seq: 0, hash: identity().start() });
    assert_eq!(subject.store.oldest(), 1);
}

fn seqs_count_from_one_without_gaps_and_reads_give_back_what_was_appended(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    assert_eq!(append(store, batch([10])).unwrap(), [1]);
    for n in 0..9 {
        let cells: Vec<u64> = (0..13).map(|i| 100 + n * 13 + i).collect();
        let seqs = append(store, batch(cells)).unwrap();
        assert_eq!(seqs, (2 + n * 13..15 + n * 13).collect::<Vec<_>>());
    }
    let mut expected = record(10);
    (100..217).for_each(|n| expected.extend(record(n)));
    for max in [1, 5, 7, 60, 1000] {
        assert_eq!(read_all(store, 1, max), expected);
    }
    for from in [2, 30, 31, 32, 61, 118] {
        assert_eq!(read_all(store, from, 60), expected[(from as usize - 1) * CELL_RECORD..]);
    }
    assert!(store.read(119, 60).unwrap().cells.is_empty());
}

fn the_running_hash_commits_to_every_cell_in_order(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    (0..10).for_each(|n| drop(append(store, batch([2 * n, 2 * n + 1])).unwrap()));
    for n in 0..20 {
        let hash = hash_of(n + 1);
        assert_eq!(store.read(1, n as usize + 1).unwrap().hash, hash);
        assert_eq!(store.read(n + 1, 1).unwrap().hash, hash);
    }
    assert_eq!(store.head(), Head { seq: 20, hash: hash_of(20) });
}

fn a_log_that_goes_on_keeps_seqs_and_hashes_and_knows_where_it_begins(subject: Subject) {
    let store = &*subject.store;
    assert!(matches!(store.base(), Err(StoreError::NoLog)));
    let base = Head { seq: 100, hash: hash_of(100) };
    store.go_on(identity(), base).unwrap();
    assert_eq!((store.base().unwrap(), store.head(), store.oldest()), (base, base, 101));
    (0..40).for_each(|n| drop(append(store, batch([100 + 2 * n, 101 + 2 * n])).unwrap()));
    assert_eq!(store.head(), Head { seq: 180, hash: hash_of(180) });
    assert_eq!(store.read(101, 1).unwrap().hash, hash_of(101));
    store.trim(150).unwrap();
    let begins = store.base().unwrap();
    assert_eq!(begins, Head { seq: store.oldest() - 1, hash: hash_of(store.oldest() - 1) });
    assert!(begins.seq > 100);
}

fn same_id_same_bytes_gets_the_same_seq(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    assert_eq!(append(store, batch([1, 2, 3])).unwrap(), [1, 2, 3]);
    assert_eq!(append(store, batch([2, 4, 1, 4])).unwrap(), [2, 4, 1, 4]);
    assert_eq!(store.head().seq, 4);
}

fn same_id_other_bytes_is_an_error_and_nothing_of_the_batch_is_stored(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    append(store, batch([1, 2])).unwrap();
    let mut forged = record(2);
    forged[100] ^= 1;
    let put = [record(7), forged.clone()].concat();
    let put = run(put);
    assert!(matches!(append(store, put), Err(StoreError::Conflict)));
    let mut twice = record(9);
    twice[100] ^= 1;
    let put = run([record(9), twice].concat());
    assert!(matches!(append(store, put), Err(StoreError::Conflict)));
    assert_eq!(store.head().seq, 2);
    assert_eq!(append(store, batch([7])).unwrap(), [3]);
}

fn a_listener_is_told_of_every_commit_in_order_before_its_answer(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    let seen = Arc::new(Mutex::new((0, identity().start())));
    let last = Arc::new(AtomicU64::new(0));
    let (inside, told) = (seen.clone(), last.clone());
    store.listen(Arc::new(move |commit: &Arc<Commit>| {
        let mut seen = inside.lock().unwrap();
        assert_eq!(commit.first, seen.0 + 1);
        for ((id, cell), hash) in commit.cells.iter().zip(&commit.hashes) {
            *seen = (seen.0 + 1, running_hash::next(&seen.1, &id, cell));
            assert_eq!(seen.1, *hash);
        }
        told.store(seen.0, Ordering::SeqCst);
    }));
    let answers: Vec<_> =
        (0..40).map(|n| start_append(store, batch([n * 3, n * 3 + 1, n * 3 + 2]))).collect();
    for answer in answers {
        let seqs = answer.recv().unwrap().unwrap();
        assert!(last.load(Ordering::SeqCst) >= *seqs.last().unwrap());
    }
    let seen = seen.lock().unwrap();
    assert_eq!(store.head(), Head { seq: seen.0, hash: seen.1 });
}

fn what_is_trimmed_is_gone_and_the_rest_stays(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    (0..10).for_each(|n| drop(append(store, batch(n * 10..n * 10 + 10)).unwrap()));
    let hash = store.head().hash;
    let cut = store.cuts()[0].end;
    store.trim(cut).unwrap();
    assert_eq!(store.oldest(), cut + 1);
    let rest: Vec<u8> = (cut..100).flat_map(record).collect();
    assert_eq!(read_all(store, store.oldest(), 60), rest);
    assert_eq!(store.read(1, 60).unwrap().first, cut + 1);
    store.trim(100).unwrap();
    assert_eq!(store.oldest(), 101);
    assert_eq!(store.head(), Head { seq: 100, hash });
    assert_eq!(append(store, batch([1000, 99])).unwrap(), [101, 100]);
}

fn chunks_are_write_once(subject: Subject) {
    let store = &*subject.store;
    let (id, other) = (BlobId([1; 32]), BlobId([2; 32]));
    store.put_chunk(&id, 0, b"first").unwrap();
    store.put_chunk(&id, 0, b"first").unwrap();
    assert!(matches!(store.put_chunk(&id, 0, b"other"), Err(StoreError::Conflict)));
    let large = vec![0; BLOB_CHUNK + 1];
    assert!(matches!(store.put_chunk(&id, 1, &large), Err(StoreError::TooLarge)));
    store.put_chunk(&other, 3, b"").unwrap();
    assert_eq!(store.chunk(&id, 0).unwrap().unwrap(), b"first");
    assert_eq!(store.chunk(&id, 1).unwrap(), None);
    assert_eq!(store.blobs().unwrap(), [id, other]);
    store.remove_blob(&id).unwrap();
    store.remove_blob(&id).unwrap();
    assert_eq!(store.blobs().unwrap(), [other]);
    assert_eq!(store.chunk(&id, 0).unwrap(), None);
}

fn state_changes_together_or_not_at_all(subject: Subject) {
    let store = &*subject.store;
    let change = |key: &[u8], value: Option<Vec<u8>>| Change { key: key.to_vec(), value };
    let first = vec![change(b"row/a", Some(b"1".to_vec())), change(b"row/b", Some(vec![2]))];
    store.set(first).unwrap();
    let large = Some(vec![0; MAX_STATE_VALUE + 1]);
    let second = vec![change(b"row/a", None), change(b"row/c", large)];
    assert!(matches!(store.set(second), Err(StoreError::TooLarge)));
    assert_eq!(store.get(b"row/a").unwrap().unwrap(), b"1");
    store.set(vec![change(b"row/a", None), change(b"rox", Some(vec![]))]).unwrap();
    assert_eq!(store.get(b"row/a").unwrap(), None);
    assert_eq!(store.scan(b"row/").unwrap(), [(b"row/b".to_vec(), vec![2])]);
}

fn only_the_last_65_536_ids_are_remembered(subject: Subject) {
    let store = &*subject.store;
    store.create(identity()).unwrap();
    append(store, batch([0])).unwrap();
    let mut answers = Vec::new();
    for n in 0..(REMEMBERED_IDS as u64 / 1024) {
        answers.push(start_append(store, batch(1 + n * 1024..1 + (n + 1) * 1024)));
        if answers.len() == 8 {
            answers.drain(..).for_each(|answer| drop(answer.recv().unwrap().unwrap()));
        }
    }
    answers.drain(..).for_each(|answer| drop(answer.recv().unwrap().unwrap()));
    assert_eq!(append(store, batch([1])).unwrap(), [2]);
    assert_eq!(append(store, batch([0])).unwrap(), [REMEMBERED_IDS as u64 + 2]);
}

macro_rules! suite {
    ($($story:ident),* $(,)?) => {
        mod memory_store { $(#[test] fn $story() { super::$story(super::memory()); })* }
        mod sled_store { $(#[test] fn $story() { super::$story(super::sled()); })* }
    };
}

suite!(
    nothing_is_appended_before_the_log_is_created,
    seqs_count_from_one_without_gaps_and_reads_give_back_what_was_appended,
    the_running_hash_commits_to_every_cell_in_order,
    a_log_that_goes_on_keeps_seqs_and_hashes_and_knows_where_it_begins,
    same_id_same_bytes_gets_the_same_seq,
    same_id_other_bytes_is_an_error_and_nothing_of_the_batch_is_stored,
    a_listener_is_told_of_every_commit_in_order_before_its_answer,
    what_is_trimmed_is_gone_and_the_rest_stays,
    chunks_are_write_once,
    state_changes_together_or_not_at_all,
);

#[test]
fn the_ids_of_the_last_65_536_cells_are_remembered() {
    only_the_last_65_536_ids_are_remembered(memory());
}
