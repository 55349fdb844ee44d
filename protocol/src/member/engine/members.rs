//! Names of rooms and people, and what is told when a room's members change.

use std::collections::BTreeSet;

use serde_json::json;

use super::Cx;
use super::fault::{Fault, failed, refused};
use crate::member::agent::core::ApiError;
use crate::member::e2ee::{Outcome, RoomKind, RoomState, WhoMayAdd};
use crate::member::roster::{Device, Member};
use crate::member::store::{IntentKind, RoomRow, RoomStatus};
use crate::wire::ids::{DeviceId, MemberId, RoomId};

/// A room kind's code in [`RoomRow::kind`].
pub(super) fn kind_code(kind: RoomKind) -> u8 {
    match kind {
        RoomKind::Room => 0,
        RoomKind::Direct => 1,
        RoomKind::Control => 2,
        RoomKind::Admins => 3,
    }
}

/// Whether people see the room.
pub(super) fn is_visible(row: &RoomRow) -> bool {
    row.kind <= kind_code(RoomKind::Direct)
}

/// A new room's row.
pub(super) fn new_row(id: RoomId, state: &RoomState, epoch: u64, opened: u64) -> RoomRow {
    RoomRow {
        id,
        name: state.name.clone(),
        topic: state.topic.clone(),
        kind: kind_code(state.kind),
        lifetime_s: state.lifetime_s,
        status: RoomStatus::Active,
        epoch,
        opened,
        roster_floor: 0,
        members: 1,
    }
}

