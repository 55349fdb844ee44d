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

/// The arguments of each `tracing` macro in `source`, white space taken away.
fn log_lines(source: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for (start, name) in source.match_indices(&format!("tracing::{level}!(")) {
            let (mut depth, mut quoted) = (0, false);
            let mut arguments = vec![String::new()];
            for c in source[start + name.len()..].chars() {
                match c {
                    '"' => quoted = !quoted,
                    '(' if !quoted => depth += 1,
                    ')' if !quoted && depth == 0 => break,
                    ')' if !quoted => depth -= 1,
                    _ => {}
                }
                match c {
                    ',' if !quoted && depth == 0 => arguments.push(String::new()),
                    c if c.is_whitespace() && !quoted => {}
                    c => arguments.last_mut().unwrap().push(c),
                }
            }
            found.push(arguments.into_iter().filter(|word| !word.is_empty()).collect());
        }
    }
    found
}

#[test]
fn only_types_marked_safe_to_log_reach_a_log() {
    let mut all = String::new();
    sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let lines = log_lines(&all);
    assert!(lines.len() > 15, "{}", lines.len());
    for word in lines.iter().flatten() {
        let is_text = word.starts_with('"') && !word.contains('{');
        let is_safe = word.split_once('=').is_some_and(|(_, value)| value.starts_with("safe("));
        assert!(is_text || is_safe, "{word}");
    }
}
