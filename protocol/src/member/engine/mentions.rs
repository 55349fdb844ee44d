//! `@Name` in a text.

use std::collections::BTreeSet;

use super::Cx;
use super::fault::Fault;
use crate::member::content::MAX_MENTIONS;
use crate::wire::ids::{MemberId, RoomId};

impl Cx<'_> {
    /// The members of the room that a text mentions, in the order of their ids.
    pub(super) fn mentioned(&mut self, room: &RoomId, text: &str) -> Result<Vec<MemberId>, Fault> {
        if !text.contains('@') {
            return Ok(Vec::new());
        }
        let devices = self.devices_in(room)?;
        let roster = self.memory.roster()?;
        let members: BTreeSet<MemberId> =
            devices.iter().filter_map(|d| roster.device(d)).map(|d| d.member).collect();
        let named = members.into_iter().filter_map(|id| Some((id, roster.member(&id)?)));
        let people: Vec<_> = named.map(|(id, m)| (id, m.name.as_str().to_lowercase())).collect();
        Ok(find(text, &people))
    }
}

/// Whoever of `people` (id, name in lower case) stands in `text` behind an `@` that begins a word.
/// Of two names the longer one is meant: `@Anna Maria` is not `@Anna`.
fn find(text: &str, people: &[(MemberId, String)]) -> Vec<MemberId> {
    let text = text.to_lowercase();
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('@') {
        let (before, after) = text.split_at(at);
        if before.chars().next_back().is_some_and(char::is_alphanumeric) {
            continue;
        }
        let after = after.strip_prefix('@').unwrap_or(after);
        let is_meant = |name: &str| {
            let rest = after.strip_prefix(name);
            rest.is_some_and(|rest| !rest.chars().next().is_some_and(char::is_alphanumeric))
        };
        let meant = people.iter().filter(|(_, name)| is_meant(name));
        found.extend(meant.max_by_key(|(_, name)| name.len()).map(|(id, _)| *id));
    }
    found.into_iter().take(MAX_MENTIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_is_a_whole_name_at_the_beginning_of_a_word() {
        let id = |byte| MemberId([byte; 16]);
        let people = [(id(1), "anna".to_owned()), (id(2), "anna maria".to_owned())];
        let people = [people.as_slice(), &[(id(3), "léa".to_owned())]].concat();
        assert_eq!(find("@Anna, and @LÉA!", &people), [id(1), id(3)]);
        assert_eq!(find("@anna maria", &people), [id(2)]);
        assert_eq!(find("anna@anna.example @annabel @ anna", &people), []);
        assert_eq!(find("@@anna @léa @léa", &people), [id(1), id(3)]);
    }
}
