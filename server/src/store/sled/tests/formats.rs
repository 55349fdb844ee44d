//! Formats: what is refused, and how an older one is brought forward.

use super::*;

#[test]
fn unknown_or_newer_format_refuses_to_start_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 10);
    fs::create_dir(dir.path().join("log/tmp-5")).unwrap();
    fs::write(dir.path().join("format"), b"staffetta store 2\n").unwrap();
    assert!(matches!(open(dir.path(), 10), Err(StoreError::Format)));
    assert!(dir.path().join("log/tmp-5").exists());
    let strange = tempfile::tempdir().unwrap();
    fs::write(strange.path().join("thesis.tex"), b"x").unwrap();
    assert!(matches!(open(strange.path(), 10), Err(StoreError::Format)));
    assert_eq!(names(strange.path()), ["thesis.tex"]);
}

/// A format that never was: in it the log's identity stood under another key.
const OLD_KEY: &[u8] = b"identity-of-the-log";

fn as_format_0(dir: &Path) {
    let database = sled::open(dir.join("state")).unwrap();
    let identity = database.remove("log").unwrap().unwrap();
    database.insert(OLD_KEY, identity).unwrap();
    drop(database);
    fs::write(dir.join("format"), b"staffetta store 0\n").unwrap();
}

fn forward(dir: &Path) -> Result<(), StoreError> {
    let database = sled::open(dir.join("state"))?;
    let identity = database.remove(OLD_KEY)?.ok_or(StoreError::NoLog)?;
    database.insert("log", identity)?;
    database.flush()?;
    Ok(())
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(contents(&path)),
            false => all.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    all.sort();
    all
}

const FORWARD: &[Step] = &[Step { from: 0, run: forward }];

fn old_store(dir: &Path) -> PathBuf {
    let store = dir.join("store");
    filled(&store, 20, 50);
    open(&store, 20).unwrap().put_chunk(&BlobId([7; 32]), 0, b"chunk").unwrap();
    as_format_0(&store);
    store
}

#[test]
fn an_older_format_is_brought_forward_after_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let place = old_store(dir.path());
    let before = contents(&place);
    assert!(matches!(open(&place, 20), Err(StoreError::Format)), "no step leads from it");
    assert_eq!(contents(&place), before);

    let store = SledStore::open_as(&place, options(20), 1, FORWARD).unwrap();
    assert_eq!(store.head(), Head { seq: 50, hash: hash_of(50) });
    assert_eq!(store.chunk(&BlobId([7; 32]), 0).unwrap().unwrap(), b"chunk");
    drop(store);
    assert_eq!(open(&place, 20).unwrap().head().seq, 50);
    let snapshot = dir.path().join("store.format-0");
    let place_of = |path: &Path| place.join(path.strip_prefix(&snapshot).unwrap());
    let kept: Vec<_> =
        contents(&snapshot).into_iter().map(|(path, bytes)| (place_of(&path), bytes)).collect();
    assert!(kept == before, "the snapshot is the store as it was");
}

#[test]
fn a_migration_that_fails_changes_nothing_and_one_that_was_interrupted_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let place = old_store(dir.path());
    let before = contents(&place);
    let failing: &[Step] = &[Step { from: 0, run: |_| Err(StoreError::Busy) }];
    assert!(SledStore::open_as(&place, options(20), 1, failing).is_err());
    let two: &[Step] = &[Step { from: 0, run: forward }];
    assert!(matches!(SledStore::open_as(&place, options(20), 2, two), Err(StoreError::Format)));
    assert!(contents(&place) == before);
    assert_eq!(names(dir.path()), ["store"]);

    // A crash while it was copied, and one between the two renames.
    fs::create_dir_all(dir.path().join("store.next/state")).unwrap();
    drop(SledStore::open_as(&place, options(20), 1, FORWARD).unwrap());
    fs::rename(&place, dir.path().join("store.next")).unwrap();
    let store = open(&place, 20).unwrap();
    assert_eq!(store.head(), Head { seq: 50, hash: hash_of(50) });
    drop(store);
    assert_eq!(names(dir.path()), ["store", "store.format-0"]);
}
