//! What the relay links, which proves what it cannot do.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

#[test]
fn server_never_reaches_member_code_the_relay_links_no_mls() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "staffetta-relay", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("staffetta-protocol"), "{tree}");
    for absent in ["openmls", "rusqlite", "ratatui", "argon2"] {
        assert!(!tree.contains(absent), "the relay links {absent}");
    }
    let protocol = tree.lines().find(|line| line.starts_with("staffetta-protocol")).unwrap();
    assert!(!protocol.contains("member"), "{protocol}");
}
