//! Stories of two at once.

use serde_json::json;

use super::world::World;

/// A world of a founder and three people in `general`, and a room `press` of the founder and
/// Karim.
fn team() -> World {
    let mut world = World::founded();
    for name in ["Karim", "Sofia", "Paul"] {
        world.join(0, name, "member", true);
    }
    world.ok(0, "room.create", json!({"name": "press"}));
    world.ok(0, "room.add", json!({"room": "press", "member": "Karim"}));
    world.run();
    world
}

#[test]
fn two_commits_at_once_end_on_one_epoch_and_the_losers_intent_is_carried_out() {
    let mut world = team();
    let (lea, karim, sofia, paul) = (0, 1, 2, 3);
    // Both read to the head, then commit without having seen each other's.
    let a = world.begin(lea, "room.add", json!({"room": "press", "member": "Sofia"}));
    let b = world.begin(karim, "room.add", json!({"room": "press", "member": "Paul"}));
    for _ in 0..50 {
        world.pass(100);
    }
    for (at, id) in [(lea, a), (karim, b)] {
        assert!(world.answer(at, id).unwrap().is_ok());
    }
    let epochs: Vec<_> =
        [lea, karim, sofia, paul].into_iter().map(|at| world.epoch(at, "press")).collect();
    assert!(epochs.windows(2).all(|pair| pair[0] == pair[1]), "{epochs:?}");
    for at in [lea, karim, sofia, paul] {
        world.ok(at, "send", json!({"room": "press", "text": format!("from {at}")}));
    }
    for at in [lea, karim, sofia, paul] {
        assert_eq!(world.texts(at, "press"), ["from 0", "from 1", "from 2", "from 3"]);
    }
}

#[test]
fn a_message_placed_after_the_commit_that_ended_its_epoch_is_void_and_sent_again() {
    let mut world = team();
    let (lea, karim, sofia) = (0, 1, 2);
    // Karim seals in the old epoch while Lea's commit is placed before his message.
    let add = world.begin(lea, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.turn(lea);
    let send = world.begin(karim, "send", json!({"room": "press", "text": "crossing"}));
    for _ in 0..20 {
        world.pass(100);
    }
    assert!(world.answer(lea, add).unwrap().is_ok());
    let sent = world.answer(karim, send).unwrap().unwrap();
    for at in [lea, karim, sofia] {
        let read = world.ok(at, "read", json!({"room": "press"}));
        let ids: Vec<_> = read.as_array().unwrap().iter().map(|m| m["id"].clone()).collect();
        assert_eq!(ids, [sent["id"].clone()], "under the same content id, once");
    }
}

#[test]
fn a_commit_survives_its_authors_death_and_is_merged_from_the_log() {
    let mut world = team();
    let (lea, karim, sofia) = (0, 1, 2);
    world.begin(lea, "room.add", json!({"room": "press", "member": "Sofia"}));
    // The cells leave, and Lea dies before they come back.
    world.turn(lea);
    world.restart(lea);
    world.run();
    world.connect(lea);
    for _ in 0..20 {
        world.pass(100);
    }
    assert_eq!(world.epoch(lea, "press"), world.epoch(karim, "press"));
    assert_eq!(world.epoch(lea, "press"), world.epoch(sofia, "press"));
}

#[test]
fn a_relay_that_rewrites_what_it_has_shown_is_noticed() {
    let mut world = team();
    let karim = 1;
    world.disconnect(karim);
    world.ok(0, "send", json!({"room": "press", "text": "true"}));
    let last = world.relay.log.len() - 1;
    world.relay.log[last].1[500] ^= 1;
    world.connect(karim);
    world.run();
    let alarms = world.alarms(karim);
    assert!(alarms.iter().any(|alarm| alarm.contains("two different pasts")), "{alarms:?}");
    assert!(world.texts(karim, "press").is_empty());
}
