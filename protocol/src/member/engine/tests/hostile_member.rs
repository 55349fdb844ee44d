//! A member who keeps no rule: everything it tries is refused by every honest device, it is named
//! where there is something to name, and nobody's memory or disk grows beyond a bound.

use ciborium::Value as Cbor;
use serde_json::json;

use super::super::memory::Key;
use super::super::rooms::ROOM_MESSAGE;
use super::team::{KARIM, LEA, SOFIA};
use super::world::World;
use crate::cell::fragment::{CONTENT, split};
use crate::member::content::{Content, Kind};
use crate::member::e2ee::{Change, Opened};
use crate::member::store::ChannelKind;
use crate::random::OsRandom;
use crate::wire::ids::{CellId, ContentId};
use crate::wire::limits::MAX_OPEN_CHAINS;

const BOT: usize = 3;
const HONEST: [usize; 2] = [LEA, SOFIA];

/// Karim is the hostile one.
fn press() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.join(LEA, "planning", "bot", true);
    world.room(LEA, "press", &["Karim", "Sofia", "planning"]);
    world.settle(90_000);
    world
}

/// The honest go on as if nothing had been.
fn goes_on(world: &mut World, said: &str) {
    world.ok(SOFIA, "send", json!({"room": "press", "text": said}));
    for at in HONEST {
        assert_eq!(world.texts(at, "press").last().unwrap(), said);
    }
    world.assert_agree("press", &[LEA, KARIM, SOFIA, BOT]);
}

#[test]
fn a_message_of_another_that_is_replayed_is_nothing_to_anybody() {
    let mut world = press();
    world.ok(SOFIA, "send", json!({"room": "press", "text": "once"}));
    for _ in 0..5 {
        // The same cells under other ids, and the same message sealed anew.
        world.replay_last(1);
        let room = world.room_id(KARIM, "press");
        let cell = world.relay.log.last().unwrap().1;
        let again = world.forge(KARIM, |cx| {
            let Key::Sealed(key) = &cx.memory.room_channel(ChannelKind::Room, &room).unwrap().key
            else {
                unreachable!("a room's channel is sealed")
            };
            let fragment = key.open(&cell).unwrap();
            vec![(CellId::random(&mut OsRandom), key.seal(&mut OsRandom, &fragment))]
        });
        world.place(&again);
        world.run();
    }
    for at in HONEST {
        assert_eq!(world.texts(at, "press"), ["once"]);
    }
    goes_on(&mut world, "on");
}

#[test]
fn a_commit_as_a_bot_is_ignored_and_the_room_goes_on() {
    let mut world = press();
    let epoch = world.epoch(LEA, "press");
    // With the bot's own keys: it may renew its own leaf and nothing else.
    let karim = world.device_id(KARIM);
    let change = Change { remove: &[karim], update: true, ..Change::default() };
    let commit = world.forge_commit(BOT, "press", 0, &change, false);
    world.place(&commit);
    world.run();
    assert_eq!(world.epoch(LEA, "press"), epoch);
    goes_on(&mut world, "on");
}

#[test]
fn what_others_wrote_cannot_be_edited_or_deleted_and_who_tries_is_named() {
    let mut world = press();
    let id = world.ok(SOFIA, "send", json!({"room": "press", "text": "at eight"}))["id"].clone();
    let target = ContentId::from_hex(id.as_str().unwrap());
    world.say(KARIM, "press", Kind::Edit("at nine".into()), target, None);
    world.say(KARIM, "press", Kind::Delete, target, None);
    for at in HONEST {
        assert_eq!(world.texts(at, "press"), ["at eight"]);
        let alarms = world.alarms(at);
        assert!(
            alarms.iter().any(|alarm| alarm.contains("Karim tried to change a message of Sofia")),
            "{alarms:?}"
        );
    }
    goes_on(&mut world, "on");
}

#[test]
fn a_flood_of_fragments_takes_no_more_than_the_bound() {
    let mut world = press();
    let room = world.room_id(KARIM, "press");
    let flood = world.forge(KARIM, |cx| {
        let Key::Sealed(key) = &cx.memory.room_channel(ChannelKind::Room, &room).unwrap().key
        else {
            unreachable!("a room's channel is sealed")
        };
        let cells = (0..1_000_u32).map(|n| {
            // The first of many, each of another message that never comes.
            let body: Vec<u8> = n.to_be_bytes().repeat(CONTENT);
            let first = split(ROOM_MESSAGE, &body).unwrap().remove(0);
            (CellId::random(&mut OsRandom), key.seal(&mut OsRandom, &first))
        });
        cells.collect()
    });
    world.place(&flood);
    world.run();
    for at in HONEST {
        let (open, rows) = world.forge(at, |cx| {
            let sql = "SELECT count(*) FROM chain";
            let rows = cx.tx.connection().query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
            let live = cx.memory.room_channel(ChannelKind::Room, &room).unwrap();
            (live.chains.0.len(), rows)
        });
        assert!(open <= MAX_OPEN_CHAINS && rows <= MAX_OPEN_CHAINS as u64, "{open} {rows}");
    }
    // What fits one cell goes through at once; what needs several goes again until it does.
    goes_on(&mut world, "on");
}

#[test]
fn a_hundred_thousand_messages_of_unknown_kinds_leave_a_few_hundred() {
    const MANY: u64 = 100_000;
    const STEP: u64 = 500;
    let mut world = press();
    let (room, sender) = (world.room_id(LEA, "press"), world.device_id(KARIM));
    for begin in (0..MANY).step_by(STEP as usize) {
        let done = world.devices[LEA].engine.step(world.now, |cx| {
            for number in begin..begin + STEP {
                let kind = Kind::Unknown { code: 200, body: Cbor::from(vec![7_u8; 600]) };
                let id = ContentId::random(&mut OsRandom);
                let content = Content::new(id, number + 1, cx.now.unix_s(), kind);
                let plaintext = content.encode().unwrap();
                let opened = Opened { sender, plaintext, aad: Vec::new() };
                cx.take_message(room, cx.memory.head(), opened)?;
            }
            Ok(())
        });
        assert!(done.is_ok());
    }
    let (kept, bytes) = world.forge(LEA, |cx| {
        let kept = cx.tx.unknown_count(&room, &sender).unwrap();
        let sql = "SELECT sum(length(raw)) FROM message";
        let bytes = cx.tx.connection().query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
        (kept, bytes)
    });
    assert_eq!(kept, 256);
    assert!(bytes < 512 * 1_024, "{bytes}");
    assert!(world.texts(LEA, "press").is_empty());
    goes_on(&mut world, "on");
}
