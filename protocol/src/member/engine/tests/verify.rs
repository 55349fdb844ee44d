//! Stories of people who compare by voice.

use serde_json::{Value, json};

use super::team::LEA;
use super::world::World;

fn safety(world: &mut World, at: usize, member: &str) -> Value {
    world.ok(at, "verify", json!({"member": member}))[0].clone()
}

#[test]
fn safety_words_and_team_number_are_equal_on_all_devices_and_mark_people_verified() {
    let mut world = World::founded();
    let (karim, sofia) =
        (world.join(LEA, "Karim", "member", true), world.join(LEA, "Sofia", "member", true));
    world.run();
    let words = safety(&mut world, karim, "Karim");
    assert_eq!(words["words"].as_array().unwrap().len(), 6);
    for at in [LEA, sofia] {
        let theirs = safety(&mut world, at, "Karim");
        assert_eq!(theirs["words"], words["words"]);
        assert_eq!(theirs["team_number"], words["team_number"]);
        assert_eq!(theirs["verified"], false);
    }
    world.ok(karim, "send", json!({"room": "general", "text": "it is me"}));
    assert_eq!(world.ok(LEA, "read", json!({}))[0]["verified"], false);
    let wrong = safety(&mut world, LEA, "Sofia")["words"].clone();
    let wrong = json!({"member": "Karim", "words": wrong});
    assert_eq!(world.call(LEA, "verify", wrong).unwrap_err().exit, 1);
    let heard = json!({"member": "Karim", "words": words["words"]});
    assert_eq!(world.ok(LEA, "verify", heard)[0]["verified"], true);
    // Shown everywhere.
    world.restart(LEA);
    world.connect(LEA);
    assert_eq!(world.ok(LEA, "read", json!({}))[0]["verified"], true);
    for method in ["team", "room.members"] {
        let listed = world.ok(LEA, method, json!({"room": "general"}));
        let listed = listed.as_array().unwrap();
        let of =
            |name: &str| listed.iter().find(|m| m["member"] == name).unwrap()["verified"].clone();
        assert_eq!((of("Karim"), of("Sofia")), (json!(true), json!(false)), "{method}");
    }
    // And to everybody, with the name of who has heard him.
    let theirs = safety(&mut world, sofia, "Karim");
    assert_eq!((&theirs["verified"], &theirs["verified_by"]), (&json!(true), &json!(["Lea"])));
    let log = world.ok(sofia, "team.log", json!({}));
    assert_eq!(log.as_array().unwrap().last().unwrap()["action"], "vouch");
    // Nobody says it twice, and nobody of himself.
    let entries = log.as_array().unwrap().len();
    for at in [LEA, karim] {
        world.ok(at, "verify", json!({"member": "Karim", "words": words["words"]}));
    }
    world.run();
    assert_eq!(world.ok(sofia, "team.log", json!({})).as_array().unwrap().len(), entries);
    // It is worth what the device that said it is worth.
    world.join(LEA, "Nora", "admin", false);
    world.settle(1_000);
    let nora = world.devices.len() - 1;
    let lea = world.device_id(LEA).to_hex();
    world.ok(nora, "revoke", json!({"device": lea}));
    world.settle(15_000);
    assert_eq!(safety(&mut world, sofia, "Karim")["verified"], false);
}
