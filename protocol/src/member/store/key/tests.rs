//! Stories of the passphrase and the key file.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::random::OsRandom;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned()))
}

#[test]
fn the_right_passphrase_opens_and_a_wrong_one_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let right = passphrase("forêt douze clés café");
    let made = create_key(dir.path(), &right, Calibration::FLOOR, &mut OsRandom).unwrap();
    // The same letters as a keyboard that composes differently sends them.
    let composed = passphrase("fore\u{302}t douze cle\u{301}s cafe\u{301}");
    let opened = unlock_key(dir.path(), &composed).unwrap();
    assert!(opened.secret().ct_eq(made.secret().expose()));
    let wrong = unlock_key(dir.path(), &passphrase("foret douze cles cafe"));
    assert!(matches!(wrong, Err(KeyError::WrongPassphrase)));

    let again = create_key(dir.path(), &right, Calibration::FLOOR, &mut OsRandom);
    assert!(matches!(again, Err(KeyError::AlreadyThere)));

    let file = dir.path().join(KEY_FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(bytes.len(), FILE_LEN);
    assert!(!bytes.windows(32).any(|window| window == made.secret().expose()));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left aside");
}

#[test]
fn a_crash_while_the_key_was_written_leaves_no_key() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("key.tmp"), vec![7; 500]).unwrap();
    assert!(!has_key(dir.path()));
    let words = passphrase("correct horse");
    assert!(matches!(unlock_key(dir.path(), &words), Err(KeyError::NoProfile)));
    let made = create_key(dir.path(), &words, Calibration::FLOOR, &mut OsRandom).unwrap();
    let opened = unlock_key(dir.path(), &words).unwrap();
    assert!(opened.secret().ct_eq(made.secret().expose()));
}

#[test]
fn a_damaged_newer_or_cheapened_key_file_is_refused_before_the_derivation() {
    let dir = tempfile::tempdir().unwrap();
    let header = Header { calibration: Calibration::FLOOR, salt: [1; 16], nonce: [2; 24] };
    let mut good = header.encode();
    good.extend_from_slice(&[0; KEY_LEN + TAG_LEN]);
    let refused = |bytes: &[u8]| {
        std::fs::write(dir.path().join(KEY_FILE), bytes).unwrap();
        unlock_key(dir.path(), &passphrase("x")).err().unwrap()
    };
    assert!(matches!(refused(&good[..FILE_LEN - 1]), KeyError::Damaged));
    assert!(matches!(refused(&[good.as_slice(), &[0]].concat()), KeyError::Damaged));
    assert!(matches!(refused(b""), KeyError::Damaged));
    let spoiled = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    assert!(matches!(refused(&spoiled(0, b'S')), KeyError::Damaged));
    assert!(matches!(refused(&spoiled(8, 2)), KeyError::Newer { found: 2 }));
    assert!(matches!(refused(&spoiled(8, 0)), KeyError::Damaged));
    // 4 TiB of memory; no memory; one pass.
    assert!(matches!(refused(&spoiled(9, 255)), KeyError::Damaged));
    assert!(matches!(refused(&spoiled(10, 0)), KeyError::Damaged));
    assert!(matches!(refused(&spoiled(16, 1)), KeyError::Damaged));
    assert!(matches!(refused(&good), KeyError::WrongPassphrase));
}

#[test]
fn the_cost_is_calibrated_to_a_second_and_never_below_64_mib_and_three_passes() {
    assert_eq!(Calibration::FLOOR, Calibration { memory_kib: 65_536, passes: 3 });
    assert_eq!(Calibration::for_elapsed(5_000), Calibration::FLOOR);
    assert_eq!(Calibration::for_elapsed(1_000), Calibration::FLOOR);
    assert_eq!(Calibration::for_elapsed(150).memory_kib, 6 * 65_536);
    assert_eq!(Calibration::for_elapsed(0), Calibration::CEILING);
    for ms in [0, 1, 10, 20, 60, 100, 999, u64::MAX] {
        assert!(Calibration::for_elapsed(ms).is_believable());
    }
    // The clock is handed in: 0 before, 500 ms after.
    let mut times = [0, 500].into_iter();
    let measured = Calibration::measure(&mut || times.next().unwrap()).unwrap();
    assert_eq!(measured, Calibration { memory_kib: 2 * 65_536, passes: 3 });
}

#[test]
fn another_passphrase_opens_the_same_database() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (passphrase("six plain words of old"), passphrase("six plain words of new"));
    let cost = Calibration::FLOOR;
    let made = create_key(dir.path(), &old, cost, &mut OsRandom).unwrap();
    let wrong = change_passphrase(dir.path(), &new, &old, cost, &mut OsRandom);
    assert!(matches!(wrong, Err(KeyError::WrongPassphrase)));
    change_passphrase(dir.path(), &old, &new, cost, &mut OsRandom).unwrap();
    assert!(matches!(unlock_key(dir.path(), &old), Err(KeyError::WrongPassphrase)));
    assert!(unlock_key(dir.path(), &new).unwrap().secret().ct_eq(made.secret().expose()));
}
