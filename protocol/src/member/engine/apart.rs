//! Two parts of the team that went to the spare relay at different moments. Who read on at the old
//! relay finds, when it comes, that the others have gone on without what it read: it goes back to
//! where both logs part, reads on from there, and brings what it had read since behind it.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::Cx;
use super::alarms::Alarm;
use super::beacon::Beacon;
use super::evidence::Evidence;
use super::fault::Fault;
use super::link::Asked;
use super::memory::Memory;
use super::next::CARRIED_BACK;
use super::profile::Stopped;
use super::standstill::FROZEN_BEHIND;
use crate::member::agent::core::Out;
use crate::member::e2ee::Outcome;
use crate::member::roster::{Author, Roster, SignedEntry};
use crate::member::store::{
    ChannelKind, Cursor, MessageRow, NewOut, OutKind, RING_LIFETIME_S, ResyncRow, RingCell,
    RoomRow, RoomStatus, RosterRow,
};
use crate::wire::Cells;
use crate::wire::frame::ToRelay;
use crate::wire::ids::{CellId, ContentId, DeviceId, Digest, Lane, LogId, RoomId, Seq};
use crate::wire::limits::{CELL, MAX_CELLS};
use crate::wire::running_hash;

const APART_TEXT: &str = "Parts of the team came to the spare relay at different moments. What was written apart stands behind what was written here.";

/// The most of its own messages that a device says again in a room at a time, the newest.
const MAX_SAID_AGAIN: u32 = 256;

/// How a device came to the present log without anybody's word.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Came {
    /// The log that it left.
    left: ByteArray<16>,
    /// Up to where both logs are the same for this device.
    seq: Seq,
    /// When, in unix seconds. What others say of the time before is heard for as long as a device
    /// keeps the cells that it could bring.
    at: u64,
    /// Rooms that went on at the old relay after that place: another part may have gone on with
    /// them differently.
    doubtful: Vec<ByteArray<16>>,
}

/// What this device read at the old relay, and the present log does not hold there.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Apart {
    /// The last place it had read.
    to: Seq,
    /// Whether the place is found from which on the logs differ.
    found: bool,
    /// The last of what stands apart that the relay has acknowledged.
    put: Seq,
    /// Whether it has all of it.
    done: bool,
}

