//! What this device knows of its own health. It says what is so; the client says what to do.

use serde_json::{Value, json};

use super::Cx;
use super::fault::Fault;
use super::views::rfc3339;
use crate::member::store::MetaKey;

impl Cx<'_> {
    /// `doctor`: facts about this device and its way to the relay. Whether the addresses answer
    /// stands there when the agent has knocked.
    pub(super) fn doctor(&self) -> Result<Value, Fault> {
        let profile = &self.memory.profile;
        let alarms: Vec<String> = self.tx.get(MetaKey::Alarms)?.unwrap_or_default();
        let spare = self.memory.roster.as_ref().and_then(|roster| roster.next_relay());
        let now = self.now.unix_s();
        let (kept, drill) = (self.spare()?, self.last_drill()?);
        let spare = spare.map(|next| {
            let mine = kept.as_ref().filter(|kept| kept.is(&next.log));
            let answered = mine.map(|kept| rfc3339(kept.answered));
            let silent = mine.map(|kept| now.saturating_sub(kept.answered));
            json!({"addresses": next.addresses, "answered": answered, "silent_s": silent})
        });
        let ahead = self.tx.latest_claim()?.map_or(0, |at| at.saturating_sub(now));
        Ok(json!({
            "connected": self.link.connected && self.is_at_home(),
            "stopped": profile.stopped.map(|why| why.text()),
            "refused": self.status()?.get("refused"),
            "in_use": profile.reached,
            "addresses": profile.addresses,
            "admin": profile.is_inside() && self.is_admin()?,
            "spare": spare,
            "drill": drill.as_ref().map(|drill| drill.view()),
            "drill_age_s": drill.as_ref().map(|drill| drill.age_s(now)),
            "alarms": alarms.len(),
            "queued": self.tx.queued_count()?,
            "ahead_s": ahead,
            "database": self.tx.is_whole(),
        }))
    }
}
