//! The commands of the runbook, word for word.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::Command;

/// Commands of the machine that the tests have no machine for.
const PRELUDE: &str = r#"
set -euo pipefail
systemctl() {
    case $1 in
        enable|start)
            staffetta-relay serve --data-dir VAR/staffetta --listen 127.0.0.1:0 2>>ROOT/log &
            relay=$!
            for _ in $(seq 200); do
                staffetta-relay health --data-dir VAR/staffetta >/dev/null 2>&1 && return
                sleep 0.05
            done
            return 1 ;;
        stop)
            kill -TERM "$relay" && wait "$relay" ;;
    esac
}
trap 'kill "$relay" 2>/dev/null; wait' EXIT
"#;

/// The blocks marked as tested, in order: each one's name and text.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("<!-- tested: ") else { continue };
        assert_eq!(lines.next(), Some("```sh"));
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        found.push((name.trim_end_matches(" -->").to_owned(), block.join("\n")));
    }
    found
}

#[test]
fn the_tested_commands_of_the_runbook_work_in_order() {
    let runbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/RUNBOOK.md");
    let blocks = blocks(&std::fs::read_to_string(runbook).unwrap());
    let names: Vec<_> = blocks.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["install", "founder", "settings", "backup", "restore", "move", "spare"]);
    let dir = tempfile::tempdir().unwrap();
    let (var, root) = (dir.path().join("var"), dir.path().join("root"));
    std::fs::create_dir(&var).unwrap();
    std::fs::create_dir(&root).unwrap();
    let mut script = PRELUDE.to_owned();
    for (name, block) in blocks {
        script.push_str(&format!("echo == {name}\n{block}\n"));
    }
    let place = |path: &Path| path.to_str().unwrap().to_owned();
    let script = script
        .replace("/var/lib", &place(&var))
        .replace("VAR", &place(&var))
        .replace("/srv", &place(&root))
        .replace("ROOT", &place(&root));
    let bin = Path::new(env!("CARGO_BIN_EXE_staffetta-relay")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .env("PATH", path)
        .env("STAFFETTA__STORAGE__LOW_DISK", "1MiB")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let log = std::fs::read_to_string(root.join("log")).unwrap_or_default();
    assert!(output.status.success(), "{said}\n{errors}\n{log}");
    assert!(
        said.contains("Founder code") && said.contains("== spare") && said.contains("Spare code"),
        "{said}"
    );
}