impl Cx<'_> {
    /// This device stands in the spare relay's log from now on, where it stood in the one it left.
    pub(super) fn has_come(&mut self, left: ByteArray<16>, seq: Seq) {
        let at = self.now.unix_s();
        self.memory.profile.came = Some(Came { left, seq, at, doubtful: Vec::new() });
    }

    fn came(&self) -> Option<&Came> {
        let now = self.now.unix_s();
        self.memory.profile.came.as_ref().filter(|came| now < came.at + RING_LIFETIME_S)
    }

    pub(super) fn has_come_lately(&self) -> bool {
        self.came().is_some()
    }

    /// Whether a device may be where others went on without it: it has just come, and has read
    /// nothing here.
    pub(super) fn may_stand_apart(&self) -> bool {
        let (came, cursor) = (self.came(), self.memory.cursor);
        self.memory.profile.apart.is_none()
            && came.zip(cursor).is_some_and(|(came, cursor)| came.seq == cursor.seq)
    }

    /// The log here is another at the place that this device has read to: it goes back as far as
    /// both are known, to read again until they differ.
    pub(super) fn go_apart(&mut self) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        let oldest = self.link.oldest.saturating_sub(1);
        let kept = self.tx.tail_from(oldest.max(cursor.seq.saturating_sub(CARRIED_BACK)), 1)?;
        let back = kept.first().map(|cell| cell.seq).filter(|seq| *seq < cursor.seq);
        let hash = back.map(|seq| self.hash_at(seq)).transpose()?.flatten();
        let (Some(seq), Some(hash)) = (back, hash) else { return self.is_forked() };
        let apart = Apart { to: cursor.seq, found: false, put: 0, done: false };
        self.memory.profile.apart = Some(apart);
        self.memory.profile.moved = None;
        self.save_profile()?;
        self.set_cursor(Cursor { seq, hash, ..cursor })?;
        self.hang_up();
        Ok(())
    }

    fn is_forked(&mut self) -> Result<(), Fault> {
        self.caught(Evidence::Fork)?;
        self.stop(Stopped::Forked)
    }

    /// Whether this device reads again what it has read, to find where the logs differ.
    pub(super) fn reads_again(&self) -> bool {
        self.memory.profile.apart.is_some_and(|apart| !apart.found)
    }

    /// PUSH while it does.
    pub(super) fn push_again(
        &mut self,
        first: Seq,
        hash: Digest,
        cells: &Cells,
    ) -> Result<(), Fault> {
        let (Some(mut at), Some(apart)) = (self.memory.cursor, self.memory.profile.apart) else {
            return Ok(());
        };
        if first != at.seq + 1 {
            self.hang_up();
            return Ok(());
        }
        let mut rolled = at.hash;
        let mut same = true;
        for (seq, (id, cell)) in (first..).zip(cells.iter()) {
            rolled = running_hash::next(&rolled, &id, cell);
            same = same && seq <= apart.to && self.tx.ring_hash(seq)? == Some(rolled);
            if same {
                at = Cursor { seq, hash: rolled, ..at };
            }
        }
        // There must be a place at which they differ: the relay said so.
        if rolled != hash || at.seq >= apart.to || same && at.seq >= self.link.target {
            return self.is_forked();
        }
        self.set_cursor(at)?;
        if same {
            return Ok(());
        }
        self.part(at)?;
        let known = usize::try_from(at.seq + 1 - first).unwrap_or(0);
        self.push(at.seq + 1, hash, &Cells::collect(cells.iter().skip(known)))
    }

    /// The logs part after this place. From there on counts what stands here.
    fn part(&mut self, at: Cursor) -> Result<(), Fault> {
        let me = self.memory.me()?;
        let (known, undone): (Vec<_>, Vec<_>) =
            self.tx.entries()?.into_iter().partition(|row| row.seq <= at.seq);
        let signed = |rows: Vec<RosterRow>| -> Vec<SignedEntry> {
            rows.into_iter().map(|row| SignedEntry::stored(row.bytes, row.signature)).collect()
        };
        let roster = Roster::from_entries(&signed(known)).ok();
        let (true, Some(mut came), Some(mut apart)) = (
            roster.is_some_and(|roster| roster.is_active(&me)),
            self.memory.profile.came.clone(),
            self.memory.profile.apart,
        ) else {
            // It came into the team after that place: the others have to let it in again.
            return self.is_forked();
        };
        let went_on = |row: &&RoomRow| row.opened > at.seq && row.status != RoomStatus::Left;
        let rooms = self.memory.rooms.values().filter(went_on);
        came.doubtful = rooms.map(|row| ByteArray::new(row.id.0)).collect();
        came.seq = at.seq;
        apart.found = true;
        (self.memory.profile.came, self.memory.profile.apart) = (Some(came), Some(apart));
        self.save_profile()?;
        self.tx.set_apart(at.seq)?;
        *self.memory = Memory::load(self.tx)?;
        self.alarm(Alarm::Address, APART_TEXT)?;
        for signed in signed(undone) {
            if signed.entry().is_ok_and(|entry| entry.author == Author::Device(me)) {
                self.post_signed(&signed)?;
            }
        }
        Ok(())
    }

    /// A cell that stood apart stands in the log now: what it brought about counts from there on.
    /// `None` if it is none, else whether its channel was known.
    pub(super) fn stood_apart(
        &mut self,
        seq: Seq,
        id: &CellId,
        cell: &[u8; CELL],
    ) -> Result<Option<bool>, Fault> {
        if !self.memory.profile.apart.is_some_and(|apart| apart.found) {
            return Ok(None);
        }
        let Some(apart) = self.tx.place_apart(id, cell)? else { return Ok(None) };
        let known = self.tx.put_in_place(apart, seq)?;
        let rooms = self.memory.rooms.values_mut().map(|row| &mut row.opened);
        let channels = self.memory.channels.iter_mut().map(|live| &mut live.opened);
        rooms.chain(channels).filter(|opened| **opened == apart).for_each(|opened| *opened = seq);
        Ok(Some(known))
    }

    /// Whether a cell is in the control channel: entries that were undone are read again.
    pub(super) fn is_control(&self, seq: Seq, cell: &[u8; CELL]) -> bool {
        let mut channels = self.memory.channels.iter();
        channels.any(|live| {
            live.kind == ChannelKind::Control && live.opened < seq && live.key.matches(cell)
        })
    }

    /// Puts what stands apart behind what others wrote, in its order, with its ids and bytes; true
    /// while it does, and nothing else is sent.
    pub(super) fn carry_apart(&mut self) -> Result<bool, Fault> {
        let found = self.memory.profile.apart.filter(|apart| apart.found);
        let Some(mut apart) = found.filter(|_| self.caught_up()) else { return Ok(false) };
        if apart.done {
            if self.tx.apart_after(0, 1)?.is_empty() {
                self.memory.profile.apart = None;
                self.save_profile()?;
            }
            return Ok(false);
        }
        let busy = self.link.awaits(|asked| matches!(asked, Asked::Apart(_)));
        if busy || self.now.mono_ms < self.link.retry_at {
            return Ok(true);
        }
        let next = self.tx.apart_after(apart.put, MAX_CELLS as u32)?;
        let Some(last) = next.last().map(|cell| cell.seq) else {
            apart.done = true;
            self.memory.profile.apart = Some(apart);
            self.save_profile()?;
            return Ok(false);
        };
        let cells = Cells::collect(next.iter().map(|RingCell { id, cell, .. }| (*id, &**cell)));
        let request = self.link.ask(Asked::Apart(last));
        self.effects.push(Out::Send(ToRelay::Put { lane: Lane(0), request, cells }));
        Ok(true)
    }

    /// The relay has them, up to one that stood there.
    pub(super) fn carried_apart(&mut self, last: Seq) -> Result<(), Fault> {
        if let Some(apart) = &mut self.memory.profile.apart {
            apart.put = last;
        }
        self.save_profile()
    }

    /// A commit opened an epoch in a room. Who was elsewhere meanwhile cannot open what was sealed
    /// in the one before, and hears of the new one by a beacon soon.
    pub(super) fn went_on(&mut self, before: &RoomRow, outcome: &Outcome) -> Result<(), Fault> {
        let Some(since) = self.came().map(|came| came.seq) else { return Ok(()) };
        self.beacon_soon(&before.id, outcome.committer)?;
        if before.opened > since && outcome.resynced.is_none() {
            return Ok(());
        }
        self.say_again(&before.id)
    }

    /// Says again what this device has written in a room since both logs are another: whoever has it
    /// already knows its id.
    pub(super) fn say_again(&mut self, room: &RoomId) -> Result<(), Fault> {
        let Some(since) = self.came().map(|came| came.seq) else { return Ok(()) };
        let (me, queued_at) = (self.memory.me()?, self.now.unix_s());
        let queued = self.tx.pending_messages()?;
        for (content, plain, apart) in self.tx.written_after(room, &me, since, MAX_SAID_AGAIN)? {
            if queued.iter().any(|out| out.message.content == Some(content)) {
                continue;
            }
            if apart {
                self.tx.take_back(&content)?;
            }
            let (kind, room, content) = (OutKind::Text, Some(*room), Some(content));
            self.tx.enqueue(&NewOut { kind, room, epoch: 0, content, plain, queued_at }, &[])?;
        }
        Ok(())
    }

    /// A message that is known comes again from who wrote it: its last place counts, which is the
    /// only one that all parts of the team can read.
    pub(super) fn said_again(&mut self, again: &MessageRow) -> Result<(), Fault> {
        let Some(known) = self.tx.message(&again.content)? else { return Ok(()) };
        match (known.room, known.device) == (again.room, again.device) {
            true => self.own_said_again(&again.content, again.seq.unwrap_or_default()),
            false => Ok(()),
        }
    }

    /// An own message that had a place has come again.
    pub(super) fn own_said_again(&mut self, content: &ContentId, at: Seq) -> Result<(), Fault> {
        match self.came().map(|came| came.seq) {
            Some(since) => Ok(self.tx.move_message(content, since, at)?),
            None => Ok(()),
        }
    }

    /// The last epoch of a room that both parts of the team know, if there were two.
    pub(super) fn common_epoch(&self, room: &RoomId) -> Result<Option<u64>, Fault> {
        let Some(came) = self.came() else { return Ok(None) };
        Ok(self.tx.epoch_at(room, came.seq)?.map(|common| common.epoch))
    }

    /// Another device holds another state of a room. Of two that parted, the one whose epoch came
    /// into the log first goes on; the other comes back into it. True if that explains it.
    pub(super) fn room_parted(&mut self, row: &RoomRow, beacon: &Beacon) -> Result<bool, Fault> {
        let Some(came) = self.came() else { return Ok(false) };
        let id = ByteArray::new(row.id.0);
        let (since, doubtful) = (came.seq, came.doubtful.contains(&id));
        let own = self.tx.epoch(&row.id, beacon.epoch)?.map(|own| own.opened);
        if own.is_some_and(|own| own < beacon.opened) && beacon.opened > since {
            return Ok(true);
        }
        if !doubtful {
            return Ok(false);
        }
        if let Some(came) = &mut self.memory.profile.came {
            came.doubtful.retain(|room| *room != id);
        }
        self.save_profile()?;
        self.drop_under_way(&row.id)?;
        self.close_channel(&row.id)?;
        self.set_status(row.id, RoomStatus::Frozen(FROZEN_BEHIND))?;
        self.put_resync(ResyncRow { hint: Some(beacon.device), ..ResyncRow::new(row.id) })?;
        Ok(true)
    }

    /// Whether a sender that stood at a place with another running hash was still at the relay that
    /// was left; not if it has been heard of here.
    pub(super) fn was_elsewhere(&mut self, sender: &DeviceId, seq: Seq) -> Result<bool, Fault> {
        let before = self.came().is_some_and(|came| seq > came.seq);
        if !before || self.memory.here.contains(sender) {
            return Ok(false);
        }
        self.alarm(Alarm::Address, APART_TEXT)?;
        Ok(true)
    }

    /// A sender stood where this device did.
    pub(super) fn is_here(&mut self, sender: &DeviceId, seq: Seq) {
        if self.came().is_some_and(|came| seq > came.seq) {
            self.memory.here.insert(*sender);
        }
    }

    /// Whether a log is the one that this device left without anybody's word.
    pub(super) fn is_of_before(&self, log: &LogId) -> bool {
        self.came().is_some_and(|came| came.left.into_array() == log.0)
    }
}
