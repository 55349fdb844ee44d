//! The control channel: roster entries.

use serde_json::json;

use super::Cx;
use super::alarms::Alarm;
use super::direct::DIRECT_ENTRY;
use super::fault::Fault;
use super::profile::Stopped;
use crate::cell::chain::Whole;
use crate::member::roster::{Action, Applied, Author, Role, RosterError, SignedEntry};
use crate::member::store::{ChannelKind, OutKind, OutRow};
use crate::wire::ids::{DeviceId, Seq};

/// Fragment kinds of the control channel.
const CONTROL_ENTRY: u8 = 1;
pub(super) const CONTROL_PACKAGES: u8 = 2;

/// Who an entry came from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// This device posted it.
    Own,
    /// Somebody else did.
    Other,
}

impl Cx<'_> {
    /// A whole message in the control channel, somebody else's.
    pub(super) fn control_message(&mut self, whole: Whole) -> Result<(), Fault> {
        match whole.kind {
            CONTROL_ENTRY => match SignedEntry::decode(&whole.content) {
                Ok(signed) => self.entry(&signed, whole.place, Origin::Other),
                Err(_) => Ok(()),
            },
            CONTROL_PACKAGES => self.packages(&whole.content),
            _ => Ok(()),
        }
    }

    /// Signs an action as the next entry and posts it. It counts when it comes back.
    pub(super) fn post_action(&mut self, action: Action) -> Result<SignedEntry, Fault> {
        let me = self.memory.me()?;
        let at = self.now.unix_s();
        let keys = self.memory.keys()?;
        let roster = self.memory.roster()?;
        let signed = roster.sign_next(Author::Device(me), &keys.identity, at, action)?;
        self.post_in_control(OutKind::Control, CONTROL_ENTRY, signed.encode())?;
        Ok(signed)
    }

    /// Posts an entry that somebody else's key signed: the root's.
    pub(super) fn post_signed(&mut self, signed: &SignedEntry) -> Result<(), Fault> {
        self.post_in_control(OutKind::Control, CONTROL_ENTRY, signed.encode())
    }

    pub(super) fn post_in_control(
        &mut self,
        out: OutKind,
        kind: u8,
        message: Vec<u8>,
    ) -> Result<(), Fault> {
        let Some(control) = self.memory.profile.control() else {
            return Err(Fault::Bug("no control room"));
        };
        let (epoch, cells) = self.marked(|memory, random| {
            let channel = memory.room_channel(ChannelKind::Control, &control);
            let channel = channel.ok_or(Fault::Bug("no control channel"))?;
            Ok((channel.epoch, channel.seal(random, kind, &message)?))
        })?;
        self.enqueue(out, Some(control), epoch, message, &cells)?;
        Ok(())
    }

    /// An entry of this device came back. **Two admins at once: log order decides, the loser
    /// rebases.** One that lands unreadable is posted again.
    pub(super) fn own_entry(&mut self, out: &OutRow, place: Seq, void: bool) -> Result<(), Fault> {
        self.tx.remove_out(out.id)?;
        let Ok(signed) = SignedEntry::decode(&out.message.plain) else { return Ok(()) };
        let next = self.memory.roster()?.head().number + 1;
        let Ok(entry) = signed.entry() else { return Ok(()) };
        if self.entry_hash(entry.number)? == Some(signed.hash()) {
            // Another device brought it (L19).
            return Ok(());
        }
        let follows =
            !void && entry.number == next && entry.prev == self.memory.roster()?.head().hash;
        if follows {
            return self.entry(&signed, place, Origin::Own);
        }
        if entry.author == Author::Root {
            // The root's words are not here any more to sign it again.
            return self.alarm(
                Alarm::Overtaken,
                "A change signed with the root words was overtaken. Repeat it.",
            );
        }
        let roster = self.memory.roster()?;
        let moot = match &entry.action {
            Action::AddDevice(add) => roster.device(&add.keys.identity.device_id()).is_some(),
            Action::Revoke { device } => !roster.is_active(device),
            Action::Role { member, role } => {
                roster.member(member).is_some_and(|known| known.role == *role)
            }
            Action::Policy { name, value } => roster.policy(name) == Some(*value),
            Action::Vouch { devices } => !devices.iter().all(|device| roster.is_active(device)),
            Action::RelayAddresses { relay, addresses } => roster
                .relay()
                .is_some_and(|known| known.key == *relay && known.addresses == *addresses),
            Action::LogChange { new, .. } => roster.log() == Some(new),
            Action::NextRelay(next) => roster.next_relay() == Some(next),
            _ => false,
        };
        if moot {
            return Ok(());
        }
        match self.post_action(entry.action) {
            Ok(_) => Ok(()),
            Err(Fault::Refused(error)) => self.alarm(
                Alarm::Overtaken,
                &format!("A change of the team was overtaken by another: {}", error.message),
            ),
            Err(fault) => Err(fault),
        }
    }

    /// An entry at its place.
    pub(super) fn entry(
        &mut self,
        signed: &SignedEntry,
        place: Seq,
        origin: Origin,
    ) -> Result<(), Fault> {
        let Some(roster) = self.memory.roster.as_mut() else { return Ok(()) };
        let applied = match roster.apply(signed) {
            Ok(applied) => applied,
            Err(RosterError::NotNext { .. }) => return Ok(()),
            Err(reason) => {
                tracing::warn!(%reason, "a roster entry is refused");
                return Ok(());
            }
        };
        let number = roster.head().number;
        self.tx.append_entry(number, signed.bytes(), signed.signature(), place)?;
        let entry = signed.entry().map_err(RosterError::from)?;
        match applied {
            Applied::Added { device, is_new_member, .. } => {
                self.added(&device, is_new_member, &entry.action, origin)?;
            }
            Applied::Revoked { device, closes_invites, approved, .. } => {
                self.revoked(&device, signed, origin)?;
                if closes_invites {
                    self.close_all_invites()?;
                    self.tell_approved(&device, &approved)?;
                }
            }
            Applied::RoleChanged { member, from, to, .. } => {
                self.role_changed(&member, from, to, origin)?;
            }
            Applied::RelayAddresses => self.relay_changed(number, origin)?,
            Applied::NextRelay => self.next_relay_changed(number)?,
            Applied::Rewound { revoked, roles, relay } => {
                self.rewound(signed, &revoked, &roles, origin)?;
                if relay {
                    self.relay_changed(number, origin)?;
                }
            }
            Applied::RoomRestart { room, without, by } => {
                self.room_restarted(room, without, by, place)?;
            }
            Applied::Policy { name } => self.policy_changed(&name, &entry.author)?,
            Applied::Vouched { devices } => self.vouched_for(&devices, &entry.author)?,
            Applied::LogChange { old, seq, hash, new } => {
                self.log_changed((old, seq, hash, new), place, origin)?;
            }
        }
        self.release_rooms()
    }

    fn added(
        &mut self,
        device: &DeviceId,
        is_new_member: bool,
        action: &Action,
        origin: Origin,
    ) -> Result<(), Fault> {
        self.open_direct(device)?;
        let Action::AddDevice(add) = action else { return Ok(()) };
        let name = add.name.as_str().to_owned();
        if add.role == Role::Admin {
            let number = self.memory.roster()?.head().number;
            self.alarm(
                Alarm::Team,
                &format!("{name} is a new admin of the team (change {number})."),
            )?;
        }
        let change = if is_new_member { "joined" } else { "device" };
        self.event(json!({"v": 1, "type": "member", "member": name, "change": change,
            "device": device.to_hex(), "label": add.label.as_str()}));
        match (origin, add.invite) {
            (Origin::Own, Some(invite)) => self.finish_approval(&invite, device)?,
            (Origin::Other, Some(invite)) => self.invite_used_elsewhere(&invite, device)?,
            _ => {}
        }
        if is_new_member {
            return Ok(());
        }
        if self.memory.profile.member() == Some(add.member) {
            self.alarm(
                Alarm::NewDevice,
                &format!("You have a new device: {}.", add.label.as_str()),
            )?;
        }
        self.follow_member(add)
    }

    pub(super) fn revoked(
        &mut self,
        device: &DeviceId,
        signed: &SignedEntry,
        origin: Origin,
    ) -> Result<(), Fault> {
        if *device == self.memory.me()? {
            return self.stop(Stopped::Revoked);
        }
        let gone: Vec<_> = self.memory.direct_channel(device).map(|c| c.id).into_iter().collect();
        for id in &gone {
            self.tx.delete_channel(*id)?;
        }
        self.memory.channels.retain(|live| !gone.contains(&live.id));
        self.tx.forget_packages_of(device)?;
        let mine = origin == Origin::Own;
        self.remove_revoked(device, mine)?;
        if mine {
            self.cut_row(device)?;
            let others: Vec<_> = self.memory.roster()?.active_devices().map(|d| d.id).collect();
            for other in others {
                self.send_direct(&other, DIRECT_ENTRY, &signed.encode())?;
            }
        }
        let name = self.member_name(device);
        self.event(json!({"v": 1, "type": "member", "member": name, "change": "revoked"}));
        Ok(())
    }

    /// **Revoking an admin lists the devices it approved.**
    pub(super) fn tell_approved(
        &mut self,
        device: &DeviceId,
        approved: &[DeviceId],
    ) -> Result<(), Fault> {
        if approved.is_empty() {
            return Ok(());
        }
        let by = self.member_name(device).unwrap_or_default();
        let names: Vec<_> = approved.iter().filter_map(|d| self.member_name(d)).collect();
        self.alarm(
            Alarm::Team,
            &format!(
                "{by} was an admin and is revoked. Look at who came in through that device: {}.",
                names.join(", ")
            ),
        )
    }
}
