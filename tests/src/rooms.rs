//! Rooms of many devices: what changes and messages take, in time and in cells.
//!
//! Two devices with profiles of their own on this machine's disk act; the others are KeyPackages
//! and leaves. Each figure is one durable step: a transaction that is synced to disk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::json;
use staffetta_protocol::member::agent::core::Core as _;
use staffetta_protocol::member::e2ee::{
    self, Authority, Built, Change, Group, MAX_ADDS, Place, Provider, Rejoin, Role, RoomKind,
    RoomState, Standing, Verdict, WelcomeSecrets, WhoMayAdd, new_package, open_welcome,
};
use staffetta_protocol::member::identity::{DeviceKeys, LeafCertificate};
use staffetta_protocol::member::store::{DbKey, Store, StoreError, Tx};
use staffetta_protocol::random::{OsRandom, bytes};
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::{CellId, DeviceId, MemberId, RoomId};
use staffetta_protocol::wire::limits::MAX_CELLS;
use tempfile::TempDir;

use crate::sim::world::World;

/// Content bytes of a cell in a room.
const CONTENT: usize = 945;
/// How many messages a figure is taken from.
const MESSAGES: usize = 200;

/// What one size of room takes.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Devices in the room.
    pub devices: usize,
    /// The commit that adds one device: cells, and the time to make, win and follow it.
    pub add: Taken,
    /// An update of one's own keys, before and after eight members did so.
    pub update: [Taken; 2],
    /// The removal of one device, from a tree nobody has updated and after those updates.
    pub remove: [Taken; 2],
    /// Bytes of the Welcome for one device.
    pub welcome: usize,
    /// Bytes of a message of 300 bytes, and the median times to encrypt and to process it.
    pub message: (usize, Duration, Duration),
}

/// What one change takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// Cells in the log.
    pub cells: usize,
    /// Time of its author: making it and taking it over.
    pub made: Duration,
    /// Time of another device to judge and follow it.
    pub followed: Duration,
}

/// All are active; each is a person.
#[derive(Default)]
struct Everybody(BTreeMap<DeviceId, Standing>);

impl Authority for Everybody {
    fn number(&self) -> u32 {
        1
    }

    fn device(&self, device: &DeviceId) -> Standing {
        self.0.get(device).copied().unwrap_or(Standing::Unknown)
    }
}

/// A device with a profile.
struct Seat {
    keys: DeviceKeys,
    certificate: LeafCertificate,
    store: Store,
    group: Option<Group>,
    _dir: TempDir,
}

impl Seat {
    fn new(roster: &mut Everybody) -> anyhow::Result<Self> {
        let dir = TempDir::new()?;
        let store = Store::create(dir.path(), &DbKey::generate(&mut OsRandom), e2ee::migrate)?;
        let keys = DeviceKeys::generate(&mut OsRandom);
        let (identity, member) = (keys.identity.public(), MemberId::random(&mut OsRandom));
        roster.0.insert(keys.device_id(), Standing::Active { identity, member, role: Role::Admin });
        let certificate = keys.certify_leaf(1);
        Ok(Self { keys, certificate, store, group: None, _dir: dir })
    }

    /// One durable step, and how long it took.
    fn step<T>(
        &mut self,
        work: impl FnOnce(&Tx<'_>, &Provider<'_>, &DeviceKeys, &mut Option<Group>) -> Option<T>,
    ) -> anyhow::Result<(T, Duration)> {
        let Self { keys, store, group, .. } = self;
        let start = Instant::now();
        let done = store.step(|tx| {
            let provider = Provider::new(tx.connection());
            Ok::<_, StoreError>(work(tx, &provider, keys, group))
        })?;
        Ok((done.context("a step of MLS failed")?, start.elapsed()))
    }

    fn package(&mut self) -> anyhow::Result<Vec<u8>> {
        let certificate = self.certificate;
        let make = |_: &Tx<'_>, provider: &Provider<'_>, keys: &DeviceKeys, _: &mut _| {
            new_package(provider, keys, &certificate, false).ok()
        };
        Ok(self.step(make)?.0)
    }

    fn join(&mut self, welcome: &[u8], roster: &Everybody) -> anyhow::Result<()> {
        self.step(|_, provider, _, group| {
            let invitation = open_welcome(provider, welcome, Rejoin::Refuse).ok()?;
            *group = Some(invitation.accept(provider, roster).ok()?);
            Some(())
        })?;
        Ok(())
    }

