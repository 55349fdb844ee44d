//! Devices that fall out of a room, and come back without anybody's trust in one helper.

use serde_json::json;

use super::team::{KARIM, LEA, PAUL, SOFIA};
use super::world::World;
use crate::wire::ids::{DeviceId, RoomId};

const ALL: [usize; 4] = [LEA, KARIM, SOFIA, PAUL];

fn press() -> World {
    let mut world = World::with(&["Karim", "Sofia", "Paul"]);
    world.room(LEA, "press", &["Karim", "Sofia", "Paul"]);
    world
}

impl World {
    /// What a commit whose path is sealed wrongly for one device comes to for that device: it has
    /// no key that opens the path. (No program of ours can make a path that is wrong for one and
    /// keeps the others content; see the unit tests of verdicts for what comes nearest.)
    pub(super) fn deafen(&mut self, at: usize) {
        let now = self.now;
        let engine = &mut self.devices[at].engine;
        engine
            .step(now, |cx| {
                let sql = "DELETE FROM openmls_epoch_keys_pairs";
                cx.tx.connection().execute(sql, []).unwrap();
                Ok(())
            })
            .unwrap();
    }

    /// Whether the room goes on for a device, in the words of `status`.
    pub(super) fn standing(&mut self, at: usize, room: &str) -> String {
        let status = self.ok(at, "status", json!({}));
        let rooms = status["rooms"].as_array().unwrap();
        let found = rooms.iter().find(|state| state["room"] == room);
        found.map_or(String::new(), |state| state["state"].as_str().unwrap().to_owned())
    }

    pub(super) fn missing(&mut self, at: usize) -> Vec<(String, u64)> {
        let status = self.ok(at, "status", json!({}));
        let rows = status["missing"].as_array().unwrap();
        let row = |row: &serde_json::Value| {
            (row["from"].as_str().unwrap().to_owned(), row["count"].as_u64().unwrap())
        };
        rows.iter().map(row).collect()
    }

    pub(super) fn requests(&mut self, at: usize, room: &RoomId) -> u64 {
        let (room, me) = (*room, self.device_id(at));
        self.forge(at, |cx| cx.tx.resyncs_since(&room, &me, 0).unwrap())
    }
}

#[test]
fn a_hostile_commit_that_decrypts_for_some_members_only() {
    let mut world = press();
    world.ok(KARIM, "send", json!({"room": "press", "text": "zero"}));
    world.deafen(SOFIA);
    // Nobody can help for the moment.
    for at in [LEA, PAUL] {
        world.disconnect(at);
    }
    world.begin(KARIM, "room.set", json!({"room": "press", "topic": "x"}));
    world.run();
    assert_eq!(world.standing(SOFIA, "press"), "frozen");
    let alarms = world.alarms(SOFIA);
    let named = |a: &String| a.contains("stands still") && a.contains("Karim");
    assert!(alarms.iter().any(named), "{alarms:?}");
    // Karim broke it, so Karim is not asked: what Sofia does not know goes on without her.
    world.settle(5_000);
    world.ok(KARIM, "send", json!({"room": "press", "text": "one"}));
    world.ok(KARIM, "send", json!({"room": "press", "text": "two"}));
    assert_eq!(world.standing(SOFIA, "press"), "frozen");
    // Lea comes back, answers, and Sofia is in again; nothing leaves before a second says so.
    world.disconnect(KARIM);
    world.connect(LEA);
    world.settle(3_000);
    assert_eq!(world.standing(SOFIA, "press"), "unconfirmed");
    world.assert_agree("press", &[LEA, SOFIA]);
    let send =
        world.begin(SOFIA, "send", json!({"room": "press", "text": "back", "wait_ms": 60_000}));
    world.settle(15_000);
    assert!(world.texts(LEA, "press").iter().all(|text| text != "back"));
    world.connect(PAUL);
    world.settle(12_000);
    assert_eq!(world.standing(SOFIA, "press"), "active");
    assert!(world.answer(SOFIA, send).unwrap().is_ok());
    world.connect(KARIM);
    world.run();
    world.assert_agree("press", &ALL);
    world.ok(KARIM, "send", json!({"room": "press", "text": "three"}));
    for at in [LEA, KARIM, PAUL] {
        assert_eq!(world.texts(at, "press"), ["zero", "one", "two", "back", "three"]);
    }
    // What Sofia missed is counted by sender.
    assert_eq!(world.texts(SOFIA, "press"), ["zero", "back", "three"]);
    assert_eq!(world.missing(SOFIA), [("Karim".to_owned(), 2)]);
}

