//! Short forms of where a sender stands, compared with where this device stands: the first message
//! across a fork shows it, by name.

use super::Cx;
use super::alarms::Alarm;
use super::evidence::Evidence;
use super::fault::Fault;
use super::memory::signed_entries;
use crate::member::content::{Content, LogHead};
use crate::wire::ids::{DeviceId, Digest, Seq};
use crate::wire::limits::MAX_CELLS;

/// Running hashes kept for comparison.
const KEPT: usize = 8_192;

/// The first half of a running hash, as messages carry it.
pub(super) fn short(hash: &Digest) -> [u8; 16] {
    hash.0.first_chunk::<16>().copied().unwrap_or_default()
}

pub(super) fn other_past(who: &str) -> String {
    format!("The relay showed {who} another past than this device.")
}

pub(super) fn other_roster(who: &str) -> String {
    format!("{who}'s device has another list of the team than this one.")
}

impl Cx<'_> {
    /// Notes the running hashes at the places just read, in memory and on disk.
    pub(super) fn note_hashes(&mut self, first: Seq, hashes: &[Digest]) -> Result<(), Fault> {
        let hashes: Vec<[u8; 16]> = hashes.iter().map(short).collect();
        let recent = &mut self.memory.recent;
        recent.extend((first..).zip(hashes.iter().copied()));
        let surplus = recent.len().saturating_sub(KEPT);
        recent.drain(..surplus);
        let oldest = recent.front().map_or(first, |(seq, _)| *seq);
        Ok(self.tx.put_past(first, &hashes, oldest.saturating_sub(MAX_CELLS as u64))?)
    }

    /// Where this device stands, for a message it writes.
    pub(super) fn mark_heads(&self, content: &mut Content) -> Result<(), Fault> {
        let head = self.memory.roster()?.head();
        content.roster_head = Some((head.number, head.hash));
        content.log_head = self.memory.cursor.map(|c| LogHead { seq: c.seq, hash: short(&c.hash) });
        Ok(())
    }

    /// Compares where a sender stood with the same place here.
    pub(super) fn compare_heads(
        &mut self,
        sender: &DeviceId,
        content: &Content,
    ) -> Result<(), Fault> {
        if let Some(theirs) = content.log_head {
            if !self.has_other_hash(theirs.seq, &theirs.hash) {
                self.is_here(sender, theirs.seq);
            } else if self.was_elsewhere(sender, theirs.seq)? {
                return Ok(());
            } else {
                let who = self.member_name(sender).unwrap_or_default();
                self.alarm(Alarm::Relay(Evidence::Fork), &other_past(&who))?;
            }
        }
        if let Some((number, hash)) = content.roster_head
            && self.entry_hash(number)?.is_some_and(|own| own != hash)
        {
            let who = self.member_name(sender).unwrap_or_default();
            self.alarm(Alarm::OtherTeam, &other_roster(&who))?;
        }
        Ok(())
    }

    /// Whether the log had another running hash here at a place.
    pub(super) fn has_other_hash(&self, seq: Seq, theirs: &[u8; 16]) -> bool {
        let own = self.memory.recent.iter().find(|(own, _)| *own == seq);
        own.is_some_and(|(_, hash)| hash != theirs)
    }

    /// The hash of a roster entry this device has.
    pub(super) fn entry_hash(&self, number: u32) -> Result<Option<Digest>, Fault> {
        let head = self.memory.roster()?.head();
        if number == head.number {
            return Ok(Some(head.hash));
        }
        if number > head.number {
            return Ok(None);
        }
        let entries = signed_entries(self.tx, number)?;
        Ok(entries.last().map(crate::member::roster::SignedEntry::hash))
    }
}
