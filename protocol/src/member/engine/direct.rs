//! Direct messages: Welcomes, and revocations for those who may not be able to read the roster.

use std::collections::BTreeSet;

use super::Cx;
use super::alarms::Alarm;
use super::asks::DIRECT_ASK;
use super::control::Origin;
use super::fault::Fault;
use super::members::{is_visible, kind_code};
use super::memory::{Key, Live, Standings, signed_entries};
use super::packages::{DIRECT_PACKAGE, DIRECT_WANT};
use super::profile::Stage;
use crate::cell::chain::Whole;
use crate::cell::direct;
use crate::member::e2ee::{self, Member, Rejoin, RoomKind, WelcomeFault, open_welcome_from};
use crate::member::roster::{Action, Roster, SignedEntry};
use crate::member::store::{ChannelKind, DirectProgress, Held, NewChannel, OutKind, RoomRow};
use crate::wire::ids::{CellId, DeviceId, MemberId, RoomId, Seq};
use crate::wire::limits::CELL;

/// Fragment kinds of a direct channel.
pub(super) const DIRECT_WELCOME: u8 = 1;
/// The Welcome of the control room, which a newcomer needs before any other.
pub(super) const DIRECT_CONTROL: u8 = 2;
/// A signed roster entry.
pub(super) const DIRECT_ENTRY: u8 = 3;
/// A signed request to be let into a room again.
pub(super) const DIRECT_RESYNC: u8 = 4;
/// Which leaf of a room's tree is the receiver's.
pub(super) const DIRECT_LEAF: u8 = 5;
/// A Welcome could not be opened.
pub(super) const DIRECT_UNOPENED: u8 = 6;
/// Where does the log stand?
pub(super) const DIRECT_WHERE: u8 = 7;
/// There. What came before is not read: see `behind`.
pub(super) const DIRECT_PLACE: u8 = 9;

/// Under this id Welcomes are held that came before the control room's.
const EARLY: RoomId = RoomId([0; 16]);
/// The most Welcomes held.
const MAX_EARLY: u64 = 64;

