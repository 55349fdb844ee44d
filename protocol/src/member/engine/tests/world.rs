//! The world: a relay, devices, and a scheduler that stops when nobody has anything to do.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{Engine, Joined, Step};
use super::hostile::Forged;
use super::relay::{LOG, Relay};
use crate::invite_code::{Bundle, Host, Invitation, InviteCode, Language, NO_EXPIRY, Role};
use crate::member::agent::core::{ApiError, Core, Down, Now, Out};
use crate::member::e2ee;
use crate::member::store::{DbKey, Store};
use crate::noise::keys::StaticPublic;
use crate::random::OsRandom;
use crate::wire::Cells;
use crate::wire::frame::{InviteEnd, ToDevice, ToRelay};
use crate::wire::ids::{CellId, Digest, Lane};
use crate::wire::limits::CELL;
use crate::wire::running_hash;

pub(super) const RELAY_KEY: StaticPublic = StaticPublic([9; 32]);

/// One device.
pub(super) struct Device {
    pub(super) engine: Engine,
    dir: TempDir,
    key: Arc<DbKey>,
    /// The next seq the relay pushes; `None` while offline.
    pub(super) cursor: Option<u64>,
    pub(super) events: Vec<Value>,
    answers: HashMap<u64, Result<Value, ApiError>>,
}

/// Another past, shown to one device.
pub(super) struct Fork {
    shown_to: usize,
    /// How much of the true log is in it, or left out of it.
    seen: usize,
    log: Vec<(CellId, [u8; CELL])>,
    hashes: Vec<Digest>,
}

impl Fork {
    fn append(&mut self, (id, cell): &(CellId, [u8; CELL])) {
        self.hashes.push(running_hash::next(self.hashes.last().unwrap(), id, cell));
        self.log.push((*id, *cell));
    }
}

pub(super) struct World {
    pub(super) relay: Relay,
    pub(super) fork: Option<Fork>,
    pub(super) devices: Vec<Device>,
    pub(super) now: Now,
    pub(super) root_words: String,
    calls: u64,
}

impl World {
    /// A relay nobody has claimed.
    pub(super) fn new() -> Self {
        let now = Now { unix_ms: 1_800_000_000_000, mono_ms: 1_000 };
        Self {
            relay: Relay::default(),
            fork: None,
            devices: Vec::new(),
            now,
            root_words: String::new(),
            calls: 0,
        }
    }

    /// A team of a founder.
    pub(super) fn founded() -> Self {
        let mut world = Self::new();
        let founder = world.blank();
        let code = InviteCode::generate(Host::parse("relay.example").unwrap(), None, &mut OsRandom);
        let bundle = Bundle {
            invitation: Invitation::Founder,
            team: "Campagne".into(),
            language: Language::English,
            relay: RELAY_KEY,
            addresses: vec!["relay.example:7443".into()],
            role: Role::Admin,
            expires: NO_EXPIRY,
            auto_approve: false,
        };
        let keys = code.keys();
        let sealed = bundle.seal(&keys.id, &keys.bundle, &mut OsRandom).unwrap();
        let (now, engine) = (world.now, &mut world.devices[founder].engine);
        engine.begin_join(now, &code, "Lea", "laptop").unwrap();
        let Step::Found { document, root_words } =
            engine.bundle(now, &code, &RELAY_KEY, &sealed).unwrap()
        else {
            unreachable!("a founder's bundle")
        };
        assert_eq!(root_words.split_whitespace().count(), 24);
        world.root_words = root_words.to_string();
        world.relay.answer(ToRelay::Rows { request: 0, document });
        let engine = &mut world.devices[founder].engine;
        engine.enrolled(now).unwrap();
        assert_eq!(engine.joined(), Joined::Inside);
        world.connect(founder);
        world.run();
        world
    }

    pub(super) fn blank(&mut self) -> usize {
        let dir = TempDir::new().unwrap();
        let key = Arc::new(DbKey::generate(&mut OsRandom));
        let store = Store::create(dir.path(), &key, e2ee::migrate).unwrap();
        let engine = Engine::open(store, Box::new(OsRandom)).unwrap();
        let (events, answers) = (Vec::new(), HashMap::new());
        self.devices.push(Device { engine, dir, key, cursor: None, events, answers });
        self.devices.len() - 1
    }

    /// Invites and lets somebody in; returns the device's index once it is inside.
    pub(super) fn join(&mut self, by: usize, name: &str, role: &str, auto: bool) -> usize {
        let ask = json!({"name": name, "role": role, "ttl_s": 3600, "auto_approve": auto});
        let invite = self.ok(by, "invite.create", ask);
        let code = InviteCode::parse(invite["code"].as_str().unwrap()).unwrap();
        let (new, words) = self.ask(&code, name);
        assert_eq!(words.is_none(), auto);
        if let Some(words) = words {
            self.ok(by, "invite.approve", json!({"id": invite["id"], "words": words}));
        }
        self.run();
        self.enrol(new, &code);
        new
    }