#[test]
fn the_word_of_a_second_counts_also_if_another_commit_came_before_it() {
    let mut world = press();
    world.settle(65_000);
    let room = world.room_id(LEA, "press");
    world.deafen(SOFIA);
    world.disconnect(PAUL);
    world.ok(KARIM, "room.set", json!({"room": "press", "topic": "x"}));
    world.disconnect(KARIM);
    world.settle(40_000);
    assert_eq!(world.standing(SOFIA, "press"), "unconfirmed");
    // Paul's word is on its way while Lea goes on.
    world.connect(PAUL);
    world.run();
    let word = world.make_beacon(PAUL, &room, |_| ());
    world.ok(LEA, "room.set", json!({"room": "press", "topic": "y"}));
    world.run();
    assert_eq!(world.standing(SOFIA, "press"), "unconfirmed");
    world.place(&word);
    world.run();
    assert_eq!(world.standing(SOFIA, "press"), "active");
    assert!(!world.alarms(SOFIA).iter().any(|alarm| alarm.contains("different states")));
}

/// Two rooms of two adders, and somebody of whose KeyPackages each holds the same one and no other.
const ADDERS: [(usize, &str); 2] = [(LEA, "press"), (KARIM, "photo")];

impl World {
    fn hold_only(&mut self, at: usize, device: &DeviceId, package: &[u8]) {
        let engine = &mut self.devices[at].engine;
        engine
            .step(self.now, |cx| {
                cx.tx.forget_packages_of(device)?;
                cx.keep_package(device, package)
            })
            .unwrap();
    }

    fn with_nora() -> (Self, usize, DeviceId, Vec<u8>) {
        let mut world = press();
        let nora = world.join(LEA, "Nora", "member", true);
        let device = world.device_id(nora);
        world.ok(KARIM, "room.create", json!({"name": "photo"}));
        world.ok(KARIM, "room.add", json!({"room": "photo", "member": "Sofia"}));
        let one = world.forge(LEA, |cx| cx.tx.take_package(&device, 0, 0).unwrap().unwrap().0);
        for (at, _) in ADDERS {
            world.hold_only(at, &device, &one);
        }
        (world, nora, device, one)
    }
}

#[test]
fn a_key_package_that_two_adders_drew_lets_the_device_into_both_rooms() {
    let (mut world, nora, _, _) = World::with_nora();
    world.relay.silent = true;
    for (at, room) in ADDERS {
        world.begin(at, "room.add", json!({"room": room, "member": "Nora"}));
        world.turn(at);
    }
    world.relay.silent = false;
    world.run();
    for (at, room) in ADDERS {
        world.ok(at, "send", json!({"room": room, "text": "at once"}));
        assert_eq!(world.texts(nora, room), ["at once"]);
        world.assert_agree(room, &[at, SOFIA, nora]);
        let id = world.room_id(nora, room);
        assert_eq!(world.requests(nora, &id), 0, "there was nothing to heal");
    }
    // An hour later nothing opens with it any more.
    let used = |world: &mut World| {
        world.forge(nora, |cx| {
            let sql = "SELECT count(*) FROM own_package WHERE used IS NOT NULL";
            cx.tx.connection().query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap()
        })
    };
    assert!(used(&mut world) > 0);
    world.pass(3_700_000);
    world.settle(1_000);
    assert_eq!(used(&mut world), 0);
}

#[test]
fn a_key_package_drawn_by_two_adders_leaves_nobody_outside() {
    let (mut world, nora, device, one) = World::with_nora();
    for (at, room) in ADDERS {
        world.begin(at, "room.add", json!({"room": room, "member": "Nora"}));
        world.settle(1_000);
        // Who adds next has not heard of it for two hours.
        world.pass(7_200_000);
        world.settle(1_000);
        world.hold_only(KARIM, &device, &one);
    }
    world.settle(30_000);
    let photo = world.room_id(nora, "photo");
    assert_eq!(world.requests(nora, &photo), 1);
    for (at, room) in ADDERS {
        assert_eq!(world.standing(nora, room), "active", "{room}");
        world.assert_agree(room, &[at, SOFIA, nora]);
        world.ok(nora, "send", json!({"room": room, "text": "here"}));
        assert_eq!(world.texts(at, room), ["here"]);
    }
}

#[test]
fn at_most_4_a_day() {
    let mut world = press();
    let room = world.room_id(SOFIA, "press");
    let (me, now) = (world.device_id(SOFIA), world.now);
    let engine = &mut world.devices[SOFIA].engine;
    engine
        .step(now, |cx| {
            (0..4).try_for_each(|_| Ok(cx.tx.note_resync(&room, &me, now.unix_s(), 0)?))
        })
        .unwrap();
    world.deafen(SOFIA);
    world.ok(KARIM, "room.set", json!({"room": "press", "topic": "x"}));
    world.settle(60_000);
    assert_eq!(world.requests(SOFIA, &room), 4);
    assert_eq!(world.standing(SOFIA, "press"), "frozen");
    for _ in 0..25 {
        world.pass(3_600_000);
    }
    world.settle(60_000);
    assert_eq!(world.standing(SOFIA, "press"), "active");
    world.assert_agree("press", &ALL);
}
