//! Welcomes that should not be.

use serde_json::json;

use super::super::direct::{DIRECT_CONTROL, DIRECT_WELCOME};
use super::hostile::Forged;
use super::team::{KARIM, LEA, SOFIA};
use super::world::World;
use crate::cell::direct;
use crate::member::e2ee::Change;
use crate::random::OsRandom;
use crate::wire::ids::{CellId, Seq};

fn press() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.room(LEA, "press", &["Karim"]);
    world
}

/// A direct message that its sender's own program would never send.
fn forge_direct(world: &mut World, from: usize, to: usize, kind: u8, message: &[u8]) -> Forged {
    let peer = world.device_id(to);
    world.forge(from, |cx| {
        let theirs = cx.memory.roster().unwrap().device(&peer).unwrap().keys.direct;
        let live = cx.memory.direct_channel(&peer).unwrap();
        let super::super::memory::Key::Direct(tag) = &live.key else {
            unreachable!("a direct channel")
        };
        let own = &cx.memory.keys().unwrap().direct;
        let cells = direct::seal(&mut OsRandom, tag, own, &theirs, kind, message).unwrap();
        cells.into_iter().map(|cell| (CellId::random(&mut OsRandom), cell)).collect()
    })
}

/// A Welcome into `press` for Sofia, of a commit of Karim that is never placed.
fn stray_welcome(world: &mut World) -> Vec<u8> {
    let (room, sofia) = (world.room_id(KARIM, "press"), world.device_id(SOFIA));
    let place: Seq = world.relay.log.len() as Seq;
    let welcome = world.forge(KARIM, |cx| {
        let package = cx.tx.take_package(&sofia, 0, 0).unwrap().unwrap().0;
        let change = Change { add: &[package], ..Change::default() };
        cx.raw_commit(&room, 0, &change, false).1.unwrap()
    });
    [place.to_be_bytes().as_slice(), &welcome].concat()
}

fn is_in_press(world: &mut World, at: usize) -> bool {
    world.call(at, "read", json!({"room": "press"})).is_ok()
}

#[test]
fn a_welcome_from_somebody_else_than_its_commits_author_is_ignored_and_reported() {
    let mut world = press();
    let welcome = stray_welcome(&mut world);
    // Lea has got hold of the bytes and sends them as hers.
    let cells = forge_direct(&mut world, LEA, SOFIA, DIRECT_WELCOME, &welcome);
    world.place(&cells);
    world.run();
    assert!(!is_in_press(&mut world, SOFIA));
    let alarms = world.alarms(SOFIA);
    assert!(alarms.iter().any(|alarm| alarm.contains("Lea tried")), "{alarms:?}");
    // The room is open to her all the same.
    world.ok(LEA, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.run();
    world.assert_agree("press", &[LEA, KARIM, SOFIA]);
}

#[test]
fn a_second_control_room_is_ignored_and_reported() {
    let mut world = press();
    let control = |world: &mut World| world.forge(SOFIA, |cx| cx.memory.profile.control());
    let before = control(&mut world);
    let welcome = stray_welcome(&mut world);
    let cells = forge_direct(&mut world, KARIM, SOFIA, DIRECT_CONTROL, &welcome);
    world.place(&cells);
    world.run();
    assert!(control(&mut world) == before && !is_in_press(&mut world, SOFIA));
    let alarms = world.alarms(SOFIA);
    assert!(alarms.iter().any(|alarm| alarm.contains("Karim tried")), "{alarms:?}");
}

#[test]
fn a_welcome_for_nobodys_key_package_or_of_no_bytes_at_all_opens_nothing() {
    let mut world = press();
    let welcome = stray_welcome(&mut world);
    // It is for Sofia: the founder has no use for it.
    for message in [welcome.as_slice(), &welcome[..500], &welcome[..8], &[], &[0xff; 64]] {
        let cells = forge_direct(&mut world, KARIM, LEA, DIRECT_WELCOME, message);
        world.place(&cells);
    }
    world.run();
    let rooms = world.ok(LEA, "room.list", json!({}));
    assert_eq!(rooms.as_array().unwrap().len(), 2);
    world.assert_agree("press", &[LEA, KARIM]);
    world.ok(KARIM, "send", json!({"room": "press", "text": "on"}));
    assert_eq!(world.texts(LEA, "press"), ["on"]);
}

#[test]
fn a_welcome_is_sent_only_after_the_win() {
    let mut world = press();
    let sofia = world.device_id(SOFIA);
    world.relay.silent = true;
    world.begin(LEA, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.turn(LEA);
    let tagged = |world: &mut World| {
        let cells: Vec<_> = world.relay.log.iter().map(|(_, cell)| *cell).collect();
        world.forge(LEA, |cx| {
            let live = cx.memory.direct_channel(&sofia).unwrap();
            cells.iter().filter(|cell| live.key.matches(cell)).count()
        })
    };
    let before = tagged(&mut world);
    world.settle(5_000);
    assert_eq!(tagged(&mut world), before, "no Welcome while the commit has not come back");
    world.relay.silent = false;
    world.run();
    assert!(tagged(&mut world) > before);
    world.assert_agree("press", &[LEA, KARIM, SOFIA]);
}
