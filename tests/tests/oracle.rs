//! A device in another language, written from the specification alone, gets on with the relay and
//! writes the test vectors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use staffetta_tests::Relay;

/// What the other device is written in, with its one library; its Argon2id came with version 44.
fn python() -> Option<&'static str> {
    let library = "import cryptography.hazmat.primitives.kdf.argon2";
    let probe = Command::new("python3").args(["-c", library]).output();
    probe.is_ok_and(|done| done.status.success()).then_some("python3")
}

/// Runs a program of the other device.
fn oracle(python: &str, program: &str, arguments: &[&Path]) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(here.join("oracle").join(program))
        .args(arguments)
        .output()
        .unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{complaint}");
    said.into_owned()
}

#[test]
fn the_vectors_are_what_the_specification_gives() {
    let Some(python) = python() else {
        println!("skipped: python3 with `cryptography` 44 or newer is not there");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    oracle(python, "generate.py", &[dir.path()]);
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors");
    let made = files(dir.path());
    assert!(made.len() > 150);
    assert_eq!(made.keys().collect::<Vec<_>>(), files(&stored).keys().collect::<Vec<_>>());
    for (name, text) in files(&stored) {
        assert!(made[&name] == text, "{name} is not what tests/oracle/generate.py writes");
    }
}

/// The files two directories deep, by name.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let inside = |dir: &Path| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = inside(dir).flat_map(|layer| inside(&layer));
    files
        .map(|file| {
            let name = file.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&file).unwrap())
        })
        .collect()
}

#[test]
fn a_device_written_from_the_specification_alone_gets_on_with_the_relay() {
    let Some(python) = python() else {
        println!("skipped: python3 with `cryptography` 44 or newer is not there");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut relay = Relay::init(dir.path(), "Campagne");
    relay.serve();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors");
    let (code, fingerprint) = (Path::new(&relay.founder_code), Path::new(&relay.fingerprint));
    let said = oracle(python, "device.py", &[code, fingerprint, &vectors]);
    assert!(said.ends_with("{\"oracle\": \"agrees\"}\n"), "{said}");
}