impl Cx<'_> {
    /// The name of a device's member.
    pub(super) fn member_name(&self, device: &DeviceId) -> Option<String> {
        let roster = self.memory.roster.as_ref()?;
        let member = roster.member(&roster.device(device)?.member)?;
        Some(member.name.as_str().to_owned())
    }

    pub(super) fn name_of(&self, member: &MemberId) -> Option<String> {
        Some(self.memory.roster.as_ref()?.member(member)?.name.as_str().to_owned())
    }

    /// A room's name as people see it; of a direct conversation, `@` and the other's name.
    pub(super) fn room_name(&self, room: &RoomId) -> String {
        match self.memory.rooms.get(room) {
            Some(row) if row.kind == kind_code(RoomKind::Control) => "of the team's list".into(),
            Some(row) if row.kind == kind_code(RoomKind::Admins) => "of the admins".into(),
            Some(row) if row.kind == kind_code(RoomKind::Direct) => {
                let me = self.memory.profile.member();
                let other = row.name.split(' ').filter_map(MemberId::from_hex);
                let other = other.into_iter().find(|id| Some(*id) != me);
                let name = other.and_then(|id| self.name_of(&id));
                format!("@{}", name.unwrap_or_default())
            }
            Some(row) => row.name.clone(),
            None => String::new(),
        }
    }

    /// The direct conversation with a member, if there is one. Two that were begun at once are both
    /// kept; everybody uses the one with the lower id.
    pub(super) fn direct_room(&self, member: &MemberId) -> Option<RoomRow> {
        let with = |row: &&RoomRow| {
            row.kind == kind_code(RoomKind::Direct)
                && row.status == RoomStatus::Active
                && row.name.split(' ').any(|id| id == member.to_hex())
        };
        self.memory.rooms.values().find(with).cloned()
    }

    /// As [`Cx::find_room`]; begins the direct conversation with `@MEMBER` if there is none, with
    /// all devices of both.
    pub(super) fn room_to_write_in(&mut self, typed: &str) -> Result<RoomRow, Fault> {
        let Some(name) = typed.strip_prefix('@') else { return self.find_room(typed) };
        let (me, other) = (self.memory.profile.member(), self.find_member(name)?.id);
        let me = me.ok_or(Fault::Bug("no member"))?;
        if let Some(row) = self.direct_room(&other) {
            return Ok(row);
        }
        if me == other {
            return Err(refused("That is yourself.", Some("Write to somebody else.")).into());
        }
        if self.memory.profile.is_bot {
            let hint = Some("Somebody who writes to it first begins one.");
            return Err(failed(77, "Bots begin no conversations.", hint).into());
        }
        let mut pair = [me.to_hex(), other.to_hex()];
        pair.sort();
        let lifetime = super::joining::DEFAULT_LIFETIME_S;
        let state =
            super::founding::state(&pair.join(" "), RoomKind::Direct, WhoMayAdd::Members, lifetime);
        let room = RoomId::random(self.random);
        self.found_room(room, &state)?;
        let own = self.memory.me()?;
        let devices: Vec<_> = [me, other]
            .iter()
            .map(|member| self.active_devices_of(member))
            .collect::<Result<Vec<_>, _>>()?
            .iter()
            .flatten()
            .map(|device| device.id)
            .filter(|device| *device != own)
            .collect();
        for device in devices {
            self.intend(room, IntentKind::Add(device), self.now.unix_ms)?;
        }
        self.memory.rooms.get(&room).cloned().ok_or(Fault::Bug("no room"))
    }

    /// The room a person means by `NAME` or `@MEMBER`.
    pub(super) fn find_room(&self, typed: &str) -> Result<RoomRow, Fault> {
        if let Some(name) = typed.strip_prefix('@') {
            let member = self.find_member(name)?.id;
            return self.direct_room(&member).ok_or_else(|| {
                let text = format!("There is no conversation with {name} yet.");
                refused(&text, Some("Send a message to begin it.")).into()
            });
        }
        let typed = typed.strip_prefix('#').unwrap_or(typed);
        let fold = |name: &str| name.to_lowercase();
        let visible = || self.memory.rooms.values().filter(|row| is_visible(row));
        let found = visible().find(|row| fold(&self.room_name(&row.id)) == fold(typed));
        match found {
            Some(row) if row.status == RoomStatus::Left => {
                Err(refused(&format!("You are no longer in {typed}."), None).into())
            }
            Some(row) => Ok(row.clone()),
            None => {
                let names: Vec<_> = visible().map(|row| self.room_name(&row.id)).collect();
                Err(unknown("room", typed, &names).into())
            }
        }
    }

    /// The member a person means.
    pub(super) fn find_member(&self, typed: &str) -> Result<&Member, Fault> {
        let typed = typed.strip_prefix('@').unwrap_or(typed);
        let roster = self.memory.roster()?;
        roster.member_by_name(typed).ok_or_else(|| {
            let near: Vec<_> =
                roster.nearest_names(typed).iter().map(|n| n.as_str().to_owned()).collect();
            unknown("person", typed, &near).into()
        })
    }

    /// A member's active devices.
    pub(super) fn active_devices_of(&self, member: &MemberId) -> Result<Vec<&Device>, Fault> {
        let devices = self.memory.roster()?.devices_of(member);
        Ok(devices.filter(|device| device.revoked.is_none()).collect())
    }

    /// Tells who came and who went.
    pub(super) fn tell_members(
        &mut self,
        row: &RoomRow,
        before: &[DeviceId],
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        if !is_visible(row) {
            return Ok(());
        }
        let after = self.devices_in(&row.id)?;
        let roster = self.memory.roster()?;
        let members = |devices: &[DeviceId]| -> BTreeSet<MemberId> {
            devices.iter().filter_map(|d| roster.device(d)).map(|d| d.member).collect()
        };
        let (before, after) = (members(before), members(&after));
        let came: Vec<_> = after.difference(&before).copied().collect();
        let went: Vec<_> = before.difference(&after).copied().collect();
        let by = self.member_name(&outcome.committer);
        let room = self.room_name(&row.id);
        for (member, change) in
            came.iter().map(|m| (m, "joined")).chain(went.iter().map(|m| (m, "left")))
        {
            let member = self.name_of(member);
            self.event(json!({"v": 1, "type": "member", "room": room, "room_id": row.id.to_hex(),
                "member": member, "change": change, "by": by}));
        }
        Ok(())
    }
}

/// Nothing has this name; the nearest that exist.
pub(super) fn unknown(what: &str, typed: &str, known: &[String]) -> ApiError {
    let folded = known.iter().map(|name| (name.to_lowercase(), name.as_str()));
    let near = crate::member::roster::nearest::nearest(&typed.to_lowercase(), folded);
    let hint = match near.is_empty() {
        true => None,
        false => Some(format!("Did you mean {}?", near.join(" or "))),
    };
    refused(&format!("There is no {what} called {typed}."), hint.as_deref())
}
