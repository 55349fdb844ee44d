//! kill -9 in mid-burst, again and again: whatever was queued arrives once and in order.

use std::collections::HashSet;

use serde_json::{Value, json};
use staffetta_protocol::random::{OsRandom, bytes};
use staffetta_tests::{Staff, World, eventually};

const ROUNDS: usize = 20;
/// Messages of one burst.
const BURST: usize = 30;
const ROOM: &str = "press";

/// Who dies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Relay,
    Sender,
    Receiver,
    /// Nobody, but every connection breaks.
    Link,
}

struct Story {
    world: World,
    lea: Staff,
    /// Ids and texts in the order in which the sender's agent took them into its outbox.
    taken: Vec<(String, String)>,
    /// Texts whose fate the sender's death left open.
    open: HashSet<String>,
}

impl Story {
    fn begin() -> Self {
        let world = World::usual();
        let lea = world.admit_unseen("Lea", "laptop", "member");
        world.room(ROOM, &["Lea"]);
        world.founder.ok(&["send", ROOM, "begin"]);
        lea.reads(ROOM, "begin");
        Self { world, lea, taken: Vec::new(), open: HashSet::new() }
    }

    /// Sends a burst and kills the victim somewhere in it; then everybody comes back.
    fn round(&mut self, round: usize, victim: Victim) {
        for staff in [&self.world.founder, &self.lea] {
            staff.is_connected();
        }
        let [chance] = bytes::<1>(&mut OsRandom);
        let fatal = usize::from(chance) % BURST;
        let mut rpc = self.world.founder.rpc();
        for n in 0..BURST {
            let text = format!("round {round} message {n}");
            let asked = rpc.ask("send", json!({"room": ROOM, "text": text, "wait_ms": 0}));
            if n == fatal {
                // The last request is under way, the ones before are on their way to the others.
                self.kill(victim);
            }
            match asked.and_then(|_| rpc.hear()) {
                Some(answer) => {
                    let id = answer["result"]["id"].as_str();
                    let id = id.unwrap_or_else(|| panic!("taken: {answer}")).to_owned();
                    self.taken.push((id, text));
                }
                None => {
                    assert!(victim == Victim::Sender, "only the sender's death cuts its socket");
                    self.open.insert(text);
                    break;
                }
            }
        }
        self.revive(victim);
    }

    fn kill(&mut self, victim: Victim) {
        match victim {
            Victim::Relay => self.world.relay.kill(),
            Victim::Sender => self.world.founder.kill(),
            Victim::Receiver => self.lea.kill(),
            Victim::Link => self.world.relay.proxy.break_all(),
        }
    }

    fn revive(&mut self, victim: Victim) {
        match victim {
            Victim::Relay => {
                self.world.relay.serve();
            }
            Victim::Sender => self.world.founder.hold(),
            Victim::Receiver => self.lea.hold(),
            Victim::Link => {}
        }
    }

    fn ends_well(self) {
        self.world.founder.has_sent_everything();
        let (_, last) = self.taken.last().expect("something was sent");
        self.lea.reads(ROOM, last);
        let (sent, read) = (self.world.founder.messages(ROOM), self.lea.messages(ROOM));
        let of = |messages: &[Value]| -> Vec<(u64, String, String)> {
            let one = |it: &Value| {
                let text = |name: &str| it[name].as_str().expect("a text").to_owned();
                (it["seq"].as_u64().expect("a seq"), text("id"), text("text"))
            };
            messages.iter().map(one).collect()
        };
        let (sent, read) = (of(&sent), of(&read));
        eventually("both have the same", || (sent == read).then_some(()));
        assert!(read.windows(2).all(|two| two[0].0 < two[1].0), "in log order");
        let ids: HashSet<_> = read.iter().map(|it| &it.1).collect();
        let texts: HashSet<_> = read.iter().map(|it| &it.2).collect();
        assert_eq!((ids.len(), texts.len()), (read.len(), read.len()), "none twice");

        // Everything that was taken is there, in the order in which it was taken; besides it only
        // what the sender was about to take when it died.
        let of_burst = read.iter().filter(|it| it.2 != "begin" && !self.open.contains(&it.2));
        let arrived: Vec<_> = of_burst.map(|it| (it.1.clone(), it.2.clone())).collect();
        assert_eq!(arrived, self.taken);
        println!(
            "figure: {ROUNDS} breaks, {} of {} messages arrived, once and in order",
            arrived.len(),
            self.taken.len()
        );
    }
}

fn kill_in_every_round(victim: Victim) {
    let mut story = Story::begin();
    for round in 0..ROUNDS {
        story.round(round, victim);
    }
    story.ends_well();
}

#[test]
fn killing_the_relay_in_mid_burst_loses_nothing_and_repeats_nothing() {
    kill_in_every_round(Victim::Relay);
}

#[test]
fn killing_the_sender_in_mid_burst_loses_nothing_and_repeats_nothing() {
    kill_in_every_round(Victim::Sender);
}

#[test]
fn killing_the_receiver_in_mid_burst_loses_nothing_and_repeats_nothing() {
    kill_in_every_round(Victim::Receiver);
}

#[test]
fn breaking_every_connection_in_mid_burst_loses_nothing_and_repeats_nothing() {
    kill_in_every_round(Victim::Link);
}
