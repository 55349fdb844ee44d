//! Moving to another relay: an admin's entry says which log goes on where the team's has ended.
//!
//! A restored log has the same cells under the same running hashes, and another id. So a device
//! that reads the entry only puts the new id into its cursor, and what the new log lacks is put
//! there again, cell by cell in the old order, by whoever kept it: every hash fits as before.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::Cx;
use super::alarms::Alarm;
use super::control::Origin;
use super::evidence::Evidence;
use super::fault::Fault;
use super::heads::short;
use super::link::Asked;
use super::profile::Stopped;
use crate::member::agent::core::Out;
use crate::member::store::{Cursor, RingCell};
use crate::wire::Cells;
use crate::wire::frame::ToRelay;
use crate::wire::ids::{Digest, Lane, LogId, Seq};
use crate::wire::limits::MAX_CELLS;

/// How long the others leave it to the admin's device to carry the old log's end over, in
/// milliseconds.
const CARRY_PATIENCE_MS: u64 = 1_500;
/// Milliseconds before a device that cannot carry it over looks again whether somebody has.
const LOOK_AGAIN_MS: u64 = 2_000;
/// What a device remembers of a move until the new log holds all that the old one did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Moved {
    /// The log that was left.
    pub(super) left: ByteArray<16>,
    /// Up to where this device had read it.
    pub(super) to: Seq,
    /// Whether this device carries what is missing over at once.
    pub(super) first: bool,
}

impl Cx<'_> {
    pub(super) fn hang_up(&mut self) {
        self.link.connected = false;
        self.effects.push(Out::Redial);
    }

    /// The running hash at a place that this device has read, if it still knows it.
    pub(super) fn hash_at(&self, seq: Seq) -> Result<Option<Digest>, Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(None) };
        if seq == cursor.seq {
            return Ok(Some(cursor.hash));
        }
        Ok(self.tx.ring_hash(seq)?)
    }

    /// An admin said that the log goes on under another id. `seq` and `hash` are the last place
    /// that the new log had at that time.
    pub(super) fn log_changed(
        &mut self,
        change: (LogId, Seq, Digest, LogId),
        place: Seq,
        origin: Origin,
    ) -> Result<(), Fault> {
        let (old, seq, hash, new) = change;
        let Some(cursor) = self.memory.cursor.filter(|cursor| cursor.log == old) else {
            return Ok(());
        };
        if self.has_other_hash(seq, &short(&hash)) {
            let text = "The relay showed an admin another past than this device.";
            self.alarm(Alarm::Relay(Evidence::Fork), text)?;
        }
        let (left, first) = (ByteArray::new(cursor.log.0), origin == Origin::Own);
        self.memory.profile.moved = Some(Moved { left, to: place, first });
        self.memory.profile.reached = None;
        self.save_profile()?;
        self.memory.next_log = Some(new);
        let number = self.memory.roster()?.head().number;
        self.alarm(Alarm::Address, &format!("The team moves to another relay (change {number})."))
    }

    /// The log of the cell just read goes on under another id: from here on it counts where the
    /// entry says. True if that is not where this connection leads.
    pub(super) fn turn_to_next_log(&mut self, cursor: &mut Cursor) -> Result<bool, Fault> {
        let Some(new) = self.memory.next_log.take() else { return Ok(false) };
        cursor.log = new;
        self.set_cursor(*cursor)?;
        self.forget_beacons_under_way()?;
        self.arrive_with_rows(&new)?;
        if self.link.shown.is_some_and(|(log, ..)| log == new) {
            self.memory.profile.moved = None;
            self.is_home_now()?;
            return Ok(false);
        }
        self.hang_up();
        Ok(true)
    }

    /// WELCOME of the right log. What it lacks is put there before anything else.
    pub(super) fn begin_to_carry(&mut self, head: Seq, hash: Digest) -> Result<bool, Fault> {
        let Some(moved) = self.memory.profile.moved.clone() else { return Ok(false) };
        let Some(cursor) = self.memory.cursor else { return Ok(false) };
        if head >= cursor.seq {
            self.memory.profile.moved = None;
            self.save_profile()?;
            return Ok(false);
        }
        if self.hash_at(head)?.is_some_and(|own| own != hash) {
            if self.may_stand_apart() {
                self.go_apart()?;
                return Ok(true);
            }
            self.caught(Evidence::Fork)?;
            self.stop(Stopped::Forked)?;
            return Ok(true);
        }
        self.link.target = cursor.seq;
        self.link.carry = Some(head + 1);
        if !moved.first {
            self.link.retry_at = self.now.mono_ms + CARRY_PATIENCE_MS;
        }
        Ok(true)
    }

    /// Puts the next of the cells that the new log lacks; true while there are any.
    pub(super) fn carry(&mut self) -> Result<bool, Fault> {
        let Some(next) = self.link.carry.filter(|_| self.link.connected) else { return Ok(false) };
        let busy = self.link.awaits(|asked| matches!(asked, Asked::Carry(..)));
        if busy || self.now.mono_ms < self.link.retry_at {
            return Ok(true);
        }
        let Some(cursor) = self.memory.cursor else { return Ok(true) };
        let left = usize::try_from(cursor.seq + 1 - next).unwrap_or(MAX_CELLS).min(MAX_CELLS);
        let kept = self.tx.tail_from(next, u32::try_from(left).unwrap_or(0))?;
        let whole = kept.len() == left && (next..).zip(&kept).all(|(seq, cell)| cell.seq == seq);
        if !whole {
            // Somebody else may have them.
            self.link.retry_at = self.now.mono_ms + LOOK_AGAIN_MS;
            self.hang_up();
            return Ok(true);
        }
        let cells = Cells::collect(kept.iter().map(|RingCell { id, cell, .. }| (*id, &**cell)));
        let request = self.link.ask(Asked::Carry(next, left as u64));
        self.effects.push(Out::Send(ToRelay::Put { lane: Lane(0), request, cells }));
        Ok(true)
    }

    /// The new relay says where it put what was carried over: where it stood in the old log, or
    /// the two are not the same log.
    pub(super) fn carried(&mut self, first: Seq, count: u64, seqs: &[Seq]) -> Result<(), Fault> {
        if !seqs.iter().copied().eq(first..first + count) {
            self.caught(Evidence::Fork)?;
            return self.stop(Stopped::Forked);
        }
        let next = first + count;
        self.link.carry = Some(next).filter(|next| *next <= self.memory.head());
        if self.link.carry.is_none() {
            self.memory.profile.moved = None;
            self.save_profile()?;
        }
        Ok(())
    }
}
