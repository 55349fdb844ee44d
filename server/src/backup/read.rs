//! Reading a backup and checking all of it on the way.

use std::io::{BufRead, Read};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use staffetta_protocol::wire::ids::{BlobId, Digest, Lane, LogId, TeamId};
use staffetta_protocol::wire::{Cells, running_hash};

use super::age::{Identity, Opener};
use super::format::{Reader, kind};
use super::{BackupError, Summary};
use crate::store::{Head, LogIdentity};

/// One thing in a backup.
pub(super) enum Item {
    /// A file of the relay's directory.
    File(String, Vec<u8>),
    /// A value of typed state.
    Value(Vec<u8>, Vec<u8>),
    /// The log and the place before its first cell.
    Log(LogIdentity, Head),
    /// The next cells.
    Cells(Cells),
    /// A chunk of a blob.
    Chunk(BlobId, u32, Vec<u8>),
}

fn damaged(what: &'static str) -> BackupError {
    BackupError::Damaged(what)
}

/// Hands everything in a backup to `each`, in order. It returns `Ok` only for a whole backup whose
/// digest and running hash are right; before that nothing is certain.
pub(super) fn read(
    from: impl BufRead,
    identity: &Identity,
    mut each: impl FnMut(Item) -> Result<(), BackupError>,
) -> Result<Summary, BackupError> {
    let mut records = Reader::new(Opener::new(from, identity)?)?;
    let mut head: Option<Head> = None;
    let (mut cells, mut values, mut chunks) = (0, 0, 0);
    loop {
        let (kind, body, before) = records.next()?;
        let item = match kind {
            kind::END => {
                let mut body = Fields(&body);
                let (seq, hash) = (body.u64()?, Digest(body.take()?));
                let digest: [u8; 32] = body.take()?;
                body.end()?;
                let at = head.unwrap_or(Head { seq: 0, hash: Digest([0; 32]) });
                if digest != before || (at.seq, at.hash) != (seq, hash) {
                    return Err(damaged("its end does not fit what is before it"));
                }
                records.finish()?;
                let digest = HEXLOWER.encode(&digest);
                return Ok(Summary { cells, head: seq, values, chunks, digest });
            }
            kind::FILE => {
                let (name, bytes) = named(&body)?;
                let name = String::from_utf8(name).map_err(|_| damaged("a file's name"))?;
                Item::File(name, bytes)
            }
            kind::VALUE => {
                values += 1;
                let (key, value) = named(&body)?;
                Item::Value(key, value)
            }
            kind::LOG if head.is_none() => {
                let (identity, base) = log(&body)?;
                head = Some(base);
                Item::Log(identity, base)
            }
            kind::CELLS => {
                let run = Cells::from_records(Bytes::from(body)).map_err(|_| damaged("a cell"))?;
                let at = head.as_mut().ok_or(damaged("cells of no log"))?;
                for (id, cell) in run.iter() {
                    at.hash = running_hash::next(&at.hash, &id, cell);
                    at.seq += 1;
                }
                cells += run.len() as u64;
                Item::Cells(run)
            }
            kind::CHUNK => {
                chunks += 1;
                let mut body = Fields(&body);
                let (id, index) = (BlobId(body.take()?), u32::from_be_bytes(body.take()?));
                Item::Chunk(id, index, body.0.to_vec())
            }
            _ => return Err(BackupError::Newer),
        };
        each(item)?;
    }
}

fn log(body: &[u8]) -> Result<(LogIdentity, Head), BackupError> {
    let mut body = Fields(body);
    let team = TeamId(body.take()?);
    let lane = Lane(u16::from_be_bytes(body.take()?));
    let log = LogId(body.take()?);
    let (seq, hash) = (body.u64()?, Digest(body.take()?));
    body.end()?;
    Ok((LogIdentity { team, lane, log }, Head { seq, hash }))
}

/// A name with its length before it, and the rest.
fn named(body: &[u8]) -> Result<(Vec<u8>, Vec<u8>), BackupError> {
    let split =
        body.split_first().and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)));
    let (name, rest) = split.ok_or(damaged("a name"))?;
    Ok((name.to_vec(), rest.to_vec()))
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut out = [0; N];
        self.0.read_exact(&mut out).map_err(|_| damaged("a short record"))?;
        Ok(out)
    }

    fn u64(&mut self) -> Result<u64, BackupError> {
        Ok(u64::from_be_bytes(self.take()?))
    }

    fn end(&self) -> Result<(), BackupError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("a long record")) }
    }
}
