//! Prints what the small steps cost on one core: gate, hop, cells, log. Rooms are `rooms`' matter; the
//! relay's store is measured among its own tests, which `tests/bench.sh` runs.
//!
//! `micro [WORD]...`: only the lines that hold one of the words. Wants a release build.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use staffetta_protocol::cell::channel_key::{ChannelKey, TagKey};
use staffetta_protocol::cell::direct;
use staffetta_protocol::cell::fragment::split;
use staffetta_protocol::gate::{Gate, Token, window};
use staffetta_protocol::member::content::Content;
use staffetta_protocol::noise::keys::{AccessSecret, StaticSecret};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::session::device::{self, DeviceSession};
use staffetta_protocol::session::relay::{self, RelaySession};
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{CellId, ContentId, Digest, Lane, LogId, TeamId};
use staffetta_protocol::wire::limits::CELL;
use staffetta_protocol::wire::running_hash;

/// How long one sample takes; the middle one of five counts.
const SAMPLE: Duration = Duration::from_millis(200);
const SAMPLES: usize = 5;
const NOW: u64 = 1_800_000_000;

struct Bench {
    words: Vec<String>,
}

impl Bench {
    /// Times `step`, of which each does `each` operations.
    fn run(&self, name: &str, each: u32, mut step: impl FnMut()) {
        if !self.words.is_empty() && !self.words.iter().any(|word| name.contains(word)) {
            return;
        }
        let mut samples: Vec<f64> = (0..SAMPLES)
            .map(|_| {
                let (start, mut done) = (Instant::now(), 0_u32);
                while start.elapsed() < SAMPLE {
                    step();
                    done += each;
                }
                start.elapsed().as_secs_f64() * 1e9 / f64::from(done)
            })
            .collect();
        samples.sort_by(f64::total_cmp);
        let (least, middle) = (samples[0], samples[SAMPLES / 2]);
        println!("{name:44} {middle:12.0} ns (least {least:.0}), {:12.0} a second", 1e9 / middle);
    }
}

/// Both ends of an open session.
struct Session {
    device: DeviceSession,
    relay: RelaySession,
}

impl Session {
    fn open(key: &StaticSecret, own: &StaticSecret, access: &Secret<32>) -> Self {
        let access = || AccessSecret::from_secret(Secret::copy(access.expose()).expect("32 bytes"));
        let row = access().bind(&own.public());
        let psk = access().psk();
        let mut session = Self {
            device: DeviceSession::device(0, &key.public(), own, &psk, 1).expect("a session"),
            relay: RelaySession::device(0, key, access(), row).expect("a session"),
        };
        session.carry();
        let welcome = ToDevice::Welcome {
            version: 1,
            lane: Lane(0),
            log: LogId([1; 16]),
            oldest: 1,
            head: 0,
            hash: Digest([2; 32]),
            admin: false,
            blob_quota: 0,
        };
        session.relay.handle(0, relay::Input::Send(&welcome));
        session.carry();
        session
    }

    /// Carries messages both ways until nobody has one.
    fn carry(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.device.poll() {
                if let device::Output::Transmit(message) = output {
                    self.relay.handle(0, relay::Input::Message(&message));
                    moved = true;
                }
            }
            while let Some(output) = self.relay.poll() {
                match output {
                    relay::Output::Transmit(message) => {
                        self.device.handle(0, device::Input::Message(&message));
                        moved = true;
                    }
                    relay::Output::Close(closed) => unreachable!("closed: {closed:?}"),
                    other => drop(black_box(other)),
                }
            }
            if !moved {
                return;
            }
        }
    }
}

fn secret(byte: u8) -> Secret<32> {
    Secret::copy(&[byte; 32]).expect("32 bytes")
}

fn main() {
    let bench = Bench { words: std::env::args().skip(1).collect() };
    gate(&bench);
    hop(&bench);
    cells(&bench);
    log(&bench);
}

