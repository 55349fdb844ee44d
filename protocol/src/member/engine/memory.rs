//! What the engine keeps in memory: a copy of what is on disk, loaded again after a rollback.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::fault::Fault;
use super::profile::Profile;
use crate::cell::chain::{Chain, Chains};
use crate::cell::channel_key::{ChannelKey, TagKey};
use crate::cell::fragment::NextHash;
use crate::member::e2ee::{Authority, Group, Provider, Role, Standing};
use crate::member::identity::{DeviceKeys, LeafCertificate};
use crate::member::roster::{self, Roster, SignedEntry};
use crate::member::store::{
    BeaconClock, ChannelKind, ChannelRow, Cursor, MetaKey, ResyncRow, RoomRow, View,
};
use crate::secret::Secret;
use crate::wire::ids::{CellId, DeviceId, Digest, InviteId, LogId, MemberId, RoomId, Seq};
use crate::wire::limits::CELL;

/// Everything the engine keeps in memory.
pub(super) struct Memory {
    pub(super) keys: Option<DeviceKeys>,
    pub(super) profile: Profile,
    pub(super) roster: Option<Roster>,
    pub(super) channels: Vec<Live>,
    pub(super) groups: HashMap<RoomId, Group>,
    pub(super) rooms: BTreeMap<RoomId, RoomRow>,
    /// When each room's beacon is due.
    pub(super) beacons: BTreeMap<RoomId, BeaconClock>,
    /// The rooms that this device comes back to.
    pub(super) resyncs: BTreeMap<RoomId, ResyncRow>,
    pub(super) cursor: Option<Cursor>,
    /// Cells read while joining, before the answer says what they are worth.
    pub(super) unread: Vec<(Seq, CellId, Box<[u8; CELL]>)>,
    /// The last place and running hash that the relay named while this device believes nothing.
    pub(super) claimed: Option<(Seq, Digest)>,
    /// The log that an entry just read says to go on in.
    pub(super) next_log: Option<LogId>,
    /// Who asks where the log stands, and the number of its last roster entry.
    pub(super) asked_where: BTreeMap<DeviceId, u32>,
    /// The running hashes at the last places read, in short form.
    pub(super) recent: VecDeque<(Seq, [u8; 16])>,
    /// Who has been heard of in the log to which this device came by itself.
    pub(super) here: BTreeSet<DeviceId>,
    /// Of a room's epoch, the members whose beacons agreed with this device.
    pub(super) agreed: BTreeMap<RoomId, (u64, BTreeSet<MemberId>)>,
}

/// A channel with its keys ready and its open chains.
pub(super) struct Live {
    pub(super) id: i64,
    pub(super) kind: ChannelKind,
    pub(super) room: Option<RoomId>,
    pub(super) peer: Option<DeviceId>,
    pub(super) invite: Option<InviteId>,
    pub(super) epoch: u64,
    pub(super) opened: Seq,
    pub(super) key: Key,
    /// The open chains, and beside each its row.
    pub(super) chains: Chains,
    pub(super) rows: Vec<i64>,
}

/// How a channel's cells are found and opened.
pub(super) enum Key {
    Sealed(ChannelKey),
    Direct(TagKey),
}

impl Key {
    pub(super) fn of(kind: ChannelKind, secret: &Secret<32>) -> Self {
        match kind {
            ChannelKind::Direct => Self::Direct(TagKey::derive(secret)),
            _ => Self::Sealed(ChannelKey::derive(secret)),
        }
    }

    pub(super) fn matches(&self, cell: &[u8; CELL]) -> bool {
        match self {
            Self::Sealed(key) => key.matches(cell),
            Self::Direct(tag) => tag.matches(cell),
        }
    }
}

impl Live {
    fn load(view: &View<'_>, row: ChannelRow) -> Result<Self, Fault> {
        let ChannelRow { id, kind, room, peer, invite, epoch, secret, opened, .. } = row;
        let mut live = Self {
            id,
            kind,
            room,
            peer,
            invite,
            epoch,
            opened,
            key: Key::of(kind, &secret),
            chains: Chains::default(),
            rows: Vec::new(),
        };
        for row in view.chains(id)? {
            live.rows.push(row.id);
            live.chains.0.push(Chain {
                first: row.chain.first,
                kind: row.chain.kind,
                count: row.chain.count,
                next_index: row.chain.next_index,
                expects: NextHash(row.chain.expects),
                content: row.chain.content,
            });
        }
        Ok(live)
    }
}

