//! Writing a backup from an open store.

use std::fs;
use std::io::Write;

use data_encoding::HEXLOWER;
use staffetta_protocol::wire::ids::{BlobId, Digest};
use zeroize::Zeroizing;

use super::age::{Recipient, Sealer};
use super::format::{Records, kind};
use super::{BackupError, Summary};
use crate::blobs;
use crate::init::Layout;
use crate::store::{Head, LogStore};

/// Cells read from the store at a time.
const STEP: usize = 256;

/// Writes a backup of the relay with this layout and store to `to`, sealed to `recipient`.
///
/// The state is read before the head, so nothing in it is ahead of the cells. The caller sees to
/// it that nothing is forgotten meanwhile.
pub(crate) fn write<W: Write>(
    layout: &Layout,
    store: &dyn LogStore,
    recipient: &Recipient,
    to: W,
) -> Result<Summary, BackupError> {
    let mut out = Records::new(Sealer::new(to, recipient)?)?;
    for (name, path) in layout.backed_up() {
        let bytes = Zeroizing::new(fs::read(path)?);
        let length = u8::try_from(name.len()).unwrap_or(0);
        out.put(kind::FILE, &[&[length], name.as_bytes(), &bytes])?;
    }
    let summary = contents(store, &mut out)?;
    out.finish().finish()?;
    Ok(summary)
}

/// Writes what the store holds, and the end.
pub(super) fn contents<W: Write>(
    store: &dyn LogStore,
    out: &mut Records<W>,
) -> Result<Summary, BackupError> {
    let mut values = 0;
    let mut chunks: Vec<(BlobId, u16)> = Vec::new();
    for (key, value) in store.scan(b"")? {
        if let Some((id, held)) = blobs::held(&key, &value) {
            let there = held.iter().map(|index| (id, *index));
            // Deleted since: then the blob goes without its value too.
            if held.iter().any(|index| store.chunk(&id, (*index).into()).ok().flatten().is_none()) {
                continue;
            }
            chunks.extend(there);
        }
        let length = [u8::try_from(key.len()).unwrap_or(0)];
        out.put(kind::VALUE, &[&length, &key, &value])?;
        values += 1;
    }
    let (mut cells, mut head) = (0, Head { seq: 0, hash: Digest([0; 32]) });
    if let Some(identity) = store.identity() {
        let base = store.base()?;
        head = store.head();
        let lane = identity.lane.0.to_be_bytes();
        let (team, log) = (&identity.team.0, &identity.log.0);
        let seq = base.seq.to_be_bytes();
        out.put(kind::LOG, &[team, &lane, log, &seq, &base.hash.0])?;
        let mut next = base.seq + 1;
        while next <= head.seq {
            let left = usize::try_from(head.seq + 1 - next).unwrap_or(STEP);
            let span = store.read(next, STEP.min(left))?;
            if span.first != next || span.cells.is_empty() {
                return Err(BackupError::Damaged("the log changed while it was read"));
            }
            out.put(kind::CELLS, &[span.cells.records()])?;
            next += span.cells.len() as u64;
            cells += span.cells.len() as u64;
        }
    }
    let mut kept = 0;
    for (id, index) in chunks {
        // Chunks are write-once; one that is gone now was deleted, and its blob is let go of when
        // it is restored.
        let Some(bytes) = store.chunk(&id, index.into())? else { continue };
        out.put(kind::CHUNK, &[&id.0, &u32::from(index).to_be_bytes(), &bytes])?;
        kept += 1;
    }
    let digest = out.digest();
    out.put(kind::END, &[&head.seq.to_be_bytes(), &head.hash.0, &digest])?;
    let digest = HEXLOWER.encode(&digest);
    Ok(Summary { cells, head: head.seq, values, chunks: kept, digest })
}
