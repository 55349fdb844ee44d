//! Roles, the root's `rewind`, and other acts that everybody is told of.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Cx;
use super::alarms::Alarm;
use super::control::Origin;
use super::fault::{Fault, bad_params, failed, refused};
use super::waits::What;
use crate::invite_code::Role;
use crate::member::agent::core::CallId;
use crate::member::invite::parse_root_words;
use crate::member::roster::{Action, Author, RosterError, SignedEntry};
use crate::member::store::{AccessRow, IntentKind, MetaKey};
use crate::wire::ids::{DeviceId, MemberId};

/// Milliseconds that a change of the team waits for its place and for the relay.
const POST_WAIT_MS: u64 = 15_000;

/// What `team.role` asks for.
#[derive(Deserialize)]
pub(super) struct RoleParams {
    member: String,
    role: String,
}

/// What `team.rewind` asks for.
#[derive(Deserialize)]
pub(super) struct RewindParams {
    numbers: Vec<u32>,
    /// The 24 root words.
    words: String,
}

impl Cx<'_> {
    pub(super) fn wait_posted(&mut self, call: CallId, answer: Value) {
        self.wait_at_most(call, What::Posted { answer }, POST_WAIT_MS);
    }

    /// `team.role`
    pub(super) fn set_role(&mut self, call: CallId, params: &RoleParams) -> Result<(), Fault> {
        let role = Role::from_name(&params.role).filter(|role| *role != Role::Bot);
        let role = role.ok_or_else(|| bad_params("role: member or admin"))?;
        if !self.is_admin()? {
            let hint = Some("Ask an admin of your team.");
            return Err(failed(77, "Only admins change roles.", hint).into());
        }
        if !self.has_authority()? {
            let hint = Some("Try again when another admin is online.");
            let text = "This device has not been told the relay's key by the other admins yet.";
            return Err(failed(75, text, hint).into());
        }
        let member = self.find_member(&params.member)?.clone();
        if member.role == role {
            let text = format!("{} is that already.", member.name.as_str());
            return Err(refused(&text, None).into());
        }
        self.post_action(Action::Role { member: member.id, role })?;
        self.wait_posted(call, json!({"member": member.name.as_str(), "role": role.name()}));
        Ok(())
    }

    /// `forsake`: this device gives itself up, before its profile is destroyed.
    pub(super) fn forsake(&mut self, call: CallId) -> Result<(), Fault> {
        let device = self.memory.me()?;
        self.post_action(Action::Revoke { device })?;
        self.wait_posted(call, json!({"device": device.to_hex()}));
        Ok(())
    }

    /// A member has another role. **Dangerous acts are announced on every screen.**
    pub(super) fn role_changed(
        &mut self,
        member: &MemberId,
        from: Role,
        to: Role,
        origin: Origin,
    ) -> Result<(), Fault> {
        let name = self.name_of(member).unwrap_or_default();
        let number = self.memory.roster()?.head().number;
        let what = if to == Role::Admin { "is an admin now" } else { "is no longer an admin" };
        self.alarm(Alarm::Team, &format!("{name} {what} (change {number})."))?;
        self.event(json!({"v": 1, "type": "member", "member": name, "change": "role",
            "role": to.name()}));
        let demoted = from == Role::Admin && to != Role::Admin;
        if demoted {
            self.close_all_invites()?;
        }
        if demoted && self.memory.profile.member() == Some(*member) {
            return self.forget_authority();
        }
        if origin != Origin::Own || !self.has_authority()? {
            return Ok(());
        }
        let devices: Vec<_> = self.memory.roster()?.devices_of(member).map(|d| d.id).collect();
        self.move_admin_devices(&devices, to == Role::Admin)
    }

    /// Rows and the admins' room follow a role; **the relay authority is replaced in the same
    /// document that removes an admin.**
    fn move_admin_devices(&mut self, devices: &[DeviceId], admin: bool) -> Result<(), Fault> {
        for row in self.tx.access_rows()? {
            if devices.contains(&row.device) && row.admin != admin {
                let device = row.device;
                self.tx.put_access_row(&AccessRow { admin, ..row })?;
                self.add_row(&device)?;
            }
        }
        if !admin {
            self.rotate_authority()?;
        }
        let Some(room) = self.memory.profile.admins() else { return Ok(()) };
        let inside = self.devices_in(&room)?;
        let now = self.now.unix_ms;
        for device in devices.iter().filter(|device| inside.contains(device) != admin) {
            if admin {
                self.intend(room, IntentKind::Add(*device), now)?;
            } else {
                self.ask_removal(&room, device)?;
                self.intend(room, IntentKind::Remove(*device), now)?;
            }
        }
        Ok(())
    }

    /// This device is no admin's any more: what only they hold goes.
    fn forget_authority(&mut self) -> Result<(), Fault> {
        self.tx.delete_relay_authority()?;
        self.tx.delete_next_authority()?;
        self.tx.delete(MetaKey::Rows)?;
        for row in self.tx.access_rows()? {
            self.tx.remove_access_row(&row.device)?;
        }
        Ok(())
    }

    /// `team.rewind`, signed with the root words, which stay in no table.
    pub(super) fn rewind(&mut self, call: CallId, params: RewindParams) -> Result<(), Fault> {
        let RewindParams { mut numbers, words } = params;
        let words = Zeroizing::new(words);
        numbers.sort_unstable();
        numbers.dedup();
        let roster = self.memory.roster()?;
        let root = parse_root_words(roster.language(), &words).map_err(|error| {
            let text = format!("The root words cannot be read: {error}.");
            refused(&text, Some("Nothing was changed."))
        })?;
        if root.public() != *roster.root() {
            return Err(refused("These are not this team's root words.", None).into());
        }
        let head = roster.head().number;
        if numbers.is_empty() || numbers.iter().any(|number| *number == 0 || *number > head) {
            let text = format!("The team's changes have the numbers 1 to {head}.");
            return Err(refused(&text, Some("See them: staffetta team log")).into());
        }
        let action = Action::Rewind { numbers: numbers.clone() };
        let signed = roster.sign_next(Author::Root, &root, self.now.unix_s(), action)?;
        self.post_signed(&signed)?;
        self.wait_posted(call, json!({"undone": numbers}));
        Ok(())
    }

    /// The root undid entries.
    pub(super) fn rewound(
        &mut self,
        signed: &SignedEntry,
        revoked: &[DeviceId],
        roles: &[(MemberId, Role, Role)],
        origin: Origin,
    ) -> Result<(), Fault> {
        let number = self.memory.roster()?.head().number;
        let names: Vec<_> = revoked.iter().filter_map(|d| self.member_name(d)).collect();
        let gone = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        self.alarm(Alarm::Team, &format!(
            "Changes of the team were undone with the root words (change {number}); put out: {gone}."
        ))?;
        for (member, from, to) in roles {
            self.role_changed(member, *from, *to, origin)?;
        }
        for device in revoked {
            let approved = self.memory.roster()?.devices_approved_by(device);
            self.revoked(device, signed, origin)?;
            if self.memory.profile.stopped.is_some() {
                return Ok(());
            }
            if self.is_admin_device(device)? {
                self.close_all_invites()?;
                self.tell_approved(device, &approved)?;
            }
        }
        Ok(())
    }

    /// `team.log`: the roster's entries, oldest first.
    pub(super) fn team_log(&self) -> Result<Value, Fault> {
        let roster = self.memory.roster()?;
        let mut out = Vec::new();
        for row in self.tx.entries()? {
            let entry = SignedEntry::stored(row.bytes, row.signature).entry();
            let entry = entry.map_err(RosterError::from)?;
            let device = |id: &DeviceId| self.member_name(id);
            let (action, about) = match &entry.action {
                Action::Found { team, .. } => ("found", Some(team.as_str().to_owned())),
                Action::AddDevice(add) => ("add", Some(add.name.as_str().to_owned())),
                Action::Revoke { device: id } => ("revoke", device(id)),
                Action::Role { member, .. } => ("role", self.name_of(member)),
                Action::RelayAddresses { .. } => ("relay", None),
                Action::NextRelay(_) => ("spare", None),
                Action::LogChange { .. } => ("log", None),
                Action::RoomRestart { .. } => ("restart", None),
                Action::Policy { name, .. } => ("policy", Some(name.clone())),
                Action::Vouch { devices } => ("vouch", devices.first().and_then(device)),
                Action::Rewind { .. } => ("rewind", None),
            };
            let role = match &entry.action {
                Action::AddDevice(add) => Some(add.role.name()),
                Action::Role { role, .. } => Some(role.name()),
                _ => None,
            };
            let by = match &entry.author {
                Author::Root => Some("root".to_owned()),
                Author::Device(id) => device(id),
            };
            out.push(json!({"number": entry.number, "at": super::views::rfc3339(entry.at),
                "by": by, "action": action, "about": about, "role": role,
                "undone": roster.undone().contains(&entry.number)}));
        }
        Ok(Value::Array(out))
    }
}
