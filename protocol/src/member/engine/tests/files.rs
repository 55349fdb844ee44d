//! Stories of files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::World;
use crate::member::agent::core::Core;
use crate::wire::frame::ToDevice;
use crate::wire::ids::Lane;

/// Bytes of a file that needs several chunks.
fn long() -> Vec<u8> {
    (0..200_000_u32).flat_map(|n| n.to_be_bytes()).take(300_001).collect()
}

fn pair() -> (World, TempDir) {
    let mut world = World::with(&["Karim"]);
    world.relay.blobs.clear();
    (world, TempDir::new().unwrap())
}

fn send(world: &mut World, dir: &Path, name: &str, bytes: &[u8]) -> Value {
    std::fs::write(dir.join(name), bytes).unwrap();
    let sent = world.ok(0, "upload", json!({"room": "general", "path": dir.join(name)}));
    assert!(sent["seq"].is_u64());
    sent["id"].clone()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_arrives_whole_under_a_safe_name() {
    let (mut world, dir) = pair();
    let bytes = long();
    let id = send(&mut world, dir.path(), ".bud\u{202E}get:1.pdf", &bytes);
    let listed = world.ok(1, "files", json!({"room": "general"}));
    assert_eq!((&listed[0]["id"], &listed[0]["size"]), (&id, &json!(300_001)));
    assert_eq!(listed[0]["name"], "bud\u{FFFD}get_1.pdf");
    let event = world.devices[1].events.iter().find(|event| event["type"] == "file").unwrap();
    assert!(event["text"].is_null() && event["name"] == listed[0]["name"]);
    let to = TempDir::new().unwrap();
    let got = world.ok(1, "download", json!({"id": id, "path": to.path()}));
    assert_eq!(names(to.path()), ["bud\u{FFFD}get_1.pdf"]);
    let path = Path::new(got["path"].as_str().unwrap());
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut moved = world.devices[1].events.iter().filter(|event| event["type"] == "progress");
    assert_eq!(moved.next_back().unwrap()["done"], moved_total(&world));
    // What is there already is never written over.
    let again = world.call(1, "download", json!({"id": id, "path": to.path()})).unwrap_err();
    assert_eq!(again.exit, 1);
}

fn moved_total(world: &World) -> Value {
    world.relay.blobs.values().next().unwrap().len().into()
}

#[test]
fn the_relay_sees_only_padded_noise() {
    let (mut world, dir) = pair();
    send(&mut world, dir.path(), "a.txt", &b"the quick brown fox ".repeat(5_000));
    send(&mut world, dir.path(), "b.txt", &b"the quick brown fox ".repeat(5_001));
    let sizes: Vec<usize> = world
        .relay
        .blobs
        .values()
        .map(|chunks| chunks.iter().map(bytes::Bytes::len).sum())
        .collect();
    assert_eq!(sizes[0], sizes[1]);
    let seen = world.relay.blobs.values().flatten();
    assert!(seen.clone().count() > 0);
    assert!(seen.clone().all(|chunk| !chunk.windows(9).any(|window| window == b"quick bro")));
}

#[test]
fn an_upload_goes_on_after_a_crash_with_the_same_bytes() {
    let (mut world, dir) = pair();
    std::fs::write(dir.path().join("plan"), long()).unwrap();
    let path = dir.path().join("plan");
    world.begin(0, "upload", json!({"room": "general", "path": path}));
    // One chunk leaves, the file changes, and the device dies.
    world.turn(0);
    std::fs::write(dir.path().join("plan"), "another").unwrap();
    world.restart(0);
    world.relay.blobs.clear();
    world.connect(0);
    world.run();
    assert_eq!(world.ok(1, "files", json!({}))[0]["size"], 300_001);
}

#[test]
fn a_download_goes_on_after_a_crash_where_it_was() {
    let (mut world, dir) = pair();
    let id = send(&mut world, dir.path(), "plan", &long());
    let to = dir.path().join("copy");
    world.begin(1, "download", json!({"id": id, "path": to}));
    // One chunk comes, and the device dies.
    world.answer_one(1);
    world.restart(1);
    // What came before the crash is not asked for again.
    for chunks in world.relay.blobs.values_mut() {
        chunks[0] = bytes::Bytes::from_static(b"spoiled");
    }
    world.connect(1);
    world.run();
    assert_eq!(std::fs::read(&to).unwrap(), long());
}

#[test]
fn the_hash_is_checked_before_the_name_appears() {
    let (mut world, dir) = pair();
    let id = send(&mut world, dir.path(), "plan", &long());
    for chunks in world.relay.blobs.values_mut() {
        chunks.swap(1, 2);
    }
    let to = TempDir::new().unwrap();
    let ask = json!({"id": id, "path": to.path().join("copy")});
    let refused = world.call(1, "download", ask).unwrap_err();
    assert!(refused.message.contains("not the file"), "{refused:?}");
    assert_eq!(names(to.path()), Vec::<String>::new());
}

#[test]
fn a_small_file_that_was_announced_is_here_before_anybody_asks_for_it() {
    let (mut world, dir) = pair();
    let id = send(&mut world, dir.path(), "plan", &long());
    let blob = *world.relay.blobs.keys().next().unwrap();
    let announce = ToDevice::Announce { lane: Lane(0), blobs: vec![(blob, 300_000)] };
    world.devices[1].engine.frame(world.now, announce);
    world.pass(10_000);
    // The relay hears nothing of it when it is wanted.
    world.relay.blobs.clear();
    world.ok(1, "download", json!({"id": id, "path": dir.path().join("copy")}));
    assert_eq!(std::fs::read(dir.path().join("copy")).unwrap(), long());
}

#[test]
fn a_file_over_quota_stays_queued_and_says_so() {
    let (mut world, dir) = pair();
    world.relay.full = true;
    std::fs::write(dir.path().join("plan"), "small").unwrap();
    let ask = json!({"room": "general", "path": dir.path().join("plan")});
    let error = world.call(0, "upload", ask).unwrap_err();
    assert_eq!(error.exit, 75);
    assert!(error.message.contains("over quota"), "{error:?}");
    world.relay.full = false;
    world.pass(1_000);
    assert_eq!(world.ok(1, "files", json!({})).as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_sent_or_fetched_is_refused_with_the_reason() {
    let (mut world, dir) = pair();
    let ask = |path: &Path| json!({"room": "general", "path": path});
    for (path, says) in [(dir.path().join("none"), "not found"), (dir.path().into(), "no file")] {
        let error = world.call(0, "upload", ask(&path)).unwrap_err();
        assert!(error.exit == 1 && error.message.contains(says), "{error:?}");
    }
    let large = std::fs::File::create(dir.path().join("large")).unwrap();
    large.set_len(crate::member::content::MAX_FILE + 1).unwrap();
    let error = world.call(0, "upload", ask(&dir.path().join("large"))).unwrap_err();
    assert!(error.message.contains("larger than 60 MiB"), "{error:?}");
    let id = send(&mut world, dir.path(), "plan", b"");
    world.relay.blobs.clear();
    let error = world.call(1, "download", json!({"id": id, "path": dir.path().join("x")}));
    assert!(error.unwrap_err().message.contains("no longer has"));
    let text = world.ok(0, "send", json!({"room": "general", "text": "no file"}))["id"].clone();
    let error = world.call(1, "download", json!({"id": text, "path": dir.path().join("x")}));
    assert_eq!(error.unwrap_err().exit, 1);
}

#[test]
fn a_deleted_file_is_listed_and_kept_no_more() {
    let (mut world, dir) = pair();
    let id = send(&mut world, dir.path(), "plan", &long());
    world.ok(0, "delete", json!({"id": id}));
    for at in 0..2 {
        assert_eq!(world.ok(at, "files", json!({})), json!([]));
    }
    let error = world.call(1, "download", json!({"id": id, "path": dir.path().join("x")}));
    assert_eq!(error.unwrap_err().exit, 1);
}
