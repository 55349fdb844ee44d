//! The order in which a real relay writes, syncs and answers, seen by a recorder preloaded into it.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::Relay;

/// A resume so far ahead that nothing is pushed: all that is sent after WELCOME are ACKs.
const ONLY_SEND: u64 = 1 << 60;

fn recorder(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/preload/recorder.c");
    let built = dir.join("recorder.so");
    let status = Command::new("gcc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&built)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status()
        .unwrap();
    assert!(status.success());
    built
}

fn place(lines: &[&str], from: usize, what: &str, wanted: impl Fn(&str) -> bool) -> usize {
    let found = lines.iter().skip(from).position(|line| wanted(line));
    from + found.unwrap_or_else(|| panic!("after line {from} there is no {what}"))
}

#[tokio::test]
async fn ack_only_after_fsync() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("record");
    let preload = recorder(dir.path());
    let relay = Relay::start_with(&[
        ("LD_PRELOAD", preload.to_str().unwrap()),
        ("RECORDER_FILE", record.to_str().unwrap()),
    ]);
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, ONLY_SEND).await.unwrap();
    let before = std::fs::read_to_string(&record).unwrap().len();
    for request in 0..50 {
        let first = u64::from(request) * 3;
        link.put(request, first..first + 3).await;
        link.ack(request, &mut Vec::new()).await.unwrap();
    }
    let text = std::fs::read_to_string(&record).unwrap();
    let lines: Vec<&str> = text[before..].lines().collect();
    let is_log = |line: &str, what: &str| {
        line.starts_with(what) && line.contains("/log/seg-") && line.ends_with("/db")
    };
    let mut at = 0;
    for _ in 0..50 {
        let sent = place(&lines, at, "answer", |line| line == "send");
        let written = place(&lines, at, "write of the log", |line| is_log(line, "write "));
        let synced = place(&lines, written, "sync of the log", |line| is_log(line, "fdatasync "));
        assert!(synced < sent, "an ACK left before the sync that covers it");
        at = sent + 1;
    }
}

#[tokio::test]
async fn create_as_tmp_fsync_every_file_and_directory_rename_fsync_the_parent() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("record");
    let preload = recorder(dir.path());
    let relay = Relay::start_with(&[
        ("LD_PRELOAD", preload.to_str().unwrap()),
        ("RECORDER_FILE", record.to_str().unwrap()),
    ]);
    let (_, admin) = relay.found().await;
    assert!(admin.link(&relay, 1).await.is_some());
    let text = std::fs::read_to_string(&record).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let renamed = place(&lines, 0, "rename of the first segment", |line| {
        line.starts_with("rename ") && line.contains("/log/tmp-1 ") && line.contains("/log/seg-")
    });
    let last_write = lines[..renamed]
        .iter()
        .rposition(|line| line.starts_with("write ") && line.contains("/log/tmp-1/"))
        .unwrap();
    for wanted in ["/log/tmp-1/db", "/log/tmp-1/conf", "/log/tmp-1/blobs", "/log/tmp-1"] {
        let synced = lines[last_write..renamed]
            .iter()
            .any(|line| line.starts_with("fsync ") && line.ends_with(wanted));
        assert!(synced, "{wanted} was not synced between its last write and the rename");
    }
    let parent = place(&lines, renamed, "sync of the parent", |line| {
        line.starts_with("fsync ") && line.ends_with("/log")
    });
    let written = place(&lines, renamed, "write into the segment", |line| {
        line.starts_with("write ") && line.contains("/log/seg-")
    });
    assert!(parent < written);
}
