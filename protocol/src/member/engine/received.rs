//! Messages that came: opened, counted, kept, told.

use serde_json::json;

use super::Cx;
use super::fault::Fault;
use crate::member::content::{Content, Kind, sanitize_line};
use crate::member::e2ee::{self, Opened, Refused};
use crate::member::store::{MessageRow, MessageState};
use crate::wire::ids::{ContentId, DeviceId, MemberId, RoomId, Seq};

/// The most messages of unknown kinds kept of one device in one room.
const MAX_UNKNOWN: u64 = 256;

/// The row of a message, as far as the content says; sender and room are the caller's to fill in.
pub(super) fn message_row(content: Content, raw: Vec<u8>) -> MessageRow {
    let (kind, target) = (content.kind.code(), content.target());
    let text = match content.kind {
        Kind::Text(text) => text,
        Kind::Reaction(emoji) => emoji,
        Kind::File(file) => file.name,
        // An edit's text becomes its target's.
        Kind::Edit(_) | Kind::Delete | Kind::Unknown { .. } => String::new(),
    };
    MessageRow {
        content: content.id,
        room: RoomId([0; 16]),
        seq: None,
        device: DeviceId([0; 16]),
        member: MemberId([0; 16]),
        own: false,
        sent_at: content.sent_at,
        counter: content.counter,
        kind,
        text,
        reply_to: content.in_reply_to,
        raw,
        expires_at: content.expires,
        state: MessageState::Received,
        read: false,
        shown: Kind::is_shown(kind),
        target,
        mentions: content.mentions,
        edited: false,
        deleted: false,
    }
}

impl Cx<'_> {
    /// Opens an application message of a room's current epoch; `None` if it is void.
    pub(super) fn open_message(
        &mut self,
        room: &RoomId,
        message: &[u8],
    ) -> Result<Option<Opened>, Fault> {
        let provider = self.provider();
        let Some((group, roster, _)) = self.memory.group(&provider, room)? else {
            return Ok(None);
        };
        match group.decrypt(&provider, message, &roster) {
            Ok(opened) => Ok(Some(opened)),
            Err(Refused::Storage(error)) => Err(e2ee::Error::from(error).into()),
            Err(reason) => {
                // Any member can forge the claim to be us: it is only logged.
                tracing::debug!(%reason, "a message is void");
                Ok(None)
            }
        }
    }

    /// A message of somebody else's.
    pub(super) fn chat_message(
        &mut self,
        room: RoomId,
        place: Seq,
        message: &[u8],
    ) -> Result<(), Fault> {
        match self.open_message(&room, message)? {
            Some(opened) => self.take_message(room, place, opened),
            None => Ok(()),
        }
    }

    /// What a message says, once it is known who says it.
    pub(super) fn take_message(
        &mut self,
        room: RoomId,
        place: Seq,
        opened: Opened,
    ) -> Result<(), Fault> {
        let Ok(content) = Content::decode(&opened.plaintext) else {
            tracing::debug!("a message has no content that can be read");
            return Ok(());
        };
        self.compare_heads(&opened.sender, &content)?;
        self.note_seen(&opened.sender)?;
        let Some(device) = self.memory.roster()?.device(&opened.sender) else { return Ok(()) };
        let member = device.member;
        let own = Some(member) == self.memory.profile.member();
        self.take_receipt(&room, &opened.sender, &member, content.read_to, place)?;
        let (id, counter) = (content.id, content.counter);
        let mut row = message_row(content, opened.plaintext);
        (row.room, row.seq, row.device, row.member) = (room, Some(place), opened.sender, member);
        (row.own, row.read) = (own, own || !row.shown);
        row.expires_at = self.expiry(&room, row.expires_at);
        let unknown = !row.shown && row.target.is_none();
        let expired = row.expires_at.is_some_and(|at| at <= self.now.unix_s());
        if expired || unknown && self.tx.unknown_count(&room, &row.device)? >= MAX_UNKNOWN {
            return self.count(&row, counter);
        }
        if !self.tx.insert_message(&row)? {
            return self.said_again(&row);
        }
        self.count(&row, counter)?;
        self.take_effect(&id)
    }

    /// When a message that came now vanishes: when its sender said, or when the room's lifetime
    /// has passed, whichever is earlier.
    fn expiry(&self, room: &RoomId, said: Option<u64>) -> Option<u64> {
        let lifetime = self.memory.rooms.get(room).map_or(0, |row| u64::from(row.lifetime_s));
        let latest = (lifetime > 0).then(|| self.now.unix_s().saturating_add(lifetime));
        said.into_iter().chain(latest).min()
    }

    /// Per-sender counters show missing messages: **missing messages are counted and shown by
    /// sender.**
    fn count(&mut self, row: &MessageRow, counter: u64) -> Result<(), Fault> {
        let of_before = self.tx.seen_counter(&row.room, &row.device)?;
        let missing = self.tx.set_seen_counter(&row.room, &row.device, counter)?;
        if of_before.is_some_and(|before| counter > before.saturating_add(1)) {
            let room = sanitize_line(&self.room_name(&row.room));
            let from = self.name_of(&row.member).map(|name| sanitize_line(&name));
            self.event(json!({"v": 1, "type": "gap", "room": room, "room_id": row.room.to_hex(),
                "from": from, "device": row.device.to_hex(), "missing": missing}));
        }
        Ok(())
    }

    /// A message has its place: it is told, and what it changes is changed.
    pub(super) fn take_effect(&mut self, content: &ContentId) -> Result<(), Fault> {
        let Some(row) = self.tx.message(content)? else { return Ok(()) };
        if row.kind == Kind::FILE {
            self.note_file(&row)?;
        }
        if row.shown {
            let event = self.message_json(&row)?;
            self.event(event);
            return self.deliver(&row);
        }
        match row.target {
            Some(target) => self.apply(&row, target),
            None => Ok(()),
        }
    }
}