impl Memory {
    /// Loads everything but the groups, which are loaded when they are needed.
    pub(super) fn load(view: &View<'_>) -> Result<Self, Fault> {
        let entries = signed_entries(view, u32::MAX)?;
        let roster = if entries.is_empty() { None } else { Some(Roster::from_entries(&entries)?) };
        let channels = view
            .channels()?
            .into_iter()
            .filter(|row| row.closed.is_none())
            .map(|row| Live::load(view, row))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            keys: view.device_keys()?,
            profile: view.get(MetaKey::Profile)?.unwrap_or_default(),
            roster,
            channels,
            groups: HashMap::new(),
            rooms: view.rooms()?.into_iter().map(|room| (room.id, room)).collect(),
            beacons: view.beacon_clocks()?.into_iter().collect(),
            resyncs: view.resyncs()?.into_iter().map(|row| (row.room, row)).collect(),
            cursor: view.cursor()?,
            unread: Vec::new(),
            claimed: None,
            next_log: None,
            asked_where: BTreeMap::new(),
            recent: view.past()?.into(),
            here: BTreeSet::new(),
            agreed: BTreeMap::new(),
        })
    }

    /// This device's keys.
    pub(super) fn keys(&self) -> Result<&DeviceKeys, Fault> {
        self.keys.as_ref().ok_or(Fault::Bug("no device keys"))
    }

    /// This device.
    pub(super) fn me(&self) -> Result<DeviceId, Fault> {
        Ok(self.keys()?.device_id())
    }

    /// This device's leaf certificate.
    pub(super) fn certificate(&self) -> Result<LeafCertificate, Fault> {
        Ok(self.keys()?.certify_leaf(1))
    }

    /// The roster.
    pub(super) fn roster(&self) -> Result<&Roster, Fault> {
        self.roster.as_ref().ok_or(Fault::Bug("no roster"))
    }

    /// The room's group, loaded if need be, and what it is judged against.
    pub(super) fn group(
        &mut self,
        provider: &Provider<'_>,
        room: &RoomId,
    ) -> Result<Option<(&mut Group, Standings<'_>, &DeviceKeys)>, Fault> {
        if !self.groups.contains_key(room) {
            let Some(group) = Group::load(provider, *room)? else { return Ok(None) };
            self.groups.insert(*room, group);
        }
        let roster = self.roster.as_ref().ok_or(Fault::Bug("no roster"))?;
        let keys = self.keys.as_ref().ok_or(Fault::Bug("no device keys"))?;
        Ok(self.groups.get_mut(room).map(|group| (group, Standings(roster), keys)))
    }

    /// The live channel of a kind in a room; the newest if there are several.
    pub(super) fn room_channel(&self, kind: ChannelKind, room: &RoomId) -> Option<&Live> {
        self.channels.iter().rev().find(|c| c.kind == kind && c.room.as_ref() == Some(room))
    }

    /// The direct channel to a device.
    pub(super) fn direct_channel(&self, peer: &DeviceId) -> Option<&Live> {
        self.channels
            .iter()
            .find(|c| c.kind == ChannelKind::Direct && c.peer.as_ref() == Some(peer))
    }

    /// The last seq taken care of.
    pub(super) fn head(&self) -> Seq {
        self.cursor.map_or(0, |cursor| cursor.seq)
    }
}

/// Entries 0 to `last` as they were stored.
pub(super) fn signed_entries(view: &View<'_>, last: u32) -> Result<Vec<SignedEntry>, Fault> {
    view.entries()?
        .into_iter()
        .take_while(|row| row.number <= last)
        .map(|row| Ok(SignedEntry::stored(row.bytes, row.signature)))
        .collect()
}

/// The roster as MLS judges by it.
pub(super) struct Standings<'a>(pub(super) &'a Roster);

impl Authority for Standings<'_> {
    fn number(&self) -> u32 {
        self.0.head().number
    }

    fn device(&self, id: &DeviceId) -> Standing {
        let Some(device) = self.0.device(id) else { return Standing::Unknown };
        match self.0.member(&device.member) {
            Some(member) if device.revoked.is_none() => Standing::Active {
                identity: device.keys.identity,
                member: device.member,
                role: match member.role {
                    roster::Role::Admin => Role::Admin,
                    roster::Role::Member => Role::Member,
                    roster::Role::Bot => Role::Bot,
                },
            },
            _ => Standing::Revoked,
        }
    }
}
