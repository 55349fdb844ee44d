//! Verifying people by voice: safety words, the team number, and what this device remembers of it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, refused};
use crate::member::invite::{SafetyWords, team_number};
use crate::member::roster::{Device, Member};

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
        device.revoked.is_none() && (device.words_compared || marked())
    }

    /// `verify`: safety words of one member or of all, and the team number.
    pub(super) fn verify(&self, params: &VerifyParams) -> Result<Value, Fault> {
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
        if let Some(words) = &params.words {
            self.compare_safety(member, &words.join(" "))?;
        }
        Ok(json!([self.safety_json(member)?]))
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

    fn safety_json(&self, member: &Member) -> Result<Value, Fault> {
        let roster = self.memory.roster()?;
        let head = roster.head();
        Ok(json!({
            "member": member.name.as_str(),
            "words": self.safety_words(member)?.to_text(roster.language()),
            "verified": roster.devices_of(&member.id).all(|device| self.is_verified(device)),
            "devices": roster.devices_of(&member.id).count(),
            "own": self.memory.profile.member() == Some(member.id),
            "team_number": team_number(&head),
            "entry": head.number,
        }))
    }
}
