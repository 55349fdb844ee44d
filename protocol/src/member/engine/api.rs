//! The local API's methods: parameters in, one answer out, now or later.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::changes::Wanted;
use super::chat::{Draft, Send};
use super::fault::{Fault, bad_params, failed, refused};
use super::invites::NewInvite;
use super::joining::DEFAULT_LIFETIME_S;
use super::profile::Stopped;
use super::room_state::CHANGE_WAIT_MS;
use super::waits::What;
use crate::invite_code::Role;
use crate::member::agent::core::CallId;
use crate::member::content::Kind;
use crate::member::e2ee::{RoomKind, WhoMayAdd};
use crate::member::invite::DEFAULT_TTL;
use crate::member::roster::Name;
use crate::member::store::{IntentKind, MetaKey};
use crate::wire::ids::{ContentId, DeviceId, RoomId};

/// Methods after which nothing is due that was not before: programs call them most.
const QUIET: [&str; 6] = ["ack", "deliveries", "kv.get", "kv.set", "kv.delete", "ping"];

/// Reads a call's parameters.
pub(super) fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, Fault> {
    let params = if params.is_null() { json!({}) } else { params };
    serde_json::from_value(params).map_err(|error| bad_params(&error.to_string()).into())
}

/// Why a device that has stopped does nothing any more.
fn stopped_fault(why: Stopped) -> Fault {
    let (exit, hint) = match why {
        Stopped::Revoked => (77, "Ask an admin to invite you again, into a new profile."),
        Stopped::Restored => {
            (1, "Ask an admin to revoke this device, and to invite you again into a new profile.")
        }
        Stopped::Strange => (
            1,
            "Tell your admin by voice. An admin who knows of it repeats: staffetta relay accept",
        ),
        _ => (1, "Tell your admin by voice, and do not trust this relay meanwhile."),
    };
    failed(exit, why.text(), Some(hint)).into()
}

