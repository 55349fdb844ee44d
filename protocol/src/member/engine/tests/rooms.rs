//! Stories of two at once.

use serde_json::json;

use super::super::founding::state;
use super::world::World;
use crate::member::e2ee::{RoomKind, WhoMayAdd};
use crate::member::store::IntentKind;
use crate::wire::ids::RoomId;

/// A world of a founder and three people in `general`, and a room `press` of the founder and
/// Karim.
fn team() -> World {
    let mut world = World::with(&["Karim", "Sofia", "Paul"]);
    world.room(0, "press", &["Karim"]);
    world
}

#[test]
fn two_commits_at_once_end_on_one_epoch_and_the_losers_intent_is_carried_out() {
    let mut world = team();
    let (lea, karim, sofia, paul) = (0, 1, 2, 3);
    // Both read to the head, then commit without having seen each other's.
    let a = world.begin(lea, "room.add", json!({"room": "press", "member": "Sofia"}));
    let b = world.begin(karim, "room.add", json!({"room": "press", "member": "Paul"}));
    world.settle(5_000);
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
    world.settle(2_000);
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
    world.settle(2_000);
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

#[test]
fn nobody_poses_as_a_conversation_of_two_others() {
    let mut world = team();
    let (karim, sofia, paul) = (1, 2, 3);
    let member =
        |world: &World, at: usize| world.devices[at].engine.memory.profile.member().unwrap();
    let device = |world: &World, at: usize| world.devices[at].engine.memory.me().unwrap();
    // Paul founds a room that says it is Karim's and Sofia's, and adds Karim.
    let mut pair = [member(&world, karim).to_hex(), member(&world, sofia).to_hex()];
    pair.sort();
    let (now, target) = (world.now, device(&world, karim));
    let room = RoomId([0; 16]);
    let founded = world.devices[paul].engine.step(now, |cx| {
        let posing = state(&pair.join(" "), RoomKind::Direct, WhoMayAdd::Members, 0);
        cx.found_room(room, &posing)?;
        cx.intend(room, IntentKind::Add(target), now.unix_ms)
    });
    assert!(founded.is_ok());
    world.settle(2_000);
    world.ok(karim, "send", json!({"room": "@Sofia", "text": "for Sofia"}));
    assert_eq!(world.texts(sofia, "@Karim"), ["for Sofia"]);
    let seen = world.devices[paul].events.iter().any(|e| e.to_string().contains("for Sofia"));
    assert!(!seen);
    assert!(world.alarms(karim).iter().any(|alarm| alarm.contains("Paul")));
}

#[test]
fn a_second_room_of_a_name_is_shown_under_another() {
    let mut world = team();
    let (karim, paul) = (1, 3);
    world.ok(paul, "room.create", json!({"name": "press"}));
    world.ok(paul, "room.add", json!({"room": "press", "member": "Karim"}));
    world.run();
    world.ok(karim, "send", json!({"room": "press", "text": "to Lea"}));
    assert_eq!(world.texts(0, "press"), ["to Lea"]);
    assert!(world.texts(karim, "press 2").is_empty());
}

#[test]
fn the_first_message_across_a_fork_shows_it_by_name() {
    let mut world = team();
    let karim = 1;
    // The relay shows Karim a log in which the last cell is another one, with hashes to fit.
    world.disconnect(karim);
    world.ok(0, "send", json!({"room": "general", "text": "only in one past"}));
    world.fork_for(karim);
    world.connect(karim);
    world.run();
    assert!(world.alarms(karim).iter().all(|alarm| !alarm.contains("past")));
    world.ok(0, "send", json!({"room": "general", "text": "after the fork"}));
    world.extend_fork();
    world.run();
    let alarms = world.alarms(karim);
    assert!(alarms.iter().any(|alarm| alarm.contains("Lea another past")), "{alarms:?}");
}
