//! Rooms that somebody broke for everybody, and that begin again without him.

use serde_json::json;

use super::super::rooms::ROOM_COMMIT;
use super::team::{KARIM, LEA, PAUL, SOFIA};
use super::world::World;
use crate::member::e2ee::Change;
use crate::member::e2ee::tests::break_tag;

/// `press` of Lea (an admin), Karim, Sofia and Paul; `photo` of Karim, Sofia and Paul.
fn team() -> World {
    let mut world = World::with(&["Karim", "Sofia", "Paul"]);
    world.room(LEA, "press", &["Karim", "Sofia", "Paul"]);
    world.room(SOFIA, "photo", &["Karim", "Paul"]);
    world.ok(SOFIA, "send", json!({"room": "press", "text": "before"}));
    world
}

/// Karim breaks a room for everybody.
fn break_room(world: &mut World, name: &str) {
    let room = world.room_id(KARIM, name);
    let broken = world.forge(KARIM, |cx| {
        let change = Change { update: true, ..Change::default() };
        let (mut commit, _) = cx.raw_commit(&room, 0, &change, false);
        let leaf = cx.memory.keys().unwrap().leaf.secret();
        break_tag(cx.tx.connection(), &room, leaf.expose(), &mut commit);
        cx.seal_in_room(&room, ROOM_COMMIT, &commit).unwrap()
    });
    world.place(&broken);
    world.run();
}

#[test]
fn if_nobody_can_help_an_admin_posts_room_restart_and_it_goes_on_without_the_author() {
    let mut world = team();
    break_room(&mut world, "press");
    world.settle(120_000);
    for at in [LEA, SOFIA, PAUL] {
        assert_eq!(world.standing(at, "press"), "frozen");
        let alarms = world.alarms(at);
        assert!(alarms.iter().any(|a| a.contains("room restart press")), "{alarms:?}");
    }
    // Only an admin may, where there is one; and only a room that somebody broke.
    let refused = world.call(SOFIA, "room.restart", json!({"room": "press"})).unwrap_err();
    assert_eq!(refused.exit, 77);
    assert!(world.call(LEA, "room.restart", json!({"room": "general"})).is_err());
    // One is off meanwhile, and one has something to say.
    world.disconnect(PAUL);
    let answer = world.ok(LEA, "room.restart", json!({"room": "press"}));
    assert_eq!(answer, json!({"room": "press", "without": "Karim"}));
    world.settle(5_000);
    world.connect(PAUL);
    world.settle(5_000);
    world.assert_agree("press", &[LEA, SOFIA, PAUL]);
    for at in [LEA, SOFIA, PAUL] {
        assert_eq!(world.standing(at, "press"), "active");
        let alarms = world.alarms(at);
        let named = |a: &String| a.contains("Lea began room press again") && a.contains("Karim");
        assert!(alarms.iter().any(named), "{alarms:?}");
    }
    assert_eq!(world.standing(KARIM, "press"), "");
    world.ok(PAUL, "send", json!({"room": "press", "text": "after"}));
    // The history stays, and goes on.
    for at in [LEA, SOFIA, PAUL] {
        assert_eq!(world.texts(at, "press"), ["before", "after"]);
    }
    let members = world.ok(LEA, "room.members", json!({"room": "press"}));
    assert_eq!(members.as_array().unwrap().len(), 3);
    // Nothing of the old group is left on a device that came back.
    world.restart(SOFIA);
    world.connect(SOFIA);
    world.run();
    world.ok(SOFIA, "send", json!({"room": "press", "text": "again"}));
    assert_eq!(world.texts(LEA, "press"), ["before", "after", "again"]);
}

#[test]
fn in_a_room_without_an_admin_any_member_restarts_it() {
    let mut world = team();
    break_room(&mut world, "photo");
    world.ok(PAUL, "room.restart", json!({"room": "photo"}));
    world.settle(5_000);
    world.assert_agree("photo", &[SOFIA, PAUL]);
    world.ok(SOFIA, "send", json!({"room": "photo", "text": "on"}));
    assert_eq!(world.texts(PAUL, "photo"), ["on"]);
}

#[test]
fn a_member_restarts_no_room_that_goes_on() {
    let mut world = team();
    let (photo, sofia) = (world.room_id(KARIM, "photo"), world.device_id(SOFIA));
    let before = world.epoch(PAUL, "photo");
    // Karim would like the room without Sofia.
    let now = world.now;
    let action = crate::member::roster::Action::RoomRestart { room: photo, without: sofia };
    world.devices[KARIM].engine.step(now, |cx| cx.post_action(action).map(|_| ())).unwrap();
    world.settle(2_000);
    for at in [SOFIA, PAUL] {
        assert_eq!(world.epoch(at, "photo"), before);
        let alarms = world.alarms(at);
        let said = |a: &String| a.contains("Karim wanted to begin room photo again");
        assert!(alarms.iter().any(said), "{alarms:?}");
    }
    world.ok(SOFIA, "send", json!({"room": "photo", "text": "still here"}));
    assert_eq!(world.texts(PAUL, "photo"), ["still here"]);
}
