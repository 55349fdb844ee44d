//! What the sled store promises beyond the contract: kills, damage, formats, its own rules.

mod clocks;
mod figures;
mod formats;
mod full;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use staffetta_protocol::wire::limits::CELL_RECORD;

use crate::store::contract::{append, batch, hash_of, identity, record};

fn options(segment_cells: usize) -> SledOptions {
    let segment_bytes = segment_cells * CELL_RECORD;
    SledOptions {
        low_disk: 0,
        ballast: 0,
        segment_bytes,
        segment_seconds: SEGMENT_SECONDS,
        clock: Arc::new(|| 0),
        monotonic: Arc::new(|| 0),
    }
}

fn open(dir: &Path, segment_cells: usize) -> Result<SledStore, StoreError> {
    SledStore::open(dir, options(segment_cells))
}

fn filled(dir: &Path, segment_cells: usize, cells: u64) {
    let store = open(dir, segment_cells).unwrap();
    store.create(identity()).unwrap();
    for first in (0..cells).step_by(10) {
        append(&store, batch(first..(first + 10).min(cells))).unwrap();
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn files_named_blobs_are_empty(dir: &Path) -> usize {
    let mut seen = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() == "blobs" {
            assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "sled wrote an unsynced file");
            seen += 1;
        } else if path.is_dir() {
            seen += files_named_blobs_are_empty(&path);
        }
    }
    seen
}

#[test]
fn record_is_a_page_of_at_most_7_consecutive_cells_and_blobs_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let store = open(&root, 16_000).unwrap();
    store.create(identity()).unwrap();
    for first in (0..9_000).step_by(60) {
        append(&store, batch(first..first + 60)).unwrap();
    }
    let large = Some(vec![1; crate::store::MAX_STATE_VALUE]);
    for n in 0..200_u8 {
        store.set(vec![Change { key: vec![n], value: large.clone() }]).unwrap();
    }
    drop(store);
    assert!(files_named_blobs_are_empty(&root.join("log")) > 0);
    files_named_blobs_are_empty(&root.join("state"));
}

#[test]
fn a_closed_store_opens_with_the_same_log() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 25, 200);
    let store = open(dir.path(), 25).unwrap();
    assert_eq!(store.identity(), Some(identity()));
    assert_eq!(store.head(), Head { seq: 200, hash: hash_of(200) });
    assert_eq!(store.oldest(), 1);
    // The ids of the last cells were rebuilt, across more segments than may be open.
    assert_eq!(append(&store, batch([3, 150, 199, 200])).unwrap(), [4, 151, 200, 201]);
    let span = store.read(1, 500).unwrap();
    assert_eq!(span.cells.len(), 201);
}

#[test]
fn segments_of_16_mib_or_an_hour() {
    assert_eq!((SEGMENT_BYTES, SEGMENT_SECONDS), (16 << 20, 3600));
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(1_000));
    let clock = now.clone();
    let clock: Clock = Arc::new(move || clock.load(Ordering::SeqCst));
    let options = SledOptions { clock: clock.clone(), monotonic: clock, ..options(1_000) };
    let store = SledStore::open(dir.path(), options).unwrap();
    store.create(identity()).unwrap();
    append(&store, batch([1])).unwrap();
    now.store(4_599, Ordering::SeqCst);
    append(&store, batch([2])).unwrap();
    assert_eq!(store.cuts().len(), 1);
    now.store(4_600, Ordering::SeqCst);
    append(&store, batch([3])).unwrap();
    assert_eq!(store.cuts(), [Cut { end: 2, until: 4_600 }, Cut { end: 3, until: 8_200 }]);
}

#[test]
fn at_most_4_older_segments_are_open_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 120);
    let store = open(dir.path(), 10).unwrap();
    let open_ones = || {
        let links = fs::read_dir("/proc/self/fd").unwrap();
        let targets = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
        let log = dir.path().join("log");
        let mut dirs: Vec<_> = targets
            .filter(|target| target.starts_with(&log))
            .filter_map(|target| target.parent().map(PathBuf::from))
            .collect();
        dirs.sort();
        dirs.dedup();
        dirs.len()
    };
    assert_eq!(open_ones(), 1, "only the newest opens at start");
    for seq in 1..=120 {
        assert_eq!(store.read(seq, 1).unwrap().cells.records(), &record(seq - 1));
    }
    assert_eq!(open_ones(), 5);
}

