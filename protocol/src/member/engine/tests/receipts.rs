//! Stories of receipts, and of files that are taken back.

use serde_json::{Value, json};

use super::team::{KARIM, LEA, SOFIA};
use super::world::World;

fn team() -> World {
    World::with(&["Karim", "Sofia"])
}

fn send(world: &mut World, at: usize, text: &str) -> Value {
    world.ok(at, "send", json!({"room": "general", "text": text}))["id"].clone()
}

fn read(world: &mut World, at: usize) -> Vec<Value> {
    let read = world.ok(at, "read", json!({"room": "general", "mark_read": true}));
    read.as_array().unwrap().clone()
}

fn receipts(world: &World, at: usize) -> Vec<Value> {
    let events = world.devices[at].events.iter();
    events.filter(|event| event["type"] == "receipt").cloned().collect()
}

#[test]
fn receipts_are_off_by_default_and_a_policy_turns_them_on() {
    let mut world = team();
    send(&mut world, LEA, "one");
    read(&mut world, KARIM);
    send(&mut world, KARIM, "two");
    assert!(receipts(&world, LEA).is_empty());
    assert_eq!(read(&mut world, LEA)[0]["seen_by"], Value::Null);
    assert_eq!(world.ok(KARIM, "team.policy", json!({})), json!({"receipts": false}));
    let refused = world.call(KARIM, "team.policy", json!({"receipts": true})).unwrap_err();
    assert_eq!(refused.exit, 77);
    world.ok(LEA, "team.policy", json!({"receipts": true}));
    world.run();
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.ok(at, "team.policy", json!({})), json!({"receipts": true}));
        // It tells on people, so everybody is told.
        assert!(world.alarms(at).iter().any(|a| a.contains("Lea turned receipts on")), "{at}");
    }
    world.ok(LEA, "team.policy", json!({"receipts": false}));
    world.run();
    assert_eq!(world.ok(SOFIA, "team.policy", json!({})), json!({"receipts": false}));
    assert_eq!(read(&mut world, LEA)[0]["seen_by"], Value::Null);
}

#[test]
fn a_receipt_goes_only_beside_ones_next_message() {
    let mut world = team();
    world.ok(LEA, "team.policy", json!({"receipts": true}));
    world.run();
    let one = send(&mut world, LEA, "one");
    let two = send(&mut world, LEA, "two");
    // Reading sends nothing.
    let head = world.relay.log.len();
    read(&mut world, KARIM);
    world.run();
    assert_eq!(world.relay.log.len(), head);
    assert_eq!(read(&mut world, LEA)[0]["seen_by"], json!([]));
    // A message of one cell stays one.
    send(&mut world, KARIM, "seen");
    assert_eq!(world.relay.log.len(), head + 1);
    let told = receipts(&world, LEA);
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["from"], &told[0]["id"]), (&json!("Karim"), &two));
    let shown = read(&mut world, LEA);
    for (message, id) in shown.iter().zip([&one, &two]) {
        assert_eq!((&message["id"], &message["seen_by"]), (id, &json!(["Karim"])));
    }
    // Sofia has read nothing, and whose message it is not is told nothing of it.
    send(&mut world, SOFIA, "late");
    assert_eq!(read(&mut world, LEA)[0]["seen_by"], json!(["Karim"]));
    assert!(receipts(&world, SOFIA).is_empty() && read(&mut world, SOFIA)[0]["seen_by"].is_null());
    // What was told once is not told again.
    send(&mut world, KARIM, "more");
    assert_eq!(receipts(&world, LEA).len(), 1);
}

#[test]
fn a_receipt_says_how_far_somebody_has_read_without_a_gap() {
    let mut world = team();
    world.ok(LEA, "team.policy", json!({"receipts": true}));
    world.run();
    for text in ["one", "two", "three"] {
        send(&mut world, LEA, text);
    }
    // Only the newest is on the screen.
    world.ok(KARIM, "read", json!({"room": "general", "limit": 1, "mark_read": true}));
    send(&mut world, KARIM, "hello");
    assert!(receipts(&world, LEA).is_empty());
    read(&mut world, KARIM);
    send(&mut world, KARIM, "now");
    let seen: Vec<_> = read(&mut world, LEA).iter().map(|m| m["seen_by"].clone()).collect();
    assert_eq!(seen[..3], [json!(["Karim"]), json!(["Karim"]), json!(["Karim"])]);
}

#[test]
fn a_deleted_or_expired_file_goes_from_the_relay_as_well() {
    let mut world = team();
    world.relay.blobs.clear();
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("plan.txt");
    std::fs::write(&path, b"the plan").unwrap();
    let share = |world: &mut World| {
        world.ok(LEA, "upload", json!({"room": "general", "path": path}))["id"].clone()
    };
    let file = share(&mut world);
    assert_eq!(world.relay.blobs.len(), 1);
    world.ok(LEA, "delete", json!({"id": file}));
    world.run();
    assert_eq!(world.relay.blobs.len(), 0);
    // By itself, when the room's lifetime is over; also if the relay has lost it before.
    share(&mut world);
    assert_eq!(world.relay.blobs.len(), 1);
    world.pass(8 * 24 * 3_600 * 1_000);
    world.pass(60_000);
    assert_eq!(world.relay.blobs.len(), 0);
    let third = share(&mut world);
    world.relay.blobs.clear();
    world.ok(LEA, "delete", json!({"id": third}));
    world.run();
    let left = world.forge(LEA, |cx| cx.tx.dead_blob().unwrap().is_none());
    assert!(left, "asked once, not for ever");
}
