//! Stories of admins who come and go.

use serde_json::json;

use super::team::LEA;
use super::world::World;

#[test]
fn a_new_admin_lets_people_in_and_a_former_one_does_not() {
    let mut world = World::founded();
    let (karim, sofia) =
        (world.join(LEA, "Karim", "member", true), world.join(LEA, "Sofia", "member", true));
    assert_eq!(
        world
            .call(karim, "team.role", json!({"member": "Karim", "role": "admin"}))
            .unwrap_err()
            .exit,
        77
    );
    world.ok(LEA, "team.role", json!({"member": "Karim", "role": "admin"}));
    world.settle(20_000);
    for at in [LEA, karim, sofia] {
        let alarms = world.alarms(at);
        assert!(alarms.iter().any(|a| a.contains("Karim is an admin now")), "{alarms:?}");
    }
    world.disconnect(LEA);
    world.join(karim, "Paul", "member", true);
    world.connect(LEA);
    world.settle(20_000);
    let rows = world.relay.registry.unwrap().1;
    world.ok(LEA, "team.role", json!({"member": "Karim", "role": "member"}));
    world.settle(20_000);
    // The relay authority was replaced; the other admin has the new one, he has none.
    assert_ne!(world.relay.registry.unwrap().1, rows);
    assert_eq!(world.call(karim, "invite.create", json!({})).unwrap_err().exit, 77);
    let last = world.call(LEA, "team.role", json!({"member": "Lea", "role": "member"}));
    assert_eq!(last.unwrap_err().exit, 1, "the last admin stays");
    world.join(LEA, "Zoe", "member", true);
}

#[test]
fn the_relay_authority_is_replaced_in_the_same_document_that_removes_an_admin() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "admin", false);
    let zoe = world.join(LEA, "Zoe", "admin", false);
    world.settle(20_000);
    let before = world.relay.registry.unwrap().1;
    world.ok(LEA, "revoke", json!({"member": "Karim"}));
    world.settle(20_000);
    assert_ne!(world.relay.registry.unwrap().1, before);
    world.disconnect(LEA);
    world.join(zoe, "Paul", "member", true);
    assert_eq!(world.call(karim, "invite.create", json!({})).unwrap_err().exit, 77);
}

#[test]
fn the_root_words_put_out_what_a_stolen_admins_device_let_in() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "admin", false);
    world.settle(20_000);
    let log = world.ok(LEA, "team.log", json!({}));
    let added = log.as_array().unwrap().last().unwrap()["number"].clone();
    let thief = world.join(karim, "Thief", "member", true);
    let number = world.ok(LEA, "team.log", json!({})).as_array().unwrap().last().unwrap().clone();
    assert_eq!((&number["by"], &number["action"]), (&json!("Karim"), &json!("add")));
    let numbers = json!([added, number["number"]]);
    let wrong = "abandon ".repeat(23) + "art";
    let wrong = json!({"numbers": numbers, "words": wrong});
    assert_eq!(world.call(LEA, "team.rewind", wrong).unwrap_err().exit, 1);
    let words = world.root_words.clone();
    world.ok(LEA, "team.rewind", json!({"numbers": numbers, "words": words}));
    world.settle(20_000);
    for at in [karim, thief] {
        assert_eq!(
            world.call(at, "send", json!({"room": "general", "text": "x"})).unwrap_err().exit,
            77
        );
    }
    let alarms = world.alarms(LEA);
    assert!(alarms.iter().any(|a| a.contains("root words") && a.contains("Thief")), "{alarms:?}");
    let members = world.ok(LEA, "room.members", json!({"room": "general"}));
    assert_eq!(members.as_array().unwrap().len(), 1);
    world.join(LEA, "Sofia", "member", true);
    world.ok(LEA, "send", json!({"room": "general", "text": "without them"}));
    let log = world.ok(LEA, "team.log", json!({}));
    assert_eq!(log.as_array().unwrap().iter().filter(|e| e["undone"] == true).count(), 2);
}

#[test]
fn membership_expiry_acts_only_through_a_revoke_entry_that_an_admins_agent_posts_when_due() {
    let mut world = World::founded();
    let ask = json!({"name": "Guest", "ttl_s": 3600, "auto_approve": true, "expires_s": 86_400});
    let invite = world.ok(LEA, "invite.create", ask);
    let code = crate::invite_code::InviteCode::parse(invite["code"].as_str().unwrap()).unwrap();
    let (guest, _) = world.ask(&code, "Guest");
    world.run();
    world.enrol(guest, &code);
    let state = |world: &mut World| {
        let team = world.ok(LEA, "team", json!({}));
        let guest = team.as_array().unwrap().iter().find(|d| d["member"] == "Guest").unwrap();
        guest["state"].clone()
    };
    world.disconnect(LEA);
    world.pass(90_000_000);
    assert_eq!(state(&mut world), "active", "no clock of anybody's puts a device out");
    world.ok(guest, "send", json!({"room": "general", "text": "still here"}));
    world.connect(LEA);
    world.settle(20_000);
    assert_eq!(state(&mut world), "expired");
    assert_eq!(
        world.ok(LEA, "room.members", json!({"room": "general"})).as_array().unwrap().len(),
        1
    );
}
