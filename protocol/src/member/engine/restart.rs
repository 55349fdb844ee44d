//! Beginning a room anew without the device that broke it for everybody.
//!
//! The entry's author founds the group again under the same room id and adds everybody else; the
//! others give up the old group at the entry's place and wait for that Welcome alone.

use serde_json::json;

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, failed, refused};
use super::members::kind_code;
use super::standstill::FROZEN_RESTART;
use crate::invite_code::Role;
use crate::member::agent::core::CallId;
use crate::member::e2ee::RoomKind;
use crate::member::roster::{Action, Author};
use crate::member::store::{IntentKind, OutKind, ResyncRow, RoomRow, RoomStatus};
use crate::wire::ids::{DeviceId, RoomId, Seq};

impl Cx<'_> {
    /// `room.restart`
    pub(super) fn restart_room(&mut self, call: CallId, typed: &str) -> Result<(), Fault> {
        let row = self.find_room(typed)?;
        let name = self.room_name(&row.id);
        let broken_by = self.memory.resyncs.get(&row.id).and_then(|resync| resync.avoid);
        let (RoomStatus::Frozen(_), Some(without)) = (row.status, broken_by) else {
            let text = format!("Room {name} was not broken by anybody; nothing was changed.");
            return Err(refused(&text, Some("See `staffetta room list`.")).into());
        };
        if row.kind == kind_code(RoomKind::Direct) {
            let hint = Some("Write a message: that begins another one.");
            return Err(refused("A conversation of two is not begun again.", hint).into());
        }
        let me = self.memory.me()?;
        if !self.may_restart(&row, &me, &without)? {
            let text = format!("Only an admin begins room {name} again.");
            return Err(failed(77, &text, Some("Ask an admin of your team.")).into());
        }
        self.post_action(Action::RoomRestart { room: row.id, without })?;
        let answer = json!({"room": name, "without": self.member_name(&without)});
        self.wait_posted(call, answer);
        Ok(())
    }

    /// An admin, whatever the room; in one without an admin any person in it, where this device
    /// has seen the same break. Which rooms have one, the roster does not know.
    fn may_restart(
        &mut self,
        row: &RoomRow,
        by: &DeviceId,
        without: &DeviceId,
    ) -> Result<bool, Fault> {
        let devices = self.devices_in(&row.id)?;
        let roster = self.memory.roster()?;
        let role = roster.role_of(by).filter(|_| roster.is_active(by));
        let is_admins = |device: &DeviceId| {
            roster.is_active(device) && roster.role_of(device) == Some(Role::Admin)
        };
        let broken_by = self.memory.resyncs.get(&row.id).and_then(|resync| resync.avoid);
        let frozen = matches!(row.status, RoomStatus::Frozen(_)) && broken_by == Some(*without);
        Ok(match role {
            Some(Role::Admin) => true,
            Some(Role::Member) => frozen && devices.contains(by) && !devices.iter().any(is_admins),
            Some(Role::Bot) | None => false,
        })
    }

    /// The entry has its place.
    pub(super) fn room_restarted(
        &mut self,
        room: RoomId,
        without: DeviceId,
        by: Author,
        place: Seq,
    ) -> Result<(), Fault> {
        let Some(row) = self.memory.rooms.get(&room).cloned() else { return Ok(()) };
        if row.status == RoomStatus::Left {
            return Ok(());
        }
        let name = self.room_name(&room);
        let Author::Device(by) = by else { return Ok(()) };
        let who = self.member_name(&by).unwrap_or_default();
        if !self.may_restart(&row, &by, &without)? {
            return self.alarm(Alarm::RoomRestart, &format!(
                "{who} wanted to begin room {name} again, and may not: it goes on here as it is."
            ));
        }
        let author = self.member_name(&without).unwrap_or_default();
        self.alarm(
            Alarm::RoomRestart,
            &format!("{who} began room {name} again without a device of {author}."),
        )?;
        let me = self.memory.me()?;
        if without == me {
            return self.leave(row, None);
        }
        let mut members = self.devices_in(&room)?;
        self.give_up_group(&row)?;
        if by != me {
            self.set_status(room, RoomStatus::Frozen(FROZEN_RESTART))?;
            let only = Some((by, place));
            return self.put_resync(ResyncRow { only, ..ResyncRow::new(room) });
        }
        let roster = self.memory.roster()?;
        members.retain(|id| *id != me && *id != without && roster.is_active(id));
        self.found_again(&row, &members)
    }

    /// What was under way in the old group was in vain.
    fn give_up_group(&mut self, row: &RoomRow) -> Result<(), Fault> {
        let room = &row.id;
        for intent in self.tx.intents()?.iter().filter(|intent| intent.room == *room) {
            self.tx.remove_intent(intent.id)?;
        }
        self.drop_under_way(room)?;
        self.tx.delete_room_change(room)?;
        self.tx.drop_removals_before(room, row.epoch + 1)?;
        self.tx.take_held(room, u32::MAX)?;
        self.close_channel(room)?;
        self.forget_checks(room)
    }

    /// Commits and proposals of a group that is given up go; texts are sealed again in the next.
    pub(super) fn drop_under_way(&mut self, room: &RoomId) -> Result<(), Fault> {
        self.tx.delete_pending_commit(room)?;
        for out in self.tx.pending_messages()? {
            let of_room = out.message.room == Some(*room);
            if of_room && matches!(out.message.kind, OutKind::Commit | OutKind::Proposal) {
                self.tx.remove_out(out.id)?;
            }
        }
        self.reseal_texts(room)
    }

    fn found_again(&mut self, row: &RoomRow, members: &[DeviceId]) -> Result<(), Fault> {
        let provider = self.provider();
        let room = row.id;
        let Some((group, _, _)) = self.memory.group(&provider, &room)? else { return Ok(()) };
        let state = group.state().clone();
        if let Some(group) = self.memory.groups.remove(&room) {
            group.delete(&provider)?;
        }
        self.tx.remove_resync(&room)?;
        self.memory.resyncs.remove(&room);
        self.found_room(room, &state)?;
        if let Some(new) = self.memory.rooms.get_mut(&room) {
            new.name.clone_from(&row.name);
            self.tx.put_room(new)?;
        }
        let now = self.now.unix_ms;
        members.iter().try_for_each(|device| self.intend(room, IntentKind::Add(*device), now))
    }
}
