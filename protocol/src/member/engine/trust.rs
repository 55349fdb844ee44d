//! The team: who is in it, and putting somebody out.

use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, failed, refused};
use super::waits::{Wait, What};
use crate::member::agent::core::CallId;
use crate::member::roster::{Action, Device, Roster};
use crate::wire::ids::DeviceId;

/// The room that holds all people.
pub(super) const GENERAL: &str = "general";
/// Milliseconds that `revoke` waits for the cut and the new keys.
const REVOKE_WAIT_MS: u64 = 15_000;

impl Cx<'_> {
    /// The team, a line a device.
    pub(super) fn team(&self) -> Result<Value, Fault> {
        let roster = self.memory.roster()?;
        Ok(roster.devices().map(|device| device_json(roster, device)).collect())
    }

    /// Revokes a member's devices, or one device. The call is answered when the relay has cut
    /// them and this device's rooms have new keys.
    pub(super) fn revoke(
        &mut self,
        call: CallId,
        member: Option<&str>,
        device: Option<&str>,
    ) -> Result<(), Fault> {
        if !self.is_admin()? {
            return Err(
                failed(77, "Only admins revoke.", Some("Ask an admin of your team.")).into()
            );
        }
        let devices = match (member, device) {
            (Some(name), _) => {
                let member = self.find_member(name)?.id;
                self.active_devices_of(&member)?.iter().map(|device| device.id).collect()
            }
            (None, Some(typed)) => vec![self.find_device(typed)?],
            (None, None) => return Err(super::fault::bad_params("member or device").into()),
        };
        if devices.is_empty() {
            return Err(refused("There is nothing to revoke: it is done already.", None).into());
        }
        let me = self.memory.me()?;
        if devices.contains(&me) {
            return Err(refused("A device does not revoke itself here.", None).into());
        }
        for device in &devices {
            self.post_action(Action::Revoke { device: *device })?;
        }
        let answer = json!({"devices": devices.iter().map(DeviceId::to_hex).collect::<Vec<_>>()});
        let deadline = self.now.mono_ms + REVOKE_WAIT_MS;
        let what = What::Revoked { devices, answer };
        self.waits.add(Wait { call, what, deadline, extended: deadline, queue_only: false });
        Ok(())
    }

    fn find_device(&self, typed: &str) -> Result<DeviceId, Fault> {
        let typed = typed.to_lowercase();
        let roster = self.memory.roster()?;
        let mut found: Vec<_> = roster
            .active_devices()
            .map(|d| d.id)
            .filter(|id| id.to_hex().starts_with(&typed))
            .collect();
        match (found.pop(), found.is_empty()) {
            (Some(id), true) if !typed.is_empty() => Ok(id),
            (Some(_), _) => {
                Err(refused("That is the beginning of more than one device's id.", None).into())
            }
            (None, _) => Err(refused(
                "There is no such device.",
                Some("`staffetta team` lists the devices with their ids."),
            )
            .into()),
        }
    }
}

fn device_json(roster: &Roster, device: &Device) -> Value {
    let member = roster.member(&device.member);
    json!({
        "member": member.map(|member| member.name.as_str()),
        "device": device.id.to_hex(),
        "label": device.label.as_str(),
        "role": member.map(|member| member.role.name()),
        "verified": device.words_compared,
        "state": if device.revoked.is_some() { "revoked" } else { "active" },
        "since": super::views::rfc3339(device.since),
    })
}
