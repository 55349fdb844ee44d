//! Messages people and bots write and read.

use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, failed, refused};
use super::members::kind_code;
use super::rooms::ROOM_MESSAGE;
use super::waits::{Wait, What};
use crate::member::agent::core::{CallId, Down};
use crate::member::content::{Content, ContentError, Kind, MAX_TEXT};
use crate::member::e2ee::{self, Opened, Refused, RoomKind};
use crate::member::store::{
    MessageRow, MessageState, NewOut, OutKind, OutRow, RoomRow, RoomStatus,
};
use crate::wire::ids::{ContentId, RoomId, Seq};

/// How long a `send` waits beyond its own time when the relay refuses cells, in milliseconds.
const QUOTA_WAIT_MS: u64 = 30_000;

/// What a `send` asks for.
pub(super) struct Send {
    pub(super) text: String,
    pub(super) reply_to: Option<ContentId>,
    /// Makes the send idempotent for 24 hours.
    pub(super) key: Option<String>,
    /// Milliseconds to wait for the message to come back; 0 only queues it.
    pub(super) wait_ms: u64,
}

impl Cx<'_> {
    /// Queues a text; the call is answered when the message came back in the log.
    pub(super) fn send(&mut self, id: CallId, room: &RoomRow, send: Send) -> Result<(), Fault> {
        if let Some(key) = &send.key
            && let Some(known) = self.tx.by_key(key)?
        {
            return self.wait_for(id, What::Sent(known), send.wait_ms);
        }
        match room.status {
            RoomStatus::Active | RoomStatus::Waiting { .. } => {}
            RoomStatus::Frozen(_) => {
                let text =
                    format!("Room {} stands still; nothing was sent.", self.room_name(&room.id));
                return Err(refused(&text, Some("See `staffetta status` for why.")).into());
            }
            RoomStatus::Left => return Err(refused("You are no longer in this room.", None).into()),
        }
        let content = self.write(room, send.text, send.reply_to)?;
        if let Some(key) = &send.key {
            self.tx.remember_key(key, &content, self.now.unix_s())?;
        }
        self.wait_for(id, What::Sent(content), send.wait_ms)
    }

    fn wait_for(&mut self, id: CallId, what: What, wait_ms: u64) -> Result<(), Fault> {
        let deadline = self.now.mono_ms.saturating_add(wait_ms);
        let queue_only = wait_ms == 0;
        let extended = if queue_only { deadline } else { deadline.saturating_add(QUOTA_WAIT_MS) };
        self.waits.add(Wait { call: id, what, deadline, extended, queue_only });
        Ok(())
    }

    /// Writes a text into the outbox and the history.
    fn write(
        &mut self,
        room: &RoomRow,
        text: String,
        reply_to: Option<ContentId>,
    ) -> Result<ContentId, Fault> {
        let me = self.memory.me()?;
        let member = self.memory.profile.member().ok_or(Fault::Bug("no member"))?;
        let now = self.now.unix_s();
        let id = ContentId::random(self.random);
        let counter = self.tx.next_counter(&room.id, &me)?;
        let mut content =
            Content::text(id, counter, now, text.clone()).map_err(|e| content_fault(&e))?;
        content.in_reply_to = reply_to;
        content.expires = (room.lifetime_s > 0).then(|| now + u64::from(room.lifetime_s));
        self.mark_heads(&mut content)?;
        let plain = content.encode().map_err(|e| content_fault(&e))?;
        self.tx.insert_message(&MessageRow {
            content: id,
            room: room.id,
            seq: None,
            device: me,
            member,
            own: true,
            sent_at: now,
            counter,
            kind: Kind::TEXT,
            text,
            reply_to,
            raw: plain.clone(),
            expires_at: content.expires,
            state: MessageState::Queued,
            read: true,
        })?;
        let message = NewOut {
            kind: OutKind::Text,
            room: Some(room.id),
            epoch: room.epoch,
            content: Some(id),
            plain,
            queued_at: now,
        };
        // Sealed when this device has read to the head: see `seal_texts`.
        self.tx.enqueue(&message, &[])?;
        Ok(id)
    }

    /// Seals the texts that wait for it, in order, once everything before is read.
    pub(super) fn seal_texts(&mut self) -> Result<(), Fault> {
        if !self.caught_up() {
            return Ok(());
        }
        for out in self.tx.unsealed_texts()? {
            self.seal_text(&out)?;
        }
        Ok(())
    }

    /// **A message placed after the commit that ended its epoch is void for everybody**: what is
    /// not placed yet is encrypted again, under the same content id.
    pub(super) fn reseal_texts(&mut self, room: &RoomId) -> Result<(), Fault> {
        for out in self.tx.pending_messages()? {
            if out.message.room != Some(*room) {
                continue;
            }
            match out.message.kind {
                OutKind::Text => self.tx.replace_cells(out.id, out.message.epoch, &[])?,
                OutKind::Admin => self.own_note(&out, true)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn seal_text(&mut self, out: &OutRow) -> Result<(), Fault> {
        let provider = self.provider();
        let Some(room) = out.message.room else { return Ok(()) };
        // A direct conversation is written in once the other one is there.
        let alone = |row: &RoomRow| row.kind == kind_code(RoomKind::Direct) && row.members < 2;
        let active = |row: &RoomRow| row.status == RoomStatus::Active && !alone(row);
        if !self.memory.rooms.get(&room).is_some_and(active) {
            return Ok(());
        }
        let Some((group, roster, keys)) = self.memory.group(&provider, &room)? else {
            return Ok(());
        };
        let epoch = group.epoch();
        let sealed = group.encrypt(&provider, &keys.leaf, &roster, &out.message.plain, b"");
        let message = match sealed {
            Ok(message) => message,
            // Waits until the removal has won.
            Err(e2ee::Error::RevokedLeaf) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let cells = self.seal_in_room(&room, ROOM_MESSAGE, &message)?;
        Ok(self.tx.replace_cells(out.id, epoch, &cells)?)
    }

    /// A text of this device came back whole. "Sent" means: came back readable.
    pub(super) fn own_text(&mut self, out: &OutRow, place: Seq, void: bool) -> Result<(), Fault> {
        if void {
            return Ok(self.tx.replace_cells(out.id, out.message.epoch, &[])?);
        }
        let room = out.message.room.and_then(|room| self.memory.rooms.get(&room));
        if room.is_none_or(|row| row.status != RoomStatus::Active) {
            // Whether the epoch had ended before it is not known yet.
            return Ok(());
        }
        self.tx.remove_out(out.id)?;
        let Some(content) = out.message.content else { return Ok(()) };
        self.tx.placed_message(&content, place)?;
        self.event(json!({"v": 1, "type": "sent", "id": content.to_hex(), "seq": place}));
        self.tell_message(&content)
    }

    /// The room waits no longer: texts that came back meanwhile count, if their epoch still lasts.
    pub(super) fn count_placed_texts(&mut self, room: &RoomId) -> Result<(), Fault> {
        for out in self.tx.pending_messages()? {
            if out.message.kind == OutKind::Text
                && out.message.room == Some(*room)
                && let Some(place) = self.tx.is_complete(out.id)?
            {
                self.own_text(&out, place, false)?;
            }
        }
        Ok(())
    }

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
        let Some(opened) = self.open_message(&room, message)? else { return Ok(()) };
        let Ok(content) = Content::decode(&opened.plaintext) else {
            tracing::debug!("a message has no content that can be read");
            return Ok(());
        };
        self.compare_heads(&opened.sender, &content)?;
        self.note_seen(&opened.sender)?;
        let Some(device) = self.memory.roster()?.device(&opened.sender) else { return Ok(()) };
        let member = device.member;
        let own = Some(member) == self.memory.profile.member();
        let (kind, text) = match &content.kind {
            Kind::Text(text) => (Kind::TEXT, text.clone()),
            Kind::Unknown { code, .. } => (*code, String::new()),
        };
        let lifetime = self.memory.rooms.get(&room).map_or(0, |row| u64::from(row.lifetime_s));
        let latest = self.now.unix_s().saturating_add(lifetime);
        let expires_at = match lifetime {
            0 => content.expires,
            _ => Some(content.expires.map_or(latest, |at| at.min(latest))),
        };
        let row = MessageRow {
            content: content.id,
            room,
            seq: Some(place),
            device: opened.sender,
            member,
            own,
            sent_at: content.sent_at,
            counter: content.counter,
            kind,
            text,
            reply_to: content.in_reply_to,
            raw: opened.plaintext,
            expires_at,
            state: MessageState::Received,
            read: own,
        };
        if !self.tx.insert_message(&row)? {
            return Ok(());
        }
        self.tx.set_seen_counter(&room, &opened.sender, content.counter)?;
        if !own && kind == Kind::TEXT && self.memory.profile.is_bot {
            self.tx.add_delivery(&content.id)?;
        }
        self.tell_message(&content.id)
    }

    fn tell_message(&mut self, content: &ContentId) -> Result<(), Fault> {
        if let Some(row) = self.tx.message(content)?
            && row.kind == Kind::TEXT
        {
            let event = self.message_json(&row);
            self.event(event);
        }
        Ok(())
    }

    /// What a waiting `send` is told now, if anything.
    pub(super) fn sent_answer(&self, content: &ContentId) -> Result<Option<Value>, Fault> {
        let row = self.tx.message(content)?;
        Ok(row
            .and_then(|row| row.seq)
            .map(|seq| json!({"id": content.to_hex(), "seq": seq, "state": "sent"})))
    }

    /// What a `send` is told when its time is over: the message stays queued.
    pub(super) fn queued_answer(&self, content: &ContentId, wait: &Wait) -> Result<Value, Fault> {
        let data = json!({"id": content.to_hex(), "seq": null, "state": "queued"});
        if wait.queue_only {
            return Ok(data);
        }
        let mut error = match (self.link.refused, self.link.down) {
            (Some(why), _) => failed(
                75,
                &format!("The message is queued: {why}."),
                Some("It goes out by itself."),
            ),
            (None, Some(Down::Refused)) => super::fault::rejected(),
            (None, _) => failed(
                69,
                "The relay cannot be reached; the message is queued.",
                Some("It goes out by itself when the relay is back."),
            ),
        };
        error.data = data;
        Err(error.into())
    }
}

fn content_fault(error: &ContentError) -> Fault {
    let message = match error {
        ContentError::Empty => "There is no text; nothing was sent.".to_owned(),
        ContentError::TextTooLong { len } => {
            format!("The text has {len} bytes, {MAX_TEXT} are allowed; nothing was sent.")
        }
        other => format!("The text cannot be sent: {other}."),
    };
    refused(&message, None).into()
}
