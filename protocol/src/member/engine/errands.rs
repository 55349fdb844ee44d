//! What an admin's device does without being told by its person: takes in a device that its member
//! vouched for, revokes what a member gave up or whose time is over. All admins' devices could do
//! it at once, so each waits its turn.

use super::Cx;
use super::alarms::Alarm;
use super::fault::Fault;
use super::invites::{request_of, state};
use crate::invite_code::Role;
use crate::member::invite::Approval;
use crate::member::roster::{Action, AddDevice, Device};
use crate::member::store::{IntentKind, OutKind, RoomRow, RoomStatus};
use crate::wire::ids::{DeviceId, InviteId};

/// Seconds by which each admin's device waits longer than the one before it.
const TURN_S: u64 = 5;
/// Seconds in a day.
pub(super) const DAY_S: u64 = 24 * 3_600;
/// A device that did nothing for so many days is flagged.
pub(super) const UNSEEN_DAYS: u64 = 30;

impl Cx<'_> {
    /// Seconds that this admin's device lets the others go first.
    pub(super) fn turn(&self) -> Result<u64, Fault> {
        let me = self.memory.me()?;
        let before = self.memory.roster()?.active_admins().filter(|device| device.id < me).count();
        Ok(u64::try_from(before).unwrap_or(u64::MAX).saturating_mul(TURN_S))
    }

    /// Whether this device can speak to the relay for the team.
    pub(super) fn has_authority(&self) -> Result<bool, Fault> {
        Ok(self.is_admin()? && self.tx.relay_authority()?.is_some())
    }

    /// Does the errands whose turn has come.
    pub(super) fn run_errands(&mut self) -> Result<(), Fault> {
        if !self.has_authority()? {
            return Ok(());
        }
        let (now, turn) = (self.now.unix_s(), self.turn()?);
        for row in self.tx.invites_in([state::ASKING])? {
            let due = row.used_at.unwrap_or(row.created_at) + turn <= now;
            let (Some(compared), true) = (row.vouch, due) else { continue };
            let Some(opened) = request_of(&row) else { continue };
            let approval = if compared { Approval::WordsCompared } else { Approval::Unverified };
            let (id, by) = (row.id, row.by);
            match self.approve_now(row, &opened, approval, by) {
                Ok(_) => {}
                Err(Fault::Refused(error)) => {
                    self.alarm(Alarm::Invite, &error.message)?;
                    if let Some(mut row) = self.tx.invite(&id)? {
                        row.vouch = None;
                        row.state = state::REFUSED_ENDING;
                        self.tx.put_invite(&row)?;
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
        self.revoke_due(now, turn)
    }

    /// **Membership expiry acts only through a revoke entry that an admin's agent posts when due.**
    fn revoke_due(&mut self, now: u64, turn: u64) -> Result<(), Fault> {
        let errands = self.tx.errands()?;
        let roster = self.memory.roster()?;
        let me = self.memory.me()?;
        let is_over = |device: &&Device| device.expires.is_some_and(|at| at + turn <= now);
        let expired = roster.active_devices().filter(is_over).map(|device| device.id);
        let asked = errands.iter().filter(|(_, at)| at + turn <= now).map(|(device, _)| *device);
        // Its own device an admin's agent leaves to the others.
        let due = asked.chain(expired).find(|device| roster.is_active(device) && *device != me);
        for (device, _) in errands.iter().filter(|(device, _)| !roster.is_active(device)) {
            self.tx.remove_errand(device)?;
        }
        let Some(device) = due else { return Ok(()) };
        let mut under_way = self.tx.pending_messages()?.into_iter();
        if under_way.any(|out| out.message.kind == OutKind::Control) {
            return Ok(());
        }
        match self.post_action(Action::Revoke { device }) {
            Ok(_) => Ok(()),
            Err(Fault::Refused(error)) => {
                self.tx.remove_errand(&device)?;
                tracing::warn!(reason = %error.message, "a revocation is not possible");
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// When the next errand is due, in unix seconds.
    pub(super) fn errands_due(&self) -> Result<Option<u64>, Fault> {
        if !self.has_authority()? {
            return Ok(None);
        }
        let turn = self.turn()?;
        let invites = self.tx.invites_in([state::OPENING, state::ASKING])?;
        let waits = invites.iter().filter(|row| match row.state {
            state::OPENING => row.member.is_some(),
            state::ASKING => row.vouch.is_some(),
            _ => false,
        });
        let waits = waits.map(|row| row.used_at.unwrap_or(row.created_at) + turn);
        let errands = self.tx.errands()?.into_iter().map(|(_, at)| at + turn);
        let roster = self.memory.roster()?;
        let expiries = roster.active_devices().filter_map(|device| device.expires);
        let expiries = expiries.map(|at| at.saturating_add(turn));
        let now = self.now.unix_s();
        Ok(waits.chain(errands).chain(expiries).filter(|at| *at > now).min())
    }

    /// Another's entry used an invite that this device knows.
    pub(super) fn invite_used_elsewhere(
        &mut self,
        id: &InviteId,
        device: &DeviceId,
    ) -> Result<(), Fault> {
        let Some(mut row) = self.tx.invite(id)? else { return Ok(()) };
        if !state::LIVE.contains(&row.state) {
            return Ok(());
        }
        // The device to which it is added has the other's last-resort KeyPackage; the others are
        // the approver's to use.
        let opened = request_of(&row);
        if let Some(opened) = opened.filter(|o| o.request.device_id() == *device)
            && row.by == self.memory.me()?
            && let Some(package) = opened.request.key_packages.first()
        {
            self.keep_package(device, package)?;
        }
        row.state = state::USED;
        row.used_at = Some(self.now.unix_s());
        self.tx.put_invite(&row)?;
        self.drop_invite_channel(id)
    }

    /// **A member's new device enters that member's rooms by itself**: another of the member's
    /// devices adds it at once, else any in the room that may, after a while.
    pub(super) fn follow_member(&mut self, add: &AddDevice) -> Result<(), Fault> {
        let device = add.keys.identity.device_id();
        if device == self.memory.me()? {
            return Ok(());
        }
        let mine = self.memory.profile.member() == Some(add.member);
        let rooms: Vec<RoomRow> = self.memory.rooms.values().cloned().collect();
        for row in rooms {
            if !super::members::is_visible(&row) || row.status != RoomStatus::Active {
                continue;
            }
            let inside = self.devices_in(&row.id)?;
            let roster = self.memory.roster()?;
            let of_member =
                |id: &&DeviceId| roster.device(id).is_some_and(|d| d.member == add.member);
            if !inside.iter().any(|id| of_member(&id)) || !self.may_let_in(&row, &device)? {
                continue;
            }
            let when = if mine { self.now.unix_ms } else { self.spread() };
            self.intend(row.id, IntentKind::Add(device), when)?;
        }
        Ok(())
    }

    fn may_let_in(&mut self, row: &RoomRow, device: &DeviceId) -> Result<bool, Fault> {
        let (provider, me) = (self.provider(), self.memory.me()?);
        let group = self.memory.group(&provider, &row.id)?;
        Ok(group.is_some_and(|(group, roster, _)| group.may_add(&roster, &me, device)))
    }

    /// A device did something now.
    pub(super) fn note_seen(&self, device: &DeviceId) -> Result<(), Fault> {
        Ok(self.tx.note_seen(device, self.now.unix_s() / DAY_S)?)
    }

    /// Whether a role's devices belong into the admins' room.
    pub(super) fn is_admin_device(&self, device: &DeviceId) -> Result<bool, Fault> {
        Ok(self.memory.roster()?.role_of(device) == Some(Role::Admin))
    }
}
