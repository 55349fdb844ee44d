//! What is left of a profile in the memory of a holder that was locked.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

use serde_json::json;
use zeroize::Zeroizing;

use super::*;
use crate::member::e2ee;
use crate::member::identity::DeviceKeys;
use crate::member::store::{Calibration, Store, create_key};

/// So that the search itself puts no key into memory.
const MASK: u8 = 0xa5;
const PROFILE: &str = "STAFFETTA_TEST_PROFILE";
const FOUND: &str = "masked ";

fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new("correct horse battery".to_owned()))
}

/// Not a test: another process makes the profile, so that this one never had its keys but by
/// opening it. It prints them masked.
#[test]
#[ignore = "the process that makes the profile for the test below"]
fn makes_a_profile() {
    let Some(dir) = std::env::var_os(PROFILE).map(std::path::PathBuf::from) else { return };
    let key = create_key(&dir, &passphrase(), Calibration::FLOOR, &mut OsRandom).unwrap();
    let device = DeviceKeys::generate(&mut OsRandom);
    let mut store = Store::create(&dir, &key, e2ee::migrate).unwrap();
    store.step(|tx| tx.set_device_keys(&device)).unwrap();
    let (identity, leaf) = (device.identity.secret(), device.leaf.secret());
    let all = [
        ("the database's key", key.secret().expose()),
        ("the identity key", identity.expose()),
        ("the leaf key", leaf.expose()),
        ("the direct key", device.direct.secret().expose()),
        ("the transport key", device.transport.secret().expose()),
        ("the access secret", device.access.secret().expose()),
    ];
    for (name, key) in all {
        let masked: Vec<u8> = key.iter().map(|byte| byte ^ MASK).collect();
        println!("{FOUND}{name}: {}", data_encoding::HEXLOWER.encode(&masked));
    }
}

/// Names and masked bytes of the keys of a profile that another process makes in `dir`.
fn profile_of_another_process(dir: &Path) -> Vec<(String, [u8; 32])> {
    let name = "member::agent::tests::memory::makes_a_profile";
    let made = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(PROFILE, dir)
        .output()
        .unwrap();
    let printed = String::from_utf8(made.stdout).unwrap();
    let masked = printed.lines().filter_map(|line| line.split_once(FOUND)).map(|(_, rest)| {
        let (name, hex) = rest.split_once(": ").unwrap();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        (name.to_owned(), bytes.try_into().unwrap())
    });
    masked.collect()
}

/// Which of the keys stand somewhere in this process's memory that can be written to.
fn in_memory(keys: &[(String, [u8; 32])]) -> Vec<String> {
    const PART: usize = 1 << 20;
    let memory = File::open("/proc/self/mem").unwrap();
    let mut found = std::collections::BTreeSet::new();
    let mut part = vec![0; PART + 31];
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        let (mut from, to) = (address(from), address(to));
        while from < to {
            let length = usize::try_from((to - from).min(part.len() as u64)).unwrap();
            // A mapping that is gone meanwhile held nothing of ours for long.
            if memory.read_exact_at(&mut part[..length], from).is_err() {
                break;
            }
            for (name, masked) in keys {
                let first = masked[0] ^ MASK;
                let mut rest = &part[..length];
                while let Some(at) = rest.iter().position(|byte| *byte == first) {
                    rest = &rest[at..];
                    let is_key =
                        rest.len() >= 32 && (1..32).all(|at| rest[at] == masked[at] ^ MASK);
                    if is_key {
                        found.insert(name.clone());
                    }
                    rest = &rest[1..];
                }
            }
            part[..length].fill(0);
            from += PART as u64;
        }
    }
    found.into_iter().collect()
}

#[tokio::test]
async fn a_locked_holder_has_no_key_bytes_left() {
    let dir = tempfile::tempdir().unwrap();
    let keys = profile_of_another_process(dir.path());
    assert_eq!(keys.len(), 6);
    assert_eq!(in_memory(&keys), Vec::<String>::new());
    let open = open::<ApiError>(OpenOptions::new(dir.path()), |dir| unlock(dir, &passphrase()));
    let here = open.await.unwrap();
    assert!(!here.call("status", json!({})).await.unwrap()["device"].is_null());
    // The search finds what is there.
    assert!(in_memory(&keys).contains(&"the identity key".to_owned()));
    here.call("lock", json!({})).await.unwrap();
    assert_eq!(in_memory(&keys), Vec::<String>::new());
    // And again after it was unlocked from the engine's thread.
    here.unlock(passphrase()).await.unwrap();
    assert!(in_memory(&keys).contains(&"the identity key".to_owned()));
    here.call("lock", json!({})).await.unwrap();
    assert_eq!(in_memory(&keys), Vec::<String>::new());
    here.close().await;
}
