//! From a pushed cell to what it means.

use serde_json::json;

use super::Cx;
use super::alarms::Alarm;
use super::evidence::Evidence;
use super::fault::Fault;
use super::memory::{Key, Live};
use super::profile::{Stage, Stopped};
use super::scout::Scout;
use crate::cell::chain::{Accepted, Whole};
use crate::cell::fragment::Fragment;
use crate::member::agent::core::Out;
use crate::member::store::{ChainRow, ChannelKind, Cursor, MetaKey, NewChain, OutCell, OwnCell};
use crate::wire::Cells;
use crate::wire::ids::{CellId, DeviceId, Digest, InviteId, LogId, RoomId, Seq};
use crate::wire::limits::{CELL, CHAIN_LIFE};
use crate::wire::running_hash;

/// The channel in which a message came to be whole.
pub(super) struct From {
    pub(super) kind: ChannelKind,
    pub(super) room: Option<RoomId>,
    pub(super) peer: Option<DeviceId>,
    pub(super) invite: Option<InviteId>,
    pub(super) epoch: u64,
}

impl From {
    fn of(live: &Live) -> Self {
        Self {
            kind: live.kind,
            room: live.room,
            peer: live.peer,
            invite: live.invite,
            epoch: live.epoch,
        }
    }
}

impl Cx<'_> {
    /// WELCOME: the relay says which log it has. A log id, or a head, that contradicts what it has
    /// shown before stops the device.
    pub(super) fn welcome(
        &mut self,
        log: LogId,
        (head, hash): (Seq, Digest),
        oldest: Seq,
    ) -> Result<(), Fault> {
        let begun = oldest > 0;
        self.link.oldest = oldest;
        self.link.connected = true;
        self.link.down = None;
        self.link.target = head;
        self.link.shown = Some((log, head, hash));
        if self.scout.as_ref().is_some_and(Scout::is_out) {
            return self.scouted(log, (head, hash), begun);
        }
        if !self.is_at_home() && !self.may_stay_elsewhere(log)? {
            return Ok(());
        }
        (self.link.seen, self.link.seen_at) = (self.memory.head(), self.now.mono_ms);
        if self.memory.profile.behind.is_some() {
            // It is read again from where this connection begins.
            self.memory.unread.clear();
        }
        match (self.memory.cursor, &self.memory.profile.stage) {
            (Some(cursor), _) => {
                if cursor.log != log {
                    return self.other_log(log);
                }
                self.back_from_strange()?;
                self.is_back();
                if !begun {
                    return self.put_base();
                }
                if self.begin_to_carry(head, hash)? {
                    return Ok(());
                }
                if head < cursor.seq {
                    self.caught(Evidence::OtherLog)?;
                    return self.stop(Stopped::OtherLog);
                }
                if head == cursor.seq && hash != cursor.hash {
                    if self.may_stand_apart() {
                        return self.go_apart();
                    }
                    self.caught(Evidence::Fork)?;
                    return self.stop(Stopped::Forked);
                }
            }
            (None, Stage::Inside) => self.begin_log(log)?,
            (None, _) => self.memory.unread.clear(),
        }
        self.avoided.retain(|address| Some(address) != self.link.address.as_ref());
        self.event(json!({"v": 1, "type": "connection", "state": "online"}));
        Ok(())
    }

    /// The founder starts from the log's beginning, whose hash it knows.
    fn begin_log(&mut self, log: LogId) -> Result<(), Fault> {
        let team = self.memory.roster()?.team();
        let hash = running_hash::start(&team, crate::wire::ids::Lane(0), &log);
        self.set_cursor(Cursor { log, seq: 0, hash })
    }

    pub(super) fn set_cursor(&mut self, cursor: Cursor) -> Result<(), Fault> {
        self.tx.set_cursor(&cursor)?;
        self.memory.cursor = Some(cursor);
        Ok(())
    }

    /// PUSH: the next cells. They are taken over only if the running hash fits.
    pub(super) fn push(&mut self, first: Seq, hash: Digest, cells: &Cells) -> Result<(), Fault> {
        match self.memory.profile.stopped {
            Some(Stopped::Strange) => return self.push_strange(first, hash, cells),
            Some(_) => return Ok(()),
            None => {}
        }
        let Some(cursor) = self.memory.cursor else { return self.push_while_joining(first, cells) };
        if self.memory.profile.behind.is_some() {
            return self.push_while_behind(first, hash, cells);
        }
        if self.reads_again() {
            return self.push_again(first, hash, cells);
        }
        if first != cursor.seq + 1 {
            self.link.connected = false;
            self.effects.push(Out::Redial);
            let skipped = first > cursor.seq;
            return self.caught_once(if skipped { Evidence::Drop } else { Evidence::Replay });
        }
        let mut rolled = cursor.hash;
        let mut hashes = Vec::with_capacity(cells.len());
        for (id, cell) in cells.iter() {
            rolled = running_hash::next(&rolled, &id, cell);
            hashes.push(rolled);
        }
        if rolled != hash {
            if self.may_stand_apart() {
                return self.go_apart();
            }
            self.caught(Evidence::of_push(&cursor.hash, &hash, cells))?;
            return self.stop(Stopped::Forked);
        }
        self.note_hashes(first, &hashes)?;
        let mut at = cursor;
        for ((seq, (id, cell)), hash) in (first..).zip(cells.iter()).zip(&hashes) {
            self.cell(seq, &id, cell, hash)?;
            if self.memory.profile.stopped == Some(Stopped::Restored) {
                return Ok(());
            }
            at = Cursor { log: at.log, seq, hash: *hash };
            if self.turn_to_next_log(&mut at)? {
                // What comes after it in the old log does not count.
                let read = hashes.iter().take(usize::try_from(seq + 1 - first).unwrap_or(0));
                self.memory.recent.retain(|(place, _)| *place < first);
                return self.note_hashes(first, &read.copied().collect::<Vec<_>>());
            }
        }
        self.set_cursor(at)?;
        self.report_seen();
        Ok(())
    }

    /// One cell at its place.
    pub(super) fn cell(
        &mut self,
        seq: Seq,
        id: &CellId,
        cell: &[u8; CELL],
        hash: &Digest,
    ) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let read_before = self.stood_apart(seq, id, cell)?;
        match self.tx.own_cell(cell)? {
            OwnCell::Exact(own) => {
                self.tx.push_ring(seq, id, cell, hash, (true, now))?;
                return self.own_cell(seq, &own);
            }
            OwnCell::Altered(_) => {
                self.tx.push_ring(seq, id, cell, hash, (true, now))?;
                return self.caught(Evidence::Rewrite);
            }
            OwnCell::No => {}
        }
        if let Some(known) = read_before {
            if self.is_control(seq, cell) {
                self.foreign_cell(seq, cell)?;
            }
            return Ok(self.tx.push_ring(seq, id, cell, hash, (known, now))?);
        }
        // **A restored profile is stopped before sending**: it reads to the head first.
        if self.is_from_my_future(cell)? {
            return self.stop(Stopped::Restored);
        }
        // Before what it brings about: an entry may want the hash at its own place.
        let known = self.foreign_cell(seq, cell)?;
        Ok(self.tx.push_ring(seq, id, cell, hash, (known, now))?)
    }

    /// A cell of the outbox came back, equal in all 1024 bytes. Its first occurrence is the one
    /// that counts; a copy later means nothing.
    pub(super) fn own_cell(&mut self, seq: Seq, own: &OutCell) -> Result<(), Fault> {
        self.link.sent.remove(&own.id);
        let is_first = self.tx.placed_cell(&own.id, seq)?;
        let is_whole = self.chain_own(seq, &own.bytes)?;
        match self.tx.is_complete(own.message)? {
            Some(place) if is_first => self.own_message(own.message, place, is_whole),
            _ => Ok(()),
        }
    }

    /// Takes an own cell into its channel's chains like anybody's: the open ones are bounded, and
    /// what is whole must be so for this device exactly if it is for the others. `None` in a
    /// channel that has no chains or is no longer read.
    fn chain_own(&mut self, seq: Seq, cell: &[u8; CELL]) -> Result<Option<bool>, Fault> {
        let channels = &self.memory.channels;
        let at = channels.iter().position(|c| c.opened < seq && c.key.matches(cell));
        let Some((at, live)) = at.and_then(|at| Some((at, channels.get(at)?))) else {
            return Ok(None);
        };
        let Key::Sealed(key) = &live.key else { return Ok(None) };
        match key.open(cell) {
            Ok(fragment) => Ok(Some(self.fragment(at, seq, fragment)?.is_some())),
            Err(_) => Ok(Some(false)),
        }
    }

    /// Whether the cell is of a known channel. **Cells of an epoch count only after the place of
    /// the commit that opened it.**
    fn foreign_cell(&mut self, seq: Seq, cell: &[u8; CELL]) -> Result<bool, Fault> {
        let channels = &self.memory.channels;
        let Some(at) = channels.iter().position(|c| c.opened < seq && c.key.matches(cell)) else {
            return Ok(false);
        };
        let Some(live) = self.memory.channels.get(at) else { return Ok(false) };
        let from = From::of(live);
        let whole = match &live.key {
            Key::Sealed(key) => match key.open(cell) {
                Ok(fragment) => self.fragment(at, seq, fragment)?,
                Err(_) => {
                    tracing::warn!("a cell under a known tag is not authentic");
                    None
                }
            },
            Key::Direct(_) => self.direct_cell(at, seq, cell)?,
        };
        if let Some(whole) = whole {
            self.message(&from, whole)?;
        }
        Ok(true)
    }

    /// Takes a fragment into the channel's chains, in memory and on disk.
    fn fragment(
        &mut self,
        at: usize,
        seq: Seq,
        fragment: Fragment,
    ) -> Result<Option<Whole>, Fault> {
        let tx = self.tx;
        let Some(live) = self.memory.channels.get_mut(at) else { return Ok(None) };
        // A beacon is one cell: who was removed and holds an old key opens no chains with it.
        if live.kind == ChannelKind::Check && fragment.count != 1 {
            return Ok(None);
        }
        live.drop_void(tx, seq)?;
        match live.chains.accept(seq, fragment) {
            Accepted::Whole(whole, gone) => {
                if let Some(gone) = gone.filter(|gone| *gone < live.rows.len()) {
                    tx.remove_chain(live.rows.remove(gone))?;
                }
                return Ok(Some(whole));
            }
            Accepted::Opened => live.insert_last(tx)?,
            Accepted::Extended(index) => live.advance(tx, index)?,
            Accepted::Ignored => {}
        }
        Ok(None)
    }

    /// A whole message of somebody else's, at its place.
    fn message(&mut self, from: &From, whole: Whole) -> Result<(), Fault> {
        match from.kind {
            ChannelKind::Room => match from.room {
                Some(room) => self.room_message(room, from.epoch, whole),
                None => Ok(()),
            },
            ChannelKind::Control => self.control_message(whole),
            ChannelKind::Direct => match from.peer {
                Some(peer) => self.direct_message(peer, whole),
                None => Ok(()),
            },
            ChannelKind::Invite => match from.invite {
                Some(invite) => self.invite_message(invite, whole),
                None => Ok(()),
            },
            ChannelKind::Check => match from.room {
                Some(room) => self.beacon(room, &whole),
                None => Ok(()),
            },
        }
    }

    /// Reads again what matched nothing before, now that there are new channels. A Welcome names
    /// its Add's seq; the control room's reads everything.
    pub(super) fn rescan(&mut self, after: Seq) -> Result<(), Fault> {
        const BATCH: u32 = 256;
        let mut next = after + 1;
        loop {
            let cells = self.tx.ring_from(next, BATCH)?;
            let Some(last) = cells.last() else { return Ok(()) };
            next = last.seq + 1;
            for cell in cells {
                if self.foreign_cell(cell.seq, &cell.cell)? {
                    self.tx.known_ring(cell.seq)?;
                }
            }
        }
    }

    /// Stops this device for good, says why, and keeps everything it has.
    pub(super) fn stop(&mut self, why: Stopped) -> Result<(), Fault> {
        self.memory.profile.stopped = Some(why);
        self.save_profile()?;
        self.link.connected = false;
        self.effects.push(Out::Redial);
        self.alarm(Alarm::Stopped, why.text())
    }

    pub(super) fn save_profile(&self) -> Result<(), Fault> {
        Ok(self.tx.set(MetaKey::Profile, &self.memory.profile)?)
    }
}

