//! A team in which everything goes wrong at once. A seed that fails is pasted into the list.

use serde_json::json;

use super::team::{KARIM, LEA};
use super::world::World;

const STEPS: u32 = 320;
const NORA: usize = 4;
const NAMES: [&str; 5] = ["Lea", "Karim", "Sofia", "Paul", "Nora"];

/// Splitmix64: choices that replay, for a test and nothing else.
pub(super) struct Choices(pub(super) u64);

impl Choices {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

struct Chaos {
    world: World,
    choices: Choices,
    online: Vec<bool>,
    said: [Vec<String>; 2],
}

const ROOMS: [&str; 2] = ["general", "press"];

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut world = World::with(&NAMES[1..]);
        world.room(LEA, "press", &["Karim"]);
        let online = vec![true; NAMES.len()];
        Self { world, choices: Choices(seed), online, said: [Vec::new(), Vec::new()] }
    }

    fn step(&mut self, number: u32) {
        let at = self.choices.below(NAMES.len());
        match self.choices.below(16) {
            0..=3 => self.say(0, at, number),
            4..=5 => self.say(1, at % 2, number),
            // Two at once wish for changes of one room, without having read each other's.
            // Nobody is added by both: two who take the same single-use KeyPackage need a resync.
            6 => {
                let member = 2 + self.choices.below(2);
                self.wish(LEA, "room.add", member);
                self.wish(KARIM, "room.add", NORA);
            }
            7 => {
                let member = 2 + self.choices.below(3);
                self.wish(LEA, "room.remove", member);
                self.wish(KARIM, "room.add", NORA);
            }
            8 => {
                self.world.restart(at);
                self.online[at] = false;
            }
            9 => {
                self.world.disconnect(at);
                self.online[at] = false;
            }
            10..=11 => self.connect(at),
            12 => self.world.pass(100 * (1 + self.choices.below(20)) as u64),
            13 => self.world.run(),
            // One device gets on a little, the others do not.
            _ => drop(self.world.turn(at)),
        }
    }

    fn connect(&mut self, at: usize) {
        if !self.online[at] {
            self.world.connect(at);
            self.online[at] = true;
        }
    }

    fn say(&mut self, room: usize, at: usize, number: u32) {
        let text = format!("{number} from {}", NAMES[at]);
        let ask = json!({"room": ROOMS[room], "text": text, "wait_ms": 0});
        self.world.begin(at, "send", ask);
        self.said[room].push(text);
    }

    fn wish(&mut self, at: usize, method: &str, member: usize) {
        self.world.begin(at, method, json!({"room": "press", "member": NAMES[member]}));
    }

    /// Everybody comes back; then nobody disagrees about anything.
    fn settle(mut self) {
        for at in 0..NAMES.len() {
            self.connect(at);
        }
        self.world.settle(30_000);
        let all: Vec<usize> = (0..NAMES.len()).collect();
        self.world.assert_agree("general", &all);
        let inside: Vec<usize> = all.iter().copied().filter(|at| self.is_in_press(*at)).collect();
        assert!(inside.contains(&LEA) && inside.contains(&KARIM));
        self.world.assert_agree("press", &inside);
        for (room, readers) in [(0, all.as_slice()), (1, &[LEA, KARIM])] {
            let order = self.world.texts(readers[0], ROOMS[room]);
            for reader in readers {
                assert_eq!(self.world.texts(*reader, ROOMS[room]), order, "one order for all");
            }
            let (mut order, mut said) = (order, std::mem::take(&mut self.said[room]));
            order.sort();
            said.sort();
            assert_eq!(order, said, "nothing lost, nothing twice");
        }
        for at in all {
            assert_eq!(self.world.alarms(at), Vec::<String>::new());
            assert_eq!(self.world.ok(at, "status", json!({}))["queued"], 0);
        }
    }

    fn is_in_press(&mut self, at: usize) -> bool {
        self.world.forge(at, |cx| {
            cx.find_room("press")
                .is_ok_and(|row| row.status == crate::member::store::RoomStatus::Active)
        })
    }
}

#[test]
fn kill_9_anywhere_loses_nothing_and_repeats_nothing_and_all_end_on_one_epoch() {
    for seed in [1, 2, 3] {
        let mut chaos = Chaos::new(seed);
        for number in 0..STEPS {
            chaos.step(number);
        }
        chaos.settle();
    }
}
