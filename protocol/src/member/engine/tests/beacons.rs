//! Forks and what shows them where nobody writes.

use serde_json::json;

use super::super::beacon::Beacon;
use super::super::beacons::HOUR_S;
use super::hostile::Forged;
use super::team::{KARIM, LEA, SOFIA};
use super::world::World;
use crate::member::store::{BeaconClock, ChannelKind};
use crate::wire::ids::RoomId;

fn press() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.room(LEA, "press", &["Karim", "Sofia"]);
    world
}

impl World {
    /// The epochs of the room's check keys on a device.
    fn checks(&mut self, at: usize, room: &RoomId) -> Vec<u64> {
        let live = self.devices[at].engine.memory.channels.iter();
        let of_room = live.filter(|c| c.kind == ChannelKind::Check && c.room == Some(*room));
        of_room.map(|live| live.epoch).collect()
    }

    /// How many cells of the log are under a check key of the room that a device holds.
    fn beacons(&self, at: usize, room: &RoomId) -> usize {
        let live: Vec<_> = self.devices[at]
            .engine
            .memory
            .channels
            .iter()
            .filter(|c| c.kind == ChannelKind::Check && c.room == Some(*room))
            .collect();
        let cells = self.relay.log.iter();
        cells.filter(|(_, cell)| live.iter().any(|live| live.key.matches(cell))).count()
    }

    fn hours(&mut self, hours: u64) {
        self.settle(hours * HOUR_S * 1_000);
    }

    /// The same while a device is shown another past.
    fn hours_apart(&mut self, hours: u64) {
        for _ in 0..hours * 6 {
            self.pass(HOUR_S * 1_000 / 6);
            self.extend_fork();
            self.run();
        }
    }

    /// The cells of a beacon of this device, altered before it is signed.
    pub(super) fn make_beacon(
        &mut self,
        at: usize,
        room: &RoomId,
        alter: impl FnOnce(&mut Beacon),
    ) -> Forged {
        let room = *room;
        self.forge(at, |cx| {
            let row = cx.memory.rooms[&room].clone();
            let mut beacon = cx.own_beacon(&row).unwrap().unwrap();
            alter(&mut beacon);
            let bytes = beacon.sign(&cx.memory.keys().unwrap().identity);
            let key = cx.beacon_keys(&room).unwrap()[0];
            cx.seal_beacon(&room, key, &bytes).unwrap().unwrap()
        })
    }

    fn forge_beacon(&mut self, at: usize, room: &RoomId, alter: impl FnOnce(&mut Beacon)) {
        let cells = self.make_beacon(at, room, alter);
        self.place(&cells);
        self.run();
    }
}

#[test]
fn a_beacon_goes_out_hourly_unless_one_that_says_the_same_came_within_the_hour() {
    let mut world = press();
    let room = world.room_id(LEA, "press");
    assert_eq!(world.beacons(LEA, &room), 0);
    world.hours(5);
    // One of three, each hour and a little; the founder's first key is the only one.
    let sent = world.beacons(LEA, &room);
    assert!((3..=7).contains(&sent), "{sent}");
    assert_eq!(world.checks(SOFIA, &room), [0]);
    for at in [LEA, KARIM, SOFIA] {
        assert_eq!(world.beacons(at, &room), sent);
        assert!(world.alarms(at).is_empty());
    }
}

#[test]
fn a_beacon_that_came_before_the_epoch_changed_puts_no_other_off() {
    const SOON_MS: u64 = 6 * 60_000;
    let mut world = press();
    let room = world.room_id(LEA, "press");
    world.hours(3);
    // Lea's own is hours old; somebody's that said the same came a moment ago.
    let (now, lately) = (world.now.unix_s(), world.now.unix_s() + HOUR_S);
    for (at, own) in [(LEA, now - 2 * HOUR_S), (KARIM, now), (SOFIA, now)] {
        let engine = &mut world.devices[at].engine;
        let clock = BeaconClock { due: lately, not_by: None, own };
        engine
            .step(world.now, |cx| {
                cx.memory.beacons.insert(room, clock);
                Ok(cx.tx.put_beacon_clock(&room, &clock)?)
            })
            .unwrap();
    }
    let before = world.beacons(LEA, &room);
    world.settle(SOON_MS);
    assert_eq!(world.beacons(LEA, &room), before);
    world.ok(KARIM, "room.set", json!({"room": "press", "topic": "another"}));
    world.settle(SOON_MS);
    assert_eq!(world.beacons(LEA, &room), before + 1, "one, and it is enough for the others");
}

