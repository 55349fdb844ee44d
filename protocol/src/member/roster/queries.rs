//! What the roster answers.

use super::action::Author;
use super::chain::{Device, MAX_DEVICES, MAX_POLICIES, Member, Relay, Roster};
use super::nearest::nearest;
use super::rules::{self, Name};
use crate::invite_code::{Language, Role, RosterHead};
use crate::member::identity::{DevicePublic, SigningPublic};
use crate::wire::ids::{DeviceId, InviteId, LogId, MemberId, TeamId};

impl Roster {
    /// The team's id: the hash of entry 0.
    pub fn team(&self) -> TeamId {
        self.team
    }

    /// The team's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The language of the team's words.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The team root's key.
    pub fn root(&self) -> &SigningPublic {
        &self.root
    }

    /// The last entry's number and hash.
    pub fn head(&self) -> RosterHead {
        self.head
    }

    /// How many entries made it, entry 0 included.
    pub fn entry_count(&self) -> u32 {
        self.head.number.saturating_add(1)
    }

    /// A device, active or revoked.
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id)
    }

    /// All devices, revoked ones included, by id.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    /// The devices that are not revoked, by id.
    pub fn active_devices(&self) -> impl Iterator<Item = &Device> {
        self.devices().filter(|device| device.revoked.is_none())
    }

    /// Whether a device is on the roster and not revoked.
    pub fn is_active(&self, id: &DeviceId) -> bool {
        self.device(id).is_some_and(|device| device.revoked.is_none())
    }

    /// The active devices of a member.
    pub fn devices_of(&self, member: &MemberId) -> impl Iterator<Item = &Device> {
        self.active_devices().filter(move |device| device.member == *member)
    }

    /// A member, with or without active devices.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    /// All members, those without an active device included, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// The member of this name, case and normal form ignored. Somebody who lost every device keeps
    /// the name, and comes back under the same member id.
    pub fn member_by_name(&self, name: &str) -> Option<&Member> {
        self.member(self.names.get(&rules::fold(name))?)
    }

    /// The names somebody may have meant, best first, three at most.
    pub fn nearest_names(&self, typed: &str) -> Vec<&Name> {
        let names = self.names.iter().filter_map(|(folded, id)| {
            self.member(id).map(|member| (folded.clone(), &member.name))
        });
        nearest(&rules::fold(typed), names)
    }

    /// The role of a device's member, also of a revoked device.
    pub fn role_of(&self, device: &DeviceId) -> Option<Role> {
        self.member(&self.device(device)?.member).map(|member| member.role)
    }

    /// The active devices of admins.
    pub fn active_admins(&self) -> impl Iterator<Item = &Device> {
        self.active_devices().filter(|device| self.role_of(&device.id) == Some(Role::Admin))
    }

    /// The active devices that `approver` added or vouched for, itself excepted.
    pub fn devices_approved_by(&self, approver: &DeviceId) -> Vec<DeviceId> {
        let approver = Author::Device(*approver);
        self.active_devices()
            .filter(|device| device.added_by == approver || device.vouched_by == approver)
            .map(|device| device.id)
            .filter(|id| Author::Device(*id) != approver)
            .collect()
    }

    /// The number of the entry that used an invite.
    pub fn invite_used_by(&self, invite: &InviteId) -> Option<u32> {
        self.devices().find(|device| device.invite.as_ref() == Some(invite)).map(|d| d.added)
    }

    /// The team's relay, as the last such entry says.
    pub fn relay(&self) -> Option<&Relay> {
        self.relay.as_ref()
    }

    /// The value of a policy.
    pub fn policy(&self, name: &str) -> Option<u64> {
        self.policies.get(name).copied()
    }

    /// The log that the last `log change` named; `None` while the team has its first.
    pub fn log(&self) -> Option<&LogId> {
        self.logs.last()
    }

    /// Whether the team had this log and goes on in another.
    pub fn has_left(&self, log: &LogId) -> bool {
        self.logs.split_last().is_some_and(|(_, left)| left.contains(log))
    }

    pub(super) fn has_active_device(&self, member: &MemberId) -> bool {
        self.devices_of(member).next().is_some()
    }

    pub(super) fn has_room_for_device(&self) -> bool {
        self.devices.len() < MAX_DEVICES
    }

    pub(super) fn has_room_for_policy(&self, name: &str) -> bool {
        self.policies.len() < MAX_POLICIES || self.policies.contains_key(name)
    }

    /// Whether one of these keys is the root's or is or was a device's.
    pub(super) fn knows_a_key_of(&self, keys: &DevicePublic) -> bool {
        keys.identity == self.root
            || self.devices.contains_key(&keys.identity.device_id())
            || self.devices().any(|device| device.keys.direct == keys.direct)
    }
}
