//! What stands inside the age file: a first line, then records.
//!
//! ```text
//! "staffetta backup 1\n"
//! record   kind 1 | length 4 (big endian) | body
//! 1 file   name length 1 | name | bytes          config.toml, transport.key
//! 2 value  key length 1 | key | value            typed state
//! 3 log    team 32 | lane 2 | log 16 | seq 8 | running hash 32, just before the first cell
//! 4 cells  consecutive records of 1040 bytes, id and cell
//! 5 chunk  blob id 32 | index 4 | bytes
//! 6 end    seq 8 | running hash 32 | BLAKE2s-256 over all records before it
//! ```
//! Files, values, then log and cells if there is a log, then chunks, then the end, once.

use std::io::{self, Read, Write};

use blake2::{Blake2s256, Digest as _};

use super::BackupError;

/// The first line.
pub(super) const FIRST_LINE: &[u8] = b"staffetta backup 1\n";
const ANY_VERSION: &[u8] = b"staffetta backup ";
/// The largest body of a record, in bytes: 256 cells fit.
const MAX_BODY: usize = 512 * 1024;

/// The kinds of record.
pub(super) mod kind {
    pub(in super::super) const FILE: u8 = 1;
    pub(in super::super) const VALUE: u8 = 2;
    pub(in super::super) const LOG: u8 = 3;
    pub(in super::super) const CELLS: u8 = 4;
    pub(in super::super) const CHUNK: u8 = 5;
    pub(in super::super) const END: u8 = 6;
}

/// Writes records.
pub(super) struct Records<W> {
    to: W,
    digest: Blake2s256,
}

impl<W: Write> Records<W> {
    pub(super) fn new(mut to: W) -> io::Result<Self> {
        to.write_all(FIRST_LINE)?;
        Ok(Self { to, digest: Blake2s256::new() })
    }

    /// Writes one record whose body is `parts` together.
    pub(super) fn put(&mut self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).ok().filter(|length| *length as usize <= MAX_BODY);
        let length = length.ok_or_else(|| io::Error::other("a record above its bound"))?;
        let head = [[kind].as_slice(), &length.to_be_bytes()].concat();
        for part in std::iter::once(head.as_slice()).chain(parts.iter().copied()) {
            self.digest.update(part);
            self.to.write_all(part)?;
        }
        Ok(())
    }

    /// The digest so far.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    pub(super) fn finish(self) -> W {
        self.to
    }
}

/// Reads records.
pub(super) struct Reader<R> {
    from: R,
    digest: Blake2s256,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(mut from: R) -> Result<Self, BackupError> {
        let mut line = [0; FIRST_LINE.len()];
        from.read_exact(&mut line).map_err(cut)?;
        match line.as_slice() {
            FIRST_LINE => Ok(Self { from, digest: Blake2s256::new() }),
            other if other.starts_with(ANY_VERSION) => Err(BackupError::Newer),
            _ => Err(BackupError::Damaged("its first line")),
        }
    }

    /// The next record, and the digest of all before it.
    pub(super) fn next(&mut self) -> Result<(u8, Vec<u8>, [u8; 32]), BackupError> {
        let before = self.digest.clone().finalize().into();
        let mut head = [0; 5];
        self.from.read_exact(&mut head).map_err(cut)?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_BODY {
            return Err(BackupError::Damaged("a record above its bound"));
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).map_err(cut)?;
        self.digest.update(head);
        self.digest.update(&body);
        Ok((kind, body, before))
    }

    /// Nothing may follow the end.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        match self.from.read(&mut [0]).map_err(cut)? {
            0 => Ok(()),
            _ => Err(BackupError::Damaged("more after its end")),
        }
    }
}

fn cut(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            BackupError::Damaged("damaged or cut off")
        }
        _ => BackupError::Io(error),
    }
}