    /// A newcomer redeems a code up to its request.
    pub(super) fn ask(&mut self, code: &InviteCode, name: &str) -> (usize, Option<Vec<String>>) {
        let new = self.blank();
        let sealed = self.relay.bundles[&code.keys().id].clone();
        let (now, engine) = (self.now, &mut self.devices[new].engine);
        engine.begin_join(now, code, name, "computer").unwrap();
        let Step::Ask { words, cells, .. } = engine.bundle(now, code, &RELAY_KEY, &sealed).unwrap()
        else {
            unreachable!("a member's bundle")
        };
        assert!(cells.len() <= 16);
        let seqs = self.relay.put(&cells);
        self.devices[new].engine.asked(now, seqs[0]).unwrap();
        self.run();
        (new, words)
    }

    /// The relay says that the newcomer is enrolled; it reads on until it is inside.
    pub(super) fn enrol(&mut self, new: usize, code: &InviteCode) {
        assert_eq!(self.relay.ended.get(&code.keys().id), Some(&InviteEnd::Enrolled));
        self.devices[new].engine.enrolled(self.now).unwrap();
        self.connect(new);
        self.run();
        assert_eq!(self.devices[new].engine.joined(), Joined::Inside);
    }

    /// Shows a device another past from now on: the last cell is altered, and hashed to fit.
    pub(super) fn fork_for(&mut self, at: usize) {
        self.lie_to(at, self.relay.log.len() - 1, |cells| cells[0].1[500] ^= 1);
    }

    /// Shows a device another past from now on: the cells from the index `from` on are changed,
    /// and hashed to fit.
    pub(super) fn lie_to(&mut self, at: usize, from: usize, lie: impl FnOnce(&mut Forged)) {
        let (mut log, mut told) = (self.relay.log.clone(), self.relay.log[from..].to_vec());
        log.truncate(from);
        lie(&mut told);
        let seen = self.relay.log.len();
        let hashes = self.relay.hashes[..=from].to_vec();
        let mut fork = Fork { shown_to: at, seen, log, hashes };
        told.iter().for_each(|cell| fork.append(cell));
        self.fork = Some(fork);
    }

    /// Shows a device a past without the log's last cell from now on.
    pub(super) fn withhold_from(&mut self, at: usize) {
        let (mut log, mut hashes) = (self.relay.log.clone(), self.relay.hashes.clone());
        log.pop();
        hashes.pop();
        let seen = self.relay.log.len();
        self.fork = Some(Fork { shown_to: at, seen, log, hashes });
    }

    /// Carries what came since over to the forked past.
    pub(super) fn extend_fork(&mut self) {
        let Some(fork) = &mut self.fork else { return };
        let from = std::mem::replace(&mut fork.seen, self.relay.log.len());
        self.relay.log[from..].iter().for_each(|cell| fork.append(cell));
    }

    /// Connects a device: WELCOME, then pushes from where it wants them.
    pub(super) fn connect(&mut self, at: usize) {
        let device = &mut self.devices[at];
        let dial = device.engine.dial().unwrap();
        device.cursor = Some(dial.resume);
        let (log, hashes) = match &self.fork {
            Some(fork) if fork.shown_to == at => (&fork.log, &fork.hashes),
            _ => (&self.relay.log, &self.relay.hashes),
        };
        let (head, hash) = (log.len() as u64, *hashes.last().unwrap());
        let welcome = ToDevice::Welcome {
            version: 1,
            lane: Lane(0),
            log: self.relay.id.unwrap_or(LOG),
            oldest: 1,
            head,
            hash,
            admin: false,
            blob_quota: 0,
        };
        device.engine.frame(self.now, welcome);
        let oldest = self.relay.forgotten + 1;
        if dial.resume < oldest && head >= dial.resume {
            device.cursor = Some(oldest);
            device.engine.frame(self.now, ToDevice::Gap { lane: Lane(0), oldest });
        }
    }

    pub(super) fn disconnect(&mut self, at: usize) {
        self.devices[at].cursor = None;
        self.devices[at].engine.down(self.now, Down::Lost);
    }

    /// Kills a device without warning and starts it again, offline.
    pub(super) fn restart(&mut self, at: usize) {
        let device = &mut self.devices[at];
        device.cursor = None;
        let again = Store::open(device.dir.path(), &device.key, e2ee::migrate).unwrap();
        device.engine = Engine::open(again, Box::new(OsRandom)).unwrap();
    }

    /// Where a device's profile lies, and its database's key.
    pub(super) fn files_of(&self, at: usize) -> (&std::path::Path, &[u8; 32]) {
        let device = &self.devices[at];
        (device.dir.path(), device.key.secret().expose())
    }

