//! The team: who is in it, and putting somebody out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use serde_bytes::ByteArray;

use super::Cx;
use super::asks::Ask;
use super::errands::{DAY_S, UNSEEN_DAYS};
use super::fault::{Fault, failed, refused};
use super::waits::What;
use crate::member::agent::core::CallId;
use crate::member::roster::{Action, Device, Role, Roster};
use crate::wire::ids::DeviceId;

/// The room that holds all people.
pub(super) const GENERAL: &str = "general";
/// Milliseconds that `revoke` waits for the cut and the new keys.
const REVOKE_WAIT_MS: u64 = 15_000;
/// Milliseconds that a member's `device revoke` waits for some admin's device.
const ASK_WAIT_MS: u64 = 30_000;

impl Cx<'_> {
    /// The team, a line a device.
    pub(super) fn team(&self) -> Result<Value, Fault> {
        let roster = self.memory.roster()?;
        let seen: BTreeMap<_, _> = self.tx.seen_days()?.into_iter().collect();
        let me = self.memory.me().ok();
        let today = self.now.unix_s() / DAY_S;
        Ok(roster
            .devices()
            .map(|device| {
                let day = match seen.get(&device.id) {
                    _ if me == Some(device.id) => Some(today),
                    day => day.copied(),
                };
                let since = device.since / DAY_S;
                let unseen = day.unwrap_or(since).max(since) + UNSEEN_DAYS < today;
                let mut object =
                    device_json(roster, device, self.is_verified(device), self.now.unix_s());
                if let Some(fields) = object.as_object_mut() {
                    fields.insert("verified_by".into(), json!(self.verified_by(device)));
                    let day = day.map(|day| super::views::rfc3339(day * DAY_S));
                    fields.insert("seen".into(), json!(day));
                    fields.insert("unseen".into(), json!(unseen && device.revoked.is_none()));
                    fields.insert("own".into(), json!(me == Some(device.id)));
                }
                object
            })
            .collect())
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
            if let (None, Some(typed)) = (member, device) {
                return self.revoke_own(call, typed);
            }
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
        self.wait_at_most(call, What::Revoked { devices, answer }, REVOKE_WAIT_MS);
        Ok(())
    }

    /// **A member revokes devices of its own**: an admin's device posts the entry.
    fn revoke_own(&mut self, call: CallId, typed: &str) -> Result<(), Fault> {
        let device = self.find_device(typed)?;
        let (roster, me) = (self.memory.roster()?, self.memory.me()?);
        if roster.device(&device).map(|d| d.member) != self.memory.profile.member() {
            let hint = Some("Ask an admin of your team.");
            return Err(failed(77, "Only admins revoke devices of others.", hint).into());
        }
        if device == me {
            return Err(refused("A device does not revoke itself here.", None).into());
        }
        self.ask_admins(&Ask::Revoke { device: ByteArray::new(device.0) })?;
        let answer = json!({"devices": [device.to_hex()]});
        self.wait_at_most(call, What::Revoked { devices: vec![device], answer }, ASK_WAIT_MS);
        Ok(())
    }

    /// This member's role.
    pub(super) fn own_role(&self) -> Result<Role, Fault> {
        let role = self.memory.roster()?.role_of(&self.memory.me()?);
        match role {
            Some(Role::Bot) => Err(failed(77, "Bots have one device.", None).into()),
            role => role.ok_or(Fault::Bug("no role")),
        }
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

fn device_json(roster: &Roster, device: &Device, verified: bool, now: u64) -> Value {
    let state = match device.revoked {
        None => "active",
        Some(_) if device.expires.is_some_and(|at| at <= now) => "expired",
        Some(_) => "revoked",
    };
    let member = roster.member(&device.member);
    json!({
        "member": member.map(|member| member.name.as_str()),
        "device": device.id.to_hex(),
        "label": device.label.as_str(),
        "role": member.map(|member| member.role.name()),
        "verified": verified,
        "state": state,
        "since": super::views::rfc3339(device.since),
        "expires_at": device.expires.map(super::views::rfc3339),
    })
}
