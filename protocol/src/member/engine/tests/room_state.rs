//! Stories of rooms that change, and of people who go out of them.

use serde_json::{Value, json};

use super::team::{KARIM, LEA, SOFIA};
use super::world::World;

/// A founder, two people and a bot; all but the bot are in the room `press`.
fn team() -> World {
    let mut world = World::founded();
    for (name, role) in [("Karim", "member"), ("Sofia", "member"), ("planning", "bot")] {
        world.join(0, name, role, true);
    }
    world.ok(LEA, "room.create", json!({"name": "press", "topic": "papers"}));
    for member in ["Karim", "Sofia"] {
        world.ok(LEA, "room.add", json!({"room": "press", "member": member}));
    }
    world.run();
    world
}

fn room(world: &mut World, at: usize, name: &str) -> Option<Value> {
    let rooms = world.ok(at, "room.list", json!({}));
    rooms.as_array().unwrap().iter().find(|room| room["name"] == name).cloned()
}

#[test]
fn a_room_is_renamed_for_everybody() {
    let mut world = team();
    let set =
        json!({"room": "press", "name": "media", "lifetime_s": 3600, "who_may_add": "admins"});
    world.ok(KARIM, "room.set", set);
    for at in [LEA, KARIM, SOFIA] {
        assert!(room(&mut world, at, "press").is_none());
        let media = room(&mut world, at, "media").unwrap();
        assert_eq!(media["lifetime_s"], 3600);
        assert_eq!((&media["topic"], &media["who_may_add"]), (&json!("papers"), &json!("admins")));
        assert!(world.devices[at].events.iter().any(|e| e["state"] == "changed"
            && (&e["before"], &e["room"], &e["by"])
                == (&json!("press"), &json!("media"), &json!("Karim"))));
    }
    // Now it is the admins' to say, and Karim knows at once.
    let refused = world.call(KARIM, "room.set", json!({"room": "media", "topic": "x"}));
    assert_eq!(refused.unwrap_err().exit, 77);
    let bot = json!({"room": "media", "member": "planning"});
    assert_eq!(world.call(KARIM, "room.add", bot.clone()).unwrap_err().exit, 77);
    world.ok(LEA, "room.add", bot);
    world.ok(SOFIA, "send", json!({"room": "media", "text": "hello"}));
    assert_eq!(world.texts(3, "media"), ["hello"]);
}

#[test]
fn two_changes_of_a_room_at_once_are_both_made() {
    let mut world = team();
    let a = world.begin(LEA, "room.set", json!({"room": "press", "name": "media"}));
    let b = world.begin(KARIM, "room.set", json!({"room": "press", "topic": "radio"}));
    world.settle(5_000);
    assert!(world.answer(LEA, a).unwrap().is_ok());
    assert!(world.answer(KARIM, b).unwrap().is_ok());
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(room(&mut world, at, "media").unwrap()["topic"], "radio");
    }
    assert_eq!(world.epoch(LEA, "media"), world.epoch(SOFIA, "media"));
}

#[test]
fn room_names_are_unique_and_general_keeps_its_name() {
    let mut world = team();
    world.ok(LEA, "room.create", json!({"name": "legal"}));
    for (room, name) in [("press", "LEGAL"), ("general", "hall")] {
        let refused = world.call(LEA, "room.set", json!({"room": room, "name": name}));
        assert_eq!(refused.unwrap_err().exit, 1, "{room} {name}");
    }
}

#[test]
fn whoever_leaves_is_removed_by_the_others() {
    let mut world = team();
    world.ok(KARIM, "room.leave", json!({"room": "press"}));
    assert!(room(&mut world, KARIM, "press").is_none());
    world.ok(LEA, "send", json!({"room": "press", "text": "after"}));
    assert_eq!(world.texts(SOFIA, "press"), ["after"]);
    assert_eq!(world.epoch(LEA, "press"), world.epoch(SOFIA, "press"));
    let members = world.ok(LEA, "room.members", json!({"room": "press"}));
    assert!(!members.as_array().unwrap().iter().any(|m| m["member"] == "Karim"));
    assert!(world.devices[SOFIA].events.iter().any(|event| event["type"] == "member"
        && event["change"] == "left"
        && event["member"] == "Karim"));
    assert_eq!(world.call(KARIM, "room.leave", json!({"room": "general"})).unwrap_err().exit, 1);
    // He may come back.
    world.ok(SOFIA, "room.add", json!({"room": "press", "member": "Karim"}));
    world.ok(KARIM, "send", json!({"room": "press", "text": "again"}));
    assert_eq!(world.texts(LEA, "press").last().unwrap(), "again");
}

#[test]
fn the_last_one_out_needs_nobody() {
    let mut world = team();
    world.ok(SOFIA, "room.create", json!({"name": "notes"}));
    world.ok(SOFIA, "room.leave", json!({"room": "notes"}));
    assert!(room(&mut world, SOFIA, "notes").is_none());
    world.ok(SOFIA, "room.create", json!({"name": "notes"}));
}

#[test]
fn leaving_goes_on_until_somebody_is_there_to_commit_it() {
    let mut world = team();
    world.disconnect(LEA);
    world.disconnect(SOFIA);
    let leave = world.begin(KARIM, "room.leave", json!({"room": "press"}));
    world.settle(40_000);
    assert_eq!(world.answer(KARIM, leave).unwrap().unwrap_err().exit, 75);
    world.restart(KARIM);
    world.connect(SOFIA);
    world.connect(KARIM);
    world.settle(20_000);
    assert!(room(&mut world, KARIM, "press").is_none());
}

#[test]
fn bots_only_where_added() {
    let mut world = team();
    let rooms = world.ok(3, "room.list", json!({}));
    assert_eq!(rooms, json!([]));
}
