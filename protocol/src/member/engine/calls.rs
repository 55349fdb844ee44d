//! Frames, calls and timers: the engine as the agent drives it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::chat::Send;
use super::fault::{Fault, bad_params, failed, refused};
use super::invites::NewInvite;
use super::joining::DEFAULT_LIFETIME_S;
use super::link::{Asked, Link};
use super::profile::{Stage, Stopped};
use super::views::Read;
use super::waits::{Wait, What};
use super::{Cx, Engine};
use crate::invite_code::Role;
use crate::member::agent::core::{CallId, Core, Dial, Down, Now, Out};
use crate::member::e2ee::{RoomKind, WhoMayAdd};
use crate::member::invite::DEFAULT_TTL;
use crate::member::roster::Name;
use crate::member::store::{IntentKind, MetaKey};
use crate::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use crate::secret::Secret;
use crate::wire::frame::{FailCode, NoticeKind, Request, ToDevice};
use crate::wire::ids::{ContentId, RoomId};

/// Milliseconds between two rounds of housekeeping.
const HOUSEKEEPING_MS: u64 = 60_000;
/// Milliseconds after which timers of wishes are looked at again.
const POLL_MS: u64 = 250;
/// Milliseconds that a change of a room waits for its win.
const CHANGE_WAIT_MS: u64 = 15_000;

impl Core for Engine {
    fn dial(&self) -> Option<Dial> {
        let profile = &self.memory.profile;
        let resume = match (&profile.stage, self.memory.cursor) {
            _ if profile.stopped.is_some() => return None,
            (Stage::Inside | Stage::Admitted, cursor) => cursor.map_or(1, |cursor| cursor.seq + 1),
            (Stage::Enrolled { from, .. }, _) => *from,
            _ => return None,
        };
        let keys = self.memory.keys.as_ref()?;
        Some(Dial {
            addresses: profile.addresses.clone(),
            relay: StaticPublic(profile.relay.as_slice().try_into().ok()?),
            transport: StaticSecret::from_secret(Secret::copy(keys.transport.secret().expose())?),
            access: AccessSecret::from_secret(Secret::copy(keys.access.secret().expose())?),
            resume,
        })
    }

    fn frame(&mut self, now: Now, frame: ToDevice) {
        if let Err(fault) = self.step(now, |cx| cx.frame(frame)) {
            // Nothing of the frame was kept: it is read again on a new connection.
            tracing::warn!(?fault, "a frame could not be taken over");
            self.link = Link::default();
            self.out.push_back(Out::Redial);
        }
    }

    fn down(&mut self, now: Now, why: Down) {
        let was = self.link.connected || self.link.down != Some(why);
        self.link = Link::broken(why);
        if was {
            let state = if why == Down::Refused { "refused" } else { "offline" };
            let event = json!({"v": 1, "type": "connection", "state": state});
            self.out.push_back(Out::Event(event));
        }
        self.quiet_step(now);
    }

    fn call(&mut self, now: Now, id: CallId, method: &str, params: Value) {
        match self.step(now, |cx| cx.call(id, method, params)) {
            Ok(Some(value)) => self.answer(id, Ok(value)),
            Ok(None) => {}
            Err(fault) => self.answer(id, Err(fault)),
        }
    }

    fn tick(&mut self, now: Now) {
        let housekeeping = now.mono_ms >= self.housekeeping_at;
        if housekeeping {
            self.housekeeping_at = now.mono_ms + HOUSEKEEPING_MS;
        }
        let done = self.step(now, |cx| if housekeeping { cx.keep_house() } else { Ok(()) });
        self.ticked_at = now.mono_ms;
        if let Err(fault) = done {
            tracing::warn!(?fault, "a timer's step failed");
        }
    }

    fn deadline(&self) -> Option<u64> {
        let poll = self.link.connected.then(|| self.ticked_at + POLL_MS);
        let waits = self.waits.deadline();
        poll.into_iter().chain(waits).chain(std::iter::once(self.housekeeping_at)).min()
    }

    fn poll(&mut self) -> Option<Out> {
        self.out.pop_front()
    }
}

impl Engine {
    /// A step that only answers what waits.
    fn quiet_step(&mut self, now: Now) {
        if let Err(fault) = self.step(now, |_| Ok(())) {
            tracing::warn!(?fault, "a step failed");
        }
    }
}

