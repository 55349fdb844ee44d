//! Messages as people read them.

use rusqlite::{Row, ToSql, params_from_iter};

use super::sql::{closed_debug, join_members, split_members, sql_enum};
use super::{StoreError, Tx, View};
use crate::wire::ids::{ContentId, DeviceId, MemberId, RoomId, Seq};

sql_enum! {
    /// How far a message has come.
    MessageState {
        /// Written here; not yet seen in the log.
        Queued = 0,
        /// Written here, and came back from the log readable.
        Sent = 1,
        /// Written by somebody else.
        Received = 2,
    }
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its content id, equal on all devices.
    pub content: ContentId,
    /// The room.
    pub room: RoomId,
    /// Its place in the log; `None` while it is queued.
    pub seq: Option<Seq>,
    /// The device that sent it.
    pub device: DeviceId,
    /// The member whose device that was.
    pub member: MemberId,
    /// Whether that member is this profile's.
    pub own: bool,
    /// When it was sent, as the sender claims, in unix seconds.
    pub sent_at: u64,
    /// The sender's counter in this room.
    pub counter: u64,
    /// The content's kind, by its code.
    pub kind: u8,
    /// The text, not sanitised; empty if the kind has none or is unknown.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<ContentId>,
    /// Whether it stands in the history by itself.
    pub shown: bool,
    /// The message that it changes or is a reaction to.
    pub target: Option<ContentId>,
    /// The members it mentions.
    pub mentions: Vec<MemberId>,
    /// Whether its text was replaced by an edit.
    pub edited: bool,
    /// Whether only its place is left: text and bytes are gone.
    pub deleted: bool,
    /// The content's bytes as they came.
    pub raw: Vec<u8>,
    /// When it is to vanish, in unix seconds.
    pub expires_at: Option<u64>,
    /// How far it has come.
    pub state: MessageState,
    /// Whether it was read here.
    pub read: bool,
}

/// Which messages to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageQuery {
    /// Only of this room.
    pub room: Option<RoomId>,
    /// Only unread ones.
    pub unread: bool,
    /// Only those after this one.
    pub since: Option<ContentId>,
    /// Only those before this one.
    pub before: Option<ContentId>,
    /// The newest so many; `None` for all.
    pub limit: Option<u32>,
    /// The oldest so many instead.
    pub oldest: bool,
}

/// How many messages of a room are unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The room.
    pub room: RoomId,
    /// How many.
    pub count: u64,
}

pub(super) const COLUMNS: &str =
    "content, room, seq, device, member, own, sent_at, counter, kind, message.text,
    reply_to, raw, expires_at, state, read, shown, target, mentions, edited, deleted";

closed_debug!(MessageRow);

impl View<'_> {
    /// A message.
    ///
    /// # Errors
    /// Those of the database.
    pub fn message(&self, content: &ContentId) -> Result<Option<MessageRow>, StoreError> {
        self.row(
            &format!("SELECT {COLUMNS} FROM message WHERE content = ?1"),
            [content],
            message_row,
        )
    }

    /// The messages that `query` asks for, oldest first in log order, queued ones last; without
    /// deleted ones and those that only say something of others.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRow`] if `since` or `before` names no message, else those of the
    /// database.
    pub fn messages(&self, query: &MessageQuery) -> Result<Vec<MessageRow>, StoreError> {
        let mut wanted = vec!["shown = 1", "deleted = 0"];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        if let Some(room) = query.room {
            wanted.push("room = ?");
            values.push(Box::new(room));
        }
        if query.unread {
            wanted.push("read = 0");
        }
        let bounds =
            [(query.since, "(place, id) > (?, ?)"), (query.before, "(place, id) < (?, ?)")];
        for (content, bound) in bounds {
            let Some(content) = content else { continue };
            let (place, id) = self.place_of(&content)?.ok_or(StoreError::NoSuchRow)?;
            wanted.push(bound);
            values.push(Box::new(place));
            values.push(Box::new(id));
        }
        let (filter, order) = (wanted.join(" AND "), if query.oldest { "ASC" } else { "DESC" });
        values.push(Box::new(query.limit.map_or(-1, i64::from)));
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE {filter} ORDER BY place {order}, id {order} LIMIT ?"
        );
        let mut found = self.rows(&sql, params_from_iter(values), message_row)?;
        if !query.oldest {
            found.reverse();
        }
        Ok(found)
    }

    fn place_of(&self, content: &ContentId) -> Result<Option<(Seq, i64)>, StoreError> {
        self.row("SELECT place, id FROM message WHERE content = ?1", [content], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// How many unread messages mention a member, by room; rooms without any are left out.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unread_mentions(&self, member: &MemberId) -> Result<Vec<Unread>, StoreError> {
        let sql = "SELECT room, count(*) FROM message
            WHERE read = 0 AND instr(mentions, ?1) > 0 GROUP BY room";
        self.rows(sql, [member], |row| Ok(Unread { room: row.get(0)?, count: row.get(1)? }))
    }

    /// How many messages are unread, by room; rooms without any are left out.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unread(&self) -> Result<Vec<Unread>, StoreError> {
        let sql = "SELECT room, count(*) FROM message WHERE read = 0 GROUP BY room";
        self.rows(sql, [], |row| Ok(Unread { room: row.get(0)?, count: row.get(1)? }))
    }
}

