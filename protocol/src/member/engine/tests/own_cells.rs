//! A device and the echo of what it sent.

use serde_json::json;

use super::super::rooms::ROOM_MESSAGE;
use super::world::World;
use crate::cell::fragment::{CONTENT, split};
use crate::random::OsRandom;
use crate::wire::ids::CellId;
use crate::wire::limits::{CELL, MAX_OPEN_CHAINS};

fn pair() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.room(0, "press", &["Karim"]);
    world
}

#[test]
fn own_cells_are_recognised_by_equality_of_all_1024_bytes_first_occurrence_only() {
    let mut world = pair();
    let (lea, karim, sofia) = (0, 1, 2);
    for round in 0..3 {
        world.relay.silent = true;
        let before = world.relay.log.len();
        let send = world.begin(lea, "send", json!({"room": "press", "text": format!("{round}")}));
        let add = world.begin(lea, "room.add", json!({"room": "press", "member": "Sofia"}));
        world.turn(lea);
        // Copies right behind the originals, before anybody reads either.
        world.replay_last(world.relay.log.len() - before);
        world.relay.silent = false;
        world.settle(1_000);
        assert!(world.answer(lea, send).unwrap().is_ok());
        assert_eq!(world.answer(lea, add).unwrap().is_ok(), round == 0);
        // And copies when all is done.
        world.replay_last(world.relay.log.len() - before);
        world.run();
    }
    world.assert_agree("press", &[lea, karim, sofia]);
    assert_eq!(world.texts(lea, "press"), ["0", "1", "2"]);
    assert_eq!(world.texts(karim, "press"), ["0", "1", "2"]);
    world.ok(sofia, "send", json!({"room": "press", "text": "3"}));
    assert_eq!(world.texts(lea, "press"), ["0", "1", "2", "3"]);
    assert!(world.alarms(lea).is_empty() && world.alarms(karim).is_empty());
}

fn altered(mut cell: [u8; CELL]) -> [u8; CELL] {
    cell[700] ^= 1;
    cell
}

#[test]
fn known_tag_and_nonce_with_another_body_raises_the_relay_alarm() {
    let mut world = pair();
    let (lea, karim) = (0, 1);
    world.relay.silent = true;
    let send = world.begin(lea, "send", json!({"room": "press", "text": "altered"}));
    world.turn(lea);
    let last = world.relay.log.len() - 1;
    world.rewrite(last, |cells| cells[0] = (CellId::random(&mut OsRandom), altered(cells[0].1)));
    world.relay.silent = false;
    world.run();
    let alarms = world.alarms(lea);
    assert!(alarms.iter().any(|alarm| alarm.contains("altered")), "{alarms:?}");
    // It is not sent, and says so; nobody else sees a message.
    assert!(world.answer(lea, send).is_none());
    assert!(world.texts(karim, "press").is_empty());
    // The true cell goes out on the next connection, and arrives once.
    world.disconnect(lea);
    world.connect(lea);
    world.run();
    assert!(world.answer(lea, send).unwrap().is_ok());
    assert_eq!(world.texts(karim, "press"), ["altered"]);
}

#[test]
fn what_is_whole_for_its_author_is_whole_for_the_others_and_bounds_are_the_same_for_all() {
    let mut world = pair();
    let (lea, karim, sofia) = (0, 1, 2);
    // Karim opens as many chains as a channel may have and completes none.
    let room = world.room_id(karim, "press");
    let open = world.forge(karim, |cx| {
        let channel = cx.memory.room_channel(crate::member::store::ChannelKind::Room, &room);
        let super::super::memory::Key::Sealed(key) = &channel.unwrap().key else {
            unreachable!("a room's channel is sealed")
        };
        (0..MAX_OPEN_CHAINS)
            .map(|n| {
                let first = split(ROOM_MESSAGE, &vec![n as u8; CONTENT * 2]).unwrap().remove(0);
                (CellId::random(&mut OsRandom), key.seal(&mut OsRandom, &first))
            })
            .collect()
    });
    world.place(&open);
    world.run();
    // Lea's commit takes several cells: nobody can put it together, so it has not won for Lea
    // either. It goes on when the open chains are void.
    world.ok(lea, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.run();
    world.assert_agree("press", &[lea, karim, sofia]);
    world.ok(sofia, "send", json!({"room": "press", "text": "through"}));
    for at in [lea, karim, sofia] {
        assert_eq!(world.texts(at, "press"), ["through"]);
    }
}