    fn commit(
        &mut self,
        change: &Change<'_>,
        roster: &Everybody,
    ) -> anyhow::Result<(Built, Duration)> {
        let place = Place::default();
        let secrets = WelcomeSecrets::default();
        let (built, making) = self.step(|_, provider, keys, group| {
            group.as_mut()?.commit(provider, &keys.leaf, change, &secrets, roster, &place).ok()
        })?;
        let ((), winning) = self.step(|_, provider, _, group| {
            valid(group.as_mut()?.win_own(provider, &built.commit, roster, &place))
        })?;
        Ok((built, making + winning))
    }

    fn follow(&mut self, commit: &[u8], roster: &Everybody) -> anyhow::Result<Duration> {
        let place = Place::default();
        let ((), took) = self.step(|_, provider, _, group| {
            valid(group.as_mut()?.judge(provider, commit, roster, &place))
        })?;
        Ok(took)
    }
}

fn valid(verdict: Verdict) -> Option<()> {
    matches!(verdict, Verdict::Valid(_)).then_some(())
}

fn cells(bytes: usize) -> usize {
    bytes.div_ceil(CONTENT)
}

/// A room in which some devices are real.
struct Room {
    roster: Everybody,
    seats: Vec<Seat>,
    /// Devices that are only leaves.
    leaves: Vec<DeviceId>,
}

impl Room {
    /// A room of `devices`, of which the first `real` have profiles.
    fn of(devices: usize, real: usize) -> anyhow::Result<Self> {
        let mut roster = Everybody::default();
        let mut seats = vec![Seat::new(&mut roster)?];
        let state = RoomState {
            name: "assembly".into(),
            topic: String::new(),
            kind: RoomKind::Room,
            who_may_add: WhoMayAdd::Members,
            lifetime_s: 604_800,
        };
        let (certificate, id) = (seats[0].certificate, RoomId::random(&mut OsRandom));
        seats[0].step(|_, provider, keys, group| {
            *group = Some(Group::create(provider, keys, &certificate, id, &state).ok()?);
            Some(())
        })?;
        let mut room = Self { roster, seats, leaves: Vec::new() };
        while room.len() < devices {
            room.grow(devices, real)?;
        }
        Ok(room)
    }

    fn len(&self) -> usize {
        self.seats.len() + self.leaves.len()
    }

    /// Adds as many as one commit may; the last ones are the real ones, so that all others are
    /// in before them and nobody has much to follow.
    fn grow(&mut self, devices: usize, real: usize) -> anyhow::Result<()> {
        let more = (devices - self.len()).min(MAX_ADDS);
        let left = devices - self.len() - more;
        let (mut packages, mut new) = (Vec::new(), Vec::new());
        for index in 0..more {
            let mut seat = Seat::new(&mut self.roster)?;
            packages.push(seat.package()?);
            // Those that stay are the last `real - 1` of all.
            if left + (more - index) < real {
                new.push(seat);
            } else {
                self.leaves.push(seat.keys.device_id());
            }
        }
        let add = Change { add: &packages, ..Change::default() };
        let (built, _) = self.seats[0].commit(&add, &self.roster)?;
        for seat in &mut self.seats[1..] {
            seat.follow(&built.commit, &self.roster)?;
        }
        let welcome = built.welcome.context("a Welcome")?;
        for mut seat in new {
            seat.join(&welcome, &self.roster)?;
            self.seats.push(seat);
        }
        Ok(())
    }

    /// A change by the device `by`, which the others follow.
    fn change(&mut self, by: usize, change: &Change<'_>) -> anyhow::Result<(Taken, Built)> {
        let (built, made) = self.seats[by].commit(change, &self.roster)?;
        let mut followed = Duration::ZERO;
        for at in (0..self.seats.len()).filter(|at| *at != by) {
            followed = self.seats[at].follow(&built.commit, &self.roster)?;
        }
        Ok((Taken { cells: cells(built.commit.len()), made, followed }, built))
    }

    fn remove_one(&mut self, by: usize) -> anyhow::Result<Taken> {
        let gone = [self.leaves.pop().context("a leaf")?];
        Ok(self.change(by, &Change { remove: &gone, ..Change::default() })?.0)
    }

