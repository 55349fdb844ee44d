//! A log that no admin has named yet, as after a restore at the same address: it is looked at and not
//! believed, until an admin's entry is read in it.

use serde_bytes::ByteArray;
use serde_json::json;

use super::alarms::Alarm;
use super::evidence::Evidence;
use super::fault::{Fault, failed, refused};
use super::moving::Moved;
use super::profile::Stopped;
use super::{Cx, Engine};
use crate::member::agent::core::{CallId, Now, Out};
use crate::member::roster::Action;
use crate::member::store::Cursor;
use crate::wire::Cells;
use crate::wire::ids::{Digest, LogId, Seq};
use crate::wire::running_hash;

/// Cells of a log that is not the team's yet, kept in memory until an admin says that it is.
const MAX_STRANGE: usize = 16_384;
/// How long a device waits at a relay whose log no admin has named before it tries the other
/// addresses again, in milliseconds.
const STAY_MS: u64 = 20_000;
/// Milliseconds between two looks for an admin's entry among them; longer for many of them.
const TRY_AGAIN_MS: u64 = 500;

impl Cx<'_> {
    /// WELCOME of a log that is not the one this device reads. **Devices accept it only against an
    /// admin-signed roster entry**: until one is read in it, nothing is sent and nothing believed.
    pub(super) fn other_log(&mut self, log: LogId) -> Result<(), Fault> {
        let left = self.memory.roster()?.has_left(&log);
        let profile = &self.memory.profile;
        let on_the_way = profile.moved.as_ref().map(|moved| moved.left);
        let by_itself = profile.unsaid.as_ref().map(|unsaid| unsaid.left);
        if left || on_the_way.into_iter().chain(by_itself).any(|it| it.into_array() == log.0) {
            // Not for good: another of the addresses leads to the right one.
            self.memory.profile.reached = None;
            self.save_profile()?;
            self.link.connected = false;
            let address = self.link.address.take();
            self.avoided.extend(address.filter(|address| !self.avoided.contains(address)));
            self.effects.push(Out::Redial);
            return self.caught_once(Evidence::LeftLog);
        }
        self.memory.unread.clear();
        self.link.leave_at = Some(self.now.mono_ms + STAY_MS);
        if self.memory.profile.stopped != Some(Stopped::Strange) {
            self.caught(Evidence::OtherLog)?;
            self.memory.profile.stopped = Some(Stopped::Strange);
            // The team's own relay, if it is back, goes before a spare that waits.
            self.memory.profile.reached = None;
            self.save_profile()?;
            self.alarm(Alarm::Stopped, Stopped::Strange.text())?;
        }
        Ok(())
    }

    /// Waits for an admin's word, and now and then looks for the team's own relay elsewhere.
    pub(super) fn wait_at_strange(&mut self) -> Result<(), Fault> {
        let Some(leave_at) = self.link.leave_at.filter(|_| self.link.connected) else {
            return Ok(());
        };
        if self.now.mono_ms >= leave_at {
            self.hang_up();
            return Ok(());
        }
        let unread = !self.memory.unread.is_empty();
        let look = Some(self.link.retry_at).filter(|at| unread && *at > self.now.mono_ms);
        self.link.due = look.into_iter().chain([leave_at]).min();
        Ok(())
    }

    /// The team's own log is there again.
    pub(super) fn back_from_strange(&mut self) -> Result<(), Fault> {
        if self.memory.profile.stopped != Some(Stopped::Strange) {
            return Ok(());
        }
        self.memory.profile.stopped = None;
        self.memory.unread.clear();
        self.memory.claimed = None;
        self.save_profile()
    }

    /// Cells of a log that no admin has named yet are kept in memory, if they follow on what this
    /// device has read.
    pub(super) fn push_strange(
        &mut self,
        first: Seq,
        hash: Digest,
        cells: &Cells,
    ) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        let (last, mut rolled) = match (self.memory.unread.last(), self.memory.claimed) {
            (Some((seq, _, _)), Some((_, hash))) => (*seq, hash),
            _ => (cursor.seq, cursor.hash),
        };
        for (id, cell) in cells.iter() {
            rolled = running_hash::next(&rolled, &id, cell);
        }
        let full = self.memory.unread.len() + cells.len() > MAX_STRANGE;
        if first != last + 1 || rolled != hash || full {
            // Nothing of it is believed; it is looked at again on another connection.
            self.memory.unread.clear();
            self.hang_up();
            return self.caught_once(Evidence::Fork);
        }
        for (seq, (id, cell)) in (first..).zip(cells.iter()) {
            self.memory.unread.push((seq, id, Box::new(*cell)));
        }
        self.memory.claimed = Some((first + cells.len() as u64 - 1, hash));
        Ok(())
    }

    /// Reads what was kept as if the log were the team's; an error if it still is not.
    fn read_strange(&mut self) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Err(Fault::Bug("no cursor")) };
        self.memory.profile.stopped = None;
        self.read_unread(cursor)?;
        if self.memory.cursor.map(|cursor| cursor.log) != self.link.shown.map(|(log, ..)| log) {
            return Err(Fault::Bug("no admin has named this log"));
        }
        self.memory.claimed = None;
        self.save_profile()?;
        self.event(json!({"v": 1, "type": "connection", "state": "online"}));
        Ok(())
    }

    /// `relay.accept`: an admin says that the log which the relay shows is the team's, as after a
    /// restore at the same address. What it lacks is put there first.
    pub(super) fn accept_log(&mut self, call: CallId) -> Result<(), Fault> {
        self.may_move_relay()?;
        let later = || {
            let hint = Some("Try again in a moment.");
            failed(75, "The relay's log is not read to its end yet.", hint)
        };
        let shown = self.link.shown.filter(|_| self.link.connected).ok_or_else(later)?;
        let strange = self.memory.profile.stopped == Some(Stopped::Strange);
        let ((new, head, hash), Some(cursor), true) = (shown, self.memory.cursor, strange) else {
            let hint = Some("See where it is: staffetta relay addresses");
            return Err(refused("The relay shows no other log than before.", hint).into());
        };
        let read = self.memory.unread.last().map_or(cursor.seq, |(seq, _, _)| *seq);
        let past = head < cursor.seq;
        if !past && read < head {
            return Err(later().into());
        }
        if past && self.hash_at(head)? != Some(hash) {
            let hint = Some("Do not use it. Restore a backup that you trust.");
            return Err(refused("That relay has another past than this device.", hint).into());
        }
        self.memory.profile.stopped = None;
        let (left, to) = (ByteArray::new(cursor.log.0), cursor.seq);
        if past {
            self.memory.profile.moved = Some(Moved { left, to, first: true });
            self.link.target = cursor.seq;
            self.link.carry = Some(head + 1);
            self.set_cursor(Cursor { log: new, ..cursor })?;
        } else {
            self.read_unread(Cursor { log: new, ..cursor })?;
            self.memory.claimed = None;
        }
        self.save_profile()?;
        self.bring_files()?;
        self.post_action(Action::LogChange { old: cursor.log, seq: head, hash, new })?;
        self.wait_posted(call, json!({"log": new.to_hex(), "seq": head}));
        self.event(json!({"v": 1, "type": "connection", "state": "online"}));
        Ok(())
    }
}

impl Engine {
    /// Looks whether an admin has named the log that the relay shows. What is read on the way is
    /// kept only if so.
    pub(super) fn try_strange(&mut self, now: Now) {
        let stopped = self.memory.profile.stopped == Some(Stopped::Strange);
        let read = self.memory.unread.last().map_or(0, |(seq, _, _)| *seq);
        let ready = stopped && self.link.connected && read > 0 && read >= self.link.target;
        if !ready || now.mono_ms < self.link.retry_at {
            return;
        }
        let kept = self.memory.unread.clone();
        let claimed = self.memory.claimed;
        if let Err(fault) = self.step(now, |cx| cx.read_strange()) {
            tracing::debug!(?fault, "a log that is not the team's");
            (self.memory.unread, self.memory.claimed) = (kept, claimed);
            let again = TRY_AGAIN_MS + 2 * self.memory.unread.len() as u64;
            self.link.retry_at = now.mono_ms + again;
        }
    }
}
