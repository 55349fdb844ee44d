//! Coming back into a room that this device fell out of: it asks one member device after the other to
//! remove it and add it again, and **sends nothing until a second member confirms**.

use super::Cx;
use super::alarms::Alarm;
use super::direct::{DIRECT_RESYNC, DIRECT_UNOPENED};
use super::fault::Fault;
use super::members::kind_code;
use crate::invite_code::Role;
use crate::member::e2ee::{Invitation, ResyncRequest, RoomKind, leaf_of_package, new_package};
use crate::member::store::{HelpRow, ResyncRow, RoomRow, RoomStatus};
use crate::wire::ids::{DeviceId, Digest, RoomId, Seq};

/// Requests of one device in one room in 24 hours, made and answered.
pub(super) const MAX_A_DAY: u64 = 4;
/// Seconds of a day.
pub(super) const DAY_S: u64 = 24 * 3_600;
/// Seconds before the next device is asked.
const PATIENCE_S: u64 = 30;
/// Seconds before everybody is asked again.
const ROUND_S: u64 = 600;

impl Cx<'_> {
    /// Whether this device may send in the room: it is not on its way back into it.
    pub(super) fn is_settled(&self, room: &RoomId) -> bool {
        !self.memory.resyncs.contains_key(room)
    }

    pub(super) fn put_resync(&mut self, row: ResyncRow) -> Result<(), Fault> {
        self.tx.put_resync(&row)?;
        self.memory.resyncs.insert(row.room, row);
        Ok(())
    }

    fn forget_resync(&mut self, room: &RoomId) -> Result<(), Fault> {
        self.tx.remove_resync(room)?;
        self.memory.resyncs.remove(room);
        Ok(())
    }

    /// The room goes on where this device cannot follow: it asks to be let in again, by somebody
    /// else than `avoid`.
    pub(super) fn want_resync(
        &mut self,
        room: RoomId,
        avoid: Option<DeviceId>,
    ) -> Result<(), Fault> {
        let avoid = avoid.filter(|device| self.memory.me().is_ok_and(|me| me != *device));
        self.put_resync(ResyncRow { avoid, ..ResyncRow::new(room) })
    }

    /// When somebody will have to be asked next, in unix seconds.
    pub(super) fn resyncs_due(&self) -> Option<u64> {
        let now = self.now.unix_s();
        let asking = self.memory.resyncs.values().filter(|row| is_asking(row));
        asking.map(|row| row.due).filter(|due| *due > now).min()
    }

    /// Asks whoever is next.
    pub(super) fn work_on_resyncs(&mut self) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let due = |row: &&ResyncRow| is_asking(row) && row.due <= now;
        let due: Vec<ResyncRow> = self.memory.resyncs.values().filter(due).cloned().collect();
        for row in due {
            self.ask_next(row)?;
        }
        Ok(())
    }

    fn ask_next(&mut self, mut row: ResyncRow) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let next = self.helpers(&row)?.into_iter().find(|device| !row.asked.contains(device));
        let Some(helper) = next else {
            (row.due, row.rounds) = (now + ROUND_S, row.rounds + 1);
            row.asked.clear();
            let name = self.room_name(&row.room);
            if row.rounds == 1 {
                self.alarm(Alarm::RoomStands, &format!(
                    "Nobody has let this device back into room {name} yet. If it stands still for everybody, begin it again: staffetta room restart {name}"
                ))?;
            }
            return self.put_resync(row);
        };
        if row.request.is_none() {
            row.request = self.sign_request(&row)?;
        }
        let Some(HelpRow { request, package }) = row.request.clone() else {
            row.due = now + ROUND_S;
            return self.put_resync(row);
        };
        self.send_direct(&helper, DIRECT_RESYNC, &[request, package].concat())?;
        row.asked.push(helper);
        row.due = now + PATIENCE_S;
        self.put_resync(row)
    }

    /// Signs a request for a fresh KeyPackage; `None` if there were too many today, or nobody has
    /// said yet which leaf it is about.
    fn sign_request(&mut self, row: &ResyncRow) -> Result<Option<HelpRow>, Fault> {
        let (me, now) = (self.memory.me()?, self.now.unix_s());
        let since = now.saturating_sub(DAY_S);
        if self.tx.resyncs_since(&row.room, &me, since)? >= MAX_A_DAY {
            return Ok(None);
        }
        let provider = self.provider();
        let own = self.memory.group(&provider, &row.room)?;
        let own = own.map(|(group, _, _)| (group.epoch(), group.leaf_hash(&me)));
        let (epoch, leaf) = own.unwrap_or((0, None));
        let epoch = epoch.min(self.common_epoch(&row.room)?.unwrap_or(epoch));
        let Some(leaf) = row.leaf.or(leaf) else { return Ok(None) };
        let certificate = self.memory.certificate()?;
        let keys = self.memory.keys()?;
        let package = new_package(&provider, keys, &certificate, false)?;
        let request = ResyncRequest::sign(&keys.identity, row.room, epoch, leaf, &package);
        self.tx.note_resync(&row.room, &me, now, since)?;
        Ok(Some(HelpRow { request: request.encode(), package }))
    }

    /// Who can let this device into the room again: its own member's devices first.
    fn helpers(&mut self, row: &ResyncRow) -> Result<Vec<DeviceId>, Fault> {
        let me = self.memory.me()?;
        let mut devices = self.devices_in(&row.room)?;
        if devices.is_empty() {
            devices.extend(row.hint);
        }
        let only_admins = self.memory.rooms.get(&row.room).is_some_and(|room| {
            room.kind == kind_code(RoomKind::Control) || room.kind == kind_code(RoomKind::Admins)
        });
        let roster = self.memory.roster()?;
        let mine = self.memory.profile.member();
        devices.retain(|device| {
            let role = roster.role_of(device).filter(|_| roster.is_active(device));
            let able =
                if only_admins { role == Some(Role::Admin) } else { role != Some(Role::Bot) };
            role.is_some() && able && *device != me && Some(*device) != row.avoid
        });
        let member = |id: &DeviceId| roster.device(id).map(|device| device.member);
        devices.sort_by_key(|id| (Some(*id) != row.hint, member(id) != mine));
        Ok(devices)
    }

    /// A Welcome cannot be opened because its KeyPackage was used before: two adders took the same
    /// one. Its sender is told, and says which leaf it made.
    pub(super) fn unopened(&mut self, peer: &DeviceId, place: Seq) -> Result<(), Fault> {
        self.tx.note_unopened(peer, self.now.unix_s())?;
        self.send_direct(peer, DIRECT_UNOPENED, &place.to_be_bytes())
    }

    /// Another device says which leaf of the room's tree is this one's: `room 16 | epoch 8 | leaf
    /// 32`. It is believed from who was asked, and costs a request if it is wrong.
    pub(super) fn leaf_told(&mut self, peer: DeviceId, message: &[u8]) -> Result<(), Fault> {
        let Some((room, rest)) = message.split_first_chunk::<16>() else { return Ok(()) };
        let Some((_epoch, leaf)) = rest.split_first_chunk::<8>() else { return Ok(()) };
        let (Some(leaf), room) = (Digest::from_slice(leaf), RoomId(*room)) else { return Ok(()) };
        let known = self.memory.rooms.get(&room).map(|row| row.status);
        let mut row = match self.memory.resyncs.get(&room) {
            Some(row) if row.asked.last() == Some(&peer) && is_asking(row) => row.clone(),
            // An Add that this device could not follow.
            None if matches!(known, None | Some(RoomStatus::Left))
                && self.tx.take_unopened(&peer)? =>
            {
                ResyncRow::new(room)
            }
            _ => return Ok(()),
        };
        if row.leaf == Some(leaf) {
            return Ok(());
        }
        (row.leaf, row.request, row.hint) = (Some(leaf), None, Some(peer));
        row.asked.retain(|device| *device != peer);
        row.due = self.now.unix_s();
        self.put_resync(row)
    }

    /// Whether a Welcome into a room that this device is to come back to is the awaited one.
    pub(super) fn awaits_welcome(
        &self,
        invitation: &Invitation,
        peer: &DeviceId,
        place: Seq,
    ) -> bool {
        let Some(row) = self.memory.resyncs.get(&invitation.room()) else { return false };
        if let Some((by, since)) = row.only {
            return by == *peer && place >= since;
        }
        let provider = self.provider();
        let asked = row.request.as_ref();
        let asked = asked.and_then(|asked| leaf_of_package(&provider, &asked.package));
        row.avoid != Some(*peer) && asked.is_some() && asked == invitation.own_leaf_hash()
    }

    /// This device is in the room again. What it had under way there was in vain.
    pub(super) fn back_in(&mut self, room: &RoomId, helper: DeviceId) -> Result<(), Fault> {
        let Some(mut row) = self.memory.resyncs.get(room).cloned() else { return Ok(()) };
        self.drop_under_way(room)?;
        if row.only.is_some() {
            return self.settled(room);
        }
        self.say_again(room)?;
        row.helper = Some(helper);
        (row.request, row.leaf, row.asked) = (None, None, Vec::new());
        self.put_resync(row)?;
        match self.has_a_second(room, &helper)? {
            true => self.beacon_of_returned(room, helper),
            false => self.settled(room),
        }
    }

    /// Whether there is anybody who could confirm what `helper` did: another member's device, or
    /// where there is none, one of this member.
    fn has_a_second(&mut self, room: &RoomId, helper: &DeviceId) -> Result<bool, Fault> {
        let devices = self.devices_in(room)?;
        let me = self.memory.me()?;
        Ok(devices.iter().any(|id| *id != me && self.is_second(id, helper).unwrap_or(false)))
    }

    fn is_second(&self, device: &DeviceId, helper: &DeviceId) -> Result<bool, Fault> {
        let roster = self.memory.roster()?;
        let member = |id: &DeviceId| roster.device(id).map(|device| device.member);
        Ok(device != helper && member(device) != member(helper))
    }

    /// Somebody stands in the room where this device stands.
    pub(super) fn confirmed_by(&mut self, room: &RoomId, device: &DeviceId) -> Result<(), Fault> {
        let helper = self.memory.resyncs.get(room).and_then(|row| row.helper);
        match helper {
            Some(helper) if self.is_second(device, &helper)? => self.settled(room),
            _ => Ok(()),
        }
    }

    fn settled(&mut self, room: &RoomId) -> Result<(), Fault> {
        self.forget_resync(room)?;
        let name = self.room_name(room);
        self.event(serde_json::json!({"v": 1, "type": "room", "room": name,
            "room_id": room.to_hex(), "state": "resynced"}));
        Ok(())
    }

    /// Somebody else stands elsewhere in the room than this device, which was just let in again:
    /// nothing was sent yet, and another helper is asked.
    pub(super) fn misled(&mut self, room: &RoomRow) -> Result<(), Fault> {
        let helper = self.memory.resyncs.get(&room.id).and_then(|row| row.helper);
        let Some(helper) = helper else { return Ok(()) };
        self.set_status(room.id, RoomStatus::Frozen(super::standstill::FROZEN_BROKEN))?;
        self.want_resync(room.id, Some(helper))
    }
}

/// Whether the device still asks; else it is in and waits for the word of a second.
fn is_asking(row: &ResyncRow) -> bool {
    row.helper.is_none() && row.only.is_none()
}