impl Cx<'_> {
    /// Seals a message for one device and queues it.
    pub(super) fn send_direct(
        &mut self,
        device: &DeviceId,
        kind: u8,
        message: &[u8],
    ) -> Result<(), Fault> {
        let Some(peer) = self.memory.roster()?.device(device).map(|d| d.keys.direct) else {
            return Ok(());
        };
        let Some(live) = self.memory.direct_channel(device) else { return Ok(()) };
        let Key::Direct(tag) = &live.key else { return Err(Fault::Bug("not a direct channel")) };
        let own = &self.memory.keys()?.direct;
        let Some(cells) = direct::seal(self.random, tag, own, &peer, kind, message) else {
            return self.alarm(
                Alarm::Unable,
                "A room is too large for this version to add anybody to it.",
            );
        };
        let cells: Vec<_> =
            cells.into_iter().map(|cell| (CellId::random(self.random), cell)).collect();
        self.enqueue(OutKind::Direct, None, 0, Vec::new(), &cells)?;
        Ok(())
    }

    /// Opens a cell of a direct channel and puts its message together; copies of a message are
    /// recognised by its id.
    pub(super) fn direct_cell(
        &mut self,
        at: usize,
        seq: Seq,
        cell: &[u8; CELL],
    ) -> Result<Option<Whole>, Fault> {
        let Some(peer) = self.memory.channels.get(at).and_then(|live| live.peer) else {
            return Ok(None);
        };
        let Some(theirs) = self.memory.roster()?.device(&peer).map(|d| d.keys.direct) else {
            return Ok(None);
        };
        let Some(part) = direct::open(&self.memory.keys()?.direct, &theirs, cell) else {
            return Ok(None);
        };
        match self.tx.accept_direct(&peer, seq, &part)? {
            DirectProgress::Whole { kind, first, content } => {
                Ok(Some(Whole { kind, first, place: seq, content }))
            }
            _ => Ok(None),
        }
    }

    /// A whole direct message.
    pub(super) fn direct_message(&mut self, peer: DeviceId, whole: Whole) -> Result<(), Fault> {
        match whole.kind {
            DIRECT_CONTROL => self.welcome_to(peer, true, &whole.content),
            DIRECT_WELCOME if self.memory.profile.control().is_none() => {
                if self.tx.held_count(&EARLY)? < MAX_EARLY {
                    let bytes = [peer.0.as_slice(), &whole.content].concat();
                    self.tx.hold(&EARLY, &Held { seq: whole.place, kind: whole.kind, bytes })?;
                }
                Ok(())
            }
            DIRECT_WELCOME => self.welcome_to(peer, false, &whole.content),
            DIRECT_ASK => self.asked(peer, &whole.content),
            DIRECT_RESYNC => self.resync_asked(peer, &whole.content),
            DIRECT_LEAF => self.leaf_told(peer, &whole.content),
            DIRECT_UNOPENED => self.welcome_unopened(peer, &whole.content),
            DIRECT_WHERE => self.where_asked(peer, &whole.content),
            DIRECT_WANT => self.package_wanted(&peer),
            DIRECT_PACKAGE => self.package_given(&peer, &whole.content),
            DIRECT_ENTRY => match SignedEntry::decode(&whole.content) {
                // Only what cuts somebody off may come this way: any other entry has one place in
                // the log, equal for all.
                Ok(signed) if is_revocation(&signed) => {
                    self.entry(&signed, whole.place, Origin::Other)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// A Welcome: checked against the roster at the place of its Add before the room exists.
    fn welcome_to(&mut self, peer: DeviceId, control: bool, message: &[u8]) -> Result<(), Fault> {
        let Some((place, welcome)) = message.split_first_chunk::<8>() else { return Ok(()) };
        let place = Seq::from_be_bytes(*place);
        let provider = self.provider();
        let back: Vec<RoomId> = self.memory.resyncs.keys().copied().collect();
        let opened = open_welcome_from(&provider, welcome, Rejoin::Only(&back), &peer);
        let mut invitation = match opened {
            Ok(invitation) => invitation,
            Err(WelcomeFault::NoMatchingKeyPackage) => return self.unopened(&peer, place),
            Err(fault) => return self.bad_welcome(&peer, fault),
        };
        let rejoins = back.contains(&invitation.room());
        if rejoins && !self.awaits_welcome(&invitation, &peer, place) {
            return self.bad_welcome(&peer, WelcomeFault::AlreadyIn);
        }
        let (room, state) = (invitation.room(), invitation.state().clone());
        let floor = invitation.note().roster_floor;
        let is_control = state.kind == RoomKind::Control;
        let second = control && self.memory.profile.control().is_some() && !rejoins;
        if is_control != control || second {
            return self.bad_welcome(&peer, WelcomeFault::NotARoom);
        }
        if control {
            // Entries placed since the snapshot; each is signed and chained, so that keys from
            // the wrong hands open nothing that counts.
            let epoch = invitation.epoch();
            let older = invitation.note().control_secrets.iter().filter(|s| {
                let known =
                    |live: &Live| live.kind == ChannelKind::Control && live.epoch == s.epoch;
                s.epoch < epoch && !self.memory.channels.iter().any(known)
            });
            let older: Vec<_> = older.collect();
            for old in older {
                let Some(secret) = crate::secret::Secret::copy(old.secret.expose()) else {
                    continue;
                };
                self.insert_channel(NewChannel {
                    kind: ChannelKind::Control,
                    room: Some(room),
                    peer: None,
                    invite: None,
                    epoch: old.epoch,
                    secret,
                    opened: 0,
                })?;
            }
            self.rescan(0)?;
        }
        let roster = self.roster_at(place, floor)?;
        if state.kind == RoomKind::Direct
            && !self.is_pair(&state.name, &invitation.members(), &roster)
        {
            return self.bad_welcome(&peer, WelcomeFault::NotARoom);
        }
        let (check, removes) = invitation.take_check_secrets();
        let used = invitation.take_used();
        let group = match invitation.accept(&provider, &Standings(&roster)) {
            Ok(group) => group,
            Err(fault) => return self.bad_welcome(&peer, fault),
        };
        if rejoins {
            self.close_channel(&room)?;
            self.forget_checks(&room)?;
        }
        let mut row = super::members::new_row(room, &state, group.epoch(), place);
        row.roster_floor = floor;
        self.name_apart(&mut row, &peer)?;
        self.memory.groups.insert(room, group);
        self.memory.rooms.insert(room, row.clone());
        row.members = self.count_members(&room)?;
        self.tx.put_room(&row)?;
        self.memory.rooms.insert(room, row.clone());
        if control {
            self.memory.profile.control = Some(room.0);
        } else if state.kind == RoomKind::Admins && self.memory.profile.admins.is_none() {
            self.memory.profile.admins = Some(room.0);
        } else if self.memory.profile.general.is_none()
            && row.name == super::trust::GENERAL
            && self.knows_general(&peer)?
        {
            self.memory.profile.general = Some(room.0);
        }
        self.save_profile()?;
        self.note_package_used(used)?;
        self.heal_after_joining(&row)?;
        self.open_channel(&room, place)?;
        self.take_check_keys(&room, check, removes, place)?;
        if rejoins {
            self.back_in(&room, peer)?;
        } else {
            self.tell_room(&row);
        }
        self.rescan(if control { 0 } else { place })?;
        if control {
            self.take_early_welcomes()?;
        }
        self.become_inside()
    }

    /// Whose word it is that a room is the team's: an admin's, who let this device in, or that of
    /// another device of the same member, which vouched for it and may have added it first.
    fn knows_general(&self, peer: &DeviceId) -> Result<bool, Fault> {
        let roster = self.memory.roster()?;
        let own = roster.device(peer).map(|device| device.member) == self.memory.profile.member();
        Ok(own || roster.role_of(peer) == Some(crate::invite_code::Role::Admin))
    }

    /// A direct conversation is of the two members its name says, and of nobody else.
    fn is_pair(&self, name: &str, members: &[Member], roster: &Roster) -> bool {
        let of = |member: &Member| roster.device(&member.device).map(|device| device.member);
        let inside: BTreeSet<MemberId> = members.iter().filter_map(of).collect();
        let named: BTreeSet<MemberId> = name.split(' ').filter_map(MemberId::from_hex).collect();
        let me = self.memory.profile.member();
        inside == named && named.len() == 2 && me.is_some_and(|me| named.contains(&me))
    }

    /// Names are unique on this device: a second room of a name is shown under another, and said.
    fn name_apart(&mut self, row: &mut RoomRow, by: &DeviceId) -> Result<(), Fault> {
        if row.kind != kind_code(RoomKind::Room) {
            return Ok(());
        }
        let taken = |name: &str| {
            let others = self.memory.rooms.values().filter(|r| r.id != row.id && is_visible(r));
            others.map(|r| r.name.to_lowercase()).any(|known| known == name.to_lowercase())
        };
        let Some(free) = std::iter::once(row.name.clone())
            .chain((2..=u32::MAX).map(|n| format!("{} {n}", row.name)))
            .find(|name| !taken(name))
        else {
            return Ok(());
        };
        if free != row.name {
            let who = self.member_name(by).unwrap_or_default();
            self.alarm(
                Alarm::Trespass,
                &format!(
                    "{who} added you to a second room called {}; it is shown here as {free}.",
                    row.name
                ),
            )?;
            row.name = free;
        }
        Ok(())
    }

    fn take_early_welcomes(&mut self) -> Result<(), Fault> {
        let limit = u32::try_from(MAX_EARLY).unwrap_or(u32::MAX);
        for held in self.tx.take_held(&EARLY, limit)? {
            if let Some((peer, message)) = held.bytes.split_first_chunk::<16>() {
                self.welcome_to(DeviceId(*peer), false, message)?;
            }
        }
        Ok(())
    }

    /// Inside means: in the control room, and a person in `general` as well.
    fn become_inside(&mut self) -> Result<(), Fault> {
        let profile = &mut self.memory.profile;
        let complete = profile.control.is_some() && (profile.is_bot || profile.general.is_some());
        if profile.stage == Stage::Admitted && complete {
            profile.stage = Stage::Inside;
            self.save_profile()?;
            self.event(serde_json::json!({"v": 1, "type": "joined"}));
        }
        Ok(())
    }

    /// The roster as it stood at a place of the log: a device revoked since was a member then.
    fn roster_at(&self, place: Seq, floor: u32) -> Result<Roster, Fault> {
        let placed = self.tx.entries()?.into_iter().filter(|row| row.seq <= place);
        let last = placed.map(|row| row.number).max().unwrap_or(0).max(floor);
        Ok(Roster::from_entries(&signed_entries(self.tx, last)?)?)
    }

    fn bad_welcome(&mut self, peer: &DeviceId, fault: WelcomeFault) -> Result<(), Fault> {
        match fault {
            WelcomeFault::Storage(error) => Err(e2ee::Error::from(error).into()),
            WelcomeFault::AlreadyIn => Ok(()),
            fault => {
                tracing::warn!(%fault, "a Welcome is refused");
                let who = self.member_name(peer).unwrap_or_default();
                self.alarm(
                    Alarm::Trespass,
                    &format!("{who} tried to let this device into a room, and could not."),
                )
            }
        }
    }
}

fn is_revocation(signed: &SignedEntry) -> bool {
    signed
        .entry()
        .is_ok_and(|entry| matches!(entry.action, Action::Revoke { .. } | Action::Rewind { .. }))
}
