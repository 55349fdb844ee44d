//! What is too large for cells.

use serde_json::json;

use super::super::rooms::ROOM_COMMIT;
use super::team::LEA;
use super::world::World;
use crate::cell::fragment::CONTENT;
use crate::member::agent::core::{Core as _, Out};
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::{BlobId, Lane};
use crate::wire::limits::SHARED_BLOB;

/// The blobs a device asks for now.
fn asked(world: &mut World, at: usize) -> Vec<BlobId> {
    let mut blobs = Vec::new();
    while let Some(out) = world.devices[at].engine.poll() {
        if let Out::Send(ToRelay::BlobGet { id, .. }) = out {
            blobs.push(id);
        }
    }
    blobs
}

#[test]
fn every_device_fetches_every_blob_up_to_1_mib_after_a_random_delay() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "member", true);
    let (small, large) = (BlobId([1; 32]), BlobId([2; 32]));
    let blobs = vec![(small, SHARED_BLOB), (large, SHARED_BLOB + 1)];
    for at in [LEA, karim] {
        let announce = ToDevice::Announce { lane: Lane(0), blobs: blobs.clone() };
        let now = world.now;
        world.devices[at].engine.frame(now, announce);
        let mut fetched = Vec::new();
        for _ in 0..101 {
            world.now.unix_ms += 100;
            world.now.mono_ms += 100;
            let now = world.now;
            world.devices[at].engine.tick(now);
            fetched.extend(asked(&mut world, at));
        }
        assert!(fetched == [small], "device {at}");
    }
}

#[test]
fn never_a_commit_in_a_blob_commits_stay_inline() {
    let mut world = World::founded();
    world.ok(LEA, "room.create", json!({"name": "press"}));
    let room = world.room_id(LEA, "press");
    // The largest there can be: a removal from a cold tree of 300 devices takes 400 kB.
    let commit = vec![7; 400_000];
    let cells = world.forge(LEA, |cx| cx.seal_in_room(&room, ROOM_COMMIT, &commit).unwrap());
    assert_eq!(cells.len(), commit.len().div_ceil(CONTENT));
    assert!(world.relay.blobs.is_empty());
}

#[test]
fn above_32_cells_a_blob_a_snapshot_of_many_devices_goes_as_one() {
    let mut world = World::founded();
    let mut devices = vec![LEA];
    for number in 0..12 {
        devices.push(world.join(LEA, &format!("member {number}"), "member", true));
    }
    assert!(!world.relay.blobs.is_empty(), "the last snapshots are too large for cells");
    let last = *devices.last().unwrap();
    world.ok(last, "send", json!({"room": "general", "text": "all of us"}));
    for at in &devices {
        assert_eq!(world.texts(*at, "general"), ["all of us"]);
    }
    world.assert_agree("general", &devices);
}
