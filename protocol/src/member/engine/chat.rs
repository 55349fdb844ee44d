//! Messages that people and bots write here, until they came back in the log.

use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, bad_params, failed, refused};
use super::members::kind_code;
use super::received::message_row;
use super::rooms::ROOM_MESSAGE;
use super::waits::{Wait, What};
use crate::member::agent::core::{CallId, Down, Out};
use crate::member::content::{Content, ContentError, Kind, MAX_TEXT};
use crate::member::e2ee::{self, RoomKind};
use crate::member::store::{MessageState, NewOut, OutKind, OutRow, RoomRow, RoomStatus};
use crate::random::Random;
use crate::wire::ids::{ContentId, RoomId, Seq};

/// How long a `send` waits beyond its own time when the relay refuses cells, in milliseconds.
const QUOTA_WAIT_MS: u64 = 30_000;

/// The longest idempotency key, in bytes.
const MAX_KEY: usize = 256;

/// What a `send` asks for.
pub(super) struct Send {
    pub(super) draft: Draft,
    /// Makes the send idempotent for 24 hours.
    pub(super) key: Option<String>,
    /// Milliseconds to wait for the message to come back; 0 only queues it.
    pub(super) wait_ms: u64,
}

/// Something to be written into a room.
pub(super) struct Draft {
    pub(super) id: ContentId,
    pub(super) kind: Kind,
    pub(super) reply_to: Option<ContentId>,
    pub(super) replaces: Option<ContentId>,
    /// When it is to vanish at the latest, in unix seconds.
    pub(super) expires: Option<u64>,
}

impl Draft {
    /// Something with a fresh id that is about nothing else.
    pub(super) fn new(random: &mut dyn Random, kind: Kind) -> Self {
        let id = ContentId::random(random);
        Self { id, kind, reply_to: None, replaces: None, expires: None }
    }
}