impl Live {
    /// Chains that can no longer be completed are void, for everybody.
    pub(super) fn drop_void(
        &mut self,
        tx: &crate::member::store::Tx<'_>,
        seq: Seq,
    ) -> Result<(), Fault> {
        while let Some(old) =
            self.chains.0.iter().position(|c| seq.saturating_sub(c.first) >= CHAIN_LIFE)
        {
            self.chains.0.remove(old);
            if old < self.rows.len() {
                tx.remove_chain(self.rows.remove(old))?;
            }
        }
        Ok(())
    }

    fn row(&self, index: usize) -> Option<NewChain> {
        let chain = self.chains.0.get(index)?;
        Some(NewChain {
            channel: self.id,
            first: chain.first,
            kind: chain.kind,
            count: chain.count,
            next_index: chain.next_index,
            expects: chain.expects.0,
            content: chain.content.clone(),
        })
    }

    pub(super) fn insert_last(&mut self, tx: &crate::member::store::Tx<'_>) -> Result<(), Fault> {
        if let Some(row) = self.row(self.chains.0.len().saturating_sub(1)) {
            self.rows.push(tx.insert_chain(&row)?);
        }
        Ok(())
    }

    pub(super) fn advance(
        &mut self,
        tx: &crate::member::store::Tx<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        if let (Some(chain), Some(id)) = (self.row(index), self.rows.get(index)) {
            tx.advance_chain(&ChainRow { id: *id, chain })?;
        }
        Ok(())
    }
}