#[test]
fn the_check_key_changes_with_a_removal_and_goes_out_under_both_for_24_hours() {
    let mut world = press();
    let room = world.room_id(LEA, "press");
    world.ok(LEA, "room.remove", json!({"room": "press", "member": "Sofia"}));
    world.run();
    let epoch = world.epoch(LEA, "press").0;
    for at in [LEA, KARIM] {
        assert_eq!(world.checks(at, &room), [0, epoch], "of the removing commit's epoch");
    }
    // Who was removed holds nothing of the room any more.
    assert!(world.checks(SOFIA, &room).is_empty());
    let before = world.beacons(LEA, &room);
    world.hours(3);
    let both = world.beacons(LEA, &room) - before;
    assert!(both >= 4 && both.is_multiple_of(2), "{both}");
    world.pass(24 * HOUR_S * 1_000);
    world.hours(2);
    let before = world.beacons(LEA, &room);
    world.hours(3);
    let one = world.beacons(LEA, &room) - before;
    assert!((1..=4).contains(&one), "{one}");
    // A joiner gets those of 14 days, and reads beacons under them.
    world.ok(LEA, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.run();
    assert_eq!(world.checks(SOFIA, &room), [0, epoch]);
    for _ in 0..15 {
        world.pass(24 * HOUR_S * 1_000);
    }
    for at in [LEA, KARIM, SOFIA] {
        let left = if at == SOFIA { vec![0, epoch] } else { vec![epoch] };
        assert!(world.checks(at, &room).len() <= left.len());
        assert!(world.alarms(at).is_empty(), "{:?}", world.alarms(at));
    }
}

#[test]
fn withholding_from_one_is_shown_by_beacons_after_release() {
    let mut world = press();
    world.hours(2);
    // The log that Sofia is shown lacks what Karim wrote, and nobody writes any more.
    world.disconnect(SOFIA);
    world.ok(KARIM, "send", json!({"room": "press", "text": "kept from Sofia"}));
    world.withhold_from(SOFIA);
    world.connect(SOFIA);
    world.run();
    assert!(world.alarms(SOFIA).is_empty());
    world.hours_apart(3);
    let alarms = world.alarms(SOFIA);
    let names = |who: &str| alarms.iter().any(|a| a.contains("showed") && a.contains(who));
    assert!(names("Karim") || names("Lea"), "{alarms:?}");
}

#[test]
fn devices_raise_the_alarm_by_name_on_a_difference() {
    type Alter = fn(&mut Beacon);
    let rows: [(Alter, &str, &str); 7] = [
        (|b| b.log.0[0] ^= 1, "another log", "other-log"),
        (|b| b.hash.0[0] ^= 1, "another past", "fork"),
        (|b| b.seq += 10_000, "did not show", "fork"),
        (|b| b.entry.0[0] ^= 1, "another list of the team", "other-team"),
        (|b| b.number += 1, "changes of the team", "other-team"),
        (|b| b.authenticator[0] ^= 1, "different states of room press", "other-room"),
        (|b| b.epoch += 1, "different states of room press", "other-room"),
    ];
    let mut world = press();
    let room = world.room_id(LEA, "press");
    for (alter, said, kind) in rows {
        world.forge_beacon(KARIM, &room, alter);
        let alarms = world.alarms(LEA);
        assert!(alarms.iter().any(|a| a.contains(said) && a.contains("Karim")), "{alarms:?}");
        let told = world.devices[LEA].events.iter().rfind(|event| event["type"] == "alarm");
        assert_eq!(told.unwrap()["kind"], kind);
        world.ok(LEA, "alarms.clear", json!({}));
    }
    // One that says the truth, and one in the name of another, say nothing.
    world.forge_beacon(KARIM, &room, |_| {});
    let sofia = world.device_id(SOFIA);
    world.forge_beacon(KARIM, &room, |b| b.device = sofia);
    let other = world.room_id(LEA, "general");
    world.forge_beacon(KARIM, &room, |b| b.room = other);
    assert!(world.alarms(LEA).is_empty());
}

#[test]
fn the_two_sides_of_a_fork_of_a_room_read_each_others_beacons() {
    let mut world = press();
    // A commit whose last cell Sofia is never shown.
    world.disconnect(SOFIA);
    world.ok(KARIM, "room.set", json!({"room": "press", "topic": "another"}));
    world.withhold_from(SOFIA);
    world.connect(SOFIA);
    world.run();
    assert!(world.epoch(LEA, "press") != world.epoch(SOFIA, "press"));
    world.hours_apart(3);
    let alarms = world.alarms(SOFIA);
    assert!(alarms.iter().any(|a| a.contains("different states of room press")), "{alarms:?}");
}