/// Reads a call's parameters.
fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, Fault> {
    let params = if params.is_null() { json!({}) } else { params };
    serde_json::from_value(params).map_err(|error| bad_params(&error.to_string()).into())
}

fn content_id(typed: &str) -> Result<ContentId, Fault> {
    ContentId::from_hex(typed)
        .ok_or_else(|| refused("That is no message id: 32 hexadecimal digits.", None).into())
}

#[derive(Deserialize)]
struct SendParams {
    room: Option<String>,
    to: Option<String>,
    text: String,
    reply_to: Option<String>,
    key: Option<String>,
    wait_ms: Option<u64>,
}

#[derive(Deserialize)]
struct ReadParams {
    room: Option<String>,
    #[serde(default)]
    unread: bool,
    limit: Option<u32>,
    since: Option<String>,
    #[serde(default)]
    mark_read: bool,
}

#[derive(Deserialize)]
struct InviteParams {
    name: Option<String>,
    role: Option<String>,
    ttl_s: Option<u64>,
    #[serde(default)]
    auto_approve: bool,
}

#[derive(Deserialize)]
struct ApproveParams {
    id: String,
    words: Option<Vec<String>>,
    #[serde(default)]
    unverified: bool,
}

#[derive(Deserialize)]
struct IdParams {
    id: String,
}

#[derive(Deserialize)]
struct RoomParams {
    room: String,
    #[serde(default)]
    member: String,
}

#[derive(Deserialize)]
struct CreateParams {
    name: String,
    topic: Option<String>,
    lifetime_s: Option<u32>,
}

#[derive(Deserialize)]
struct RevokeParams {
    member: Option<String>,
    device: Option<String>,
}

#[derive(Deserialize)]
struct SubscribeParams {
    room: Option<String>,
}

#[derive(Deserialize)]
struct SyncParams {
    timeout_ms: Option<u64>,
}

