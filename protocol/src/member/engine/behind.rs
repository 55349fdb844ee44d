//! Falling behind what the relay keeps, and finding back into the log.
//!
//! The relay says GAP: what this device wanted next is gone. It takes nothing about the log from the
//! relay: it asks one device after the other where the log stands, reads meanwhile without believing
//! anything, and begins again at the signed answer, if what the relay pushed since fits it. What its
//! rooms went through it cannot know, so it comes back into each of them (see `resync`).

use std::collections::BTreeMap;

use serde_json::json;

use super::Cx;
use super::alarms::Alarm;
use super::direct::{DIRECT_PLACE, DIRECT_WHERE};
use super::evidence::Evidence;
use super::fault::Fault;
use super::memory::{Key, signed_entries};
use super::place::Standing;
use super::profile::{Behind, Stage};
use super::standstill::FROZEN_BEHIND;
use crate::cell::direct;
use crate::member::agent::core::Out;
use crate::member::store::{Cursor, MetaKey, OutKind, OwnCell, RING_CELLS, RoomStatus};
use crate::wire::Cells;
use crate::wire::ids::{CellId, DeviceId, Digest, RoomId, Seq};
use crate::wire::limits::CELL;
use crate::wire::running_hash;

/// Seconds before the next device is asked.
const PATIENCE_S: u64 = 30;
/// Answers that may be under way at a time, of the devices asked last.
const MAX_ASKED: usize = 64;

