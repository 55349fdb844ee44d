//! Rooms that stand still: broken by a commit, or waiting for a roster entry.

use super::Cx;
use super::alarms::Alarm;
use super::fault::Fault;
use crate::cell::chain::Whole;
use crate::member::store::{HELD_PER_ROOM, Held, RoomStatus};
use crate::wire::ids::{DeviceId, RoomId};

/// Codes of [`RoomStatus::Frozen`].
pub(super) const FROZEN_BROKEN: u8 = 1;
pub(super) const FROZEN_ROSTER: u8 = 2;
/// This device fell behind, and comes back into the room.
pub(super) const FROZEN_BEHIND: u8 = 3;
/// The room begins again, and this device waits for its Welcome.
pub(super) const FROZEN_RESTART: u8 = 4;

/// Seconds that a room waits for a roster entry that a valid commit names.
const ROSTER_WAIT_S: u64 = 600;

impl Cx<'_> {
    /// Freezes a room: it has gone on where this device cannot follow, or somebody broke it.
    pub(super) fn freeze(
        &mut self,
        room: RoomId,
        code: u8,
        by: Option<DeviceId>,
    ) -> Result<(), Fault> {
        self.set_status(room, RoomStatus::Frozen(code))?;
        if code == FROZEN_BROKEN {
            self.want_resync(room, by)?;
        }
        let name = self.room_name(&room);
        let who = by.and_then(|device| self.member_name(&device));
        let text = match (code, who) {
            (FROZEN_ROSTER, _) => format!(
                "Room {name} stands still: it relies on a change of the team that this device has not received."
            ),
            (_, Some(who)) => format!(
                "Room {name} stands still: a change made by {who} cannot be followed by this device."
            ),
            (_, None) => {
                format!("Room {name} stands still: this device cannot follow its last change.")
            }
        };
        self.alarm(Alarm::RoomStands, &text)
    }

    /// The roster grew: rooms that waited for it go on with what they held back.
    pub(super) fn release_rooms(&mut self) -> Result<(), Fault> {
        let known = self.memory.roster()?.head().number;
        let due: Vec<_> = self
            .memory
            .rooms
            .values()
            .filter(
                |row| matches!(row.status, RoomStatus::Waiting { number, .. } if number <= known),
            )
            .map(|row| row.id)
            .collect();
        for room in due {
            self.set_status(room, RoomStatus::Active)?;
            let limit = u32::try_from(HELD_PER_ROOM).unwrap_or(u32::MAX);
            let held = self.tx.take_held(&room, limit)?;
            let from = held.first().map_or(0, |first| first.seq);
            let epoch = self.memory.rooms.get(&room).map_or(0, |row| row.epoch);
            for Held { seq, kind, bytes } in held {
                let whole = Whole { kind, first: seq, place: seq, content: bytes };
                self.room_message(room, epoch, whole)?;
            }
            self.count_placed_texts(&room)?;
            // What the new epochs sealed lies in the ring.
            self.rescan(from)?;
        }
        Ok(())
    }

    /// A room freezes when the roster entry it waits for does not come in time.
    pub(super) fn freeze_overdue(&mut self) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let overdue = |status: RoomStatus| match status {
            RoomStatus::Waiting { since, .. } => now.saturating_sub(since) >= ROSTER_WAIT_S,
            _ => false,
        };
        let due: Vec<_> =
            self.memory.rooms.values().filter(|r| overdue(r.status)).map(|r| r.id).collect();
        for room in due {
            self.freeze(room, FROZEN_ROSTER, None)?;
        }
        Ok(())
    }
}
