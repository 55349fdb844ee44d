//! Stories of people with several devices.

use serde_json::{Value, json};

use super::team::{KARIM, LEA, SOFIA};
use super::world::World;
use crate::invite_code::InviteCode;

/// A founder and two people, all in `press`; Karim and Sofia write to each other.
fn team() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.room(LEA, "press", &["Karim", "Sofia"]);
    world.ok(KARIM, "send", json!({"room": "@Sofia", "text": "between us"}));
    world.run();
    world
}

fn code_of(invite: &Value) -> InviteCode {
    InviteCode::parse(invite["code"].as_str().unwrap()).unwrap()
}

/// Adds a further device to that of `at`.
fn add_device(world: &mut World, at: usize) -> usize {
    let invite = world.ok(at, "device.add", json!({}));
    let code = code_of(&invite);
    let (new, words) = world.ask(&code, "whatever");
    world.ok(at, "invite.approve", json!({"id": invite["id"], "words": words.unwrap()}));
    world.run();
    world.enrol(new, &code);
    world.settle(30_000);
    new
}

fn device(world: &mut World, at: usize, of: usize) -> Value {
    let own = world.ok(of, "status", json!({}))["device"].clone();
    let team = world.ok(at, "team", json!({}));
    team.as_array().unwrap().iter().find(|d| d["device"] == own).unwrap().clone()
}

#[test]
fn a_members_new_device_enters_that_members_rooms_by_itself() {
    let mut world = team();
    let tablet = add_device(&mut world, KARIM);
    let rooms = world.ok(tablet, "room.list", json!({}));
    let names: Vec<_> = rooms.as_array().unwrap().iter().map(|r| r["name"].clone()).collect();
    for room in ["general", "press", "@Sofia"] {
        assert!(names.contains(&json!(room)), "{room}: {names:?}");
    }
    // No history moves.
    assert!(world.texts(tablet, "@Sofia").is_empty());
    world.ok(SOFIA, "send", json!({"room": "@Karim", "text": "to both"}));
    for at in [KARIM, tablet] {
        assert_eq!(world.texts(at, "@Sofia").last().unwrap(), "to both");
    }
    let entry = device(&mut world, SOFIA, tablet);
    assert_eq!((&entry["member"], &entry["verified"]), (&json!("Karim"), &json!(true)));
    let members = world.ok(LEA, "room.members", json!({"room": "press"}));
    assert_eq!(members.as_array().unwrap().len(), 3, "people, not devices");
    let said = world.alarms(KARIM);
    assert!(said.iter().any(|alarm| alarm.contains("new device")), "announced: {said:?}");
    // What the tablet writes is Karim's.
    world.ok(tablet, "send", json!({"room": "press", "text": "from the tablet"}));
    let read = world.ok(LEA, "read", json!({"room": "press"}));
    assert_eq!(read[0]["from"], "Karim");
}

#[test]
fn any_online_admins_device_takes_a_members_device_in_by_itself() {
    let mut world = team();
    let second = world.join(LEA, "Paul", "admin", false);
    world.settle(20_000);
    world.disconnect(LEA);
    let tablet = add_device(&mut world, KARIM);
    assert_eq!(device(&mut world, second, tablet)["state"], "active");
    world.connect(LEA);
    world.run();
    assert_eq!(world.alarms(LEA).iter().filter(|a| a.contains("overtaken")).count(), 0);
    // Both are back: the next one is taken in once.
    let phone = add_device(&mut world, SOFIA);
    for at in [LEA, second, SOFIA, phone] {
        world.ok(at, "send", json!({"room": "general", "text": format!("{at}")}));
    }
    assert_eq!(world.epoch(LEA, "general"), world.epoch(phone, "general"));
}

#[test]
fn an_admins_own_device_needs_no_other_admin() {
    let mut world = team();
    let phone = add_device(&mut world, LEA);
    let entry = device(&mut world, KARIM, phone);
    assert_eq!((&entry["member"], &entry["role"]), (&json!("Lea"), &json!("admin")));
    world.settle(5_000);
    world.disconnect(LEA);
    // It can do all that the first one can.
    world.join(phone, "Zoe", "member", true);
}

#[test]
fn only_the_member_says_whose_device_it_is() {
    let mut world = team();
    let invite = world.ok(KARIM, "device.add", json!({}));
    let (_, words) = world.ask(&code_of(&invite), "Lea");
    let words = words.unwrap();
    let ask = json!({"id": invite["id"], "words": words});
    let refused = world.call(LEA, "invite.approve", ask).unwrap_err();
    assert!(refused.message.contains("Karim"), "{}", refused.message);
    let wrong = json!({"id": invite["id"], "words": ["able", "able", "able", "able", "able"]});
    assert_eq!(world.call(KARIM, "invite.approve", wrong).unwrap_err().exit, 1);
    world.ok(KARIM, "invite.reject", json!({"id": invite["id"]}));
    let again = json!({"id": invite["id"], "words": words});
    assert!(world.call(KARIM, "invite.approve", again).is_err());
    world.run();
    let team = world.ok(LEA, "team", json!({}));
    assert_eq!(team.as_array().unwrap().len(), 3);
    assert_eq!(world.call(KARIM, "invite.create", json!({})).unwrap_err().exit, 77);
}

#[test]
fn a_member_revokes_devices_of_its_own() {
    let mut world = team();
    let tablet = add_device(&mut world, KARIM);
    let id = device(&mut world, KARIM, tablet)["device"].clone();
    let sofias = device(&mut world, KARIM, SOFIA)["device"].clone();
    assert_eq!(world.call(KARIM, "revoke", json!({"device": sofias})).unwrap_err().exit, 77);
    world.ok(KARIM, "revoke", json!({"device": id}));
    assert_eq!(device(&mut world, LEA, tablet)["state"], "revoked");
    world.settle(15_000);
    world.ok(KARIM, "send", json!({"room": "press", "text": "without it"}));
    assert!(!world.texts(tablet, "press").contains(&"without it".to_owned()));
    assert_eq!(world.texts(SOFIA, "press").last().unwrap(), "without it");
}

#[test]
fn devices_unseen_for_30_days_are_flagged() {
    let mut world = team();
    world.ok(KARIM, "send", json!({"room": "general", "text": "hello"}));
    world.run();
    let entry = device(&mut world, LEA, KARIM);
    assert_eq!(entry["unseen"], false);
    assert!(entry["seen"].as_str().unwrap().ends_with("T00:00:00Z"), "a day, no more");
    world.disconnect(KARIM);
    world.pass(32 * 24 * 3_600 * 1_000);
    assert_eq!(device(&mut world, LEA, KARIM)["unseen"], true);
    assert_eq!(device(&mut world, LEA, LEA)["unseen"], false);
}
