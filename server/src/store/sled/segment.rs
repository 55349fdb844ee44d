//! One segment of the log: a sled database with a header and pages of cells.
//!
//! A page is at most [`PAGE_RECORDS`] consecutive records, because sled moves leaves above a
//! quarter of its own segment size (131,072 bytes) to files it does not sync, and a leaf may hold
//! seventeen values.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use staffetta_protocol::wire::ids::{Digest, Lane, LogId, Seq, TeamId};
use staffetta_protocol::wire::limits::CELL_RECORD;
use staffetta_protocol::wire::{Cells, running_hash};

use super::files::Database;
use crate::store::recent::Recent;
use crate::store::{Commit, LogIdentity, StoreError};

/// Records of a page at most.
pub(super) const PAGE_RECORDS: usize = 7;
/// Bytes of cache per open segment; sled keeps about a whole segment in memory in any case.
const CACHE: u64 = 8 * 1024 * 1024;

const HEADER_KEY: &[u8] = b"h";
const HEADER_VERSION: u8 = 1;
const PAGE_PREFIX: u8 = b'p';
const HASH: usize = Digest::LEN;

// The bound that keeps sled's `blobs/` empty: 17 pages, their keys and sled's own overhead.
const _: () = assert!(17 * (2 * HASH + PAGE_RECORDS * CELL_RECORD + 64) < 512 * 1024 / 4);

/// What a segment says of itself, written with its first page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The log it belongs to.
    pub(super) identity: LogIdentity,
    /// Its first seq.
    pub(super) first: Seq,
    /// The running hash before its first cell.
    pub(super) before: Digest,
}

impl Header {
    const LEN: usize = 1 + TeamId::LEN + 2 + LogId::LEN + 8 + HASH;

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.push(HEADER_VERSION);
        out.extend_from_slice(&encode_identity(&self.identity));
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.before.0);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (identity, rest) = rest.split_at_checked(IDENTITY)?;
        let (first, before) = rest.split_at_checked(8)?;
        if version != HEADER_VERSION {
            return None;
        }
        Some(Self {
            identity: decode_identity(identity)?,
            first: u64::from_be_bytes(first.try_into().ok()?),
            before: Digest::from_slice(before)?,
        })
    }
}

const IDENTITY: usize = TeamId::LEN + 2 + LogId::LEN;

/// Team id, lane (big endian), log id.
pub(super) fn encode_identity(identity: &LogIdentity) -> Vec<u8> {
    [identity.team.0.as_slice(), &identity.lane.0.to_be_bytes(), &identity.log.0].concat()
}

/// Reads what [`encode_identity`] wrote.
pub(super) fn decode_identity(bytes: &[u8]) -> Option<LogIdentity> {
    let (team, rest) = bytes.split_at_checked(TeamId::LEN)?;
    let (lane, log) = rest.split_at_checked(2)?;
    Some(LogIdentity {
        team: TeamId::from_slice(team)?,
        lane: Lane(u16::from_be_bytes(lane.try_into().ok()?)),
        log: LogId::from_slice(log)?,
    })
}

/// A page as stored: the running hash before it and after it, and its records.
struct Page {
    first: Seq,
    value: sled::IVec,
}

impl Page {
    fn new(key: &[u8], value: sled::IVec) -> Option<Self> {
        let (&prefix, seq) = key.split_first()?;
        let records = value.len().checked_sub(2 * HASH)?;
        if prefix != PAGE_PREFIX || records == 0 || !records.is_multiple_of(CELL_RECORD) {
            return None;
        }
        Some(Self { first: u64::from_be_bytes(seq.try_into().ok()?), value })
    }

    fn before(&self) -> Option<Digest> {
        Digest::from_slice(self.value.get(..HASH)?)
    }

    fn after(&self) -> Option<Digest> {
        Digest::from_slice(self.value.get(HASH..2 * HASH)?)
    }

    fn records(&self) -> &[u8] {
        self.value.get(2 * HASH..).unwrap_or_default()
    }

    fn cells(&self) -> Result<Cells, StoreError> {
        Cells::from_records(Bytes::copy_from_slice(self.records()))
            .map_err(|_| StoreError::Database("a page of no cells".into()))
    }

    fn end(&self) -> Seq {
        self.first + (self.records().len() / CELL_RECORD) as u64 - 1
    }
}

fn page_key(first: Seq) -> [u8; 9] {
    let mut key = [PAGE_PREFIX; 9];
    let (_, seq) = key.split_at_mut(1);
    seq.copy_from_slice(&first.to_be_bytes());
    key
}

/// An open segment.
pub(super) struct Segment {
    database: Database,
    name: String,
}