    /// A copy of a device's whole profile as it is now, offline, on another machine.
    pub(super) fn copy_of(&mut self, at: usize) -> usize {
        let (dir, from) = (TempDir::new().unwrap(), &self.devices[at]);
        for file in std::fs::read_dir(from.dir.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
        }
        let key = Arc::clone(&from.key);
        let store = Store::open(dir.path(), &key, e2ee::migrate).unwrap();
        let engine = Engine::open(store, Box::new(OsRandom)).unwrap();
        let (events, answers) = (Vec::new(), HashMap::new());
        self.devices.push(Device { engine, dir, key, cursor: None, events, answers });
        self.devices.len() - 1
    }

    /// Makes a call and runs the world until it is answered.
    pub(super) fn call(
        &mut self,
        at: usize,
        method: &str,
        params: Value,
    ) -> Result<Value, ApiError> {
        self.calls += 1;
        let id = self.calls;
        self.devices[at].engine.call(self.now, id, method, params);
        for _ in 0..10_000 {
            self.run();
            if let Some(answer) = self.devices[at].answers.remove(&id) {
                return answer;
            }
            self.pass(self.until_due(60_000));
        }
        panic!("{method} was never answered");
    }

    pub(super) fn ok(&mut self, at: usize, method: &str, params: Value) -> Value {
        match self.call(at, method, params) {
            Ok(value) => value,
            Err(error) => panic!("{method}: {error:?}"),
        }
    }

    /// Begins a call without running the world.
    pub(super) fn begin(&mut self, at: usize, method: &str, params: Value) -> u64 {
        self.calls += 1;
        self.devices[at].engine.call(self.now, self.calls, method, params);
        self.calls
    }

    pub(super) fn answer(&mut self, at: usize, id: u64) -> Option<Result<Value, ApiError>> {
        self.devices[at].answers.remove(&id)
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now.unix_ms += ms;
        self.now.mono_ms += ms;
        for at in 0..self.devices.len() {
            self.devices[at].engine.tick(self.now);
        }
        self.run();
    }

    /// Runs until nobody has anything to send and everybody online has read everything.
    pub(super) fn run(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for at in 0..self.devices.len() {
                busy |= self.turn(at);
            }
        }
    }

    /// One device's turn: what it wants out, then one push.
    pub(super) fn turn(&mut self, at: usize) -> bool {
        let mut busy = false;
        while let Some(out) = self.devices[at].engine.poll() {
            busy = true;
            let device = &mut self.devices[at];
            match out {
                Out::Send(frame) if device.cursor.is_some() => {
                    if let Some(reply) = self.relay.answer(frame) {
                        self.devices[at].engine.frame(self.now, reply);
                    }
                }
                Out::Send(_) => {}
                Out::Event(event) => device.events.push(event),
                Out::Deliveries => {}
                Out::Answer(id, answer) => {
                    device.answers.insert(id, answer);
                }
                Out::Redial => {
                    device.cursor = None;
                    device.engine.down(self.now, Down::Redialled);
                }
            }
        }
        self.push(at) || busy
    }

    fn push(&mut self, at: usize) -> bool {
        let Some(push) = self.next_push(at) else { return false };
        self.devices[at].engine.frame(self.now, push);
        true
    }

    /// The next cells for a device, which it is to be handed.
    pub(super) fn next_push(&mut self, at: usize) -> Option<ToDevice> {
        const BATCH: usize = 60;
        let next = self.devices[at].cursor.filter(|_| !self.relay.silent)?;
        let from = next as usize - 1;
        let (log, hashes) = match &self.fork {
            Some(fork) if fork.shown_to == at => (&fork.log, &fork.hashes),
            _ => (&self.relay.log, &self.relay.hashes),
        };
        let cells = &log[from.min(log.len())..];
        let cells = &cells[..cells.len().min(BATCH)];
        if cells.is_empty() {
            return None;
        }
        let hash = hashes[from + cells.len()];
        let run = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
        self.devices[at].cursor = Some(next + cells.len() as u64);
        Some(ToDevice::Push { lane: Lane(0), first: next, hash, cells: run })
    }

    /// The texts a device has of a room, in order.
    pub(super) fn texts(&mut self, at: usize, room: &str) -> Vec<String> {
        let read = self.ok(at, "read", json!({"room": room, "limit": 10_000}));
        read.as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Epoch and authenticator of a room on a device.
    pub(super) fn epoch(&mut self, at: usize, room: &str) -> (u64, String) {
        let status = self.ok(at, "status", json!({}));
        let rooms = status["rooms"].as_array().unwrap();
        let state = rooms.iter().find(|state| state["room"] == room).unwrap();
        let authenticator = state["authenticator"].as_str().unwrap().to_owned();
        (state["epoch"].as_u64().unwrap(), authenticator)
    }

    pub(super) fn alarms(&mut self, at: usize) -> Vec<String> {
        let status = self.ok(at, "status", json!({}));
        serde_json::from_value(status["alarms"].clone()).unwrap()
    }
}
