//! Rooms: which commit has won, what that changes, and what a message in them says.

use serde_json::json;

use super::Cx;
use super::direct::{DIRECT_CONTROL, DIRECT_WELCOME};
use super::fault::Fault;
use super::memory::Live;
use super::standstill::{FROZEN_BROKEN, FROZEN_ROSTER};
use crate::cell::chain::{Chains, Whole};
use crate::member::e2ee::{self, Channel, Group, Outcome, Place, Verdict};
use crate::member::store::{
    ChannelKind, HELD_PER_ROOM, Held, IntentKind, NewChannel, OutKind, OutRow, PendingCommit,
    RequiredRemoval, RoomRow, RoomStatus,
};
use crate::wire::ids::{DeviceId, MemberId, RoomId, Seq};

/// Fragment kinds of a room's channel.
pub(super) const ROOM_COMMIT: u8 = 1;
pub(super) const ROOM_PROPOSAL: u8 = 2;
pub(super) const ROOM_MESSAGE: u8 = 3;

impl Cx<'_> {
    /// A whole message in a room's channel, somebody else's.
    pub(super) fn room_message(
        &mut self,
        room: RoomId,
        epoch: u64,
        whole: Whole,
    ) -> Result<(), Fault> {
        let Some(row) = self.memory.rooms.get(&room) else { return Ok(()) };
        match row.status {
            RoomStatus::Active if row.epoch == epoch => self.judge_message(room, &whole),
            RoomStatus::Waiting { .. } if self.tx.held_count(&room)? < HELD_PER_ROOM => {
                let held = Held { seq: whole.place, kind: whole.kind, bytes: whole.content };
                self.tx.hold(&room, &held)?;
                Ok(())
            }
            RoomStatus::Waiting { .. } => self.freeze(room, FROZEN_ROSTER, None),
            RoomStatus::Active | RoomStatus::Frozen(_) | RoomStatus::Left => Ok(()),
        }
    }

    fn judge_message(&mut self, room: RoomId, whole: &Whole) -> Result<(), Fault> {
        match whole.kind {
            ROOM_COMMIT => self.commit(room, whole.place, &whole.content),
            ROOM_PROPOSAL => self.proposal(room, &whole.content),
            ROOM_MESSAGE if self.memory.profile.admins() == Some(room) => {
                self.admins_message(room, &whole.content)
            }
            ROOM_MESSAGE => self.chat_message(room, whole.place, &whole.content),
            _ => Ok(()),
        }
    }

    /// A commit of this device came back whole.
    pub(super) fn own_commit(&mut self, out: &OutRow, place: Seq, void: bool) -> Result<(), Fault> {
        let pending = match out.message.room {
            Some(room) => self.tx.pending_commit(&room)?,
            None => None,
        };
        let Some(pending) = pending.filter(|pending| pending.out_message == out.id) else {
            return Ok(self.tx.remove_out(out.id)?);
        };
        if void {
            // Nobody counts it, this device included: the same bytes go out again.
            let cells = self.seal_in_room(&pending.room, ROOM_COMMIT, &pending.commit)?;
            return Ok(self.tx.replace_cells(out.id, pending.epoch, &cells)?);
        }
        // Judged in its turn: a room that waits holds it back, one that is frozen accepts no rival.
        let PendingCommit { room, epoch, commit, .. } = pending;
        let whole = Whole { kind: ROOM_COMMIT, first: place, place, content: commit };
        self.room_message(room, epoch, whole)
    }

    /// **The first commit for (room, epoch) in log order that is not INVALID has won.**
    fn commit(&mut self, room: RoomId, place: Seq, commit: &[u8]) -> Result<(), Fault> {
        let provider = self.provider();
        let own = self.tx.pending_commit(&room)?.filter(|pending| pending.commit == commit);
        let Some(row) = self.memory.rooms.get(&room).cloned() else { return Ok(()) };
        let removals = self.required(&room, row.epoch)?;
        let at = Place { roster_floor: row.roster_floor, required_removals: &removals };
        let Some((group, roster, _)) = self.memory.group(&provider, &room)? else { return Ok(()) };
        let before: Vec<DeviceId> = group.members().iter().map(|m| m.device).collect();
        let verdict = if own.is_some() {
            group.win_own(&provider, commit, &roster, &at)
        } else {
            group.judge(&provider, commit, &roster, &at)
        };
        match verdict {
            Verdict::Valid(outcome) => self.advance(row, place, &before, outcome, own),
            Verdict::Invalid(reason) => {
                tracing::debug!(%reason, "a commit is invalid");
                match own {
                    Some(own) => self.drop_pending(&own),
                    None => Ok(()),
                }
            }
            Verdict::Broken(reason, committer) => {
                tracing::warn!(%reason, "a commit has won and cannot be followed");
                // The group in memory may be ahead of the disk.
                self.memory.groups.remove(&room);
                self.freeze(room, FROZEN_BROKEN, Some(committer))
            }
            Verdict::NeedsRoster(number) => {
                let since = self.now.unix_s();
                self.set_status(room, RoomStatus::Waiting { number, since })?;
                let held = Held { seq: place, kind: ROOM_COMMIT, bytes: commit.to_vec() };
                self.tx.hold(&room, &held)?;
                Ok(())
            }
            Verdict::Retry(error) => Err(error.into()),
        }
    }

    /// A commit has won and is merged: the epoch is another one.
    fn advance(
        &mut self,
        mut row: RoomRow,
        place: Seq,
        before: &[DeviceId],
        outcome: Outcome,
        own: Option<PendingCommit>,
    ) -> Result<(), Fault> {
        let room = row.id;
        let old = row.clone();
        row.roster_floor = outcome.roster;
        self.note_seen(&outcome.committer)?;
        self.close_channel(&room)?;
        if outcome.me_removed {
            return self.leave(row, own);
        }
        row.epoch = outcome.epoch;
        row.opened = place;
        row.status = RoomStatus::Active;
        row.members = self.count_members(&room)?;
        self.adopt_state(&mut row, &outcome)?;
        self.tx.put_room(&row)?;
        self.memory.rooms.insert(room, row.clone());
        self.open_channel(&room, place)?;
        self.check_outcome(&room, place, &outcome)?;
        self.tx.drop_removals_before(&room, outcome.epoch)?;
        if own.is_some() && outcome.path {
            self.leaf_is_new(&room)?;
        }
        match (own, self.tx.pending_commit(&room)?) {
            (Some(own), _) => self.deliver_welcome(&own, place)?,
            // Merging another's commit dropped ours; the intents are looked at again.
            (None, Some(lost)) if lost.epoch == old.epoch => {
                self.drop_pending(&lost)?;
                self.heal_later(&room)?;
            }
            (None, _) => {}
        }
        self.forget_done_intents(&room)?;
        self.reseal_texts(&room)?;
        self.went_on(&old, &outcome)?;
        self.tell_members(&row, before, &outcome)
    }

    /// This device is no longer in the room.
    pub(super) fn leave(
        &mut self,
        mut row: RoomRow,
        own: Option<PendingCommit>,
    ) -> Result<(), Fault> {
        let provider = self.provider();
        let room = row.id;
        if let Some(group) = self.memory.groups.remove(&room) {
            group.delete(&provider)?;
        }
        if let Some(pending) = own.or(self.tx.pending_commit(&room)?) {
            self.drop_pending(&pending)?;
        }
        for intent in self.tx.intents()?.iter().filter(|intent| intent.room == room) {
            self.tx.remove_intent(intent.id)?;
        }
        self.tx.delete_room_change(&room)?;
        self.withdraw_texts(&room)?;
        self.tx.delete_leaf_state(&room)?;
        self.close_channel(&room)?;
        self.forget_checks(&room)?;
        row.status = RoomStatus::Left;
        self.tx.put_room(&row)?;
        let name = row.name.clone();
        self.memory.rooms.insert(room, row);
        self.event(json!({"v": 1, "type": "room", "room": name, "room_id": room.to_hex(),
            "state": "left"}));
        Ok(())
    }

    /// Asks for a plain removal: the target cannot outrun it with a commit of its own.
    pub(super) fn ask_removal(&mut self, room: &RoomId, device: &DeviceId) -> Result<(), Fault> {
        let provider = self.provider();
        let Some((group, _, keys)) = self.memory.group(&provider, room)? else { return Ok(()) };
        let epoch = group.epoch();
        let proposal = group.remove_proposal(&provider, &keys.leaf, device)?;
        let cells = self.seal_in_room(room, ROOM_PROPOSAL, &proposal)?;
        self.enqueue(OutKind::Proposal, Some(*room), epoch, proposal, &cells)?;
        Ok(())
    }

    /// A proposal of this device came back: it binds like anybody's.
    pub(super) fn own_proposal(&mut self, out: &OutRow, place: Seq) -> Result<(), Fault> {
        self.tx.remove_out(out.id)?;
        let Some(room) = out.message.room else { return Ok(()) };
        let content = out.message.plain.clone();
        let whole = Whole { kind: ROOM_PROPOSAL, first: place, place, content };
        self.room_message(room, out.message.epoch, whole)
    }

    /// A valid Remove proposal binds every later commit of the epoch; it never enters OpenMLS.
    fn proposal(&mut self, room: RoomId, proposal: &[u8]) -> Result<(), Fault> {
        let provider = self.provider();
        let epoch = self.memory.rooms.get(&room).map_or(0, |row| row.epoch);
        let Some((group, roster, _)) = self.memory.group(&provider, &room)? else { return Ok(()) };
        match group.read_proposal(&provider, proposal, &roster) {
            Ok(asked) => {
                let (device, by) = (asked.target, asked.by);
                self.tx.require_removal(&RequiredRemoval { room, epoch, device, by })?;
                if device == self.memory.me()? {
                    return Ok(());
                }
                let when = self.spread();
                self.intend(room, IntentKind::Remove(device), when)
            }
            Err(e2ee::Refused::Storage(error)) => Err(e2ee::Error::from(error).into()),
            Err(reason) => {
                tracing::debug!(%reason, "a proposal is void");
                Ok(())
            }
        }
    }

    pub(super) fn required(&self, room: &RoomId, epoch: u64) -> Result<Vec<DeviceId>, Fault> {
        Ok(self.tx.required_removals(room, epoch)?.into_iter().map(|r| r.device).collect())
    }

    /// Drops a commit that lost or is invalid at its place, never one that may still win.
    fn drop_pending(&mut self, pending: &PendingCommit) -> Result<(), Fault> {
        self.tx.delete_pending_commit(&pending.room)?;
        Ok(self.tx.remove_out(pending.out_message)?)
    }

    /// Sends the Welcome of a commit that has won to the devices it added.
    fn deliver_welcome(&mut self, own: &PendingCommit, place: Seq) -> Result<(), Fault> {
        self.drop_pending(own)?;
        let Some(welcome) = &own.welcome else { return Ok(()) };
        let message = [place.to_be_bytes().as_slice(), welcome].concat();
        let is_control = self.memory.profile.control() == Some(own.room);
        let kind = if is_control { DIRECT_CONTROL } else { DIRECT_WELCOME };
        for device in &own.added {
            self.send_direct(device, kind, &message)?;
        }
        if self.memory.profile.admins() == Some(own.room) {
            self.admin_news()?;
        }
        Ok(())
    }

    /// Closes the room's channel of the epoch that ended: its later cells mean nothing. The
    /// control channel stays, of the last 64 epochs.
    pub(super) fn close_channel(&mut self, room: &RoomId) -> Result<(), Fault> {
        let of_room = |c: &Live| c.kind == ChannelKind::Room && c.room.as_ref() == Some(room);
        for live in self.memory.channels.iter().filter(|live| of_room(live)) {
            self.tx.delete_channel(live.id)?;
        }
        self.memory.channels.retain(|live| !of_room(live));
        Ok(())
    }

    /// Opens the channels of the room's current epoch, whose commit stands at `opened`.
    pub(super) fn open_channel(&mut self, room: &RoomId, opened: Seq) -> Result<(), Fault> {
        let provider = self.provider();
        let is_control = self.memory.profile.control() == Some(*room);
        let Some((group, _, _)) = self.memory.group(&provider, room)? else { return Ok(()) };
        let epoch = group.epoch();
        let secret = group.channel_secret(&provider, Channel::Room)?;
        let control = match is_control {
            true => Some(group.channel_secret(&provider, Channel::Control)?),
            false => None,
        };
        let (room_id, room) = (*room, Some(*room));
        let (peer, invite) = (None, None);
        let kind = ChannelKind::Room;
        self.insert_channel(NewChannel { kind, room, peer, invite, epoch, secret, opened })?;
        if let Some(secret) = control {
            let kind = ChannelKind::Control;
            self.insert_channel(NewChannel { kind, room, peer, invite, epoch, secret, opened })?;
            let gone = self.tx.trim_control_channels()?;
            self.memory.channels.retain(|live| !gone.contains(&live.id));
        }
        self.note_epoch(&room_id, opened)
    }

    pub(super) fn insert_channel(&mut self, new: NewChannel) -> Result<(), Fault> {
        let id = self.tx.insert_channel(&new)?;
        let key = super::memory::Key::of(new.kind, &new.secret);
        let NewChannel { kind, room, peer, invite, epoch, opened, .. } = new;
        let (chains, rows) = (Chains::default(), Vec::new());
        self.memory.channels.push(Live {
            id,
            kind,
            room,
            peer,
            invite,
            epoch,
            opened,
            key,
            chains,
            rows,
        });
        Ok(())
    }

    pub(super) fn set_status(&mut self, room: RoomId, status: RoomStatus) -> Result<(), Fault> {
        self.tx.set_room_status(&room, status)?;
        if let Some(row) = self.memory.rooms.get_mut(&room) {
            row.status = status;
        }
        Ok(())
    }

    pub(super) fn count_members(&mut self, room: &RoomId) -> Result<u32, Fault> {
        let devices = self.devices_in(room)?;
        let roster = self.memory.roster()?;
        let members: std::collections::BTreeSet<MemberId> =
            devices.iter().filter_map(|d| roster.device(d)).map(|d| d.member).collect();
        Ok(u32::try_from(members.len()).unwrap_or(u32::MAX))
    }

    /// The devices in a room.
    pub(super) fn devices_in(&mut self, room: &RoomId) -> Result<Vec<DeviceId>, Fault> {
        let provider = self.provider();
        let group = self.memory.group(&provider, room)?;
        let members = group.map(|(group, _, _): (&mut Group, _, _)| group.members());
        Ok(members.unwrap_or_default().iter().map(|member| member.device).collect())
    }

    /// Seals a message of this device in the room's current channel.
    pub(super) fn seal_in_room(
        &mut self,
        room: &RoomId,
        kind: u8,
        message: &[u8],
    ) -> Result<Vec<(crate::wire::ids::CellId, [u8; crate::wire::limits::CELL])>, Fault> {
        self.marked(|memory, random| {
            let channel = memory.room_channel(ChannelKind::Room, room);
            channel.ok_or(Fault::Bug("no channel"))?.seal(random, kind, message)
        })
    }

    /// Queues a commit just built and keeps it pending with its exact bytes.
    pub(super) fn post_commit(
        &mut self,
        room: RoomId,
        epoch: u64,
        built: e2ee::Built,
        added: Vec<DeviceId>,
    ) -> Result<(), Fault> {
        let cells = self.seal_in_room(&room, ROOM_COMMIT, &built.commit)?;
        let out_message = self.enqueue(OutKind::Commit, Some(room), epoch, Vec::new(), &cells)?;
        let (commit, welcome) = (built.commit, built.welcome);
        let pending = PendingCommit { room, epoch, out_message, commit, welcome, added };
        Ok(self.tx.put_pending_commit(&pending)?)
    }
}
