//! What entries did, and how the root undoes it.
//!
//! **`rewind` undoes the effects of named entries from its own place on; nothing judged earlier is
//! judged again, devices they added count as revoked from there.** A revocation is for good: a
//! revoked device's row, rooms and keys are gone, so its person comes back as a new device.

use std::collections::BTreeSet;

use super::action::Action;
use super::chain::{Applied, Relay, Roster};
use super::next::NextRelay;
use crate::invite_code::Role;
use crate::wire::ids::{DeviceId, MemberId};

/// What an entry set, as far as it can be set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that a rewind changes.
    Nothing,
    /// A device came in, and its member had this role from then on.
    Added { device: DeviceId, member: MemberId, role: Role },
    /// A member's role.
    Role { member: MemberId, role: Role },
    /// The relay.
    Relay(Relay),
    /// The next relay.
    Next(NextRelay),
    /// A policy.
    Policy { name: String, value: u64 },
    /// Somebody vouched for these devices.
    Vouched { devices: Vec<DeviceId> },
}

impl Effect {
    /// What can be set back of an action.
    pub(super) fn of(action: &Action) -> Self {
        match action {
            Action::AddDevice(add) => Self::Added {
                device: add.keys.identity.device_id(),
                member: add.member,
                role: add.role,
            },
            Action::Role { member, role } => Self::Role { member: *member, role: *role },
            Action::RelayAddresses { relay, addresses } => {
                Self::Relay(Relay { key: *relay, addresses: addresses.clone() })
            }
            Action::NextRelay(next) => Self::Next(next.clone()),
            Action::Policy { name, value } => Self::Policy { name: name.clone(), value: *value },
            Action::Found { .. }
            | Action::Revoke { .. }
            | Action::LogChange { .. }
            | Action::RoomRestart { .. }
            | Action::Rewind { .. } => Self::Nothing,
            Action::Vouch { devices } => Self::Vouched { devices: devices.clone() },
        }
    }
}

impl Roster {
    /// The entries that the root has undone.
    pub fn undone(&self) -> &BTreeSet<u32> {
        &self.undone
    }

    /// The effects that stand, the latest first.
    fn standing(&self) -> impl Iterator<Item = &Effect> {
        let stands = |at: &usize| u32::try_from(*at).is_ok_and(|n| !self.undone.contains(&n));
        let effects = self.effects.iter().enumerate().rev();
        effects.filter(move |(at, _)| stands(at)).map(|(_, effect)| effect)
    }

    pub(super) fn fold_rewind(&mut self, number: u32, numbers: &[u32]) -> Applied {
        self.undone.extend(numbers);
        let named = |number: &u32| {
            let effect = self.effects.get(usize::try_from(*number).ok()?)?;
            Some((*number, effect.clone()))
        };
        let named: Vec<(u32, Effect)> = numbers.iter().filter_map(named).collect();
        let (mut revoked, mut members, mut relay) = (Vec::new(), BTreeSet::new(), false);
        for (named, effect) in &named {
            match effect {
                Effect::Nothing => {}
                Effect::Added { device, member, .. } => {
                    members.insert(*member);
                    let active = self.devices.get_mut(device).filter(|d| d.revoked.is_none());
                    if let Some(device) = active {
                        device.revoked = Some(number);
                        revoked.push(device.id);
                    }
                }
                Effect::Role { member, .. } => {
                    members.insert(*member);
                }
                Effect::Relay(_) => relay = true,
                Effect::Next(_) => {
                    let before = self.standing().find_map(|effect| match effect {
                        Effect::Next(next) => Some(next.clone()),
                        _ => None,
                    });
                    self.next = before;
                }
                Effect::Vouched { devices } => self.forget_vouch(*named, devices),
                Effect::Policy { name, .. } => {
                    let value = self.standing().find_map(|effect| match effect {
                        Effect::Policy { name: other, value } if other == name => Some(*value),
                        _ => None,
                    });
                    match value {
                        Some(value) => self.policies.insert(name.clone(), value),
                        None => self.policies.remove(name),
                    };
                }
            }
        }
        if relay {
            let before = self.standing().find_map(|effect| match effect {
                Effect::Relay(relay) => Some(relay.clone()),
                _ => None,
            });
            self.relay = before;
        }
        let roles = members.into_iter().filter_map(|id| self.restore_role(&id)).collect();
        Applied::Rewound { revoked, roles, relay }
    }

    /// Gives a member the role of the last entry that stands.
    fn restore_role(&mut self, id: &MemberId) -> Option<(MemberId, Role, Role)> {
        let to = self.standing().find_map(|effect| match effect {
            Effect::Added { member, role, .. } | Effect::Role { member, role } if member == id => {
                Some(*role)
            }
            _ => None,
        })?;
        let member = self.members.get_mut(id)?;
        let from = std::mem::replace(&mut member.role, to);
        (from != to).then_some((*id, from, to))
    }
}
