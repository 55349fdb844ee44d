use std::path::PathBuf;
use std::sync::Arc;

use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::ids::Digest;

use super::*;
use crate::blobs::{Blobs, Chunk};
use crate::config::Config;
use crate::init::{Layout, Purpose, init, store_options};
use crate::registry::Parent;
use crate::store::contract::{append, batch, hash_of, identity};
use crate::store::sled::{SledOptions, SledStore};
use crate::store::{Change, Head, LogStore};

struct World {
    dir: tempfile::TempDir,
    data: PathBuf,
}

impl World {
    /// A relay whose log lost its beginning, with state and blobs.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("relay");
        init(&data, "relay.example:9000", &Purpose::Team("Campagne")).unwrap();
        let world = Self { dir, data };
        let store = Arc::new(world.store());
        store.create(identity()).unwrap();
        (0..100).for_each(|n| drop(append(&*store, batch(10 * n..10 * n + 10)).unwrap()));
        store.trim(300).unwrap();
        assert!(store.oldest() > 1);
        let value = Some(b"kept".to_vec());
        store.set(vec![Change { key: b"row/x".to_vec(), value }]).unwrap();
        let blobs = Blobs::open(store.clone()).unwrap();
        for index in [0, 2] {
            let secret = Secret::copy(&[5; 32]).unwrap();
            let chunk = Chunk { secret, index, count: 3, bytes: vec![9; 60_000].into() };
            blobs.put(&chunk, 1).unwrap();
        }
        world
    }

    fn store(&self) -> SledStore {
        let mut config = Config::default();
        config.storage.low_disk = 0;
        let options = SledOptions { segment_bytes: 64 * 1_024, ..store_options(&config) };
        SledStore::open(&Layout::new(&self.data).store(), options).unwrap()
    }

    fn backup(&self) -> (PathBuf, Summary, Identity) {
        let layout = Layout::new(&self.data);
        let recipient = Recipient::read(&layout.recipient()).unwrap();
        let file = self.dir.path().join("backup.age");
        let store = self.store();
        let fill = |to: &mut _| write(&layout, &store, &recipient, to);
        let summary = create::<_, BackupError>(&file, fill).unwrap();
        (file, summary, Identity::read(&layout.identity()).unwrap())
    }
}

#[test]
fn a_backup_is_verified_and_restoring_it_gives_back_everything() {
    let world = World::new();
    let (file, summary, key) = world.backup();
    assert_eq!((summary.head, summary.chunks), (1_000, 2));
    assert_eq!(verify(&file, &key).unwrap(), summary);
    assert_eq!(test(&file, &key).unwrap(), summary);
    let recipient = key.recipient();
    let again = create::<(), BackupError>(&file, |_| unreachable!("it never overwrites"));
    assert!(matches!(again, Err(BackupError::Io(_))));
    let data = world.dir.path().join("restored");
    restore(&file, &data, &key).unwrap();
    let (old, new) = (Layout::new(&world.data), Layout::new(&data));
    for name in ["config.toml", "transport.key"] {
        assert_eq!(old.read_backed_up(name).unwrap(), new.read_backed_up(name).unwrap());
    }
    let kept = Recipient::read(&new.recipient()).unwrap();
    assert_eq!(kept.to_text(), recipient.to_text());
    assert!(matches!(restore(&file, &data, &key), Err(BackupError::NotEmpty)));
}

#[test]
fn a_restored_log_has_a_new_log_id_that_names_its_parent() {
    let world = World::new();
    let (file, _, key) = world.backup();
    let data = world.dir.path().join("restored");
    let restored = restore(&file, &data, &key).unwrap();
    let world = World { dir: world.dir, data };
    let store = world.store();
    let new = store.identity().unwrap();
    assert!(new.log != identity().log && new.team == identity().team);
    assert_eq!(restored.log, Some(new.log.to_hex()));
    let parent = Parent::read(&store).unwrap().unwrap();
    assert!(parent.log == identity().log && parent.seq == 1_000 && parent.hash == hash_of(1_000));
    // Seqs and hashes go on where the parent's ended.
    assert_eq!(append(&store, batch([1_000])).unwrap(), [1_001]);
    assert_eq!(store.head(), Head { seq: 1_001, hash: hash_of(1_001) });
    assert_eq!(store.get(b"row/x").unwrap().unwrap(), b"kept");
    assert_eq!(crate::store::verify(&store).unwrap(), 1_001 - store.base().unwrap().seq);
    assert_eq!(store.blobs().unwrap().len(), 1);
}

#[test]
fn a_backup_that_is_cut_changed_or_of_another_relay_restores_nothing() {
    let world = World::new();
    let (file, _, key) = world.backup();
    let whole = std::fs::read(&file).unwrap();
    let data = world.dir.path().join("restored");
    let refused = |bytes: &[u8], key: &Identity| {
        std::fs::write(&file, bytes).unwrap();
        let refused = restore(&file, &data, key).is_err() && verify(&file, key).is_err();
        refused && !data.exists()
    };
    assert!(refused(&whole[..whole.len() / 2], &key));
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    assert!(refused(&changed, &key));
    assert!(refused(&whole, &Identity::generate()));
    assert!(refused(b"no backup", &key));
}

#[test]
fn records_are_bounded_counted_and_checked() {
    use super::age::{Opener, Sealer};
    use super::format::{Reader, Records, kind};
    let key = Identity::generate();
    type Sealed = Records<Sealer<Vec<u8>>>;
    let sealed = |fill: &dyn Fn(&mut Sealed)| {
        let sealer = Sealer::new(Vec::new(), &key.recipient()).unwrap();
        let mut records = Records::new(sealer).unwrap();
        fill(&mut records);
        records.finish().finish().unwrap()
    };
    let read = |bytes: &[u8]| read::read(bytes, &key, |_| Ok(()));
    let end = |records: &mut Sealed, head: Head| {
        let digest = records.digest();
        let parts: [&[u8]; 3] = [&head.seq.to_be_bytes(), &head.hash.0, &digest];
        records.put(kind::END, &parts).unwrap();
    };
    let nothing = Head { seq: 0, hash: Digest([0; 32]) };
    assert!(read(&sealed(&|records| end(records, nothing))).is_ok());
    // A later version's record; cells without a log; a head that is not there; no end at all.
    assert!(matches!(read(&sealed(&|r| r.put(77, &[b"x"]).unwrap())), Err(BackupError::Newer)));
    let cells = batch([1]);
    assert!(read(&sealed(&|r| r.put(kind::CELLS, &[cells.records()]).unwrap())).is_err());
    assert!(read(&sealed(&|r| end(r, Head { seq: 1, ..nothing }))).is_err());
    assert!(read(&sealed(&|_| {})).is_err());
    let huge = sealed(&|records| {
        assert!(records.put(kind::VALUE, &[&[0; 600_000]]).is_err());
        end(records, nothing);
    });
    assert!(Reader::new(Opener::new(huge.as_slice(), &key).unwrap()).is_ok());
}
