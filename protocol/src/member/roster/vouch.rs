//! Vouching: somebody compared safety words with a device's person, after it came in.

use super::action::Author;
use super::chain::{Applied, Device, Roster};
use super::entry::Entry;
use super::error::RosterError;
use crate::invite_code::Role;
use crate::wire::ids::{DeviceId, MemberId};

/// Most people who vouch for one device later.
const MAX_VOUCHERS: usize = 8;

impl Roster {
    /// The members who compared words with a device's person since it came in, and whose devices
    /// that said so are still of the team.
    pub fn vouchers_of(&self, device: &Device) -> Vec<MemberId> {
        let active = device.vouchers.iter().filter_map(|(_, by)| self.device(by));
        let active = active.filter(|by| by.revoked.is_none()).map(|by| by.member);
        let mut members: Vec<_> = active.collect();
        members.sort();
        members.dedup();
        members
    }

    /// Whether somebody of the team compared words with a device's person, then or since.
    pub fn is_vouched_for(&self, device: &Device) -> bool {
        device.words_compared || !self.vouchers_of(device).is_empty()
    }

    /// The devices of a member that `author` may still vouch for.
    pub fn to_vouch_for(&self, author: &DeviceId, member: &MemberId) -> Vec<DeviceId> {
        let Some(by) = self.device(author).filter(|by| by.member != *member) else {
            return Vec::new();
        };
        let open = |device: &&Device| self.may_vouch(&by.member, device);
        self.devices_of(member).filter(open).map(|device| device.id).collect()
    }

    /// A few vouchers are enough, and nobody counts twice: vouching cannot fill the roster.
    fn may_vouch(&self, by: &MemberId, device: &Device) -> bool {
        let known = self.vouchers_of(device);
        device.vouchers.len() < MAX_VOUCHERS && !known.contains(by)
    }

    pub(super) fn permit_vouch(
        &self,
        author: &Author,
        devices: &[DeviceId],
    ) -> Result<(), RosterError> {
        let Author::Device(by) = author else { return Err(RosterError::Voucher) };
        let member = self.device(by).map(|device| device.member);
        let person = self.role_of(by).is_some_and(|role| role != Role::Bot);
        let (Some(member), true) = (member, person) else { return Err(RosterError::Voucher) };
        for id in devices {
            let device = self.device(id).ok_or(RosterError::UnknownDevice)?;
            if device.revoked.is_some() {
                return Err(RosterError::RevokedDevice);
            }
            if device.member == member || !self.may_vouch(&member, device) {
                return Err(RosterError::Voucher);
            }
        }
        Ok(())
    }

    pub(super) fn fold_vouch(&mut self, entry: &Entry, devices: &[DeviceId]) -> Applied {
        if let Author::Device(by) = entry.author {
            for id in devices {
                if let Some(device) = self.devices.get_mut(id) {
                    device.vouchers.push((entry.number, by));
                }
            }
        }
        Applied::Vouched { devices: devices.to_vec() }
    }

    /// Takes back what one entry said of these devices.
    pub(super) fn forget_vouch(&mut self, number: u32, devices: &[DeviceId]) {
        for id in devices {
            if let Some(device) = self.devices.get_mut(id) {
                device.vouchers.retain(|(entry, _)| *entry != number);
            }
        }
    }
}