impl Cx<'_> {
    fn frame(&mut self, frame: ToDevice) -> Result<(), Fault> {
        match frame {
            ToDevice::Welcome { log, head, hash, .. } => self.welcome(log, head, hash),
            ToDevice::Push { first, hash, cells, .. } => self.push(first, hash, &cells),
            ToDevice::Ack { request, .. } => {
                self.acked(request);
                Ok(())
            }
            ToDevice::Done { request } => self.done(request),
            ToDevice::Fail { request, code, retry_ms } => self.failed(request, code, retry_ms),
            ToDevice::Gap { .. } => self.stop(Stopped::Gap),
            ToDevice::Blob { request, count, chunk } => match self.link.answered(request) {
                Some(Asked::BlobGet(blob)) => self.chunk(&blob, count, chunk),
                _ => Ok(()),
            },
            ToDevice::Announce { blobs, .. } => {
                self.announced(&blobs);
                Ok(())
            }
            ToDevice::Notice { kind, retry_ms } => {
                self.notice(kind, retry_ms);
                Ok(())
            }
            ToDevice::Pong
            | ToDevice::Join { .. }
            | ToDevice::InviteWelcome { .. }
            | ToDevice::NoVersion { .. } => Ok(()),
        }
    }

    fn done(&mut self, request: Request) -> Result<(), Fault> {
        match self.link.answered(request) {
            Some(Asked::Rows) => self.rows_done(),
            Some(Asked::Invite(id)) => self.invite_opened(&id),
            Some(Asked::InviteEnd(id)) => self.invite_ended(&id),
            Some(Asked::BlobPut(blob, index)) => Ok(self.tx.remove_blob_chunk(&blob, index)?),
            Some(Asked::Put(_) | Asked::BlobGet(_)) | None => Ok(()),
        }
    }

    fn failed(&mut self, request: Request, code: FailCode, retry_ms: u32) -> Result<(), Fault> {
        match self.link.answered(request) {
            Some(Asked::Put(ids)) => self.put_failed(&ids, code, retry_ms),
            Some(Asked::Rows) => self.rows_failed(code, retry_ms),
            Some(asked @ (Asked::Invite(_) | Asked::InviteEnd(_))) => {
                self.invite_failed(&asked, code)
            }
            Some(asked @ (Asked::BlobPut(..) | Asked::BlobGet(_))) => {
                self.blob_failed(&asked, code);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn notice(&mut self, kind: NoticeKind, retry_ms: u32) {
        let text = match kind {
            NoticeKind::Draining => "the relay is restarting",
            NoticeKind::RetryAfter => "the relay is busy",
            NoticeKind::OverQuota => "this device is over a quota at the relay",
            NoticeKind::LowDisk => "the relay's disk is nearly full",
            NoticeKind::Moved => "the relay has moved",
        };
        self.event(json!({"v": 1, "type": "notice", "text": text, "retry_ms": retry_ms}));
    }

    /// Periodic work that no step waits for.
    fn keep_house(&mut self) -> Result<(), Fault> {
        let now = self.now.unix_s();
        self.tx.purge_expired(now)?;
        self.tx.purge_keys(now)?;
        self.tx.trim_ring(now)?;
        self.freeze_overdue()
    }

    /// A local command: `Some` is the answer, `None` means that it comes later.
    fn call(&mut self, id: CallId, method: &str, params: Value) -> Result<Option<Value>, Fault> {
        if self.waits.is_full() {
            return Err(failed(75, "Too many commands wait at once.", None).into());
        }
        match method {
            "ping" => return Ok(Some(json!({"v": 1}))),
            "status" => return self.status().map(Some),
            // A newcomer waits for its own admission.
            "subscribe" if !self.memory.profile.is_inside() => return Ok(Some(json!({}))),
            _ => {}
        }
        if !self.memory.profile.is_inside() {
            return Err(refused(
                "This profile has not joined a team yet.",
                Some("Repeat `staffetta join` with the invitation code."),
            )
            .into());
        }
        match method {
            "sync" => self.sync(id, read(params)?),
            "invite.create" => {
                let InviteParams { name, role, ttl_s, auto_approve } = read(params)?;
                let role = role.as_deref().unwrap_or("member");
                let role = Role::from_name(role)
                    .ok_or_else(|| bad_params("role: member, admin or bot"))?;
                let ttl_s = ttl_s.unwrap_or(if auto_approve { 3_600 } else { DEFAULT_TTL });
                self.create_invite(id, NewInvite { name, role, ttl_s, auto_approve })
            }
            "subscribe" => {
                let params: SubscribeParams = read(params)?;
                let room = params.room.as_deref().map(|typed| self.find_room(typed)).transpose()?;
                let name = room.map(|row| self.room_name(&row.id));
                return Ok(Some(json!({"room": name})));
            }
            "invite.list" => return self.list_invites().map(Some),
            "invite.approve" => {
                let ApproveParams { id: invite, words, unverified } = read(params)?;
                match (words, unverified) {
                    (Some(words), _) => self.approve(id, &invite, Some(&words.join(" "))),
                    (None, true) => self.approve(id, &invite, None),
                    (None, false) => Err(bad_params("words, or unverified").into()),
                }
            }
            "invite.reject" => {
                self.reject_invite(&read::<IdParams>(params)?.id)?;
                return Ok(Some(json!({})));
            }
            "team" => return self.team().map(Some),
            "revoke" => {
                let RevokeParams { member, device } = read(params)?;
                self.revoke(id, member.as_deref(), device.as_deref())
            }
            "room.create" => return self.create_room(read(params)?).map(Some),
            "room.list" => return self.list_rooms().map(Some),
            "room.members" => {
                return self.list_members(&read::<RoomParams>(params)?.room).map(Some);
            }
            "room.add" => self.change_room(id, read(params)?, IntentKind::Add),
            "room.remove" => self.change_room(id, read(params)?, IntentKind::Remove),
            "send" | "reply" => self.send_call(id, read(params)?),
            "read" => {
                let ReadParams { room, unread, limit, since, mark_read } = read(params)?;
                let since = since.as_deref().map(content_id).transpose()?;
                let limit = limit.unwrap_or(50);
                return self.read(&Read { room, unread, limit, since, mark_read }).map(Some);
            }
            "unacked" => return self.unacked().map(Some),
            "ack" => {
                let content = content_id(&read::<IdParams>(params)?.id)?;
                self.tx.ack_delivery(&content)?;
                return Ok(Some(json!({})));
            }
            "alarms.clear" => {
                self.tx.delete(MetaKey::Alarms)?;
                return Ok(Some(json!({})));
            }
            _ => {
                let mut error = bad_params(&format!("There is no method {method}."));
                error.code = -32_601;
                Err(error.into())
            }
        }
        .map(|()| None)
    }

    fn sync(&mut self, call: CallId, params: SyncParams) -> Result<(), Fault> {
        let wait = params.timeout_ms.unwrap_or(10_000);
        let deadline = self.now.mono_ms.saturating_add(wait);
        let what = What::Synced;
        self.waits.add(Wait { call, what, deadline, extended: deadline, queue_only: false });
        Ok(())
    }

    fn send_call(&mut self, id: CallId, params: SendParams) -> Result<(), Fault> {
        let SendParams { room, to, text, reply_to, key, wait_ms } = params;
        let reply_to = reply_to.or_else(|| to.clone());
        let reply_to = reply_to.as_deref().map(content_id).transpose()?;
        let row = match (room, &to, reply_to) {
            (Some(room), _, _) => self.find_room(&room)?,
            (None, Some(_), Some(target)) => {
                let message = self.tx.message(&target)?;
                let room = message.and_then(|m| self.memory.rooms.get(&m.room).cloned());
                room.ok_or_else(|| refused("There is no message with that id.", None))?
            }
            _ => return Err(bad_params("room, or to").into()),
        };
        let wait_ms = wait_ms.unwrap_or(10_000);
        self.send(id, &row, Send { text, reply_to, key, wait_ms })
    }

    fn create_room(&mut self, params: CreateParams) -> Result<Value, Fault> {
        let CreateParams { name, topic, lifetime_s } = params;
        let name = Name::parse(&name)
            .map_err(|error| refused(&format!("The room's name: {error}."), None))?;
        let taken = self
            .memory
            .rooms
            .keys()
            .any(|id| self.room_name(id).to_lowercase() == name.as_str().to_lowercase());
        if taken {
            let text = format!("There is already a room called {}.", name.as_str());
            return Err(refused(&text, Some("Choose another name.")).into());
        }
        let me = self.memory.me()?;
        if self.memory.roster()?.role_of(&me) == Some(Role::Bot) {
            return Err(failed(77, "Bots do not create rooms.", None).into());
        }
        let lifetime = lifetime_s.unwrap_or(DEFAULT_LIFETIME_S);
        let mut state =
            super::joining::state(name.as_str(), RoomKind::Room, WhoMayAdd::Members, lifetime);
        state.topic = topic.unwrap_or_default();
        if state.topic.len() > crate::member::e2ee::MAX_TOPIC {
            return Err(refused("The topic is too long.", None).into());
        }
        let room = RoomId::random(self.random);
        self.found_room(room, &state)?;
        Ok(json!({"id": room.to_hex(), "name": name.as_str()}))
    }

    /// Adds or removes all devices of a member; the call is answered when the commit has won.
    fn change_room(
        &mut self,
        call: CallId,
        params: RoomParams,
        kind: impl Fn(crate::wire::ids::DeviceId) -> IntentKind,
    ) -> Result<(), Fault> {
        let room = self.find_room(&params.room)?;
        let member = self.find_member(&params.member)?.id;
        let inside = self.devices_in(&room.id)?;
        let devices: Vec<_> =
            self.active_devices_of(&member)?.iter().map(|device| device.id).collect();
        let adding = matches!(kind(crate::wire::ids::DeviceId([0; 16])), IntentKind::Add(_));
        let open: Vec<_> =
            devices.into_iter().filter(|device| inside.contains(device) != adding).collect();
        if open.is_empty() {
            let state = if adding { "already in" } else { "not in" };
            let text = format!("{} is {state} {}.", params.member, params.room);
            return Err(refused(&text, None).into());
        }
        let now = self.now.unix_ms;
        let ids = open
            .into_iter()
            .map(|device| self.intend_as(room.id, kind(device), now))
            .collect::<Result<_, _>>()?;
        let deadline = self.now.mono_ms + CHANGE_WAIT_MS;
        let what = What::Intents(ids);
        self.waits.add(Wait { call, what, deadline, extended: deadline, queue_only: false });
        Ok(())
    }

    /// Events that no bot has acknowledged, oldest first.
    fn unacked(&self) -> Result<Value, Fault> {
        const WINDOW: u32 = 256;
        let mut out = Vec::new();
        for content in self.tx.unacked(WINDOW)? {
            if let Some(row) = self.tx.message(&content)? {
                out.push(self.message_json(&row));
            }
        }
        Ok(Value::Array(out))
    }
}