impl Segment {
    /// Opens the segment in `dir`.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let database = Database::open(dir, CACHE).map_err(|error| match error {
            StoreError::Database(_) => {
                StoreError::Damaged { segment: name.clone(), what: "it does not open" }
            }
            other => other,
        })?;
        Ok(Self { database, name })
    }

    /// Creates the segment `place` by way of `tmp`.
    pub(super) fn create(tmp: &Path, place: &Path) -> Result<(), StoreError> {
        super::files::create_database(tmp, place, CACHE)
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged { segment: self.name.clone(), what }
    }

    /// The header, or `None` in a segment to which nothing was ever appended.
    pub(super) fn header(&self) -> Result<Option<Header>, StoreError> {
        let Some(bytes) = self.database.db.get(HEADER_KEY)? else { return Ok(None) };
        Header::decode(&bytes).map(Some).ok_or_else(|| self.damaged("its header"))
    }

    /// The last seq, from the last page alone, or `None` in an empty segment.
    pub(super) fn last(&self) -> Result<Option<Seq>, StoreError> {
        let Some((key, value)) = self.database.db.last()? else { return Ok(None) };
        if key == HEADER_KEY {
            return Ok(None);
        }
        let page = Page::new(&key, value).ok_or_else(|| self.damaged("its last page"))?;
        Ok(Some(page.end()))
    }

    /// Makes what is there durable: after a kill it may stand in the system's memory only.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.database.sync()
    }

    /// Writes the header of a segment that has no commit yet.
    pub(super) fn begin(&self, header: &Header) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert(HEADER_KEY, header.encode());
        self.database.write(batch)
    }

    /// Appends a commit, durable on return; `header` goes with the segment's first.
    pub(super) fn append(
        &self,
        header: Option<&Header>,
        before: Digest,
        commit: &Commit,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        if let Some(header) = header {
            batch.insert(HEADER_KEY, header.encode());
        }
        let (mut before, mut first) = (before, commit.first);
        let pages = commit.cells.records().chunks(PAGE_RECORDS * CELL_RECORD);
        for (records, hashes) in pages.zip(commit.hashes.chunks(PAGE_RECORDS)) {
            let after = hashes.last().copied().unwrap_or(before);
            let value = [before.0.as_slice(), &after.0, records].concat();
            batch.insert(page_key(first).as_slice(), value);
            first += hashes.len() as u64;
            before = after;
        }
        self.database.write(batch)
    }

    /// Walks all pages, checks that they follow on `recent` without a hole and with the right
    /// running hash, and adds their cells to it.
    pub(super) fn replay(&self, recent: &mut Recent) -> Result<(), StoreError> {
        for item in self.database.db.range([PAGE_PREFIX].as_slice()..) {
            let (key, value) = item?;
            let page = Page::new(&key, value).ok_or_else(|| self.damaged("a page"))?;
            if page.first != recent.seq() + 1 {
                return Err(self.damaged("a hole in the seqs"));
            }
            for (id, cell) in page.cells()?.iter() {
                recent.push(id, cell);
            }
            if page.after() != Some(recent.hash()) {
                return Err(self.damaged("a break in the running hash"));
            }
        }
        Ok(())
    }

    /// Copies records from `from` to `out`, `max` of them at most and none above `end`; returns
    /// the running hash after the last, or `None` if nothing was copied.
    pub(super) fn read(
        &self,
        from: Seq,
        end: Seq,
        max: usize,
        out: &mut BytesMut,
    ) -> Result<Option<Digest>, StoreError> {
        let db = &self.database.db;
        let start = match db.get_lt(page_key(from + 1))? {
            Some((key, _)) if key.first() == Some(&PAGE_PREFIX) => key,
            _ => page_key(from).as_slice().into(),
        };
        let (mut next, mut left, mut hash) = (from, max, None);
        for item in db.range(start..) {
            let (key, value) = item?;
            let page = Page::new(&key, value).ok_or_else(|| self.damaged("a page"))?;
            if left == 0 || next > end || page.first > next {
                break;
            }
            if page.end() < next {
                continue;
            }
            let skip = usize::try_from(next - page.first).unwrap_or(usize::MAX);
            let until = usize::try_from(page.end().min(end) - next + 1).unwrap_or(0);
            let take = left.min(until);
            let records = page.records();
            let copied =
                records.get(skip * CELL_RECORD..(skip + take) * CELL_RECORD).unwrap_or_default();
            out.extend_from_slice(copied);
            next += take as u64;
            left -= take;
            hash = if next > page.end() {
                page.after()
            } else {
                let before = page.before().ok_or_else(|| self.damaged("a page"))?;
                let so_far = page.cells()?.slice(0, skip + take);
                Some(
                    so_far
                        .iter()
                        .fold(before, |hash, (id, cell)| running_hash::next(&hash, &id, cell)),
                )
            };
        }
        Ok(hash)
    }
}
