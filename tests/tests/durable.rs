//! The order in which the relay makes things durable and says so, as the kernel saw it: recorded by
//! a preloaded library, because the store opens its own files.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use staffetta_protocol::invite_code::InviteCode;
use staffetta_protocol::random::{OsRandom, Random, bytes};
use staffetta_protocol::wire::ids::CellId;
use staffetta_protocol::wire::limits::{CELL, MAX_CELLS};
use staffetta_tests::Relay;
use staffetta_tests::hand::{Enrolled, Hand};
use tempfile::TempDir;

/// More cells than a segment of 16 MiB takes.
const MORE_THAN_A_SEGMENT: usize = 17_000;

struct Event {
    what: String,
    path: String,
    to: String,
}

struct Recorded {
    relay: Relay,
    address: SocketAddr,
    record: PathBuf,
    _dir: TempDir,
}

impl Recorded {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let record = dir.path().join("record");
        let mut relay = Relay::init(dir.path(), "Campagne");
        relay.set_environment("LD_PRELOAD", recorder().to_str().unwrap());
        relay.set_environment("RECORDER_FILE", record.to_str().unwrap());
        let address = relay.serve();
        Self { relay, address, record, _dir: dir }
    }

    fn claim(&self) -> Enrolled {
        let keys = InviteCode::parse(&self.relay.founder_code).unwrap().keys();
        Hand::claim(self.address, &keys)
    }

    fn events(&self) -> Vec<Event> {
        let data = format!("{}/", self.relay.data.display());
        let text = fs::read_to_string(&self.record).unwrap();
        text.lines()
            .map(|line| {
                let mut words =
                    line.split(' ').map(|word| word.strip_prefix(&data).unwrap_or(word));
                let mut next = || words.next().unwrap_or_default().to_owned();
                Event { what: next(), path: next(), to: next() }
            })
            .collect()
    }
}

/// The preloaded library, compiled once a run.
fn recorder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorder.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("preload/recorder.c");
        let mut gcc = Command::new("gcc");
        gcc.args(["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"]);
        let done = gcc.arg(&library).arg(&source).arg("-ldl").output().expect("gcc is there");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        library
    })
}

fn cells(count: usize) -> Vec<(CellId, [u8; CELL])> {
    let cell = || {
        let mut cell = [0; CELL];
        OsRandom.fill(&mut cell);
        (CellId(bytes(&mut OsRandom)), cell)
    };
    (0..count).map(|_| cell()).collect()
}

fn is_database(path: &str) -> bool {
    path.ends_with("/db") || path == "db"
}

fn is_sync(what: &str) -> bool {
    what == "fdatasync" || what == "fsync"
}

#[test]
fn ack_only_after_fsync() {
    let relay = Recorded::new();
    let device = relay.claim();
    let mut hand = Hand::device(relay.address, &device, 1);
    let mut last = 0;
    let rounds = 100;
    for round in 0..rounds {
        // One device that waits for everything: whatever the relay sends depends on the last PUT.
        let count = round % MAX_CELLS + 1;
        let seqs = hand.put_and_see(&cells(count));
        assert_eq!(seqs, (last + 1..=last + count as u64).collect::<Vec<_>>());
        last += count as u64;
    }

    let events = relay.events();
    let mut unsynced = HashSet::new();
    let (mut syncs, mut sends) = (0, 0);
    for event in &events {
        match event.what.as_str() {
            "send" => {
                sends += 1;
                assert!(
                    unsynced.is_empty(),
                    "send {sends} leaves while {unsynced:?} is not synced"
                );
            }
            "write" if is_database(&event.path) => {
                unsynced.insert(event.path.clone());
            }
            what if is_sync(what) && is_database(&event.path) => {
                syncs += usize::from(event.path.contains("/seg-"));
                unsynced.remove(&event.path);
            }
            _ => {}
        }
    }
    assert!(syncs >= rounds, "{syncs} syncs of the log for {rounds} ACKs");
    assert!(sends >= rounds, "the record holds what was sent: {sends}");
    let flushed = events.iter().filter(|event| event.what == "sync_file_range").count();
    assert!(flushed > 0, "sled's own flush is recorded, and is not what we count");
}

#[test]
fn segments_are_created_aside_synced_renamed_and_the_parent_synced() {
    let relay = Recorded::new();
    let device = relay.claim();
    let mut hand = Hand::device(relay.address, &device, 1);
    for _ in 0..MORE_THAN_A_SEGMENT / MAX_CELLS + 1 {
        hand.put_and_see(&cells(MAX_CELLS));
    }

    let events = relay.events();
    let place = |path: &str, name: &str| {
        let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
        last.starts_with(name).then(|| parent.to_owned())
    };
    let renames: Vec<_> = events
        .iter()
        .enumerate()
        .filter(|(_, it)| it.what == "rename" && place(&it.to, "seg-").is_some())
        .collect();
    assert!(renames.len() >= 2, "a second segment was begun: {}", renames.len());
    for (at, rename) in renames {
        let parent = place(&rename.path, "tmp-").expect("made aside");
        assert_eq!(place(&rename.to, "seg-").as_deref(), Some(parent.as_str()));
        let (before, after) = events.split_at(at);
        let inside = format!("{}/", rename.path);
        // Names are used again after a crash, never within one run.
        let files: HashSet<&str> = before
            .iter()
            .filter(|it| it.what == "write" && it.path.starts_with(&inside))
            .map(|it| it.path.as_str())
            .filter(|path| !before.iter().any(|it| it.what == "rename" && it.path == **path))
            .collect();
        assert!(files.iter().any(|path| is_database(path)), "{files:?}");
        for path in files.into_iter().chain([rename.path.as_str()]) {
            let last = before.iter().rposition(|it| it.what == "write" && it.path == path);
            let synced = before.iter().rposition(|it| is_sync(&it.what) && it.path == path);
            assert!(synced.is_some() && synced > last, "{path} is synced before the rename");
        }
        let parent_synced = after.iter().position(|it| is_sync(&it.what) && it.path == parent);
        let place = format!("{}/", rename.to);
        let used = after.iter().position(|it| it.what == "write" && it.path.starts_with(&place));
        assert!(parent_synced.is_some(), "the parent is synced after the rename");
        assert!(used.is_none_or(|used| parent_synced < Some(used)), "and before it is used");
    }
    for event in &events {
        assert!(!event.path.contains("/seg-") || !event.path.contains("/blobs/"), "{}", event.path);
    }
}
