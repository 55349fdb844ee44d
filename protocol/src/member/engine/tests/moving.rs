//! The team goes on at another relay.

use serde_json::json;

use super::relay::Relay;
use super::world::World;
use crate::member::agent::core::{Core, Down};
use crate::member::engine::scout::SCOUT_WAIT_MS;
use crate::member::roster::{Action, NextRelay};
use crate::noise::keys::StaticPublic;
use crate::wire::ids::LogId;

const LEA: usize = 0;
const KARIM: usize = 1;
const SOFIA: usize = 2;
pub(super) const NEW: &str = "new.example:7443";

fn team() -> World {
    let mut world = World::founded();
    for name in ["Karim", "Sofia"] {
        world.join(LEA, name, "member", true);
    }
    world.ok(KARIM, "send", json!({"room": "general", "text": "before"}));
    world.run();
    world
}

pub(super) fn addresses(world: &World, at: usize) -> Vec<String> {
    world.devices[at].engine.dial().unwrap().addresses
}

pub(super) fn swap(world: &mut World, other: &mut Relay) {
    std::mem::swap(&mut world.relay, other);
}

/// Lea looks at the new relay and tells the team. Everybody who was online is on the way there.
fn moves(world: &mut World, new: &mut Relay) -> u64 {
    let call = world.begin(LEA, "relay.move", json!({"address": NEW}));
    world.run();
    looks_and_tells(world, new);
    call
}

fn looks_and_tells(world: &mut World, new: &mut Relay) {
    assert_eq!(addresses(world, LEA), [NEW]);
    swap(world, new);
    world.connect(LEA);
    world.run();
    assert_ne!(addresses(world, LEA), [NEW]);
    swap(world, new);
    world.connect(LEA);
    world.run();
    swap(world, new);
}

/// Everybody stands at the same place and has the same.
fn agree(world: &mut World, texts: &[&str]) {
    world.ok(KARIM, "send", json!({"room": "general", "text": "here"}));
    world.ok(SOFIA, "send", json!({"room": "general", "text": "too"}));
    world.run();
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.texts(at, "general"), [texts, &["here", "too"]].concat());
        assert_eq!(addresses(world, at), [NEW]);
    }
    world.assert_agree("general", &[LEA, KARIM, SOFIA]);
}

#[test]
fn a_team_moves_and_what_came_after_the_backup_moves_with_it() {
    // Whoever comes first: the admin at once, anybody else after a moment.
    for order in [[LEA, KARIM, SOFIA], [KARIM, SOFIA, LEA]] {
        let mut world = team();
        let mut new = world.relay.restored();
        world.ok(KARIM, "send", json!({"room": "general", "text": "after the backup"}));
        world.ok(LEA, "room.create", json!({"name": "press"}));
        world.ok(LEA, "room.add", json!({"room": "press", "member": "Karim"}));
        let call = moves(&mut world, &mut new);
        let old = world.relay.log.len();
        assert!(old < new.log.len());
        for at in order {
            world.connect(at);
            world.run();
            world.pass(2_000);
        }
        assert!(world.answer(LEA, call).unwrap().is_ok());
        assert_eq!(world.relay.log[..new.log.len()], new.log, "carried over in its order");
        agree(&mut world, &["before", "after the backup"]);
        world.join(LEA, "Paul", "member", true);
    }
}

#[test]
fn who_was_away_finds_the_admins_word_at_the_new_relay_itself() {
    let mut world = team();
    world.disconnect(SOFIA);
    let mut new = world.relay.restored();
    world.ok(KARIM, "send", json!({"room": "general", "text": "after the backup"}));
    moves(&mut world, &mut new);
    world.connect(LEA);
    world.connect(KARIM);
    world.run();
    // She has read nothing of it; the address leads to the new relay by now.
    world.connect(SOFIA);
    for _ in 0..5 {
        world.pass(1_000);
    }
    agree(&mut world, &["before", "after the backup"]);
}

#[test]
fn what_the_old_relay_takes_in_after_the_admins_word_does_not_count_there_and_is_sent_again() {
    let mut world = team();
    let mut new = world.relay.restored();
    world.disconnect(KARIM);
    let call =
        world.begin(KARIM, "send", json!({"room": "general", "text": "late", "wait_ms": 600_000}));
    moves(&mut world, &mut new);
    // He comes to the old relay, which takes what he sends once he has read to its head.
    swap(&mut world, &mut new);
    world.connect(KARIM);
    world.run();
    swap(&mut world, &mut new);
    for at in [LEA, KARIM, SOFIA] {
        world.connect(at);
    }
    world.pass(2_000);
    assert!(world.answer(KARIM, call).unwrap().is_ok());
    agree(&mut world, &["before", "late"]);
}

