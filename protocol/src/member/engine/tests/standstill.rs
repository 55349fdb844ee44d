//! Rooms that wait, and rooms that stand still.

use serde_json::json;

use super::super::rooms::ROOM_COMMIT;
use super::team::{KARIM, LEA, PAUL, SOFIA};
use super::world::World;
use crate::member::e2ee::Change;
use crate::member::e2ee::tests::break_tag;

/// Lea, Karim and Sofia in `press`; Paul and Nora are in the team only.
fn press() -> World {
    let mut world = World::with(&["Karim", "Sofia", "Paul", "Nora"]);
    world.room(LEA, "press", &["Karim", "Sofia"]);
    world
}

/// Karim adds Paul by a commit that names a roster entry nobody has yet.
fn ahead(world: &mut World) {
    let paul = world.device_id(PAUL);
    let package = world.forge(KARIM, |cx| cx.tx.take_package(&paul, 0, 0).unwrap().unwrap().0);
    let change = Change { add: &[package], ..Change::default() };
    let commit = world.forge_commit(KARIM, "press", 1, &change, false);
    world.place(&commit);
}

fn frozen(world: &mut World, at: usize) -> bool {
    let rooms = world.ok(at, "room.list", json!({}));
    let rooms = rooms.as_array().unwrap();
    rooms.iter().find(|room| room["name"] == "press").unwrap()["frozen"].as_bool().unwrap()
}

#[test]
fn a_commit_naming_a_roster_entry_not_yet_known_holds_the_room_and_goes_on_when_it_arrives() {
    let mut world = press();
    let before = world.epoch(LEA, "press").0;
    ahead(&mut world);
    world.run();
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.epoch(at, "press").0, before);
        assert!(frozen(&mut world, at), "no change is judged while the room waits");
    }
    // The entry arrives: Lea lets somebody else in.
    world.join(LEA, "Ines", "member", true);
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.epoch(at, "press").0, before + 1);
        assert!(!frozen(&mut world, at));
    }
    world.assert_agree("press", &[LEA, KARIM, SOFIA]);
    world.ok(SOFIA, "send", json!({"room": "press", "text": "on"}));
    assert_eq!(world.texts(LEA, "press"), ["on"]);
}

#[test]
fn what_was_under_way_while_a_room_waits_is_judged_in_its_turn() {
    let mut world = press();
    world.relay.silent = true;
    ahead(&mut world);
    // Behind that commit, and before anybody saw it: a text of Sofia and a commit of Lea.
    let send = world.begin(SOFIA, "send", json!({"room": "press", "text": "crossing"}));
    let add = world.begin(LEA, "room.add", json!({"room": "press", "member": "Nora"}));
    world.turn(SOFIA);
    world.turn(LEA);
    world.relay.silent = false;
    world.run();
    assert!(world.answer(SOFIA, send).is_none() && world.answer(LEA, add).is_none());
    world.join(LEA, "Ines", "member", true);
    world.settle(3_000);
    world.assert_agree("press", &[LEA, KARIM, SOFIA, 4]);
    assert!(world.answer(SOFIA, send).unwrap().is_ok());
    assert!(world.answer(LEA, add).unwrap().is_ok());
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.texts(at, "press"), ["crossing"]);
    }
}

#[test]
fn a_room_freezes_when_a_valid_commit_names_a_roster_number_that_does_not_arrive_within_10_minutes()
{
    let mut world = press();
    ahead(&mut world);
    world.run();
    world.pass(9 * 60_000);
    assert!(world.alarms(SOFIA).is_empty());
    for _ in 0..3 {
        world.pass(60_000);
    }
    for at in [LEA, SOFIA] {
        let alarms = world.alarms(at);
        assert!(alarms.iter().any(|alarm| alarm.contains("stands still")), "{alarms:?}");
    }
    let error = world.call(SOFIA, "send", json!({"room": "press", "text": "no"})).unwrap_err();
    assert!(error.message.contains("stands still"));
    // The other rooms go on.
    world.ok(SOFIA, "send", json!({"room": "general", "text": "yes"}));
    assert_eq!(world.texts(LEA, "general"), ["yes"]);
}

#[test]
fn broken_has_won_all_the_same_freeze_the_room_accept_no_rival_alarm_naming_the_author() {
    let mut world = press();
    let room = world.room_id(KARIM, "press");
    let before = world.epoch(LEA, "press").0;
    world.relay.silent = true;
    let broken = world.forge(KARIM, |cx| {
        let change = Change { update: true, ..Change::default() };
        let (mut commit, _) = cx.raw_commit(&room, 0, &change, false);
        let leaf = cx.memory.keys().unwrap().leaf.secret();
        break_tag(cx.tx.connection(), &room, leaf.expose(), &mut commit);
        cx.seal_in_room(&room, ROOM_COMMIT, &commit).unwrap()
    });
    world.place(&broken);
    // Rivals, one of them already under way: neither may win, not even for its author.
    let add = world.begin(LEA, "room.add", json!({"room": "press", "member": "Paul"}));
    world.turn(LEA);
    world.relay.silent = false;
    world.settle(2_000);
    for at in [LEA, SOFIA] {
        assert_eq!(world.epoch(at, "press").0, before);
        assert!(frozen(&mut world, at));
        let alarms = world.alarms(at);
        let named = |alarm: &String| alarm.contains("stands still") && alarm.contains("Karim");
        assert!(alarms.iter().any(named), "{alarms:?}");
    }
    assert!(world.answer(LEA, add).is_none());
    assert!(world.call(PAUL, "read", json!({"room": "press"})).is_err());
    // A frozen room stays frozen over a restart, and freezes no other.
    world.restart(SOFIA);
    world.connect(SOFIA);
    world.run();
    assert!(frozen(&mut world, SOFIA));
    world.ok(SOFIA, "send", json!({"room": "general", "text": "yes"}));
    assert_eq!(world.texts(LEA, "general"), ["yes"]);
}
