//! What was acknowledged, and whether a relay still has it: once, in order, unchanged.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::{bail, ensure};
use staffetta_protocol::wire::frame::ToDevice;
use staffetta_protocol::wire::ids::Digest;
use staffetta_protocol::wire::running_hash;

use super::site::Process;
use super::team::{Device, cell, number};

/// Numbers of one sender's cells: the sender above this bit, counted below it.
pub const SENDER_SHIFT: u32 = 40;

/// The oracle.
#[derive(Clone, Default)]
pub struct Oracle {
    /// Cell number by seq, of everything acknowledged that was not yet found in the log.
    acked: BTreeMap<u64, u64>,
    /// What was read so far: its end, and the running hash there.
    checked: u64,
    hash: Option<Digest>,
    /// Every number read so far.
    known: HashSet<u64>,
    /// The last number read of each sender.
    last: BTreeMap<u64, u64>,
    /// How many were acknowledged in all.
    total: u64,
}

impl Oracle {
    /// Notes an ACK.
    pub fn acked(&mut self, numbers: &[u64], seqs: &[u64]) -> anyhow::Result<()> {
        ensure!(numbers.len() == seqs.len(), "an ACK with another number of seqs");
        for (number, seq) in numbers.iter().zip(seqs) {
            if *seq > self.checked {
                let before = self.acked.insert(*seq, *number);
                ensure!(before.is_none_or(|before| before == *number), "a seq acknowledged twice");
                self.total += u64::from(before.is_none());
            } else {
                // Sent again after a break, and the relay knows that it has it.
                ensure!(self.known.contains(number), "an old seq for a new cell");
            }
        }
        Ok(())
    }

    /// Cells acknowledged so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The last seq that was read.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// Reads what `process` has beyond what was read before, as `device`, and judges it.
    pub async fn check(&mut self, process: &Process, device: &Arc<Device>) -> anyhow::Result<()> {
        let (mut link, welcome) = device.link(process.address, self.checked + 1).await?;
        ensure!(
            welcome.oldest <= self.checked + 1,
            "LOST: cells from {} on were forgotten unseen",
            self.checked + 1
        );
        ensure!(
            welcome.head >= self.checked,
            "LOST: the head went back from {} to {}",
            self.checked,
            welcome.head
        );
        let start = running_hash::start(
            &super::team::TEAM,
            staffetta_protocol::wire::ids::Lane(0),
            &welcome.log,
        );
        let mut hash = self.hash.unwrap_or(start);
        while self.checked < welcome.head {
            let (first, cells, told) = match link.next().await? {
                ToDevice::Push { first, cells, hash, .. } => (first, cells, hash),
                ToDevice::Gap { .. } => bail!("LOST: a gap"),
                _ => continue,
            };
            ensure!(first == self.checked + 1, "a push of {first} after {}", self.checked);
            for (id, bytes) in cells.iter() {
                let number = number(&id)?;
                ensure!(cell(number).1 == *bytes, "CHANGED: the cell at {}", self.checked + 1);
                self.checked += 1;
                self.judge(number)?;
                hash = running_hash::next(&hash, &id, bytes);
            }
            ensure!(hash == told, "CHANGED: the running hash at {}", self.checked);
        }
        ensure!(hash == welcome.hash, "CHANGED: the running hash at the head");
        self.hash = Some(hash);
        if let Some((seq, _)) = self.acked.first_key_value() {
            bail!("LOST: seq {seq} was acknowledged, the head is {}", self.checked);
        }
        Ok(())
    }

    fn judge(&mut self, number: u64) -> anyhow::Result<()> {
        let seq = self.checked;
        ensure!(self.known.insert(number), "DUPLICATED: the cell at {seq}");
        if let Some(acked) = self.acked.remove(&seq) {
            ensure!(acked == number, "REORDERED: another cell stands at {seq}");
        }
        let before = self.last.insert(number >> SENDER_SHIFT, number);
        ensure!(before.is_none_or(|before| before < number), "REORDERED: the cell at {seq}");
        Ok(())
    }
}
