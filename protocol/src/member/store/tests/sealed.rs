//! What a thief of the files sees.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::member::identity::{DeviceKeys, SignatureBytes};
use crate::secret::Secret;
use crate::wire::ids::InviteId;

const CANARY: &str = "la canaria canta a mezzanotte";

/// In how many of the directory's files one of the needles stands.
fn found(dir: &Path, needles: &[Vec<u8>]) -> usize {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| {
            let bytes = std::fs::read(file).unwrap();
            needles.iter().any(|needle| bytes.windows(needle.len()).any(|found| found == needle))
        })
        .count()
}

fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    vec![
        secret.to_vec(),
        secret.iter().flat_map(|byte| [*byte, 0]).collect(),
        data_encoding::HEXLOWER.encode(secret).into_bytes(),
        data_encoding::HEXUPPER.encode(secret).into_bytes(),
        data_encoding::BASE64_NOPAD.encode(secret).into_bytes(),
    ]
}

#[test]
fn no_file_of_the_profile_holds_a_planted_plaintext() {
    let mut world = world();
    let keys = DeviceKeys::generate(&mut OsRandom);
    let invite = Secret::<16>::random(&mut OsRandom);
    let mut needles = forms(CANARY.as_bytes());
    needles.extend(forms(keys.identity.secret().expose()));
    needles.extend(forms(keys.access.secret().expose()));
    needles.extend(forms(invite.expose()));
    needles.extend(forms(world.key.secret().expose()));
    world.step(|tx| {
        tx.set_device_keys(&keys)?;
        tx.insert_message(&message(room(), Some(1), CANARY))?;
        tx.append_entry(0, CANARY.as_bytes(), &SignatureBytes([0; 64]), 1)?;
        tx.set(MetaKey::Profile, &CANARY)?;
        tx.put_invite(&InviteRow {
            id: InviteId([1; 16]),
            secret: invite,
            bundle: CANARY.into(),
            role: 0,
            name: Some(CANARY.to_owned()),
            auto_approve: false,
            created_at: 0,
            expires_at: 1,
            state: 0,
            used_at: None,
            request: None,
            by: device(),
            member: None,
            vouch: None,
            membership: None,
        })
    });
    // With the write-ahead log in place, then after it was folded in.
    assert_eq!(found(world.dir.path(), &needles), 0);
    let world = world.reopened();
    assert_eq!(found(world.dir.path(), &needles), 0);
    let rows = world.view(|view| view.messages(&MessageQuery::default()));
    assert_eq!(rows[0].text, CANARY);
    // The search itself can find.
    std::fs::write(world.dir.path().join("plain"), format!("..{CANARY}..")).unwrap();
    assert_eq!(found(world.dir.path(), &needles), 1);
}

#[test]
fn directories_are_0700_and_files_0600() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("team").join("profile");
    make_private_dir(&dir).unwrap();
    let _lock = ProfileLock::try_acquire(&dir).unwrap();
    let key = DbKey::generate(&mut OsRandom);
    let mut store = Store::create(&dir, &key, no_other_tables).unwrap();
    store.step(|tx| tx.set(MetaKey::Settings, &1)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(dir.parent().unwrap()), 0o700);
    let mut names = Vec::new();
    for file in std::fs::read_dir(&dir).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.file_name());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["lock", "store.db", "store.db-shm", "store.db-wal"]);

    // A directory that was open to others is closed to them.
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    make_private_dir(&dir).unwrap();
    assert_eq!(mode(&dir), 0o700);
}

#[test]
fn a_wrong_key_is_refused_and_harms_nothing() {
    let mut world = world();
    world.step(|tx| tx.set(MetaKey::Profile, &CANARY));
    let World { dir, key, store } = world;
    drop(store);
    let before = std::fs::read(dir.path().join("store.db")).unwrap();
    let wrong = DbKey::generate(&mut OsRandom);
    assert!(matches!(open(dir.path(), &wrong), Err(StoreError::WrongKey)));
    assert!(before == std::fs::read(dir.path().join("store.db")).unwrap());
    let store = open(dir.path(), &key).unwrap();
    let profile = store.view(|view| view.get::<String>(MetaKey::Profile)).unwrap();
    assert_eq!(profile.as_deref(), Some(CANARY));
}

#[test]
fn a_damaged_page_is_told_and_never_read_as_data() {
    let mut world = world();
    world.step(|tx| {
        for number in 0..50 {
            tx.insert_message(&message(room(), Some(number), CANARY))?;
        }
        Ok(())
    });
    let World { dir, key, store } = world;
    drop(store);
    let path = dir.path().join("store.db");
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[100] ^= 1;
    }
    std::fs::write(&path, bytes).unwrap();
    let read = open(dir.path(), &key)
        .and_then(|store| store.view(|view| view.messages(&MessageQuery::default())));
    assert!(read.is_err());
}

#[test]
fn errors_and_debug_forms_hold_no_value_of_a_row() {
    let mut world = world();
    let row = message(room(), Some(1), CANARY);
    assert_eq!(format!("{row:?}"), "MessageRow(..)");
    let signature = SignatureBytes([0; 64]);
    world.step(|tx| tx.append_entry(0, CANARY.as_bytes(), &signature, 1));
    let twice: Result<(), StoreError> =
        world.store.step(|tx| tx.append_entry(0, CANARY.as_bytes(), &signature, 1));
    let shown = format!("{:?}", twice.unwrap_err());
    assert!(shown.contains("UNIQUE") && !shown.contains(CANARY), "{shown}");
}
