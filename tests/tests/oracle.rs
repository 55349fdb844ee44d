//! A device in another language, written from the specification alone, gets on with the relay.

use std::path::Path;
use std::process::Command;

use staffetta_tests::Relay;

/// What the other device is written in, with its one library.
fn python() -> Option<&'static str> {
    let probe = Command::new("python3").args(["-c", "import cryptography"]).output();
    probe.is_ok_and(|done| done.status.success()).then_some("python3")
}

#[test]
fn a_device_written_from_the_specification_alone_gets_on_with_the_relay() {
    let Some(python) = python() else {
        println!("skipped: python3 with the package `cryptography` is not there");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut relay = Relay::init(dir.path(), "Campagne");
    relay.serve();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(here.join("oracle/device.py"))
        .args([&relay.founder_code, &relay.fingerprint])
        .arg(here.join("../protocol/vectors"))
        .output()
        .unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{complaint}");
    assert!(said.ends_with("{\"oracle\": \"agrees\"}\n"), "{said}");
}
