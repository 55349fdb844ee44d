//! Large rooms: the Welcome carries the whole tree.

use serde_json::json;

use super::world::World;
use crate::cell::direct::MAX_DIRECT_FRAGMENTS;
use crate::member::e2ee::{MAX_ADDS, new_package};
use crate::member::identity::{DeviceKeys, DevicePublic};
use crate::member::roster::{Action, AddDevice, Author, Name, Role};
use crate::member::store::IntentKind;
use crate::random::OsRandom;
use crate::wire::ids::MemberId;

const LEA: usize = 0;

impl World {
    /// Puts people on the roster who have no program, and adds them to a room: leaves and nothing
    /// more, so that a large room costs little.
    fn seat_on_paper(&mut self, room: &str, count: usize) {
        let room = self.room_id(LEA, room);
        let lea = Author::Device(self.device_id(LEA));
        // Their private keys are nobody's.
        let guests: Vec<(DeviceKeys, Vec<u8>)> = self.forge(LEA, |cx| {
            let provider = cx.provider();
            let guest = |_| {
                let keys = DeviceKeys::generate(&mut OsRandom);
                let package = new_package(&provider, &keys, &keys.certify_leaf(1), false).unwrap();
                (keys, package)
            };
            (0..count).map(guest).collect()
        });
        for (number, (keys, _)) in (1..).zip(&guests) {
            let card = AddDevice {
                member: MemberId::random(&mut OsRandom),
                name: Name::parse(&format!("Guest {number}")).unwrap(),
                label: Name::parse("computer").unwrap(),
                role: Role::Member,
                keys: DevicePublic {
                    identity: keys.identity.public(),
                    direct: keys.direct.public(),
                },
                vouched_by: lea,
                words_compared: false,
                invite: None,
                expires: None,
            };
            let engine = &mut self.devices[LEA].engine;
            let action = Action::AddDevice(Box::new(card));
            engine.step(self.now, |cx| cx.post_action(action).map(|_| ())).unwrap();
            self.run();
        }
        for some in guests.chunks(MAX_ADDS) {
            let engine = &mut self.devices[LEA].engine;
            engine
                .step(self.now, |cx| {
                    some.iter().try_for_each(|(keys, package)| {
                        let device = keys.device_id();
                        cx.keep_package(&device, package)?;
                        cx.intend(room, IntentKind::Add(device), cx.now.unix_ms)
                    })
                })
                .unwrap();
            self.run();
        }
    }
}

#[test]
fn a_room_of_more_than_sixty_devices_takes_in_another() {
    const GUESTS: usize = 62;
    /// What an earlier version could send as one message.
    const ONCE_THE_MOST: usize = 72;
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "member", true);
    let sofia = world.join(LEA, "Sofia", "member", true);
    world.ok(LEA, "room.create", json!({"name": "assembly"}));
    world.ok(LEA, "room.add", json!({"room": "assembly", "member": "Karim"}));
    world.seat_on_paper("assembly", GUESTS);
    let before = world.relay.log.len();
    world.ok(LEA, "room.add", json!({"room": "assembly", "member": "Sofia"}));
    world.settle(3_000);
    world.assert_agree("assembly", &[LEA, karim, sofia]);
    let added: Vec<_> = world.relay.log[before..].iter().map(|(_, cell)| *cell).collect();
    let id = world.device_id(sofia);
    let welcome = world.forge(LEA, |cx| {
        let live = cx.memory.direct_channel(&id).unwrap();
        added.iter().filter(|cell| live.key.matches(cell)).count()
    });
    assert!(welcome > ONCE_THE_MOST && welcome < usize::from(MAX_DIRECT_FRAGMENTS), "{welcome}");
    for (at, text) in [(LEA, "to all"), (sofia, "I am here")] {
        world.ok(at, "send", json!({"room": "assembly", "text": text}));
    }
    for at in [LEA, karim, sofia] {
        assert_eq!(world.texts(at, "assembly"), ["to all", "I am here"]);
    }
    let alarms = world.alarms(LEA);
    assert!(alarms.iter().all(|alarm| !alarm.contains("too large")), "{alarms:?}");
}
