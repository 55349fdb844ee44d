//! Stories of rooms: a roster, devices with their own databases, and groups that share commits.

mod deferring;
mod hostile;
mod joining;
mod membership;
mod messages;
mod resyncs;
mod rights;
mod sizes;
mod states;
mod verdicts;

pub(in crate::member) use self::hostile::break_tag;

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::*;
use crate::member::identity::{DeviceKeys, LeafCertificate};
use crate::random::OsRandom;
use crate::wire::ids::{DeviceId, MemberId, RoomId};

/// A roster that a test edits.
#[derive(Clone, Default)]
struct Roster {
    number: u32,
    devices: BTreeMap<DeviceId, Standing>,
}

impl Authority for Roster {
    fn number(&self) -> u32 {
        self.number
    }

    fn device(&self, device: &DeviceId) -> Standing {
        self.devices.get(device).copied().unwrap_or(Standing::Unknown)
    }
}

impl Roster {
    /// A new device of a new member.
    fn enrol(&mut self, role: Role) -> Device {
        self.enrol_for(MemberId::random(&mut OsRandom), role)
    }

    /// A new device of a member.
    fn enrol_for(&mut self, member: MemberId, role: Role) -> Device {
        let device = Device::new();
        self.number += 1;
        let identity = device.keys.identity.public();
        self.devices.insert(device.id(), Standing::Active { identity, member, role });
        device
    }

    fn revoke(&mut self, device: &DeviceId) {
        self.number += 1;
        self.devices.insert(*device, Standing::Revoked);
    }

    fn member_of(&self, device: &DeviceId) -> MemberId {
        match self.device(device) {
            Standing::Active { member, .. } => member,
            _ => panic!("not active"),
        }
    }
}

/// One installation: keys, certificate and a database of its own.
struct Device {
    keys: DeviceKeys,
    certificate: LeafCertificate,
    connection: Connection,
}

impl Device {
    fn new() -> Self {
        let keys = DeviceKeys::generate(&mut OsRandom);
        let certificate = keys.certify_leaf(1);
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        Self { keys, certificate, connection }
    }

    fn id(&self) -> DeviceId {
        self.keys.device_id()
    }

    fn provider(&self) -> Provider<'_> {
        Provider::new(&self.connection)
    }

    fn package(&self) -> Vec<u8> {
        new_package(&self.provider(), &self.keys, &self.certificate, false).unwrap()
    }
}

/// A device in a room.
struct Seat {
    device: Device,
    group: Group,
}

impl Seat {
    fn id(&self) -> DeviceId {
        self.device.id()
    }

    fn commit_at(
        &mut self,
        roster: &Roster,
        change: &Change<'_>,
        place: &Place<'_>,
    ) -> Result<Built, CommitError> {
        let provider = Provider::new(&self.device.connection);
        let signer = &self.device.keys.leaf;
        self.group.commit(&provider, signer, change, &WelcomeSecrets::default(), roster, place)
    }

    fn commit(&mut self, roster: &Roster, change: &Change<'_>) -> Result<Built, CommitError> {
        self.commit_at(roster, change, &Place::default())
    }

    fn judge_at(&mut self, roster: &Roster, commit: &[u8], place: &Place<'_>) -> Verdict {
        let provider = Provider::new(&self.device.connection);
        self.group.judge(&provider, commit, roster, place)
    }

    fn judge(&mut self, roster: &Roster, commit: &[u8]) -> Verdict {
        self.judge_at(roster, commit, &Place::default())
    }

    fn win(&mut self, roster: &Roster, commit: &[u8]) -> Verdict {
        let provider = Provider::new(&self.device.connection);
        self.group.win_own(&provider, commit, roster, &Place::default())
    }

    fn say(&mut self, roster: &Roster, text: &[u8]) -> Result<Vec<u8>, Error> {
        let provider = Provider::new(&self.device.connection);
        self.group.encrypt(&provider, &self.device.keys.leaf, roster, text, b"aad")
    }

    fn hear(&mut self, roster: &Roster, message: &[u8]) -> Result<Opened, Refused> {
        let provider = Provider::new(&self.device.connection);
        self.group.decrypt(&provider, message, roster)
    }

    fn reload(&mut self) {
        let room = self.group.room();
        self.group = Group::load(&self.device.provider(), room).unwrap().unwrap();
    }
}

fn state(kind: RoomKind) -> RoomState {
    RoomState {
        name: "a room".into(),
        topic: String::new(),
        kind,
        who_may_add: WhoMayAdd::Members,
        lifetime_s: 604_800,
    }
}

fn found(device: Device, state: &RoomState) -> Seat {
    let room = RoomId::random(&mut OsRandom);
    let provider = device.provider();
    let group = Group::create(&provider, &device.keys, &device.certificate, room, state).unwrap();
    Seat { device, group }
}

fn join(roster: &Roster, device: Device, welcome: &[u8]) -> Seat {
    let provider = device.provider();
    let invitation = open_welcome(&provider, welcome, Rejoin::Refuse).unwrap();
    let group = invitation.accept(&provider, roster).unwrap();
    Seat { device, group }
}

/// A room founded by the first device, which adds all the others in one commit.
fn room_of(roster: &Roster, state: &RoomState, devices: Vec<Device>) -> Vec<Seat> {
    let mut devices = devices.into_iter();
    let mut first = found(devices.next().unwrap(), state);
    let others: Vec<Device> = devices.collect();
    let packages: Vec<Vec<u8>> = others.iter().map(Device::package).collect();
    let change = Change { add: &packages, ..Change::default() };
    let built = first.commit(roster, &change).unwrap();
    valid(first.win(roster, &built.commit));
    let welcome = built.welcome.unwrap();
    let mut seats = vec![first];
    seats.extend(others.into_iter().map(|device| join(roster, device, &welcome)));
    seats
}

/// An admin and `people - 1` members, one device each, in an ordinary room.
fn team(people: usize) -> (Roster, Vec<Seat>) {
    let mut roster = Roster::default();
    let mut devices = vec![roster.enrol(Role::Admin)];
    devices.extend((1..people).map(|_| roster.enrol(Role::Member)));
    let seats = room_of(&roster, &state(RoomKind::Room), devices);
    (roster, seats)
}

fn valid(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Valid(outcome) => outcome,
        other => panic!("not valid: {other:?}"),
    }
}

fn invalid(verdict: Verdict) -> Invalid {
    match verdict {
        Verdict::Invalid(reason) => reason,
        other => panic!("not invalid: {other:?}"),
    }
}

fn broken(verdict: Verdict) -> Broken {
    match verdict {
        Verdict::Broken(reason, _) => reason,
        other => panic!("not broken: {other:?}"),
    }
}

fn refused(result: Result<Built, CommitError>) -> Invalid {
    match result {
        Err(CommitError::Refused(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// All are in the same epoch of the same group.
fn agree(seats: &[Seat]) {
    let first = seats[0].group.authenticator().unwrap();
    assert!(seats.iter().all(|seat| seat.group.authenticator().unwrap() == first));
}

/// Everybody can still talk to everybody.
fn all_talk(roster: &Roster, seats: &mut [Seat]) {
    for speaker in 0..seats.len() {
        let message = seats[speaker].say(roster, b"still here").unwrap();
        for listener in (0..seats.len()).filter(|listener| *listener != speaker) {
            let opened = seats[listener].hear(roster, &message).unwrap();
            assert_eq!(opened.plaintext, b"still here");
        }
    }
}

const UPDATE: Change<'static> =
    Change { add: &[], remove: &[], update: true, state: None, resync: None };
