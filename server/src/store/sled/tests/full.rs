//! Full disks: a small file system of its own, where the machine allows one.

use std::time::{Duration, Instant};

use super::*;

/// No story waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file system in memory; taken down when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Of `mebibytes`, or `None` where mounting is not allowed.
    fn mount(mebibytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mounted = Process::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(dir));
        }
        println!("skipped: mounting is not allowed here");
        None
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("store")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Process::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn below_the_low_water_mark_nothing_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 10);
    let store = SledStore::open(dir.path(), SledOptions { low_disk: u64::MAX, ..options(10) });
    let store = store.unwrap();
    assert!(matches!(append(&store, batch([77])), Err(StoreError::LowDisk)));
    assert_eq!(store.health(), Health::LowDisk);
    assert!(matches!(store.put_chunk(&BlobId([1; 32]), 0, b"x"), Err(StoreError::LowDisk)));
    assert_eq!(store.read(1, 60).unwrap().cells.len(), 10);
    // What the relay needs to go on, above all to revoke, is written all the same.
    store.set(vec![Change { key: b"k".to_vec(), value: Some(b"v".to_vec()) }]).unwrap();
}

#[test]
fn a_full_disk_is_refused_with_the_reason_before_it_is_full() {
    let Some(disk) = Disk::mount(64) else { return };
    let options = SledOptions { low_disk: 16 << 20, ballast: 8 << 20, ..options(4_000) };
    let store = SledStore::open(&disk.path(), options).unwrap();
    store.create(identity()).unwrap();
    let refused = (0..).step_by(60).find_map(|n| append(&store, batch(n..n + 60)).err());
    assert!(matches!(refused, Some(StoreError::LowDisk)), "{refused:?}");
    assert_eq!(store.health(), Health::LowDisk);
    let head = store.head();
    drop(store);
    assert_eq!(open(&disk.path(), 4_000).unwrap().head(), head);
}

#[test]
fn a_store_that_hit_the_end_of_its_disk_opens_again_by_itself_once_there_is_room() {
    let Some(disk) = Disk::mount(64) else { return };
    let options = SledOptions { low_disk: 1 << 20, ballast: 4 << 20, ..options(4_000) };
    let store = SledStore::open(&disk.path(), options).unwrap();
    store.create(identity()).unwrap();
    append(&store, batch(0..60)).unwrap();
    // Somebody else fills the disk below the relay, past its mark.
    let hog = disk.0.path().join("hog");
    let zeros = vec![0; 1 << 20];
    let mut file = fs::File::create(&hog).unwrap();
    while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
    // Past the low-water mark as a race would get there: straight to the database.
    let change = |n: u64| Change { key: n.to_be_bytes().to_vec(), value: Some(vec![7; 7_000]) };
    let mut written = 0;
    while store.set(vec![change(written)]).is_ok() {
        written += 1;
        assert!(written < 20_000, "a full disk takes no more");
    }
    assert!(append(&store, batch(60..70)).is_err(), "nothing is acknowledged");
    drop(file);
    fs::remove_file(&hog).unwrap();
    let until = Instant::now() + PATIENCE;
    let seqs = loop {
        match append(&store, batch(60..70)) {
            Ok(seqs) => break seqs,
            Err(StoreError::LowDisk | StoreError::Stopped) => {
                assert!(Instant::now() < until, "it does not come back");
                std::thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(seqs, (61..71).collect::<Vec<_>>());
    assert_eq!(store.head().hash, hash_of(70));
    for n in 0..written {
        assert!(store.get(&n.to_be_bytes()).unwrap().is_some(), "what was answered stays");
    }
}