#[test]
fn a_relay_that_the_team_has_left_is_refused_and_named() {
    let mut world = team();
    let mut new = world.relay.restored();
    moves(&mut world, &mut new);
    for at in [LEA, KARIM, SOFIA] {
        world.connect(at);
    }
    world.run();
    // It answers again, at the address where the team is.
    swap(&mut world, &mut new);
    world.disconnect(KARIM);
    world.connect(KARIM);
    let stored = world.relay.log.len();
    world.begin(KARIM, "send", json!({"room": "general", "text": "to whom", "wait_ms": 0}));
    world.run();
    assert_eq!(world.relay.log.len(), stored);
    assert!(world.alarms(KARIM).iter().any(|alarm| alarm.contains("has left answers")));
    // Not for good.
    swap(&mut world, &mut new);
    world.connect(KARIM);
    world.run();
    agree(&mut world, &["before", "to whom"]);
}

#[test]
fn a_thief_with_the_relays_disk_and_its_address_moves_nobody() {
    let mut world = team();
    let stolen = world.relay.restored();
    world.ok(KARIM, "send", json!({"room": "general", "text": "after the theft"}));
    let theft = world.relay.log.len();
    let mut thief = stolen;
    swap(&mut world, &mut thief);
    for at in [LEA, KARIM, SOFIA] {
        world.disconnect(at);
        world.connect(at);
        world.begin(at, "send", json!({"room": "general", "text": "no", "wait_ms": 0}));
    }
    for _ in 0..5 {
        world.pass(10_000);
    }
    assert!(world.relay.log.len() < theft, "nobody sends");
    for at in [LEA, KARIM, SOFIA] {
        assert!(world.alarms(at).iter().any(|alarm| alarm.contains("another log")));
    }
    // Nobody but an admin says that this is the team's log.
    assert_eq!(world.call(KARIM, "relay.accept", json!({})).unwrap_err().exit, 77);
    // The true relay is back: they look for it by themselves, and go on as if nothing had been.
    swap(&mut world, &mut thief);
    for at in [LEA, KARIM, SOFIA] {
        assert!(world.devices[at].cursor.is_none(), "it has hung up");
        world.connect(at);
    }
    world.run();
    world.ok(KARIM, "send", json!({"room": "general", "text": "back"}));
    assert_eq!(world.texts(SOFIA, "general"), ["before", "after the theft", "back"]);
}

#[test]
fn an_admin_accepts_a_log_restored_at_the_same_address_and_everybody_goes_on() {
    let mut world = team();
    let mut new = world.relay.restored();
    world.ok(KARIM, "send", json!({"room": "general", "text": "after the backup"}));
    swap(&mut world, &mut new);
    for at in [LEA, KARIM, SOFIA] {
        world.disconnect(at);
        world.connect(at);
    }
    world.run();
    world.ok(LEA, "relay.accept", json!({}));
    for _ in 0..10 {
        world.pass(1_000);
    }
    assert_eq!(world.relay.id, Some(LogId([7; 16])));
    for text in ["one", "two"] {
        world.ok(KARIM, "send", json!({"room": "general", "text": text}));
    }
    world.run();
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.texts(at, "general"), ["before", "after the backup", "one", "two"]);
    }
    world.assert_agree("general", &[LEA, KARIM, SOFIA]);
}

#[test]
fn an_admin_is_told_why_a_relay_is_not_the_one_to_move_to() {
    let mut world = team();
    world.disconnect(SOFIA);
    let member = world.call(KARIM, "relay.move", json!({"address": NEW}));
    assert_eq!(member.unwrap_err().exit, 77);
    let forged = |world: &World| {
        let mut new = world.relay.restored();
        *new.hashes.last_mut().unwrap() = new.hashes[1];
        new
    };
    let same = |world: &World| Relay { id: None, ..world.relay.restored() };
    for (new, word) in [(forged(&world), "another past"), (same(&world), "uses already")] {
        let mut new = new;
        let call = world.begin(LEA, "relay.move", json!({"address": NEW}));
        world.run();
        swap(&mut world, &mut new);
        world.connect(LEA);
        world.run();
        let error = world.answer(LEA, call).unwrap().unwrap_err();
        assert!(error.exit == 1 && error.message.contains(word), "{error:?}");
        swap(&mut world, &mut new);
        world.connect(LEA);
        world.run();
    }
    assert!(addresses(&world, LEA) != [NEW]);
    let listed = world.ok(LEA, "relay.addresses", json!({"add": "spare.example"}));
    assert_eq!(listed["addresses"][1], "spare.example:7443");
    assert_eq!(addresses(&world, LEA), ["relay.example:7443", "spare.example:7443"]);
}

