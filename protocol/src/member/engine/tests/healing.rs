//! Leaves and KeyPackages are renewed.

use serde_json::json;

use super::super::fault::Fault;
use super::team::{KARIM, LEA, SOFIA};
use super::world::World;
use crate::member::store::IntentKind;

const ALL: [usize; 3] = [LEA, KARIM, SOFIA];
const DAY_MS: u64 = 24 * 3_600 * 1_000;

fn team() -> World {
    World::with(&["Karim", "Sofia"])
}

/// A team whose leaves are all new.
fn healed() -> World {
    let mut world = team();
    world.settle(90_000);
    world
}

impl World {
    fn updates_wished(&mut self, at: usize) -> usize {
        let is_update = |kind| matches!(kind, IntentKind::Update);
        self.forge(at, |cx| {
            cx.tx.intents().unwrap().iter().filter(|intent| is_update(intent.kind)).count()
        })
    }

    /// The own leaf's public key as the others see it: another one after every update.
    fn leaf_of(&mut self, at: usize, room: &str) -> Vec<u8> {
        let (room, device) = (self.room_id(LEA, room), self.device_id(at));
        self.forge(LEA, |cx| {
            let provider = cx.provider();
            let (group, _, _) = cx.memory.group(&provider, &room).unwrap().unwrap();
            group.encryption_key_of(&device).unwrap()
        })
    }
}

#[test]
fn leaf_update_soon_after_joining() {
    let mut world = team();
    let before: Vec<_> = ALL.map(|at| world.leaf_of(at, "general")).into();
    assert_eq!(world.updates_wished(KARIM), 1);
    world.settle(90_000);
    for at in ALL {
        assert_eq!(world.updates_wished(at), 0);
        // The founder's leaf was new already.
        assert_eq!(world.leaf_of(at, "general") != before[at], at != LEA, "{at}");
    }
    world.assert_agree("general", &ALL);
    // Nothing more is renewed that day.
    let epoch = world.epoch(LEA, "general");
    world.ok(KARIM, "send", json!({"room": "general", "text": "hello"}));
    world.settle(5_000);
    assert_eq!(world.epoch(LEA, "general"), epoch);
}

#[test]
fn leaf_update_before_the_first_message_in_a_room_on_a_given_day() {
    let mut world = healed();
    world.pass(DAY_MS);
    let (epoch, leaf) = (world.epoch(LEA, "general").0, world.leaf_of(KARIM, "general"));
    world.ok(KARIM, "send", json!({"room": "general", "text": "good morning"}));
    assert_ne!(world.leaf_of(KARIM, "general"), leaf, "renewed before it was sent");
    assert_eq!(world.epoch(LEA, "general").0, epoch + 1);
    let leaf = world.leaf_of(KARIM, "general");
    world.ok(KARIM, "send", json!({"room": "general", "text": "and more"}));
    assert_eq!(world.leaf_of(KARIM, "general"), leaf, "once a day");
    assert_eq!(world.texts(SOFIA, "general"), ["good morning", "and more"]);
    // Who only reads renews nothing.
    assert_eq!(world.updates_wished(SOFIA), 0);
}

#[test]
fn three_who_begin_the_day_at_once_all_renew_and_lose_no_message() {
    let mut world = healed();
    world.pass(DAY_MS);
    let before: Vec<_> = ALL.map(|at| world.leaf_of(at, "general")).into();
    for at in ALL {
        let text = format!("from {at}");
        world.begin(at, "send", json!({"room": "general", "text": text, "wait_ms": 60_000}));
    }
    world.settle(60_000);
    world.assert_agree("general", &ALL);
    for at in ALL {
        assert_ne!(world.leaf_of(at, "general"), before[at]);
        assert_eq!(world.updates_wished(at), 0);
        let mut texts = world.texts(at, "general");
        texts.sort();
        assert_eq!(texts, ["from 0", "from 1", "from 2"]);
    }
}

#[test]
fn a_message_waits_for_the_renewal_for_three_seconds_at_most() {
    let mut world = healed();
    world.pass(DAY_MS);
    // The commit leaves and nothing comes back.
    world.relay.silent = true;
    world.begin(KARIM, "send", json!({"room": "general", "text": "urgent", "wait_ms": 60_000}));
    let waits = |world: &mut World| world.forge(KARIM, |cx| cx.tx.unsealed_texts().unwrap().len());
    world.settle(1_500);
    assert_eq!(waits(&mut world), 1);
    world.settle(3_000);
    assert_eq!(waits(&mut world), 0);
    world.relay.silent = false;
    world.settle(1_000);
    assert_eq!(world.texts(LEA, "general"), ["urgent"]);
}

