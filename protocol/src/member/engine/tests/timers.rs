//! When the engine wants to be woken.

use serde_json::json;

use super::super::standstill::FROZEN_BROKEN;
use super::team::{KARIM, LEA};
use super::world::World;
use crate::member::agent::core::Core;
use crate::member::store::{IntentKind, RoomStatus};

impl World {
    /// How often a device is woken in a span of time in which the relay tells it nothing.
    fn steps_within(&mut self, at: usize, ms: u64) -> u32 {
        let (end, mut steps) = (self.now.mono_ms + ms, 0);
        loop {
            let Some(due) = self.devices[at].engine.deadline() else { return steps };
            let wait = due.saturating_sub(self.now.mono_ms).max(1);
            if self.now.mono_ms + wait > end {
                return steps;
            }
            self.now.mono_ms += wait;
            self.now.unix_ms += wait;
            self.devices[at].engine.tick(self.now);
            steps += 1;
        }
    }
}

/// More than housekeeping, the end of a call and a random wait take in half a minute.
const FEW: u32 = 12;

fn press() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    world.room(LEA, "press", &["Karim"]);
    world.settle(65_000);
    world
}

#[test]
fn a_wish_that_cannot_be_carried_out_yet_waits_for_what_unblocks_it_and_burns_no_core() {
    let mut world = press();
    // A commit is under way and does not come back; a second wish comes.
    world.relay.silent = true;
    world.begin(LEA, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.turn(LEA);
    let (press, karim) = (world.room_id(LEA, "press"), world.device_id(KARIM));
    let now = world.now;
    let wished = world.devices[LEA]
        .engine
        .step(now, |cx| cx.intend(press, IntentKind::Remove(karim), now.unix_ms));
    assert!(wished.is_ok());
    let steps = world.steps_within(LEA, 30_000);
    assert!(steps <= FEW, "{steps} steps in half a minute");
    // What unblocks it carries it out at once.
    world.relay.silent = false;
    world.run();
    let members = world.ok(LEA, "room.members", json!({"room": "press"}));
    let names: Vec<_> = members.as_array().unwrap().iter().map(|m| m["member"].clone()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(!names.contains(&json!("Karim")), "{names:?}");
}

#[test]
fn a_wish_for_a_room_that_stands_still_burns_no_core() {
    let mut world = press();
    let (press, karim) = (world.room_id(LEA, "press"), world.device_id(KARIM));
    let now = world.now;
    let frozen = world.devices[LEA].engine.step(now, |cx| {
        cx.set_status(press, RoomStatus::Frozen(FROZEN_BROKEN))?;
        cx.intend(press, IntentKind::Remove(karim), now.unix_ms)
    });
    assert!(frozen.is_ok());
    let steps = world.steps_within(LEA, 30_000);
    assert!(steps <= FEW, "{steps} steps in half a minute");
}

#[test]
fn a_device_that_has_stopped_is_woken_for_nothing_that_it_wanted_before() {
    let mut world = press();
    let (press, karim) = (world.room_id(KARIM, "press"), world.device_id(KARIM));
    let now = world.now;
    let wished = world.devices[KARIM]
        .engine
        .step(now, |cx| cx.intend(press, IntentKind::Update, now.unix_ms + 50));
    assert!(wished.is_ok());
    world.ok(LEA, "revoke", json!({"device": karim.to_hex()}));
    let steps = world.steps_within(KARIM, 30_000);
    assert!(steps <= FEW, "{steps} steps in half a minute");
}