fn gate(bench: &Bench) {
    let (relay, access) =
        (StaticSecret::from_secret(secret(1)), AccessSecret::from_secret(secret(2)));
    let (gate, key) = (Gate::of(&relay.public()), access.gate_key());
    bench.run("gate: a device makes a token", 1, || {
        black_box(gate.token(&key, NOW, &mut OsRandom).to_text());
    });
    let text = gate.token(&key, NOW, &mut OsRandom).to_text();
    bench.run("gate: a relay checks a good token", 1, || {
        let token = Token::parse(text.as_bytes()).expect("a token");
        black_box(gate.check(&token, &key, NOW).is_ok());
    });
    bench.run("gate: a row's 16 handles of a window", 1, || {
        for k in 0..16 {
            black_box(key.handle(window(NOW), k));
        }
    });
}

fn hop(bench: &Bench) {
    let (key, own) = (StaticSecret::from_secret(secret(1)), StaticSecret::from_secret(secret(2)));
    bench.run("hop: handshake and HELLO, both ends", 1, || {
        black_box(Session::open(&key, &own, &secret(3)));
    });
    for count in [1, 4, 16, 60] {
        let mut session = Session::open(&key, &own, &secret(3));
        let bodies = vec![[7; CELL]; count];
        let cells = Cells::collect(bodies.iter().map(|body| (CellId([9; 16]), body)));
        let put = ToRelay::Put { lane: Lane(0), request: 1, cells };
        bench.run(&format!("hop: seal and open PUT of {count}, a cell"), count as u32, || {
            session.device.handle(0, device::Input::Send(&put));
            session.carry();
        });
    }
}

fn cells(bench: &Bench) {
    let channels: Vec<ChannelKey> =
        (0..160).map(|byte| ChannelKey::derive(&secret(byte))).collect();
    let fragment = split(3, &[7; 300]).expect("short").remove(0);
    let foreign = ChannelKey::derive(&secret(200)).seal(&mut OsRandom, &fragment);
    bench.run("cell: a foreign one, a tag of 160 channels", 160, || {
        for channel in &channels {
            assert!(!channel.matches(black_box(&foreign)));
        }
    });
    bench.run("cell: seal", 1, || {
        black_box(channels[0].seal(&mut OsRandom, &fragment));
    });
    let own = channels[0].seal(&mut OsRandom, &fragment);
    bench.run("cell: open", 1, || {
        black_box(channels[0].open(black_box(&own)).is_ok());
    });
    bench.run("cell: a message of 24,000 bytes in fragments", 1, || {
        black_box(split(3, &[7; 24_000]).expect("26 fragments"));
    });
    let (sender, receiver) =
        (StaticSecret::from_secret(secret(1)), StaticSecret::from_secret(secret(2)));
    let shared = direct::direct_secret(&sender, &receiver.public()).expect("no low order");
    let tag = TagKey::derive(&shared);
    let seal = || direct::seal(&mut OsRandom, &tag, &sender, &receiver.public(), 1, &[7; 900]);
    bench.run("cell: seal a direct one", 1, || {
        black_box(seal().is_some());
    });
    let sealed = seal().expect("short").remove(0);
    bench.run("cell: open a direct one", 1, || {
        black_box(direct::open(&receiver, &sender.public(), black_box(&sealed)).is_some());
    });
    let content = Content::text(ContentId([1; 16]), 1, NOW, "The hall is confirmed.".to_owned());
    let content = content.expect("a text");
    let encoded = content.encode().expect("a content");
    bench.run("content: encode a short text", 1, || {
        black_box(content.encode().is_ok());
    });
    bench.run("content: decode a short text", 1, || {
        black_box(Content::decode(black_box(&encoded)).is_ok());
    });
}

fn log(bench: &Bench) {
    let mut hash = running_hash::start(&TeamId([1; 32]), Lane(0), &LogId([2; 16]));
    let cell = [7; CELL];
    bench.run("log: running hash, a cell", 1, || {
        hash = running_hash::next(&hash, &CellId([3; 16]), &cell);
    });
    let bodies = vec![cell; 60];
    let cells = Cells::collect(bodies.iter().map(|body| (CellId([9; 16]), body)));
    let push = ToDevice::Push { lane: Lane(0), first: 1, hash: Digest([2; 32]), cells };
    let encoded = Bytes::from(push.encode().expect("a frame"));
    bench.run("log: decode PUSH of 60", 1, || {
        black_box(ToDevice::decode(encoded.clone()).is_ok());
    });
}
