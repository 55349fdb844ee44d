//! Members who do what they may not.

use serde_json::json;

use super::team::{KARIM, LEA, PAUL, SOFIA};
use super::world::World;
use crate::member::e2ee::Change;
use crate::member::store::ChannelKind;
use crate::wire::ids::{CellId, Digest};

/// Lea, Karim, Sofia and a bot in `press`; Paul is in the team only.
fn press() -> World {
    let mut world = World::founded();
    for (name, role) in [("Karim", "member"), ("Sofia", "member"), ("Paul", "member")] {
        world.join(0, name, role, true);
    }
    world.join(0, "planning", "bot", true);
    world.room(0, "press", &["Karim", "Sofia", "planning"]);
    world
}

const BOT: usize = 4;

/// Everybody in `press` is still in the same epoch, and the next good commit works.
fn goes_on(world: &mut World, epoch: u64) {
    world.assert_agree("press", &[LEA, KARIM, SOFIA, BOT]);
    assert_eq!(world.epoch(LEA, "press").0, epoch);
    world.ok(SOFIA, "room.add", json!({"room": "press", "member": "Paul"}));
    world.run();
    world.assert_agree("press", &[LEA, KARIM, SOFIA, BOT, PAUL]);
    assert_eq!(world.epoch(LEA, "press").0, epoch + 1);
}

#[test]
fn membership_is_checked_against_the_roster_a_member_cannot_add_a_device_that_is_not_on_it() {
    let mut world = press();
    let epoch = world.epoch(LEA, "press").0;
    let commit = world.forge_commit(KARIM, "press", 0, &Change::default(), true);
    world.place(&commit);
    world.run();
    goes_on(&mut world, epoch);
}

#[test]
fn a_bot_adds_nobody() {
    let mut world = press();
    let epoch = world.epoch(LEA, "press").0;
    let paul = world.device_id(PAUL);
    let package = world.forge(BOT, |cx| cx.tx.take_package(&paul, 0, 0).unwrap().unwrap().0);
    let change = Change { add: &[package], ..Change::default() };
    let commit = world.forge_commit(BOT, "press", 0, &change, false);
    world.place(&commit);
    world.run();
    goes_on(&mut world, epoch);
}

#[test]
fn a_member_removes_nobody_elses_devices() {
    let mut world = press();
    let epoch = world.epoch(LEA, "press").0;
    let sofia = world.device_id(SOFIA);
    let change = Change { remove: &[sofia], ..Change::default() };
    let commit = world.forge_commit(KARIM, "press", 0, &change, false);
    world.place(&commit);
    world.run();
    goes_on(&mut world, epoch);
}

#[test]
fn cells_of_epoch_e_count_only_after_the_place_of_the_commit_that_opened_e() {
    let mut world = press();
    // Karim is shown nothing while Lea opens an epoch and writes in it.
    world.disconnect(KARIM);
    world.ok(LEA, "room.add", json!({"room": "press", "member": "Paul"}));
    let before = world.relay.log.len();
    world.ok(LEA, "send", json!({"room": "press", "text": "in the new epoch"}));
    assert_eq!(world.relay.log.len(), before + 1);
    let cell = world.relay.log.last().unwrap().1;
    world.rewrite(world.relay.log.len() - 1, |cells| cells.clear());
    world.connect(KARIM);
    world.run();
    let room = world.room_id(KARIM, "press");
    let opened =
        world.forge(KARIM, |cx| cx.memory.room_channel(ChannelKind::Room, &room).unwrap().opened);
    for (seq, counts) in [(opened - 1, false), (opened, false), (opened + 10_000, true)] {
        let read = world.forge(KARIM, |cx| {
            // The place is taken by what was read there.
            cx.tx.trim_ring(u64::from(u32::MAX)).unwrap();
            cx.cell(seq, &CellId([0; 16]), &cell, &Digest([0; 32])).unwrap();
            !cx.tx.ring_from(seq, 1).unwrap().iter().any(|ring| ring.seq == seq)
        });
        assert_eq!(read, counts, "{seq} of {opened}");
    }
}

#[test]
fn in_the_control_room_only_admins_commit_whoever_else_tries() {
    let mut world = press();
    let control = world.forge(KARIM, |cx| cx.memory.profile.control().unwrap());
    let epoch =
        |world: &mut World, at| world.forge(at, |cx| cx.memory.rooms.get(&control).unwrap().epoch);
    let before = epoch(&mut world, LEA);
    let commit = world.forge(KARIM, |cx| {
        let change = Change { update: true, ..Change::default() };
        let (commit, _) = cx.raw_commit(&control, 0, &change, false);
        cx.seal_in_room(&control, super::super::rooms::ROOM_COMMIT, &commit).unwrap()
    });
    world.place(&commit);
    world.run();
    for at in [LEA, SOFIA, PAUL, BOT] {
        assert_eq!(epoch(&mut world, at), before);
    }
    // And the team goes on.
    let nora = world.join(LEA, "Nora", "member", true);
    world.ok(nora, "send", json!({"room": "general", "text": "hello"}));
    assert_eq!(world.texts(SOFIA, "general"), ["hello"]);
}

#[test]
fn a_removal_that_its_target_tries_to_outrun() {
    let mut world = press();
    let before = world.epoch(SOFIA, "press").0;
    // Karim has a commit ready, and the relay, which is his friend, puts it right behind the
    // proposal and before Lea's commit.
    let change = Change { update: true, ..Change::default() };
    let outrun = world.forge_commit(KARIM, "press", 0, &change, false);
    world.relay.silent = true;
    let from = world.relay.log.len();
    let remove = world.begin(LEA, "room.remove", json!({"room": "press", "member": "Karim"}));
    world.turn(LEA);
    assert!(world.relay.log.len() > from + 1, "a proposal of one cell, and the commit");
    world.rewrite(from, |cells| drop(cells.splice(1..1, outrun)));
    world.relay.silent = false;
    world.settle(2_000);
    assert!(world.answer(LEA, remove).unwrap().is_ok());
    world.assert_agree("press", &[LEA, SOFIA, BOT]);
    assert_eq!(world.epoch(SOFIA, "press").0, before + 1, "Karim's commit has not won");
    assert!(world.call(KARIM, "send", json!({"room": "press", "text": "still?"})).is_err());
    world.ok(SOFIA, "send", json!({"room": "press", "text": "gone"}));
    assert_eq!(world.texts(LEA, "press"), ["gone"]);
}
