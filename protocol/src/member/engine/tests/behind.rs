//! Devices that were away for longer than the relay keeps the log.

use serde_json::json;

use super::team::{KARIM, LEA, SOFIA};
use super::world::World;

/// Sofia is away, a lot happens, and the relay forgets all of it.
fn away() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.room(LEA, "press", &["Karim", "Sofia"]);
    world.ok(KARIM, "send", json!({"room": "press", "text": "zero"}));
    world.disconnect(SOFIA);
    world.ok(KARIM, "send", json!({"room": "press", "text": "one"}));
    world.ok(LEA, "room.set", json!({"room": "press", "topic": "another"}));
    world.join(LEA, "Paul", "member", true);
    world.ok(KARIM, "room.add", json!({"room": "press", "member": "Paul"}));
    world.ok(KARIM, "send", json!({"room": "press", "text": "two"}));
    world.run();
    world.relay.forgotten = world.relay.log.len() as u64;
    world
}

#[test]
fn a_device_past_retention_comes_back_through_the_others_and_counts_what_it_missed() {
    let mut world = away();
    let send = world.begin(
        SOFIA,
        "send",
        json!({"room": "press", "text": "from before", "wait_ms": 600_000}),
    );
    // GAP, and a second connection on which it asks.
    for _ in 0..2 {
        world.connect(SOFIA);
        world.settle(1_000);
    }
    world.settle(60_000);
    for room in ["press", "general"] {
        assert_eq!(world.standing(SOFIA, room), "active", "{room}");
        world.assert_agree(room, &[LEA, KARIM, SOFIA, 3]);
    }
    assert!(world.answer(SOFIA, send).unwrap().is_ok());
    world.ok(KARIM, "send", json!({"room": "press", "text": "three"}));
    assert_eq!(world.texts(SOFIA, "press"), ["zero", "from before", "three"]);
    assert_eq!(world.texts(KARIM, "press"), ["zero", "one", "two", "from before", "three"]);
    assert_eq!(world.missing(SOFIA), [("Karim".to_owned(), 2)]);
    // It knows the team as it is now, and the team's next changes.
    let team = world.ok(SOFIA, "team", json!({}));
    assert!(team.as_array().unwrap().iter().any(|row| row["member"] == "Paul"));
    world.join(LEA, "Nora", "member", true);
    world.run();
    let team = world.ok(SOFIA, "team", json!({}));
    assert!(team.as_array().unwrap().iter().any(|row| row["member"] == "Nora"));
    let alarms = world.alarms(SOFIA);
    assert!(alarms.iter().any(|a| a.contains("longer than the relay keeps")), "{alarms:?}");
    // And can be added to further rooms.
    world.ok(KARIM, "room.create", json!({"name": "photo"}));
    world.ok(KARIM, "room.add", json!({"room": "photo", "member": "Sofia"}));
    world.settle(2_000);
    world.ok(SOFIA, "send", json!({"room": "photo", "text": "here"}));
    assert_eq!(world.texts(KARIM, "photo"), ["here"]);
}

#[test]
fn a_device_that_is_killed_on_its_way_back_goes_on() {
    let mut world = away();
    for _ in 0..3 {
        world.connect(SOFIA);
        world.turn(SOFIA);
        world.restart(SOFIA);
    }
    world.connect(SOFIA);
    world.settle(90_000);
    assert_eq!(world.standing(SOFIA, "press"), "active");
    world.assert_agree("press", &[LEA, KARIM, SOFIA, 3]);
}

#[test]
fn where_the_log_stands_is_taken_from_a_peer_never_from_the_relay() {
    let mut world = away();
    world.connect(SOFIA);
    world.settle(1_000);
    // The relay goes on with another past than the one it showed the others.
    world.fork_for(SOFIA);
    world.connect(SOFIA);
    for _ in 0..20 {
        world.pass(1_000);
        world.extend_fork();
        world.run();
    }
    assert_eq!(world.standing(SOFIA, "press"), "behind");
    let alarms = world.alarms(SOFIA);
    assert!(alarms.iter().any(|a| a.contains("another past")), "{alarms:?}");
    // It says the truth after all.
    world.fork = None;
    world.disconnect(SOFIA);
    world.connect(SOFIA);
    world.settle(120_000);
    assert_eq!(world.standing(SOFIA, "press"), "active");
    world.assert_agree("press", &[LEA, KARIM, SOFIA, 3]);
}