impl Cx<'_> {
    /// Queues a message; the call is answered when it came back in the log.
    pub(super) fn send(&mut self, id: CallId, room: &RoomRow, send: Send) -> Result<(), Fault> {
        if let Some(known) = self.known_by_key(send.key.as_deref())? {
            if self.tx.message(&known)?.is_none() {
                // It was sent, and its time has passed since.
                let gone = json!({"id": known.to_hex(), "seq": null, "state": "gone"});
                self.effects.push(Out::Answer(id, Ok(gone)));
                return Ok(());
            }
            return self.wait_for(id, What::Sent(known), send.wait_ms);
        }
        self.check_writable(room)?;
        let content = self.write(room, send.draft)?;
        if let Some(key) = &send.key {
            self.tx.remember_key(key, &content, self.now.unix_s())?;
        }
        self.wait_for(id, What::Sent(content), send.wait_ms)
    }

    /// What was sent under an idempotency key.
    pub(super) fn known_by_key(&self, key: Option<&str>) -> Result<Option<ContentId>, Fault> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(bad_params(&format!("key: 1 to {MAX_KEY} bytes")).into());
        }
        Ok(self.tx.by_key(key)?)
    }

    /// Whether something can be written into the room now, or queued for it.
    pub(super) fn check_writable(&self, room: &RoomRow) -> Result<(), Fault> {
        match room.status {
            RoomStatus::Active | RoomStatus::Waiting { .. } => Ok(()),
            RoomStatus::Frozen(_) => {
                let text =
                    format!("Room {} stands still; nothing was sent.", self.room_name(&room.id));
                Err(refused(&text, Some("See `staffetta status` for why.")).into())
            }
            RoomStatus::Left => Err(refused("You are no longer in this room.", None).into()),
        }
    }

    /// The call waits so long, counted from when this device may send.
    pub(super) fn wait_for(&mut self, id: CallId, what: What, wait_ms: u64) -> Result<(), Fault> {
        let (now, queue_only) = (self.now.mono_ms, wait_ms == 0);
        let from = if queue_only { now } else { self.sends_from() };
        let deadline = from.saturating_add(wait_ms);
        let extended = if queue_only { deadline } else { deadline.saturating_add(QUOTA_WAIT_MS) };
        self.waits.add(Wait { call: id, what, deadline, extended, queue_only });
        Ok(())
    }

    /// Writes something into the outbox and the history.
    pub(super) fn write(&mut self, room: &RoomRow, draft: Draft) -> Result<ContentId, Fault> {
        let Draft { id, kind, reply_to, replaces, expires } = draft;
        let me = self.memory.me()?;
        let member = self.memory.profile.member().ok_or(Fault::Bug("no member"))?;
        let now = self.now.unix_s();
        let counter = self.tx.next_counter(&room.id, &me)?;
        let mentions = match &kind {
            Kind::Text(text) | Kind::Edit(text) => self.mentioned(&room.id, text)?,
            _ => Vec::new(),
        };
        let mut content = Content::new(id, counter, now, kind);
        content.in_reply_to = reply_to;
        content.replaces = replaces;
        content.mentions = mentions;
        let lifetime = (room.lifetime_s > 0).then(|| now + u64::from(room.lifetime_s));
        content.expires = lifetime.into_iter().chain(expires).min();
        self.mark_heads(&mut content)?;
        self.add_receipt(&room.id, &mut content)?;
        let plain = content.encode().map_err(|e| content_fault(&e))?;
        let mut row = message_row(content, plain.clone());
        (row.room, row.device, row.member, row.own) = (room.id, me, member, true);
        (row.state, row.read) = (MessageState::Queued, true);
        self.tx.insert_message(&row)?;
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
        self.link.texts_at = None;
        if !self.caught_up() {
            return Ok(());
        }
        for out in self.tx.unsealed_texts()? {
            if let Some(until) = self.seal_text(&out)? {
                let earliest = self.link.texts_at.map_or(until, |at| at.min(until));
                self.link.texts_at = Some(earliest);
            }
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

    /// This device is no longer in the room: what it wrote there and could not send never goes
    /// out, and it says so.
    pub(super) fn withdraw_texts(&mut self, room: &RoomId) -> Result<(), Fault> {
        let mut texts = self.tx.pending_messages()?;
        texts.retain(|out| out.message.kind == OutKind::Text && out.message.room == Some(*room));
        for content in texts.iter().filter_map(|out| out.message.content) {
            self.tx.withdraw_message(&content)?;
            for call in self.waits.take(&content) {
                let error =
                    failed(77, "The message was not sent: you are no longer in the room.", None);
                self.effects.push(Out::Answer(call, Err(error)));
            }
        }
        if texts.is_empty() {
            return Ok(());
        }
        let (count, name) = (texts.len(), self.room_name(room));
        self.alarm(
            Alarm::NotSent,
            &format!("{count} of your messages to {name} were not sent: you are no longer in it."),
        )
    }

    /// Seals a text; until when it waits, in unix milliseconds, if it waits for a time.
    fn seal_text(&mut self, out: &OutRow) -> Result<Option<u64>, Fault> {
        let provider = self.provider();
        let Some(room) = out.message.room else { return Ok(None) };
        // A direct conversation is written in once the other one is there.
        let alone = |row: &RoomRow| row.kind == kind_code(RoomKind::Direct) && row.members < 2;
        let settled = self.is_settled(&room);
        let active = |row: &RoomRow| settled && row.status == RoomStatus::Active && !alone(row);
        if !self.memory.rooms.get(&room).is_some_and(active) {
            return Ok(None);
        }
        if let Some(until) = self.waits_for_leaf(&room)? {
            return Ok(Some(until));
        }
        let Some((group, roster, keys)) = self.memory.group(&provider, &room)? else {
            return Ok(None);
        };
        let epoch = group.epoch();
        let sealed = group.encrypt(&provider, &keys.leaf, &roster, &out.message.plain, b"");
        let message = match sealed {
            Ok(message) => message,
            // Waits until the removal has won.
            Err(e2ee::Error::RevokedLeaf) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let cells = self.seal_in_room(&room, ROOM_MESSAGE, &message)?;
        self.tx.replace_cells(out.id, epoch, &cells)?;
        Ok(None)
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
        if !self.tx.placed_message(&content, place)? {
            return self.own_said_again(&content, place);
        }
        self.event(json!({"v": 1, "type": "sent", "id": content.to_hex(), "seq": place}));
        self.take_effect(&content)
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

    /// What a waiting `send` is told now, if anything.
    pub(super) fn sent_answer(&self, content: &ContentId) -> Result<Option<Value>, Fault> {
        let Some(row) = self.tx.message(content)? else { return Ok(None) };
        let Some(seq) = row.seq else { return Ok(None) };
        let mut answer = json!({"id": content.to_hex(), "seq": seq, "state": "sent"});
        if let (Some(target), Some(fields)) = (row.target, answer.as_object_mut()) {
            fields.insert("target".to_owned(), target.to_hex().into());
        }
        Ok(Some(answer))
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
        ContentError::Reaction { .. } => "A reaction is one emoji; nothing was sent.".to_owned(),
        other => format!("The text cannot be sent: {other}."),
    };
    refused(&message, None).into()
}
