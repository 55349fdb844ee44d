//! What is told as JSON: the contract of the local API.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, refused};
use super::members::{is_visible, kind_code};
use crate::member::agent::core::Down;
use crate::member::content::{Kind, sanitize_block, sanitize_line};
use crate::member::e2ee::RoomKind;
use crate::member::store::{
    MessageQuery, MessageRow, MetaKey, RoomRow, RoomStatus, StoreError, Unread,
};
use crate::wire::ids::{ContentId, MemberId};

/// RFC 3339 in UTC; the epoch for a time that cannot be written.
pub(crate) fn rfc3339(unix_s: u64) -> String {
    let seconds = i64::try_from(unix_s).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// What `read` asks for.
pub(super) struct Read {
    pub(super) room: Option<String>,
    pub(super) unread: bool,
    pub(super) limit: u32,
    pub(super) since: Option<ContentId>,
    pub(super) before: Option<ContentId>,
    pub(super) mark_read: bool,
    /// The oldest so many instead of the newest.
    pub(super) oldest: bool,
}

impl Cx<'_> {
    /// A message as one object of the contract.
    pub(super) fn message_json(&self, row: &MessageRow) -> Result<Value, Fault> {
        let verified = self
            .memory
            .roster
            .as_ref()
            .and_then(|roster| roster.device(&row.device))
            .is_some_and(|device| self.is_verified(device));
        let mut object = json!({
            "v": 1,
            "type": "message",
            "id": row.content.to_hex(),
            "room": sanitize_line(&self.room_name(&row.room)),
            "room_id": row.room.to_hex(),
            "from": self.name_of(&row.member).map(|name| sanitize_line(&name)),
            "device": row.device.to_hex(),
            "verified": verified,
            "sent_at": rfc3339(row.sent_at),
            "seq": row.seq,
            "text": sanitize_block(&row.text),
            "reply_to": row.reply_to.map(|id| id.to_hex()),
            "mentions": self.names_of(&row.mentions),
            "edited": row.edited,
            "unread": !row.read,
            "reactions": self.reactions(&row.content)?,
            "expires_at": row.expires_at.map(rfc3339),
            "own": row.own,
            "seen_by": self.seen_by(row)?,
        });
        if row.kind == Kind::FILE {
            super::files::describe(row, &mut object);
        }
        Ok(object)
    }

    /// `read`.
    pub(super) fn read(&mut self, read: &Read) -> Result<Value, Fault> {
        let room = match &read.room {
            Some(typed) if self.is_unbegun(typed)? => return Ok(json!([])),
            Some(typed) => Some(self.find_room(typed)?.id),
            None => None,
        };
        let query = MessageQuery {
            room,
            unread: read.unread,
            since: read.since,
            before: read.before,
            limit: Some(read.limit),
            oldest: read.oldest,
        };
        let rows = self.tx.messages(&query).map_err(|error| match error {
            StoreError::NoSuchRow => {
                Fault::from(refused("There is no message with that id.", None))
            }
            error => error.into(),
        })?;
        if read.mark_read {
            for row in &rows {
                self.tx.mark_read(&row.content)?;
            }
        }
        rows.iter().map(|row| self.message_json(row)).collect()
    }

    /// Whether `@MEMBER` is somebody with whom nothing was written yet.
    fn is_unbegun(&self, typed: &str) -> Result<bool, Fault> {
        let Some(name) = typed.strip_prefix('@') else { return Ok(false) };
        let member = self.find_member(name)?.id;
        Ok(self.direct_room(&member).is_none())
    }

    /// `room list`.
    pub(super) fn list_rooms(&self) -> Result<Value, Fault> {
        let unread = self.tx.unread()?;
        let mentions = match self.memory.profile.member() {
            Some(me) => self.tx.unread_mentions(&me)?,
            None => Vec::new(),
        };
        let rooms = self.memory.rooms.values();
        let shown = rooms.filter(|row| is_visible(row) && row.status != RoomStatus::Left);
        Ok(shown
            .map(|row| {
                let of =
                    |all: &[Unread]| all.iter().find(|u| u.room == row.id).map_or(0, |u| u.count);
                let direct = row.kind == kind_code(RoomKind::Direct);
                json!({
                    "name": self.room_name(&row.id),
                    "id": row.id.to_hex(),
                    "kind": if direct { "direct" } else { "room" },
                    "members": row.members,
                    "unread": of(&unread),
                    "mentions": of(&mentions),
                    "topic": row.topic,
                    "lifetime_s": row.lifetime_s,
                    "who_may_add": self.who_may_add(row).ok(),
                    "frozen": !matches!(row.status, RoomStatus::Active),
                    "state": self.standing(row),
                })
            })
            .collect())
    }

    /// `room members`.
    pub(super) fn list_members(&mut self, typed: &str) -> Result<Value, Fault> {
        let room = self.find_room(typed)?.id;
        let devices = self.devices_in(&room)?;
        let roster = self.memory.roster()?;
        let in_room: std::collections::BTreeSet<MemberId> =
            devices.iter().filter_map(|d| roster.device(d)).map(|d| d.member).collect();
        Ok(in_room
            .iter()
            .filter_map(|id| roster.member(id))
            .map(|member| {
                let verified = devices
                    .iter()
                    .filter_map(|d| roster.device(d))
                    .filter(|d| d.member == member.id)
                    .all(|d| self.is_verified(d));
                json!({"member": member.name.as_str(), "role": member.role.name(),
                    "verified": verified})
            })
            .collect())
    }

    /// `status`.
    pub(super) fn status(&self) -> Result<Value, Fault> {
        let profile = &self.memory.profile;
        let alarms: Vec<String> = self.tx.get(MetaKey::Alarms)?.unwrap_or_default();
        let refused = match (profile.stopped, self.link.down, self.link.refused) {
            (Some(_), _, _) => alarms.last().cloned(),
            (None, Some(Down::Refused), _) => {
                Some("refused: revoked, or clock off by more than 10 minutes".to_owned())
            }
            (None, Some(Down::NoVersion), _) => {
                Some("the relay speaks another version: update".to_owned())
            }
            (None, _, Some(why)) => Some(why.to_owned()),
            (None, _, None) => None,
        };
        Ok(json!({
            "agent": true,
            "connected": self.link.connected,
            "locked": false,
            "head": self.memory.head(),
            "queued": self.tx.queued_count()?,
            "team": profile.team,
            "member": profile.name,
            "device": self.memory.me().map(|id| id.to_hex()).ok(),
            "label": profile.label,
            "relay": profile.addresses.first(),
            "inside": profile.is_inside(),
            "refused": refused,
            "alarms": alarms,
            "missing": self.missing()?,
            "rooms": self.room_states()?,
        }))
    }

    /// Whose messages are missing, by room.
    fn missing(&self) -> Result<Value, Fault> {
        let rows = self.tx.missing()?;
        Ok(rows
            .iter()
            .map(|row| {
                json!({"room": sanitize_line(&self.room_name(&row.room)),
                    "room_id": row.room.to_hex(), "from": self.member_name(&row.device),
                    "device": row.device.to_hex(), "count": row.count})
            })
            .collect())
    }

    /// Epoch and authenticator of every room: equal on all its devices.
    fn room_states(&self) -> Result<Value, Fault> {
        let provider = self.provider();
        let mut out = Vec::new();
        for row in self.memory.rooms.values().filter(|row| row.status != RoomStatus::Left) {
            let group = crate::member::e2ee::Group::load(&provider, row.id)?;
            let authenticator = match &group {
                Some(group) => Some(data_encoding::HEXLOWER.encode(&group.authenticator()?.0)),
                None => None,
            };
            out.push(json!({"room": self.room_name(&row.id), "id": row.id.to_hex(),
                "epoch": row.epoch, "authenticator": authenticator,
                "state": self.standing(row)}));
        }
        Ok(Value::Array(out))
    }

    /// Whether the room goes on for this device.
    fn standing(&self, row: &RoomRow) -> &'static str {
        match row.status {
            RoomStatus::Left => "left",
            _ if self.memory.profile.behind.is_some() => "behind",
            RoomStatus::Active if self.is_settled(&row.id) => "active",
            RoomStatus::Active => "unconfirmed",
            RoomStatus::Waiting { .. } => "waiting",
            RoomStatus::Frozen(_) => "frozen",
        }
    }

    /// Tells that a room is there.
    pub(super) fn tell_room(&mut self, row: &RoomRow) {
        if is_visible(row) {
            let room = self.room_name(&row.id);
            self.event(json!({"v": 1, "type": "room", "room": room,
                "room_id": row.id.to_hex(), "state": "joined"}));
        }
    }
}
