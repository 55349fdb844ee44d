//! Revoked devices and the rooms they were in.

use serde_json::json;

use super::team::{KARIM, LEA, PAUL, SOFIA};
use super::world::World;
use crate::member::store::IntentKind;
use crate::wire::ids::Digest;

fn team() -> World {
    let mut world = World::with(&["Karim", "Sofia", "Paul"]);
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

#[test]
fn a_copy_of_a_revoked_devices_profile_opens_nothing_sent_afterwards() {
    let mut world = team();
    world.ok(KARIM, "send", json!({"room": "@Sofia", "text": "between us"}));
    world.ok(SOFIA, "send", json!({"room": "press", "text": "before"}));
    let copy = world.copy_of(KARIM);
    let read_before = world.devices[copy].engine.memory.head() as usize;
    world.ok(LEA, "revoke", json!({"member": "Karim"}));
    world.settle(12_000);
    let revoked = world.relay.log.len();
    let said = ["in general", "in press", "to Paul", "to Nora"];
    world.ok(LEA, "send", json!({"room": "general", "text": said[0]}));
    world.ok(PAUL, "send", json!({"room": "press", "text": said[1]}));
    world.ok(SOFIA, "send", json!({"room": "@Paul", "text": said[2]}));
    let nora = world.join(LEA, "Nora", "member", true);
    world.ok(SOFIA, "room.add", json!({"room": "press", "member": "Nora"}));
    world.ok(SOFIA, "send", json!({"room": "press", "text": said[3]}));
    assert_eq!(world.texts(nora, "press"), [said[3]]);
    world.ok(LEA, "verify", json!({}));
    world.settle(90_000);

    // The thief's program has every key of the profile, reads all cells, and never stops.
    let log = world.relay.log.clone();
    assert!(log.len() > revoked + 10);
    let now = world.now;
    let mut opened = Vec::new();
    for (at, (id, cell)) in log.iter().enumerate().skip(read_before) {
        let seq = at as u64 + 1;
        let engine = &mut world.devices[copy].engine;
        let done = engine.step(now, |cx| {
            cx.memory.profile.stopped = None;
            let known = cx.memory.channels.iter().any(|live| live.key.matches(cell));
            let kept = cx.tx.channels()?;
            let kept = kept.iter().any(|channel| {
                super::super::memory::Key::of(channel.kind, &channel.secret).matches(cell)
            });
            if seq > revoked as u64 && (known || kept) {
                opened.push(seq);
            }
            cx.cell(seq, id, cell, &Digest([0; 32]))
        });
        assert!(done.is_ok());
    }
    assert_eq!(opened, Vec::<u64>::new());
    let texts = world.forge(copy, |cx| {
        let all = cx.tx.messages(&crate::member::store::MessageQuery::default()).unwrap();
        all.into_iter().map(|row| row.text).collect::<Vec<_>>()
    });
    assert!(texts.contains(&"before".to_owned()), "what came before it has: {texts:?}");
    assert!(said.iter().all(|said| !texts.contains(&(*said).to_owned())), "{texts:?}");
}
