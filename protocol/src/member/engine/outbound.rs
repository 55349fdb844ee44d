//! From a message to cells at the relay: sealing, sending, sending again.

use serde_json::json;

use super::Cx;
use super::alarms::Alarm;
use super::evidence::Evidence;
use super::fault::Fault;
use super::link::Asked;
use super::marks::Marked;
use super::memory::{Key, Live};
use crate::cell::fragment::split;
use crate::member::agent::core::Out;
use crate::member::store::{NewOut, OutKind};
use crate::wire::Cells;
use crate::wire::frame::{FailCode, Request, ToRelay};
use crate::wire::ids::{CellId, Lane, RoomId, Seq};
use crate::wire::limits::{CELL, MAX_CELLS};

/// Milliseconds to wait after the relay refused cells without saying for how long.
const RETRY_MS: u64 = 1_000;
/// Cells read between two SEENs.
const SEEN_EVERY: u64 = 4_096;
/// Milliseconds between two SEENs of a quiet log.
const SEEN_EVERY_MS: u64 = 15 * 60 * 1_000;

/// A message's cells, ready to be sent.
pub(super) type SealedCells = Vec<(CellId, [u8; CELL])>;

impl Live {
    /// Cuts a message and seals it into cells with fresh ids.
    pub(super) fn seal(
        &self,
        random: &mut Marked<'_>,
        kind: u8,
        message: &[u8],
    ) -> Result<SealedCells, Fault> {
        let Key::Sealed(key) = &self.key else { return Err(Fault::Bug("not a sealed channel")) };
        let fragments = split(kind, message).map_err(|_| Fault::Bug("message too long"))?;
        Ok(fragments
            .iter()
            .map(|fragment| (CellId::random(random), key.seal(random, fragment)))
            .collect())
    }
}

impl Cx<'_> {
    /// Queues a message that needs no further encryption.
    pub(super) fn enqueue(
        &mut self,
        kind: OutKind,
        room: Option<RoomId>,
        epoch: u64,
        plain: Vec<u8>,
        cells: &[(CellId, [u8; CELL])],
    ) -> Result<i64, Fault> {
        let out = NewOut { kind, room, epoch, content: None, plain, queued_at: self.now.unix_s() };
        Ok(self.tx.enqueue(&out, cells)?)
    }

    /// Whether everything the relay had when it welcomed us is read.
    pub(super) fn caught_up(&self) -> bool {
        self.link.connected
            && self.link.carry.is_none()
            && self.memory.profile.behind.is_none()
            && self.memory.cursor.is_some_and(|c| c.seq >= self.link.target)
    }

    /// Hands the next cells over, up to one PUT at a time so that order is kept when one is
    /// refused. **A reconnecting device reads to the head first and re-sends only outbox cells it
    /// has not seen there.**
    pub(super) fn pump(&mut self) -> Result<(), Fault> {
        let busy = self.link.awaits(|asked| matches!(asked, Asked::Put(_)));
        // A device that fell behind asks where the log stands, and says nothing else.
        let behind = self.link.connected && self.memory.profile.behind.is_some();
        if !(self.caught_up() || behind) || busy || self.now.mono_ms < self.link.retry_at {
            return Ok(());
        }
        let known = u32::try_from(self.link.sent.len()).unwrap_or(u32::MAX);
        let most = known.saturating_add(MAX_CELLS as u32);
        let waiting = match behind {
            true => self.tx.unplaced_of(OutKind::Direct, most)?,
            false => self.tx.unplaced(None, most)?,
        };
        let next: Vec<_> = waiting
            .into_iter()
            .filter(|cell| !self.link.sent.contains(&cell.id))
            .take(MAX_CELLS)
            .collect();
        if next.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = next.iter().map(|cell| cell.id).collect();
        let cells = Cells::collect(next.iter().map(|cell| (cell.id, cell.bytes.as_ref())));
        self.link.sent.extend(ids.iter().copied());
        let request = self.link.ask(Asked::Put(ids));
        self.effects.push(Out::Send(ToRelay::Put { lane: Lane(0), request, cells }));
        Ok(())
    }

    /// ACK: the cells are durable at the relay. They count when they come back.
    /// Of what is whole there and has not come back yet, people are told.
    pub(super) fn acked(&mut self, request: Request, seqs: &[Seq]) -> Result<(), Fault> {
        let cells = match self.link.answered(request) {
            Some(Asked::Put(cells)) => cells,
            Some(Asked::Carry(first, count)) => return self.carried(first, count, seqs),
            Some(Asked::Apart(last)) => return self.carried_apart(last),
            _ => return Ok(()),
        };
        self.link.refused = None;
        for id in cells {
            // Cells go out in their order: with the last one all are there.
            let Some(cell) = self.tx.cell(&id)?.filter(|cell| cell.index + 1 == cell.count) else {
                continue;
            };
            let out = self.tx.out(cell.message)?.filter(|out| out.message.kind == OutKind::Text);
            if let Some(content) = out.and_then(|out| out.message.content) {
                self.event(json!({"v": 1, "type": "stored", "id": content.to_hex()}));
            }
        }
        Ok(())
    }

    /// The relay refused cells: they stay queued.
    pub(super) fn put_failed(
        &mut self,
        ids: &[CellId],
        code: FailCode,
        retry_ms: u32,
    ) -> Result<(), Fault> {
        for id in ids {
            self.link.sent.remove(id);
        }
        let wait = if retry_ms == 0 { RETRY_MS } else { retry_ms.into() };
        self.link.retry_at = self.now.mono_ms + wait;
        self.link.refused = Some(match code {
            FailCode::OverQuota => "over quota at the relay",
            FailCode::LowDisk => "the relay's disk is nearly full",
            FailCode::Conflict => {
                let text = "The relay says it knows a message of this device with other bytes.";
                return self.alarm(Alarm::Relay(Evidence::Rewrite), text);
            }
            _ => "the relay cannot store at present",
        });
        Ok(())
    }

    /// Tells the relay how far this device has committed, so that it can forget.
    pub(super) fn report_seen(&mut self) {
        let (head, now) = (self.memory.head(), self.now.mono_ms);
        let many = head / SEEN_EVERY > self.link.seen / SEEN_EVERY;
        let long = head > self.link.seen && now >= self.link.seen_at + SEEN_EVERY_MS;
        if self.link.connected && (many || long) {
            (self.link.seen, self.link.seen_at) = (head, now);
            self.effects.push(Out::Send(ToRelay::Seen { lane: Lane(0), seq: head }));
        }
    }

    /// All cells of a message of this device have their places. `is_whole` says whether the others
    /// have a whole message there; where they have none, it is void for this device too.
    pub(super) fn own_message(
        &mut self,
        id: i64,
        place: Seq,
        is_whole: Option<bool>,
    ) -> Result<(), Fault> {
        let Some(out) = self.tx.out(id)? else { return Ok(()) };
        let void = !is_whole.unwrap_or(false);
        match out.message.kind {
            OutKind::Text => self.own_text(&out, place, void),
            OutKind::Commit => self.own_commit(&out, place, void),
            OutKind::Control => self.own_entry(&out, place, void),
            OutKind::Proposal => self.own_proposal(&out, place),
            OutKind::Admin => self.own_note(&out, void),
            OutKind::Direct | OutKind::Invite | OutKind::Package | OutKind::Beacon => {
                Ok(self.tx.remove_out(id)?)
            }
        }
    }
}
