//! Stories of profiles that are copied.

use serde_json::json;

use super::team::LEA;
use super::world::World;

#[test]
fn a_restored_profile_is_stopped_before_sending() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "member", true);
    let copy = world.copy_of(karim);
    world.ok(karim, "send", json!({"room": "general", "text": "after the copy"}));
    world.disconnect(karim);
    let head = world.relay.log.len();
    world.begin(copy, "send", json!({"room": "general", "text": "with an old key"}));
    world.connect(copy);
    world.run();
    assert_eq!(world.relay.log.len(), head, "nothing was sent");
    let refused = world.call(copy, "send", json!({"room": "general", "text": "again"}));
    assert!(refused.unwrap_err().message.contains("copy"));
    assert!(world.alarms(copy).iter().any(|alarm| alarm.contains("copy")));
    // The device itself goes on.
    world.connect(karim);
    world.ok(karim, "send", json!({"room": "general", "text": "still me"}));
    assert_eq!(world.texts(LEA, "general"), ["after the copy", "still me"]);
}

#[test]
fn a_device_that_gives_itself_up_is_out_of_every_room() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "member", true);
    world.ok(karim, "forsake", json!({}));
    world.settle(15_000);
    let members = world.ok(LEA, "room.members", json!({"room": "general"}));
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(
        world.call(karim, "send", json!({"room": "general", "text": "x"})).unwrap_err().exit,
        77
    );
    let last = world.call(LEA, "forsake", json!({}));
    assert_eq!(last.unwrap_err().exit, 1, "the last admin stays");
}