impl World {
    /// Takes a device's single-use KeyPackages of another away, as if others had used them up.
    fn use_up_packages(&mut self, at: usize, of: usize) {
        let device = self.device_id(of);
        let done = self.devices[at]
            .engine
            .step(self.now, |cx| Ok::<_, Fault>(cx.tx.forget_packages_of_pool(&device)?));
        assert!(done.is_ok());
    }

    fn packages_given(&mut self, at: usize, to: usize) -> u64 {
        let device = self.device_id(to);
        self.forge(at, |cx| cx.tx.packages_given(&device, 0).unwrap())
    }
}

#[test]
fn if_only_the_last_resort_is_left_a_fresh_one_is_asked_for_by_direct_channel() {
    let mut world = healed();
    world.ok(LEA, "room.create", json!({"name": "press"}));
    world.use_up_packages(LEA, SOFIA);
    world.ok(LEA, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.run();
    assert_eq!(world.packages_given(SOFIA, LEA), 1);
    world.assert_agree("press", &[LEA, SOFIA]);
    // A device that does not answer is added with its last-resort one.
    world.use_up_packages(LEA, KARIM);
    world.disconnect(KARIM);
    world.ok(LEA, "room.add", json!({"room": "press", "member": "Karim"}));
    world.connect(KARIM);
    world.settle(1_000);
    world.assert_agree("press", &ALL);
}

#[test]
fn a_device_gives_nobody_more_than_a_few_key_packages_a_day() {
    let mut world = healed();
    let lea = world.device_id(LEA);
    for _ in 0..20 {
        let asked = world.devices[SOFIA].engine.step(world.now, |cx| cx.package_wanted(&lea));
        assert!(asked.is_ok());
    }
    assert_eq!(world.packages_given(SOFIA, LEA), 8);
    world.pass(DAY_MS + 1_000);
    let asked = world.devices[SOFIA].engine.step(world.now, |cx| cx.package_wanted(&lea));
    assert!(asked.is_ok());
    assert_eq!(world.packages_given(SOFIA, LEA), 9);
}

#[test]
fn the_last_resort_key_package_is_rotated_weekly_and_the_pool_kept_full() {
    let mut world = healed();
    let sofia = world.device_id(SOFIA);
    let kept = |world: &mut World| {
        world.forge(LEA, |cx| {
            let all = cx.tx.last_resorts().unwrap();
            let last = all.into_iter().find(|(device, _)| *device == sofia).unwrap().1;
            (last, cx.tx.package_count(&sofia).unwrap().single_use)
        })
    };
    let (first, full) = kept(&mut world);
    assert_eq!(full, 8);
    world.pass(6 * DAY_MS);
    assert_eq!(kept(&mut world), (first.clone(), 8));
    world.pass(DAY_MS);
    world.pass(60_000);
    let (second, full) = kept(&mut world);
    assert!(first != second && full == 8);
    // The private keys of what was replaced do not stay.
    let own = |world: &mut World| {
        world.forge(SOFIA, |cx| {
            let sql = "SELECT count(*) FROM openmls_key_packages";
            cx.tx.connection().query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap()
        })
    };
    for _ in 0..8 {
        world.pass(7 * DAY_MS);
        world.pass(60_000);
    }
    let many = own(&mut world);
    // A pool and a last resort for each week of the last 45 days, and the present one.
    assert!(many <= 9 * 8, "{many}");
    assert_eq!(kept(&mut world).1, 8);
}

#[test]
fn the_adder_uses_no_key_package_older_than_30_days() {
    let mut world = healed();
    world.disconnect(SOFIA);
    world.pass(31 * DAY_MS);
    world.ok(LEA, "room.create", json!({"name": "press"}));
    let add = world.begin(LEA, "room.add", json!({"room": "press", "member": "Sofia"}));
    world.settle(20_000);
    assert_eq!(world.answer(LEA, add).unwrap().unwrap_err().exit, 75, "it waits");
    // She comes back with a fresh one.
    world.connect(SOFIA);
    world.settle(10_000);
    world.assert_agree("press", &[LEA, SOFIA]);
}