#[test]
fn what_a_crash_left_half_made_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 30);
    let log = dir.path().join("log");
    fs::create_dir_all(log.join("tmp-9/blobs")).unwrap();
    fs::create_dir_all(log.join("dead-1")).unwrap();
    let newest = names(&log).into_iter().rfind(|name| name.starts_with("seg-")).unwrap();
    let newest = log.join(newest);
    fs::write(newest.join("snap.0000000000000000.generating"), b"x").unwrap();
    let store = open(dir.path(), 10).unwrap();
    assert_eq!(store.head().seq, 30);
    assert!(names(&log).iter().all(|name| name.starts_with("seg-")));
    assert!(names(&newest).iter().all(|name| !name.ends_with(".generating")));
}

fn refusal(dir: &Path) -> String {
    open(dir, 10).err().expect("it must refuse to start").to_string()
}

#[test]
fn a_damaged_or_missing_segment_refuses_to_start_naming_it() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 50);
    let log = dir.path().join("log");
    let segments = names(&log);
    let aside = dir.path().join("log").join("../aside");

    fs::rename(log.join(&segments[2]), &aside).unwrap();
    assert!(refusal(dir.path()).contains(&segments[3]));
    // Another segment's contents under its name.
    fs::rename(log.join(&segments[1]), log.join(&segments[2])).unwrap();
    fs::rename(&aside, log.join(&segments[1])).unwrap();
    assert!(refusal(dir.path()).contains("seg-0000000"));
    fs::rename(log.join(&segments[1]), &aside).unwrap();
    fs::rename(log.join(&segments[2]), log.join(&segments[1])).unwrap();
    fs::rename(&aside, log.join(&segments[2])).unwrap();

    let database = sled::open(log.join(&segments[3])).unwrap();
    let (key, value) = database.last().unwrap().unwrap();
    let mut changed = value.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    database.insert(&key, changed).unwrap();
    drop(database);
    let text = refusal(dir.path());
    assert!(text.contains(&segments[3]) && text.contains("running hash"), "{text}");
    let database = sled::open(log.join(&segments[3])).unwrap();
    database.remove(&key).unwrap();
    drop(database);
    assert!(refusal(dir.path()).contains("hole"));
}

#[test]
fn after_a_store_error_nothing_is_acknowledged_until_it_was_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 10);
    let store = open(dir.path(), 1_000).unwrap();
    store.shared.fail(&StoreError::Busy);
    assert!(matches!(append(&store, batch([77])), Err(StoreError::Stopped)));
    assert_eq!(store.health(), Health::Failed);
    // A command wakes the writer, which finds the failure and opens the store again.
    let mut answer = store.trim(0);
    while matches!(answer, Err(StoreError::Stopped)) {
        answer = store.trim(0);
    }
    answer.unwrap();
    assert_eq!(store.health(), Health::Ready);
    assert_eq!(append(&store, batch([77, 3])).unwrap(), [11, 4]);
}

const CHILD: &str = "STAFFETTA_STORE_CHILD";

/// Not a story: the process that the next one kills.
#[test]
fn child_that_appends_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let store = open(Path::new(&dir), 400).unwrap();
    if store.identity().is_none() {
        store.create(identity()).unwrap();
    }
    for first in (store.head().seq..).step_by(9) {
        let seqs = append(&store, batch(first..first + 9)).unwrap();
        println!("acknowledged {}", seqs.last().unwrap());
    }
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..20_u64 {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::sled::tests::child_that_appends_until_it_is_killed"])
            .args(["--nocapture", "--test-threads=1"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // Kill in mid-burst, after another number of acknowledgements every round.
        for _ in 0..(3 + round * 7) {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended by itself");
        }
        child.kill().unwrap();
        output.read_to_string(&mut line).unwrap();
        child.wait().unwrap();
        let whole = line.lines().filter_map(|line| line.strip_prefix("acknowledged "));
        acknowledged = whole.filter_map(|n| n.parse().ok()).fold(acknowledged, u64::max);

        let store = open(dir.path(), 400).unwrap();
        let head = store.head();
        assert!(head.seq >= acknowledged, "round {round}: {} < {acknowledged}", head.seq);
        assert_eq!(head.hash, hash_of(head.seq), "round {round}: none twice, order kept");
    }
    assert!(acknowledged > 500);
}

#[test]
fn damaged_bytes_refuse_to_start_naming_the_segment_or_do_no_harm() {
    for at in [100, 40_000, 200_000, 600_000] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), 600, 1_000);
        let newest = names(&dir.path().join("log")).pop().unwrap();
        let path = dir.path().join("log").join(&newest).join("db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[at..at + 50].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&path, bytes).unwrap();
        match open(dir.path(), 600) {
            // Bytes of an older version of a page, which sled had left behind.
            Ok(store) => assert_eq!(store.head().hash, hash_of(1_000)),
            Err(error) => assert!(error.to_string().contains(&newest), "{error}"),
        }
    }
}
