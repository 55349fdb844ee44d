//! Verifying people by voice: safety words, the team number, and what this device remembers of it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, refused};
use crate::member::invite::{SafetyWords, team_number};
use crate::member::roster::{Action, Author, Device, MAX_VOUCHED, Member, Role};
use crate::wire::ids::{DeviceId, MemberId};

/// What `verify` asks for.
#[derive(Deserialize)]
pub(super) struct VerifyParams {
    member: Option<String>,
    /// The words heard; if they are the member's, its devices are marked.
    words: Option<Vec<String>>,
}

impl Cx<'_> {
    /// Whether somebody compared words with a device: at its approval, or this person later.
    pub(super) fn is_verified(&self, device: &Device) -> bool {
        let marked = || self.tx.is_marked(&device.id).unwrap_or(false);
        let roster = self.memory.roster.as_ref();
        let vouched = roster.is_some_and(|roster| roster.is_vouched_for(device));
        device.revoked.is_none() && (vouched || marked())
    }

    /// `verify`: safety words of one member or of all, and the team number.
    pub(super) fn verify(&mut self, params: &VerifyParams) -> Result<Value, Fault> {
        let roster = self.memory.roster()?;
        let Some(typed) = &params.member else {
            let people =
                roster.members().filter(|member| roster.devices_of(&member.id).count() > 0);
            return people.map(|member| self.safety_json(member)).collect();
        };
        let member = self.find_member(typed)?;
        if roster.devices_of(&member.id).count() == 0 {
            let text = format!("{} has no device in the team.", member.name.as_str());
            return Err(refused(&text, None).into());
        }
        let id = member.id;
        if let Some(words) = &params.words {
            self.compare_safety(member, &words.join(" "))?;
            self.tell_verified(&id)?;
        }
        let member = self.memory.roster()?.member(&id).ok_or(Fault::Bug("no member"))?;
        Ok(json!([self.safety_json(member)?]))
    }

    /// **A later verification stands in the roster, so that everybody sees who compared words.**
    fn tell_verified(&mut self, member: &MemberId) -> Result<(), Fault> {
        let (roster, me) = (self.memory.roster()?, self.memory.me()?);
        if roster.role_of(&me) == Some(Role::Bot) {
            return Ok(());
        }
        let open = roster.to_vouch_for(&me, member);
        for devices in open.chunks(MAX_VOUCHED) {
            self.post_action(Action::Vouch { devices: devices.to_vec() })?;
        }
        Ok(())
    }

    /// Somebody compared words with the person of these devices.
    pub(super) fn vouched_for(
        &mut self,
        devices: &[DeviceId],
        author: &Author,
    ) -> Result<(), Fault> {
        let Author::Device(by) = author else { return Ok(()) };
        let (by, of) = (self.member_name(by), devices.first().and_then(|id| self.member_name(id)));
        self.event(json!({"v": 1, "type": "member", "member": of, "change": "verified", "by": by}));
        Ok(())
    }

    /// Who compared words with a device's person: at its approval, and since.
    pub(super) fn verified_by(&self, device: &Device) -> Vec<String> {
        let Some(roster) = self.memory.roster.as_ref() else { return Vec::new() };
        let approver = match device.vouched_by {
            Author::Device(by) if device.words_compared => roster.device(&by).map(|d| d.member),
            _ => None,
        };
        let approver = approver.filter(|by| *by != device.member);
        let mut all: Vec<_> = approver.into_iter().chain(roster.vouchers_of(device)).collect();
        all.dedup();
        self.names_of(&all)
    }

    fn safety_words(&self, member: &Member) -> Result<SafetyWords, Fault> {
        let roster = self.memory.roster()?;
        let keys: Vec<_> = roster.devices_of(&member.id).map(|d| d.keys.identity).collect();
        Ok(SafetyWords::of(&roster.team(), &member.id, &keys))
    }

    fn compare_safety(&self, member: &Member, words: &str) -> Result<(), Fault> {
        let roster = self.memory.roster()?;
        match self.safety_words(member)?.matches(roster.language(), words) {
            Ok(true) => {}
            Ok(false) => {
                let text = format!("These are not the words of {}.", member.name.as_str());
                let hint = "Ask again by voice. If they still differ, one of you is shown a false \
                            device: compare `staffetta team`, and tell an admin.";
                return Err(refused(&text, Some(hint)).into());
            }
            Err(error) => {
                let text = format!("The words cannot be read: {error}.");
                return Err(refused(&text, Some("Nothing was changed.")).into());
            }
        }
        for device in roster.devices_of(&member.id) {
            self.tx.mark_verified(&device.id, self.now.unix_s())?;
        }
        Ok(())
    }

    /// Who compared words with all of a member's devices.
    fn all_verified_by(&self, member: &Member) -> Result<Vec<String>, Fault> {
        let mut each = self.memory.roster()?.devices_of(&member.id).map(|d| self.verified_by(d));
        let mut all = each.next().unwrap_or_default();
        each.for_each(|names| all.retain(|name| names.contains(name)));
        Ok(all)
    }

    fn safety_json(&self, member: &Member) -> Result<Value, Fault> {
        let roster = self.memory.roster()?;
        let head = roster.head();
        Ok(json!({
            "member": member.name.as_str(),
            "words": self.safety_words(member)?.to_text(roster.language()),
            "verified": roster.devices_of(&member.id).all(|device| self.is_verified(device)),
            "verified_by": self.all_verified_by(member)?,
            "devices": roster.devices_of(&member.id).count(),
            "own": self.memory.profile.member() == Some(member.id),
            "team_number": team_number(&head),
            "entry": head.number,
        }))
    }
}