impl Tx<'_> {
    /// Keeps a message; false, and nothing changed, if its content id is known already.
    ///
    /// # Errors
    /// Those of the database.
    pub fn insert_message(&self, message: &MessageRow) -> Result<bool, StoreError> {
        let mentions = join_members(&message.mentions);
        let values: [&dyn ToSql; 20] = [
            &message.content,
            &message.room,
            &message.seq,
            &message.device,
            &message.member,
            &message.own,
            &message.sent_at,
            &message.counter,
            &message.kind,
            &message.text,
            &message.reply_to,
            &message.raw,
            &message.expires_at,
            &message.state,
            &message.read,
            &message.shown,
            &message.target,
            &mentions,
            &message.edited,
            &message.deleted,
        ];
        let added = self.execute(
            "INSERT INTO message (content, room, seq, device, member, own, sent_at, counter, kind,
             text, reply_to, raw, expires_at, state, read, shown, target, mentions, edited, deleted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
             ?18, ?19, ?20)
             ON CONFLICT (content) DO NOTHING",
            values,
        )?;
        if added > 0 && message.shown {
            let number = self.connection().last_insert_rowid();
            // Not by a trigger: SQLite would write the index to disk for every message instead of
            // once a step.
            self.execute(
                "INSERT INTO word (rowid, text) VALUES (?1, ?2)",
                (number, &message.text),
            )?;
        }
        Ok(added > 0)
    }

    /// Gives an own queued message its place: it is sent. False if there is no such queued
    /// message.
    ///
    /// # Errors
    /// Those of the database.
    pub fn placed_message(&self, content: &ContentId, seq: Seq) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE message SET seq = ?2, state = ?3 WHERE content = ?1 AND state = ?4",
            (content, seq, MessageState::Sent, MessageState::Queued),
        )?;
        Ok(changed > 0)
    }

    /// Marks a message as read here; false if it was, or is not there.
    ///
    /// # Errors
    /// Those of the database.
    pub fn mark_read(&self, content: &ContentId) -> Result<bool, StoreError> {
        let sql = "UPDATE message SET read = 1 WHERE content = ?1 AND read = 0";
        Ok(self.execute(sql, [content])? > 0)
    }

    /// Marks a message of a room and all before it as read here; false if there is no such message.
    ///
    /// # Errors
    /// Those of the database.
    pub fn mark_read_upto(&self, room: &RoomId, content: &ContentId) -> Result<bool, StoreError> {
        let Some((place, id)) = self.place_of(content)? else { return Ok(false) };
        let sql = "UPDATE message SET read = 1
            WHERE room = ?1 AND read = 0 AND (place, id) <= (?2, ?3)";
        self.execute(sql, (room, place, id))?;
        Ok(true)
    }
}

pub(super) fn message_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        content: row.get(0)?,
        room: row.get(1)?,
        seq: row.get(2)?,
        device: row.get(3)?,
        member: row.get(4)?,
        own: row.get(5)?,
        sent_at: row.get(6)?,
        counter: row.get(7)?,
        kind: row.get(8)?,
        text: row.get(9)?,
        reply_to: row.get(10)?,
        raw: row.get(11)?,
        expires_at: row.get(12)?,
        state: row.get(13)?,
        read: row.get(14)?,
        shown: row.get(15)?,
        target: row.get(16)?,
        mentions: split_members(row, 17)?,
        edited: row.get(18)?,
        deleted: row.get(19)?,
    })
}