impl Cx<'_> {
    /// GAP: what came after the last place read is gone.
    pub(super) fn fell_behind(&mut self) -> Result<(), Fault> {
        if self.memory.profile.stage != Stage::Inside {
            return self.alarm(
                Alarm::Behind,
                "The relay no longer has the answer to this device's request. Ask for a new invitation.",
            );
        }
        if self.memory.profile.behind.is_none() {
            self.alarm(
                Alarm::Behind,
                "This device was away for longer than the relay keeps messages. It asks the others where to go on; what it missed stays missing.",
            )?;
            let rooms: Vec<RoomId> = self.memory.rooms.keys().copied().collect();
            for room in rooms {
                self.drop_under_way(&room)?;
            }
            for out in self.tx.pending_messages()? {
                match out.message.kind {
                    OutKind::Beacon => self.tx.remove_out(out.id)?,
                    OutKind::Admin => self.own_note(&out, true)?,
                    _ => {}
                }
            }
        }
        // Everything from here on, so that the answer's place lies in what is read.
        let from = self.link.target + 1;
        self.memory.profile.behind = Some(Behind { from, due: 0, asked: Vec::new() });
        self.save_profile()?;
        self.memory.unread.clear();
        self.link.connected = false;
        self.effects.push(Out::Redial);
        Ok(())
    }

    /// When the next device will have to be asked, in unix seconds.
    pub(super) fn behind_due(&self) -> Option<u64> {
        let due = self.memory.profile.behind.as_ref().map(|behind| behind.due);
        due.filter(|due| *due > self.now.unix_s())
    }

    /// Asks the next device where the log stands: its own member's first, then whoever was seen last.
    pub(super) fn ask_where(&mut self) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let Some(mut behind) = self.memory.profile.behind.clone() else { return Ok(()) };
        if behind.due > now || !self.link.connected {
            return Ok(());
        }
        let (me, mine) = (self.memory.me()?, self.memory.profile.member());
        let seen: BTreeMap<DeviceId, u64> = self.tx.seen_days()?.into_iter().collect();
        let roster = self.memory.roster()?;
        let mut others: Vec<_> = roster.active_devices().filter(|d| d.id != me).collect();
        others.sort_by_key(|d| {
            (Some(d.member) != mine, std::cmp::Reverse(seen.get(&d.id).copied().unwrap_or(0)))
        });
        let asked = behind.asked();
        let next = others.iter().map(|d| d.id).find(|id| !asked.contains(id));
        let head = roster.head().number;
        match next {
            Some(device) if asked.len() < MAX_ASKED => {
                self.send_direct(&device, DIRECT_WHERE, &head.to_be_bytes())?;
                behind.note(device);
            }
            _ => behind.asked.clear(),
        }
        behind.due = now + PATIENCE_S;
        self.memory.profile.behind = Some(behind);
        self.save_profile()
    }

    /// Somebody asks where the log stands; it is answered when this push is taken care of.
    pub(super) fn where_asked(&mut self, peer: DeviceId, message: &[u8]) -> Result<(), Fault> {
        let Ok(head) = <[u8; 4]>::try_from(message) else { return Ok(()) };
        if self.memory.asked_where.len() < MAX_ASKED {
            self.memory.asked_where.insert(peer, u32::from_be_bytes(head));
        }
        Ok(())
    }

    /// Answers whoever asks where the log stands.
    pub(super) fn tell_where(&mut self) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        for (peer, head) in std::mem::take(&mut self.memory.asked_where) {
            if !self.memory.roster()?.is_active(&peer) {
                continue;
            }
            let lacking = signed_entries(self.tx, u32::MAX)?.into_iter();
            let lacking = lacking.skip(head as usize + 1).collect();
            let standing = Standing::of(cursor, lacking, self.memory)?;
            let message = standing.sign(&peer, &self.memory.keys()?.identity);
            self.send_direct(&peer, DIRECT_PLACE, &message)?;
        }
        Ok(())
    }

    /// Reads on without believing anything; looks for an answer.
    pub(super) fn push_while_behind(
        &mut self,
        first: Seq,
        hash: Digest,
        cells: &Cells,
    ) -> Result<(), Fault> {
        let expected = self.memory.unread.last().map_or(first, |(seq, _, _)| seq + 1);
        if first != expected {
            return self.fell_behind();
        }
        for (seq, (id, cell)) in (first..).zip(cells.iter()) {
            self.memory.unread.push((seq, id, Box::new(*cell)));
        }
        let surplus = self.memory.unread.len().saturating_sub(RING_CELLS as usize);
        self.memory.unread.drain(..surplus);
        self.memory.claimed = Some((first + cells.len() as u64 - 1, hash));
        match self.find_standing()? {
            Some((peer, standing)) => self.take_standing(peer, &standing),
            None => Ok(()),
        }
    }

    /// A whole answer of a device that was asked, among the cells read so far.
    fn find_standing(&self) -> Result<Option<(DeviceId, Standing)>, Fault> {
        let Some(behind) = &self.memory.profile.behind else { return Ok(None) };
        let me = self.memory.me()?;
        for peer in behind.asked() {
            let Some(live) = self.memory.direct_channel(&peer) else { continue };
            let Key::Direct(tag) = &live.key else { continue };
            let Some(device) = self.memory.roster()?.device(&peer) else { continue };
            let own = &self.memory.keys()?.direct;
            let mut parts: BTreeMap<[u8; 8], BTreeMap<u16, Vec<u8>>> = BTreeMap::new();
            for (_, _, cell) in self.memory.unread.iter().filter(|(_, _, c)| tag.matches(c)) {
                let Some(part) = direct::open(own, &device.keys.direct, cell) else { continue };
                if part.kind != DIRECT_PLACE {
                    continue;
                }
                let of_message = parts.entry(part.id.0).or_default();
                of_message.insert(part.index, part.content);
                if of_message.len() == usize::from(part.count) {
                    let whole: Vec<u8> = of_message.values().flatten().copied().collect();
                    let read = Standing::read(&me, &device.keys.identity, &whole);
                    if let Some(standing) = read {
                        return Ok(Some((peer, standing)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Begins again where a device says that the log stands.
    fn take_standing(&mut self, peer: DeviceId, standing: &Standing) -> Result<(), Fault> {
        let Some(old) = self.memory.cursor else { return Ok(()) };
        let Standing { log, seq, hash, .. } = *standing;
        let fits = log == old.log && seq >= old.seq && self.rolls_to_claim(seq, hash);
        for signed in &standing.entries {
            self.entry(signed, seq, super::control::Origin::Other)?;
        }
        if self.memory.profile.stopped.is_some() {
            return Ok(());
        }
        let head = self.memory.roster()?.head();
        let whole = (head.number, head.hash) == (standing.number, standing.entry);
        if !fits || !whole {
            if !fits {
                let who = self.member_name(&peer).unwrap_or_default();
                let text = super::heads::other_past(&who);
                self.alarm(Alarm::Relay(Evidence::Fork), &text)?;
            }
            // Further entries from the same one, or another's word.
            return self.ask_again(peer, fits);
        }
        let mut own = Vec::new();
        for (at, _, cell) in self.memory.unread.iter().filter(|(at, _, _)| *at <= seq) {
            if let OwnCell::Exact(cell) = self.tx.own_cell(cell)? {
                own.push((*at, cell));
            }
        }
        for (at, cell) in own {
            self.own_cell(at, &cell)?;
        }
        self.memory.profile.behind = None;
        self.memory.claimed = None;
        self.save_profile()?;
        let cursor = Cursor { log, seq, hash };
        self.set_cursor(cursor)?;
        self.come_back()?;
        self.read_unread(cursor)?;
        self.event(json!({"v": 1, "type": "connection", "state": "online"}));
        Ok(())
    }

    /// The same device again, or, if it said what cannot be, the next.
    fn ask_again(&mut self, peer: DeviceId, same: bool) -> Result<(), Fault> {
        if let Some(behind) = &mut self.memory.profile.behind {
            if same {
                behind.forget(&peer);
            }
            behind.due = 0;
            let last = self.memory.unread.last().map(|(seq, _, _)| *seq);
            behind.from = last.map_or(behind.from, |seq| seq + 1);
        }
        self.memory.unread.clear();
        self.save_profile()
    }

    /// Whether what the relay pushed since fits a place and its running hash.
    fn rolls_to_claim(&self, seq: Seq, hash: Digest) -> bool {
        let unread: &[(Seq, CellId, Box<[u8; CELL]>)] = &self.memory.unread;
        let first = unread.first().map_or(Seq::MAX, |(first, _, _)| *first);
        let (Some((end, claimed)), true) = (self.memory.claimed, first <= seq + 1) else {
            return false;
        };
        let since = unread.iter().filter(|(at, _, _)| *at > seq);
        let rolled = since.fold(hash, |hash, (_, id, cell)| running_hash::next(&hash, id, cell));
        end >= seq && rolled == claimed
    }

    /// Every room may have gone on meanwhile: this device asks to be let into each again.
    fn come_back(&mut self) -> Result<(), Fault> {
        let rooms = self.memory.rooms.values().filter(|row| row.status != RoomStatus::Left);
        for room in rooms.map(|row| row.id).collect::<Vec<_>>() {
            self.close_channel(&room)?;
            self.set_status(room, RoomStatus::Frozen(FROZEN_BEHIND))?;
            self.want_resync(room, None)?;
        }
        // Whether what this device had posted was placed, nobody can say: it is posted again if it
        // still means something.
        for out in self.tx.pending_messages()? {
            match out.message.kind {
                OutKind::Control => self.own_entry(&out, 0, true)?,
                OutKind::Package => self.tx.remove_out(out.id)?,
                _ => {}
            }
        }
        Ok(self.tx.delete(MetaKey::LastResort)?)
    }
}
