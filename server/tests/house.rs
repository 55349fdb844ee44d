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

fn sources(dir: &std::path::Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_bound_of_the_table_is_a_constant_or_a_setting() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    sources(&here.join("src"), &mut all);
    let table = std::fs::read_to_string(here.join("BOUNDS.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let bounds: Vec<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    assert!(bounds.len() > 30);
    for bound in bounds {
        let found = match bound.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
            true => all.contains(&format!("const {bound}: ")),
            false => all.contains(&format!("{bound}: ")),
        };
        assert!(found, "{bound}");
    }
}
