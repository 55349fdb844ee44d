//! What members and relays that keep no rule can do, as moves of the world.

use super::super::Cx;
use super::super::fault::Fault;
use super::super::memory::Standings;
use super::super::rooms::ROOM_COMMIT;
use super::world::World;
use crate::member::e2ee::{Authority, Change, Place, Role, Standing, WelcomeSecrets, new_package};
use crate::member::identity::DeviceKeys;
use crate::member::roster::Roster;
use crate::member::store::MetaKey;
use crate::random::OsRandom;
use crate::wire::Cells;
use crate::wire::ids::{CellId, DeviceId, MemberId, RoomId};
use crate::wire::limits::CELL;
use crate::wire::running_hash;

/// Cells ready for the log.
pub(super) type Forged = Vec<(CellId, [u8; CELL])>;

/// The roster of somebody who finds that everything is allowed.
struct Anything<'a> {
    roster: &'a Roster,
    ahead: u32,
    stranger: Option<&'a DeviceKeys>,
}

impl Authority for Anything<'_> {
    fn number(&self) -> u32 {
        self.roster.head().number + self.ahead
    }

    fn device(&self, device: &DeviceId) -> Standing {
        let stranger = self.stranger.filter(|keys| keys.device_id() == *device);
        let identity = match stranger {
            Some(keys) => keys.identity.public(),
            None => match Standings(self.roster).device(device) {
                Standing::Active { identity, .. } => identity,
                other => return other,
            },
        };
        // Distinct devices are distinct people here.
        Standing::Active { identity, member: MemberId(device.0), role: Role::Admin }
    }
}

impl World {
    /// What a program that keeps no rule could make with a device's keys. Nothing of it stays on
    /// that device.
    pub(super) fn forge<T>(&mut self, at: usize, make: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        let (now, mut made, mut sealed) = (self.now, None, None);
        let engine = &mut self.devices[at].engine;
        let undone = engine.step(now, |cx| {
            made = Some(make(cx));
            sealed = cx.tx.get::<u64>(MetaKey::OwnCells)?;
            Err::<(), _>(Fault::Bug("undone"))
        });
        assert!(undone.is_err());
        // Such a program knows what it has sealed, or it would take itself for a restored copy.
        engine
            .step(now, |cx| Ok(cx.tx.set(MetaKey::OwnCells, &sealed.unwrap_or_default())?))
            .unwrap();
        made.unwrap()
    }

    /// A commit of this device that its own program would refuse to make. `ahead` roster entries
    /// that nobody has are claimed to be known; `remove` names devices, `add` is a KeyPackage, and
    /// `true` a fresh one of a stranger.
    pub(super) fn forge_commit(
        &mut self,
        at: usize,
        room: &str,
        ahead: u32,
        change: &Change<'_>,
        stranger: bool,
    ) -> Forged {
        let room = self.room_id(at, room);
        self.forge(at, |cx| {
            let bytes = cx.raw_commit(&room, ahead, change, stranger).0;
            cx.seal_in_room(&room, ROOM_COMMIT, &bytes).unwrap()
        })
    }

    pub(super) fn room_id(&mut self, at: usize, room: &str) -> RoomId {
        self.forge(at, |cx| cx.find_room(room).unwrap().id)
    }

    pub(super) fn device_id(&self, at: usize) -> DeviceId {
        self.devices[at].engine.memory.me().unwrap()
    }

    /// Puts cells into the log, whoever made them.
    pub(super) fn place(&mut self, cells: &Forged) {
        self.relay.put(&Cells::collect(cells.iter().map(|(id, cell)| (*id, cell))));
    }

    /// Puts copies of the log's last cells into the log, under other ids.
    pub(super) fn replay_last(&mut self, count: usize) {
        let from = self.relay.log.len() - count;
        let copies: Forged = self.relay.log[from..]
            .iter()
            .map(|(_, cell)| (CellId::random(&mut OsRandom), *cell))
            .collect();
        self.place(&copies);
    }

    /// Changes what nobody has been shown yet: cells from the index `from` on.
    pub(super) fn rewrite(&mut self, from: usize, change: impl FnOnce(&mut Forged)) {
        let mut cells = self.relay.log.split_off(from);
        self.relay.hashes.truncate(from + 1);
        change(&mut cells);
        let mut hash = self.relay.hashes[from];
        for (id, cell) in cells {
            hash = running_hash::next(&hash, &id, &cell);
            self.relay.hashes.push(hash);
            self.relay.log.push((id, cell));
        }
    }

    /// Every pair of these devices is in the same epoch of this room.
    pub(super) fn assert_agree(&mut self, room: &str, devices: &[usize]) {
        let epochs: Vec<_> = devices.iter().map(|at| self.epoch(*at, room)).collect();
        assert!(epochs.windows(2).all(|pair| pair[0] == pair[1]), "{epochs:?}");
    }
}

impl Cx<'_> {
    /// A commit and its Welcome.
    pub(super) fn raw_commit(
        &mut self,
        room: &RoomId,
        ahead: u32,
        change: &Change<'_>,
        stranger: bool,
    ) -> (Vec<u8>, Option<Vec<u8>>) {
        let provider = self.provider();
        let foreign = DeviceKeys::generate(&mut OsRandom);
        let package = new_package(&provider, &foreign, &foreign.certify_leaf(1), false).unwrap();
        let mut add = change.add.to_vec();
        if stranger {
            add.push(package);
        }
        self.memory.group(&provider, room).unwrap().unwrap();
        let group = self.memory.groups.get_mut(room).unwrap();
        let roster = self.memory.roster.as_ref().unwrap();
        let anything = Anything { roster, ahead, stranger: Some(&foreign) };
        let signer = &self.memory.keys.as_ref().unwrap().leaf;
        let change = Change { add: &add, ..*change };
        let secrets = WelcomeSecrets::default();
        let built = group
            .commit(&provider, signer, &change, &secrets, &anything, &Place::default())
            .unwrap();
        (built.commit, built.welcome)
    }
}