    fn add_one(&mut self) -> anyhow::Result<(Taken, usize)> {
        let mut seat = Seat::new(&mut self.roster)?;
        let packages = [seat.package()?];
        let (change, built) = self.change(0, &Change { add: &packages, ..Change::default() })?;
        self.leaves.push(seat.keys.device_id());
        Ok((change, built.welcome.context("a Welcome")?.len()))
    }

    /// The median times of a message's author and of somebody else.
    fn talk(&mut self) -> anyhow::Result<(usize, Duration, Duration)> {
        let (mut sealing, mut opening, mut size) = (Vec::new(), Vec::new(), 0);
        let text = [7; 300];
        let Self { roster, seats, .. } = self;
        for _ in 0..MESSAGES {
            let (message, took) = seats[0].step(|_, provider, keys, group| {
                group.as_mut()?.encrypt(provider, &keys.leaf, roster, &text, b"").ok()
            })?;
            sealing.push(took);
            let ((), took) = seats[1].step(|_, provider, _, group| {
                let opened = group.as_mut()?.decrypt(provider, &message, roster).ok()?;
                (opened.plaintext == text).then_some(())
            })?;
            opening.push(took);
            size = message.len();
        }
        Ok((size, median(sealing)?, median(opening)?))
    }
}

fn median(mut times: Vec<Duration>) -> anyhow::Result<Duration> {
    times.sort();
    times.get(times.len() / 2).copied().context("no times")
}

/// Takes the figures of a room of so many devices, 12 at least.
///
/// # Errors
/// If a step fails.
pub fn measure(devices: usize) -> anyhow::Result<Figures> {
    const REAL: usize = 10;
    const UPDATE: Change<'_> =
        Change { add: &[], remove: &[], update: true, state: None, resync: None };
    ensure!(devices > REAL + 1, "rooms of 12 devices at least");
    let mut room = Room::of(devices, REAL)?;
    let message = room.talk()?;
    let cold_remove = room.remove_one(0)?;
    let (add, welcome) = room.add_one()?;
    let cold_update = room.change(1, &UPDATE)?.0;
    for by in 2..REAL {
        room.change(by, &UPDATE)?;
    }
    let warm_update = room.change(1, &UPDATE)?.0;
    let warm_remove = room.remove_one(1)?;
    Ok(Figures {
        devices,
        add,
        update: [cold_update, warm_update],
        remove: [cold_remove, warm_remove],
        welcome,
        message,
    })
}

/// What it takes a device with so many channels to read cells of which none is its own.
#[derive(Clone, Copy, Debug)]
pub struct Foreign {
    /// Cells.
    pub cells: usize,
    /// Channels the device has: in each room one of its messages and one of its beacons, the
    /// control room's, those of invites and other devices.
    pub channels: usize,
    /// Time until all are read, durably.
    pub took: Duration,
}

/// Lets a device with `channels` channels, or one more, read `cells` cells that open for nobody.
///
/// # Errors
/// If a step fails.
pub fn read_foreign(cells: usize, channels: usize) -> anyhow::Result<Foreign> {
    let mut world = World::new(1);
    let at = world.found("Lea")?;
    world.pass(5_000)?;
    let mut rooms = 0..channels;
    while world.devices[at].channels()? < channels {
        let room = rooms.next().context("a room without a channel")?;
        world.ok(at, "room.create", json!({"name": format!("room {room}")}))?;
        world.pass(1_000)?;
    }
    let channels = world.devices[at].channels()?;
    let first = world.relay.head() + 1;
    let noise: Vec<_> =
        (0..cells).map(|_| (CellId::random(&mut OsRandom), bytes(&mut OsRandom))).collect();
    for some in noise.chunks(MAX_CELLS) {
        let put = Cells::collect(some.iter().map(|(id, cell)| (*id, cell)));
        world.relay.put(&put).ok_or_else(|| anyhow!("cells"))?;
    }
    let (mut next, now) = (first, world.now);
    let mut pushes = Vec::new();
    while let Some((push, count)) = world.relay.push(next, MAX_CELLS) {
        next += count as u64;
        pushes.push(push);
    }
    let engine = world.devices[at].engine.as_mut().context("a process")?;
    let start = Instant::now();
    for push in pushes {
        engine.frame(now, push);
    }
    let took = start.elapsed();
    let status = world.ok(at, "status", json!({}))?;
    if status["head"] != next - 1 {
        bail!("read up to {} of {}", status["head"], next - 1);
    }
    Ok(Foreign { cells, channels, took })
}
