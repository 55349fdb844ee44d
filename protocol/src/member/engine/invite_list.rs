//! Invites as commands name, list and end them.

use serde_bytes::ByteArray;
use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::asks::Ask;
use super::fault::{Fault, refused};
use super::invites::{MINE, life, request_of, state};
use crate::invite_code::Role;
use crate::member::agent::core::ApiError;
use crate::member::store::InviteRow;
use crate::wire::ids::InviteId;
use crate::wire::limits::MAX_OPEN_INVITES;

impl Cx<'_> {
    /// The invite whose id begins with what was typed.
    pub(super) fn find_invite(&self, typed: &str) -> Result<InviteRow, Fault> {
        let typed = typed.to_lowercase();
        let mut found: Vec<_> = self.tx.invites()?;
        found.retain(|row| row.state != MINE && row.id.to_hex().starts_with(&typed));
        match (found.pop(), found.is_empty()) {
            (Some(row), true) if !typed.is_empty() => Ok(row),
            (Some(_), _) => {
                Err(refused("That is the beginning of more than one invite.", None).into())
            }
            (None, _) => Err(refused(
                "There is no such invite.",
                Some("`staffetta invites` lists them with their ids."),
            )
            .into()),
        }
    }

    /// What to say of an invite that the relay refused and this device has dropped. The relay gives
    /// no cause: too many are open, or by its clock this one had run out when it came, or lasts
    /// longer than it allows (S10).
    pub(super) fn refused_invite(&self) -> Result<ApiError, Fault> {
        let now = self.now.unix_s();
        let live = self.tx.invites_in(state::LIVE)?;
        let open = live.iter().filter(|row| row.expires_at > now).count();
        let hint = match open >= MAX_OPEN_INVITES {
            true => "End some open invites first.",
            false => "Make one that lasts longer, and check this computer's clock.",
        };
        Ok(refused("The relay refused the invite.", Some(hint)))
    }

    /// All invites as JSON, never with a secret.
    pub(super) fn list_invites(&self) -> Result<Value, Fault> {
        let now = self.now.unix_s();
        let mut rows = self.tx.invites()?;
        rows.retain(|row| row.state != MINE);
        Ok(rows
            .iter()
            .map(|row| {
                let phase = life(row).map(|invite| invite.phase(now));
                let asking = request_of(row).filter(|_| row.state == state::ASKING);
                json!({
                    "id": row.id.to_hex(),
                    "name": row.name,
                    "role": Role::from_code(row.role).map(Role::name),
                    "state": phase.map_or("revoked", |phase| phase.name()),
                    "expires_at": super::views::rfc3339(row.expires_at),
                    "asking": asking.map(|opened| json!({
                        "name": opened.request.name.as_str(),
                        "device": opened.request.label.as_str(),
                    })),
                })
            })
            .collect())
    }

    /// The relay says that another than the first one tried an invite: **the second use is refused,
    /// and the inviter alarmed with the offer to revoke.**
    pub(super) fn invite_reused(&mut self, id: &InviteId, at: u64) -> Result<(), Fault> {
        let Some(row) = self.tx.invite(id)? else { return Ok(()) };
        let roster = self.memory.roster()?;
        let came_in = roster.active_devices().find(|device| device.invite.as_ref() == Some(id));
        let when = super::views::rfc3339(at);
        let text = match (came_in, request_of(&row).filter(|_| row.state == state::ASKING)) {
            (Some(device), _) => {
                let name = self.member_name(&device.id).unwrap_or_default();
                let short: String = device.id.to_hex().chars().take(8).collect();
                format!(
                    "Somebody else tried the invitation with which {name} came in, at {when}. If it was meant for somebody else, cut that device off: staffetta device revoke {short}"
                )
            }
            (None, Some(opened)) => format!(
                "Somebody else tried the invitation with which {} asks to come in, at {when}. Let nobody in without comparing the five words.",
                opened.request.name.as_str()
            ),
            (None, None) => return Ok(()),
        };
        self.alarm(Alarm::Invite, &crate::member::content::sanitize_line(&text))
    }

    /// Takes an invite back, or refuses who asks with it.
    pub(super) fn reject_invite(&mut self, typed: &str) -> Result<(), Fault> {
        let mut row = self.find_invite(typed)?;
        let mut invite = life(&row).ok_or(Fault::Bug("a stored invite"))?;
        let asking = row.state == state::ASKING;
        invite
            .revoke(self.now.unix_s())
            .map_err(|error| refused(&format!("Nothing to reject: {error}."), None))?;
        row.state = match (self.has_authority()?, asking) {
            (false, _) => {
                self.ask_admins(&Ask::Close { invite: ByteArray::new(row.id.0) })?;
                state::REVOKED
            }
            (true, true) => state::REFUSED_ENDING,
            (true, false) => state::REVOKED_ENDING,
        };
        row.used_at = Some(self.now.unix_s());
        Ok(self.tx.put_invite(&row)?)
    }

    /// **Revoking an admin closes all open invites.**
    pub(super) fn close_all_invites(&mut self) -> Result<(), Fault> {
        for mut row in self.tx.invites_in(state::LIVE)? {
            row.state = state::REVOKED_ENDING;
            row.used_at = Some(self.now.unix_s());
            self.tx.put_invite(&row)?;
        }
        Ok(())
    }
}
