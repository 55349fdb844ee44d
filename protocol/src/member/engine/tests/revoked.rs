//! Revoked devices and the rooms they were in.

use serde_json::json;

use super::world::World;
use crate::member::store::IntentKind;

const LEA: usize = 0;
const KARIM: usize = 1;
const SOFIA: usize = 2;
const PAUL: usize = 3;

fn team() -> World {
    let mut world = World::founded();
    for name in ["Karim", "Sofia", "Paul"] {
        world.join(LEA, name, "member", true);
    }
    // A room that the admin is not in.
    world.ok(SOFIA, "room.create", json!({"name": "press"}));
    for member in ["Karim", "Paul"] {
        world.ok(SOFIA, "room.add", json!({"room": "press", "member": member}));
    }
    world.run();
    world
}

fn members(world: &mut World, at: usize, room: &str) -> usize {
    world.ok(at, "room.members", json!({"room": room})).as_array().unwrap().len()
}

#[test]
fn nobody_encrypts_into_an_epoch_holding_a_leaf_he_knows_revoked() {
    let mut world = team();
    world.ok(LEA, "revoke", json!({"member": "Karim"}));
    // Sofia knows, and nobody has removed the leaf from `press` yet: the text waits for that.
    let before = world.epoch(SOFIA, "press").0;
    let send =
        world.begin(SOFIA, "send", json!({"room": "press", "text": "after", "wait_ms": 60_000}));
    world.run();
    assert_eq!(world.epoch(SOFIA, "press").0, before);
    assert!(world.answer(SOFIA, send).is_none());
    world.settle(12_000);
    assert!(world.answer(SOFIA, send).unwrap().is_ok());
    assert_eq!(members(&mut world, SOFIA, "press"), 2);
    assert_eq!(world.texts(PAUL, "press"), ["after"]);
    world.assert_agree("press", &[SOFIA, PAUL]);
    assert!(!world.devices[KARIM].events.iter().any(|e| e.to_string().contains("after")));
}

#[test]
fn the_others_wait_a_random_0_to_10_s_then_commit_the_removal_if_the_revoker_is_gone() {
    let mut world = team();
    // The entry is placed, and its author is gone before she reads it back.
    world.relay.silent = true;
    world.begin(LEA, "revoke", json!({"member": "Karim"}));
    world.turn(LEA);
    world.disconnect(LEA);
    world.relay.silent = false;
    world.run();
    for at in [SOFIA, PAUL] {
        assert!(world.epoch(at, "general").0 > 0);
    }
    let waiting: Vec<u64> = [SOFIA, PAUL]
        .into_iter()
        .map(|at| {
            let now = world.now.unix_ms;
            world.forge(at, |cx| {
                let removals = cx.tx.intents().unwrap().into_iter();
                let removals = removals.filter(|i| matches!(i.kind, IntentKind::Remove(_)));
                removals.map(|i| i.not_before_ms).max().unwrap() - now
            })
        })
        .collect();
    assert!(waiting.iter().all(|wait| *wait < 10_000), "{waiting:?}");
    world.settle(12_000);
    for room in ["general", "press"] {
        let expected = if room == "general" { 3 } else { 2 };
        assert_eq!(members(&mut world, SOFIA, room), expected);
        world.assert_agree(room, &[SOFIA, PAUL]);
    }
    // Exactly one commit did it, although both wished it.
    world.connect(LEA);
    world.settle(1_000);
    world.assert_agree("general", &[LEA, SOFIA, PAUL]);
    world.ok(LEA, "send", json!({"room": "general", "text": "back"}));
    assert_eq!(world.texts(SOFIA, "general"), ["back"]);
}

#[test]
fn revoking_an_admin_closes_all_open_invites_and_lists_the_devices_it_approved() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "admin", false);
    world.settle(1_000);
    world.join(karim, "Paul", "member", true);
    let invite = world.ok(karim, "invite.create", json!({"name": "Nora"}));
    world.settle(1_000);
    world.ok(LEA, "revoke", json!({"member": "Karim"}));
    world.settle(1_000);
    let alarms = world.alarms(LEA);
    let listed = |alarm: &String| alarm.contains("Karim was an admin") && alarm.contains("Paul");
    assert!(alarms.iter().any(listed), "{alarms:?}");
    let id = crate::wire::ids::InviteId::from_hex(invite["id"].as_str().unwrap()).unwrap();
    assert_eq!(world.relay.ended.get(&id), Some(&crate::wire::frame::InviteEnd::Revoked));
}