#[test]
fn a_move_asked_for_between_two_connections_begins_with_the_next_one_or_not_at_all() {
    let mut world = team();
    let mut new = world.relay.restored();
    world.disconnect(LEA);
    let call = world.begin(LEA, "relay.move", json!({"address": NEW}));
    world.run();
    assert!(world.answer(LEA, call).is_none());
    world.connect(LEA);
    world.run();
    // At home again, she goes and looks; a second wish waits for the first.
    assert_eq!(addresses(&world, LEA), [NEW]);
    let drill = world.begin(LEA, "relay.drill", json!({}));
    world.pass(SCOUT_WAIT_MS);
    let error = world.answer(LEA, drill).unwrap().unwrap_err();
    assert!(error.exit == 75 && error.message.contains("another relay already"), "{error:?}");
    looks_and_tells(&mut world, &mut new);
    [LEA, KARIM, SOFIA].into_iter().for_each(|at| world.connect(at));
    world.run();
    agree(&mut world, &["before"]);

    // Nobody is surprised by a move that was asked for long ago.
    world.disconnect(LEA);
    let call = world.begin(LEA, "relay.move", json!({"address": "late.example"}));
    world.pass(SCOUT_WAIT_MS);
    let error = world.answer(LEA, call).unwrap().unwrap_err();
    assert!(error.exit == 75 && error.message.contains("not connected"), "{error:?}");
    world.connect(LEA);
    world.run();
    assert_eq!(addresses(&world, LEA), [NEW]);
}

/// An admin names the relay to go to when the team's is gone.
pub(super) fn names_the_next(world: &mut World) {
    let (relay, addresses) = (StaticPublic([4; 32]), vec![NEW.to_owned()]);
    let next = NextRelay { relay, addresses, log: LogId([7; 16]), after_s: 5 };
    let now = world.now;
    let posted = world.devices[LEA].engine.step(now, |cx| cx.post_action(Action::NextRelay(next)));
    posted.unwrap();
    world.run();
}

/// A device finds nobody at the team's relay for longer than was set, and calls the next one.
pub(super) fn goes_to_the_next(world: &mut World, at: usize) {
    world.disconnect(at);
    world.pass(6_000);
    // Each failed round of the one gives the other its turn.
    if addresses(world, at) != [NEW] {
        world.devices[at].engine.down(world.now, Down::Unreachable);
    }
    assert_eq!(addresses(world, at), [NEW]);
    world.connect(at);
    world.run();
}

#[test]
fn who_read_more_of_the_dead_relay_brings_it_before_the_others_go_on() {
    let mut world = team();
    names_the_next(&mut world);
    let mut new = world.relay.restored();
    // What the relay acknowledges last, only its author has read.
    world.disconnect(KARIM);
    world.disconnect(SOFIA);
    world.ok(LEA, "send", json!({"room": "general", "text": "the last word"}));
    swap(&mut world, &mut new);
    for at in [KARIM, SOFIA] {
        world.begin(at, "send", json!({"room": "general", "text": "meanwhile", "wait_ms": 0}));
    }
    let stored = world.relay.log.len();
    goes_to_the_next(&mut world, KARIM);
    assert_eq!(world.relay.log.len(), stored, "he waits for who may have read more");
    goes_to_the_next(&mut world, LEA);
    world.pass(2_000);
    assert!(world.relay.log.len() > stored, "she brings what he lacks");
    goes_to_the_next(&mut world, SOFIA);
    for _ in 0..4 {
        world.pass(5_000);
    }
    agree(&mut world, &["before", "the last word", "meanwhile", "meanwhile"]);
    for at in [LEA, KARIM, SOFIA] {
        assert!(world.alarms(at).iter().any(|alarm| alarm.contains("spare relay")));
    }
}

#[test]
fn who_writes_while_a_device_waits_for_others_at_the_next_relay_is_not_told_that_it_failed() {
    let mut world = team();
    names_the_next(&mut world);
    let mut new = world.relay.restored();
    swap(&mut world, &mut new);
    let text = |text| json!({"room": "general", "text": text, "wait_ms": 10_000});
    // The host is dead for everybody; he is the only one who looks elsewhere now.
    [LEA, KARIM, SOFIA].into_iter().for_each(|at| world.disconnect(at));
    let before = world.begin(KARIM, "send", text("on the way"));
    goes_to_the_next(&mut world, KARIM);
    let after = world.begin(KARIM, "send", text("there"));
    // His connection is a new one each time he has something to begin with.
    world.disconnect(KARIM);
    let between = world.begin(KARIM, "send", text("between two connections"));
    world.connect(KARIM);
    let stored = world.relay.log.len();
    world.pass(9_000);
    assert_eq!(world.relay.log.len(), stored, "he waits for who may have read more");
    let all = [before, after, between];
    assert!(all.iter().all(|call| world.answer(KARIM, *call).is_none()));
    world.pass(1_000);
    for call in all {
        assert!(world.answer(KARIM, call).unwrap().is_ok());
    }
}
