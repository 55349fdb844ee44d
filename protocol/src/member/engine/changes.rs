//! Edits, deletions and reactions: asking for them, and what they do at their place in the log.

use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::chat::{Draft, Send};
use super::fault::{Fault, refused};
use super::views::rfc3339;
use crate::member::agent::core::CallId;
use crate::member::content::{Content, Kind, sanitize_block, sanitize_line};
use crate::member::store::{MessageRow, RoomRow};
use crate::wire::ids::{ContentId, MemberId};

/// The most reactions kept of one message.
const MAX_REACTIONS: usize = 256;
/// The most of them that one member has.
const MAX_REACTIONS_EACH: usize = 16;

/// What a person wants done with a message.
pub(super) enum Wanted {
    Edit(String),
    Delete,
    React(String),
}

impl Cx<'_> {
    /// `edit`, `delete`, `react`.
    pub(super) fn change(
        &mut self,
        call: CallId,
        target: ContentId,
        wanted: Wanted,
        key: Option<String>,
        wait_ms: u64,
    ) -> Result<(), Fault> {
        let row = self.message_to_change(&target)?;
        let room = self.memory.rooms.get(&row.room).cloned();
        let room: RoomRow = room.ok_or_else(|| refused("That room is gone.", None))?;
        if !row.own && !matches!(wanted, Wanted::React(_)) {
            let text = "Only its author can change a message; nothing was sent.";
            return Err(refused(text, None).into());
        }
        let (kind, replaces, reply_to) = match wanted {
            Wanted::Edit(_) if row.kind != Kind::TEXT => {
                return Err(refused("Only texts can be edited; nothing was sent.", None).into());
            }
            Wanted::Edit(text) => (Kind::Edit(text), Some(target), row.reply_to),
            Wanted::Delete => (Kind::Delete, Some(target), None),
            Wanted::React(_) if !row.shown => {
                return Err(refused("There is no message with that id.", None).into());
            }
            Wanted::React(emoji) => (Kind::Reaction(emoji), None, Some(target)),
        };
        let mut draft = Draft::new(self.random, kind);
        (draft.replaces, draft.reply_to) = (replaces, reply_to);
        draft.expires = row.expires_at;
        self.send(call, &room, Send { draft, key, wait_ms })
    }

    fn message_to_change(&self, target: &ContentId) -> Result<MessageRow, Fault> {
        let row = self.tx.message(target)?.filter(|row| !row.deleted);
        let known = row.filter(|row| row.shown || row.kind == Kind::REACTION);
        known.ok_or_else(|| refused("There is no message with that id.", None).into())
    }

    /// What a change does at its place. **Only the author's member edits and deletes**; a change of
    /// a message that is not here is kept and does nothing.
    pub(super) fn apply(&mut self, row: &MessageRow, target: ContentId) -> Result<(), Fault> {
        let known = self.tx.message(&target)?;
        let Some(old) = known.filter(|old| old.room == row.room && !old.deleted) else {
            return Ok(());
        };
        let Ok(content) = Content::decode(&row.raw) else { return Ok(()) };
        let author = old.member == row.member;
        match content.kind {
            Kind::Edit(_) | Kind::Delete if !author => self.tampering(row, &old),
            Kind::Edit(text) if old.kind == Kind::TEXT => {
                self.forgotten = true;
                self.tx.edit_message(&target, &text, &row.mentions)?;
                self.tell_change(row)
            }
            Kind::Delete if old.shown || old.kind == Kind::REACTION => {
                self.forgotten = true;
                self.tx.delete_message(&target)?;
                self.tell_change(row)
            }
            Kind::Reaction(emoji) if old.shown => self.reaction(row, target, &emoji),
            _ => Ok(()),
        }
    }

    fn reaction(&mut self, row: &MessageRow, target: ContentId, emoji: &str) -> Result<(), Fault> {
        let mut others = self.tx.about(&target, Kind::REACTION)?;
        others.retain(|other| other.content != row.content);
        let by_same = others.iter().filter(|other| other.member == row.member);
        let (each, twice) = by_same
            .fold((0, false), |(count, twice), other| (count + 1, twice || other.text == emoji));
        if twice || each >= MAX_REACTIONS_EACH || others.len() >= MAX_REACTIONS {
            return Ok(self.tx.delete_message(&row.content)?);
        }
        self.tell_change(row)
    }

    /// Somebody tried to change what somebody else wrote: nothing of it is kept, and he is named.
    fn tampering(&mut self, row: &MessageRow, old: &MessageRow) -> Result<(), Fault> {
        self.tx.delete_message(&row.content)?;
        let name = |member| self.name_of(member).unwrap_or_default();
        let text = format!(
            "{} tried to change a message of {} in {}. It was ignored.",
            name(&row.member),
            name(&old.member),
            self.room_name(&row.room)
        );
        self.alarm(Alarm::Trespass, &sanitize_line(&text))
    }

    /// Tells subscribers and consumers of a change that has taken effect.
    fn tell_change(&mut self, row: &MessageRow) -> Result<(), Fault> {
        if let Some(event) = self.change_json(row) {
            self.event(event);
        }
        self.deliver(row)
    }

    /// An edit, deletion or reaction as one object of the contract; `None` for anything else.
    pub(super) fn change_json(&self, row: &MessageRow) -> Option<Value> {
        let (kind, more) = match row.kind {
            Kind::DELETE => ("delete", json!({})),
            Kind::REACTION => ("reaction", json!({"emoji": sanitize_line(&row.text)})),
            Kind::EDIT => match Content::decode(&row.raw).ok()?.kind {
                Kind::Edit(text) => (
                    "edit",
                    json!({"text": sanitize_block(&text),
                        "mentions": self.names_of(&row.mentions)}),
                ),
                _ => return None,
            },
            _ => return None,
        };
        let mut event = json!({
            "v": 1,
            "type": kind,
            "id": row.content.to_hex(),
            "target": row.target?.to_hex(),
            "room": sanitize_line(&self.room_name(&row.room)),
            "room_id": row.room.to_hex(),
            "from": self.name_of(&row.member).map(|name| sanitize_line(&name)),
            "device": row.device.to_hex(),
            "sent_at": rfc3339(row.sent_at),
            "seq": row.seq,
            "own": row.own,
        });
        if let (Some(fields), Value::Object(more)) = (event.as_object_mut(), more) {
            fields.extend(more);
        }
        Some(event)
    }

    /// A message's reactions, oldest first.
    pub(super) fn reactions(&self, target: &ContentId) -> Result<Value, Fault> {
        let rows = self.tx.about(target, Kind::REACTION)?;
        Ok(rows
            .iter()
            .map(|row| {
                json!({"id": row.content.to_hex(), "emoji": sanitize_line(&row.text),
                    "from": self.name_of(&row.member), "own": row.own})
            })
            .collect())
    }

    /// The names of members, of those that have one.
    pub(super) fn names_of(&self, members: &[MemberId]) -> Vec<String> {
        members.iter().filter_map(|member| self.name_of(member)).collect()
    }
}