pub(super) fn content_id(typed: &str) -> Result<ContentId, Fault> {
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
struct ChangeParams {
    id: String,
    text: Option<String>,
    emoji: Option<String>,
    key: Option<String>,
    wait_ms: Option<u64>,
}

#[derive(Deserialize)]
struct InviteParams {
    name: Option<String>,
    role: Option<String>,
    ttl_s: Option<u64>,
    expires_s: Option<u64>,
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
struct FilesParams {
    room: Option<String>,
}

#[derive(Deserialize)]
struct SyncParams {
    timeout_ms: Option<u64>,
    /// Whether the outbox must be empty as well.
    outbox: Option<bool>,
}

impl Cx<'_> {
    /// A local command: `Some` is the answer, `None` means that it comes later.
    pub(super) fn call(
        &mut self,
        id: CallId,
        method: &str,
        params: Value,
    ) -> Result<Option<Value>, Fault> {
        self.unsettled |= !QUIET.contains(&method);
        if self.waits.is_full() {
            return Err(failed(75, "Too many commands wait at once.", None).into());
        }
        match method {
            "ping" => return Ok(Some(json!({"v": 1}))),
            "status" => return self.status().map(Some),
            "doctor" => return self.doctor().map(Some),
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
        if let Some(why) = self.memory.profile.stopped
            && !matches!(
                method,
                "team"
                    | "team.log"
                    | "verify"
                    | "invite.list"
                    | "room.list"
                    | "room.members"
                    | "read"
                    | "mark_read"
                    | "screen"
                    | "search"
                    | "subscribe"
            )
            && !(why == Stopped::Strange
                && matches!(method, "relay.accept" | "relay.find" | "relay.move"))
        {
            return Err(stopped_fault(why));
        }
        match method {
            "sync" => self.sync(id, read(params)?),
            "invite.create" => {
                let InviteParams { name, role, ttl_s, expires_s, auto_approve } = read(params)?;
                let role = role.as_deref().unwrap_or("member");
                let role = Role::from_name(role)
                    .ok_or_else(|| bad_params("role: member, admin or bot"))?;
                let ttl_s = ttl_s.unwrap_or(if auto_approve { 3_600 } else { DEFAULT_TTL });
                let own = false;
                let new = NewInvite { name, role, ttl_s, auto_approve, own, expires_s };
                self.create_invite(id, new)
            }
            "device.add" => {
                let ttl_s = read::<InviteParams>(params)?.ttl_s.unwrap_or(DEFAULT_TTL);
                let role = self.own_role()?;
                let (auto_approve, own, expires_s) = (false, true, None);
                let new = NewInvite { name: None, role, ttl_s, auto_approve, own, expires_s };
                self.create_invite(id, new)
            }
            "subscribe" => return self.subscribe(params).map(Some),
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
            "forsake" => self.forsake(id),
            "team.role" => self.set_role(id, &read(params)?),
            "team.rewind" => self.rewind(id, read(params)?),
            "team.policy" => return self.policy(id, &read(params)?),
            "team.log" => return self.team_log().map(Some),
            "relay.addresses" => {
                if let Some(answer) = self.relay_addresses(id, &read(params)?)? {
                    return Ok(Some(answer));
                }
                Ok(())
            }
            "relay.move" => self.move_relay(id, &read(params)?),
            "relay.spare" => {
                if let Some(answer) = self.relay_spare(id, &read(params)?)? {
                    return Ok(Some(answer));
                }
                Ok(())
            }
            "relay.drill" => self.relay_drill(id),
            "relay.find" => self.find_relay(id, &read(params)?),
            "relay.accept" => self.accept_log(id),
            "verify" => return self.verify(&read(params)?).map(Some),
            "team" => return self.team().map(Some),
            "revoke" => {
                let RevokeParams { member, device } = read(params)?;
                self.revoke(id, member.as_deref(), device.as_deref())
            }
            "room.create" => return self.create_room(read(params)?).map(Some),
            "room.list" | "rooms" => return self.list_rooms().map(Some),
            "room.members" | "members" => {
                return self.list_members(&read::<RoomParams>(params)?.room).map(Some);
            }
            "room.set" => self.set_room(id, read(params)?),
            "room.restart" => self.restart_room(id, &read::<RoomParams>(params)?.room),
            "room.leave" => self.leave_room(id, &read::<RoomParams>(params)?.room),
            "room.add" => self.change_room(id, read(params)?, IntentKind::Add),
            "room.remove" => self.change_room(id, read(params)?, IntentKind::Remove),
            "send" | "reply" => self.send_call(id, read(params)?),
            "read" => return self.read_call(read(params)?).map(Some),
            "edit" | "delete" | "react" => self.change_call(id, method, read(params)?),
            "upload" => self.upload(id, &read(params)?),
            "download" => {
                let params: super::files::DownloadParams = read(params)?;
                self.download(id, content_id(&params.id)?, &params)
            }
            "files" => {
                let room = read::<FilesParams>(params)?.room;
                return self.list_files(room.as_deref()).map(Some);
            }
            "mark_read" => return self.mark_read(&read(params)?).map(Some),
            "screen" => return self.screen(read(params)?).map(Some),
            "search" => return self.search(&read(params)?).map(Some),
            "alarms.clear" => {
                self.tx.delete(MetaKey::Alarms)?;
                self.tx.clear_missing()?;
                return Ok(Some(json!({})));
            }
            _ => {
                if let Some(answer) = self.consume(method, params)? {
                    return Ok(Some(answer));
                }
                let mut error = bad_params(&format!("There is no method {method}."));
                error.code = -32_601;
                Err(error.into())
            }
        }
        .map(|()| None)
    }

    fn sync(&mut self, call: CallId, params: SyncParams) -> Result<(), Fault> {
        let what = if params.outbox.unwrap_or(true) { What::Synced } else { What::Read };
        self.wait_at_most(call, what, params.timeout_ms.unwrap_or(10_000));
        Ok(())
    }

    fn send_call(&mut self, id: CallId, params: SendParams) -> Result<(), Fault> {
        let SendParams { room, to, text, reply_to, key, wait_ms } = params;
        let reply_to = reply_to.or_else(|| to.clone());
        let reply_to = reply_to.as_deref().map(content_id).transpose()?;
        let row = match (room, &to, reply_to) {
            (Some(room), _, _) => self.room_to_write_in(&room)?,
            (None, Some(_), Some(target)) => {
                let message = self.tx.message(&target)?;
                let room = message.and_then(|m| self.memory.rooms.get(&m.room).cloned());
                room.ok_or_else(|| refused("There is no message with that id.", None))?
            }
            _ => return Err(bad_params("room, or to").into()),
        };
        let wait_ms = wait_ms.unwrap_or(10_000);
        let mut draft = Draft::new(self.random, Kind::Text(text));
        draft.reply_to = reply_to;
        self.send(id, &row, Send { draft, key, wait_ms })
    }

    fn change_call(&mut self, id: CallId, what: &str, params: ChangeParams) -> Result<(), Fault> {
        let ChangeParams { id: target, text, emoji, key, wait_ms } = params;
        let wanted = match (what, text, emoji) {
            ("edit", Some(text), _) => Wanted::Edit(text),
            ("delete", _, _) => Wanted::Delete,
            ("react", _, Some(emoji)) => Wanted::React(emoji),
            _ => return Err(bad_params("text, or emoji").into()),
        };
        self.change(id, content_id(&target)?, wanted, key, wait_ms.unwrap_or(10_000))
    }

    fn create_room(&mut self, params: CreateParams) -> Result<Value, Fault> {
        let CreateParams { name, topic, lifetime_s } = params;
        let name = Name::parse(&name)
            .map_err(|error| refused(&format!("The room's name: {error}."), None))?;
        self.check_room_name(&name, None)?;
        let me = self.memory.me()?;
        if self.memory.roster()?.role_of(&me) == Some(Role::Bot) {
            return Err(failed(77, "Bots do not create rooms.", None).into());
        }
        let lifetime = lifetime_s.unwrap_or(DEFAULT_LIFETIME_S);
        let mut state =
            super::founding::state(name.as_str(), RoomKind::Room, WhoMayAdd::Members, lifetime);
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
        kind: impl Fn(DeviceId) -> IntentKind,
    ) -> Result<(), Fault> {
        let room = self.find_room(&params.room)?;
        let member = self.find_member(&params.member)?.id;
        let inside = self.devices_in(&room.id)?;
        let devices: Vec<_> =
            self.active_devices_of(&member)?.iter().map(|device| device.id).collect();
        let adding = matches!(kind(DeviceId([0; 16])), IntentKind::Add(_));
        let open: Vec<_> =
            devices.into_iter().filter(|device| inside.contains(device) != adding).collect();
        if open.is_empty() {
            let state = if adding { "already in" } else { "not in" };
            let text = format!("{} is {state} {}.", params.member, params.room);
            return Err(refused(&text, None).into());
        }
        self.check_change(&room, &open, adding)?;
        let now = self.now.unix_ms;
        for device in open.iter().filter(|_| !adding) {
            self.ask_removal(&room.id, device)?;
        }
        let ids = open
            .into_iter()
            .map(|device| self.intend_as(room.id, kind(device), now))
            .collect::<Result<_, _>>()?;
        self.wait_at_most(call, What::Intents(ids), CHANGE_WAIT_MS);
        Ok(())
    }
}
