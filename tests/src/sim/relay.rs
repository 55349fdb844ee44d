//! A relay's rules without its disk and its sockets: one log, one registry, invites, blobs.

use std::collections::{BTreeMap, HashMap};

use blake2::{Blake2s256, Digest as _};
use bytes::Bytes;
use staffetta_protocol::noise::keys::TransportHash;
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{FailCode, InviteEnd, Request, ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{BlobId, CellId, Digest, InviteId, Lane, LogId, Seq};
use staffetta_protocol::wire::limits::CELL;
use staffetta_protocol::wire::rows::{RowsDocument, SignedRows};
use staffetta_protocol::wire::running_hash;

use super::choices::Choices;

/// The log's identity.
pub const LOG: LogId = LogId([5; 16]);
/// How long a relay that is full asks to wait.
const RETRY_MS: u32 = 500;

/// Everything a relay keeps.
#[derive(Clone, Default)]
pub struct Relay {
    log: Vec<(CellId, [u8; CELL])>,
    hashes: Vec<Digest>,
    places: HashMap<CellId, usize>,
    registry: Option<(Digest, [u8; 32])>,
    rows: Vec<TransportHash>,
    /// The sealed bundles of invites.
    pub bundles: BTreeMap<InviteId, Bytes>,
    /// How invites ended.
    pub ended: BTreeMap<InviteId, InviteEnd>,
    blobs: BTreeMap<BlobId, BTreeMap<u16, (u16, Bytes)>>,
    /// Refuse everything that stores.
    pub full: bool,
}

impl Relay {
    /// The newest seq.
    pub fn head(&self) -> Seq {
        self.log.len() as Seq
    }

    /// The cell at a seq.
    pub fn cell(&self, seq: Seq) -> Option<[u8; CELL]> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.log.get(at).map(|(_, cell)| *cell)
    }

    /// Whether the registry has a row for this device.
    pub fn knows(&self, row: &TransportHash) -> bool {
        self.rows.contains(row)
    }

    /// Answers a device's HELLO.
    pub fn welcome(&self) -> ToDevice {
        let hash = self.hashes.last().copied().unwrap_or(Digest([0; 32]));
        ToDevice::Welcome {
            version: 1,
            lane: Lane(0),
            log: LOG,
            oldest: 1,
            head: self.head(),
            hash,
            admin: false,
            blob_quota: u64::MAX,
        }
    }

    /// Up to `count` cells from a seq on.
    pub fn push(&self, first: Seq, count: usize) -> Option<(ToDevice, usize)> {
        let from = usize::try_from(first).ok()?.checked_sub(1)?;
        let cells = self.log.get(from..(from + count).min(self.log.len()))?;
        let hash = *self.hashes.get(from + cells.len())?;
        let run = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
        let push = ToDevice::Push { lane: Lane(0), first, hash, cells: run };
        (!cells.is_empty()).then_some((push, cells.len()))
    }

    /// Takes cells; `None` if an id is known with other bytes.
    pub fn put(&mut self, cells: &Cells) -> Option<Vec<Seq>> {
        let other = |(id, cell): (CellId, &[u8; CELL])| {
            self.places.get(&id).is_some_and(|at| self.log[*at].1 != *cell)
        };
        if cells.iter().any(other) {
            return None;
        }
        Some(cells.iter().map(|(id, cell)| self.append(id, cell)).collect())
    }

    /// Takes the first cells of a PUT that was broken off; true if there were more.
    pub fn take_part(&mut self, frame: ToRelay, choices: &mut Choices) -> bool {
        let ToRelay::Put { cells, .. } = frame else { return false };
        if self.full || cells.len() < 2 {
            return false;
        }
        let count = 1 + choices.below(cells.len() as u64 - 1);
        self.put(&Cells::collect((0..count).zip(cells.iter()).map(|(_, cell)| cell))).is_some()
    }

    fn append(&mut self, id: CellId, cell: &[u8; CELL]) -> Seq {
        let at = *self.places.entry(id).or_insert(self.log.len());
        if at == self.log.len() {
            let last = self.hashes.last().copied().unwrap_or(Digest([0; 32]));
            self.hashes.push(running_hash::next(&last, &id, cell));
            self.log.push((id, *cell));
        }
        at as Seq + 1
    }

    /// What the relay does with a frame of an enrolled device.
    pub fn answer(&mut self, frame: ToRelay) -> Option<ToDevice> {
        let fail = |request, code, retry_ms| ToDevice::Fail { request, code, retry_ms };
        Some(match frame {
            ToRelay::Put { request, .. } | ToRelay::BlobPut { request, .. } if self.full => {
                fail(request, FailCode::OverQuota, RETRY_MS)
            }
            ToRelay::Put { request, cells, .. } => match self.put(&cells) {
                Some(seqs) => ToDevice::Ack { request, seqs },
                None => fail(request, FailCode::Conflict, 0),
            },
            ToRelay::Rows { request, document } => self.change_rows(request, &document),
            ToRelay::Invite { request, id, bundle, .. } => {
                self.bundles.insert(id, bundle);
                ToDevice::Done { request }
            }
            ToRelay::InviteEnd { request, id, end } => {
                self.ended.insert(id, end);
                ToDevice::Done { request }
            }
            ToRelay::BlobPut { request, secret, index, count, chunk, .. } => {
                let id = BlobId(Blake2s256::digest(secret.expose()).into());
                self.blobs.entry(id).or_default().insert(index, (count, chunk));
                ToDevice::Done { request }
            }
            ToRelay::BlobGet { request, id, index, .. } => {
                match self.blobs.get(&id).and_then(|blob| blob.get(&index)) {
                    Some((count, chunk)) => {
                        ToDevice::Blob { request, count: *count, chunk: chunk.clone() }
                    }
                    None => fail(request, FailCode::Unknown, 0),
                }
            }
            ToRelay::BlobDelete { request, secret, .. } => {
                self.blobs.remove(&BlobId(Blake2s256::digest(secret.expose()).into()));
                ToDevice::Done { request }
            }
            ToRelay::Ping => ToDevice::Pong,
            _ => return None,
        })
    }

    /// A document that repeats the last one is done already; any other must follow it.
    pub fn change_rows(&mut self, request: Request, document: &SignedRows) -> ToDevice {
        let stale = ToDevice::Fail { request, code: FailCode::Stale, retry_ms: 0 };
        let denied = ToDevice::Fail { request, code: FailCode::Denied, retry_ms: 0 };
        let (last, authority) = match self.registry {
            Some((last, authority)) => (last, Some(authority)),
            None => (Digest([0; 32]), None),
        };
        if document.hash() == last {
            return ToDevice::Done { request };
        }
        let Ok(read) = document.verify(|_, read| read.claim.map(|c| c.root).or(authority)) else {
            return denied;
        };
        if read.previous != last {
            return stale;
        }
        self.take_rows(&read);
        self.registry = Some((document.hash(), read.authority));
        ToDevice::Done { request }
    }

    fn take_rows(&mut self, read: &RowsDocument) {
        if let (Some(claim), true) = (&read.claim, self.hashes.is_empty()) {
            self.hashes.push(running_hash::start(&claim.team, Lane(0), &LOG));
        }
        self.rows.retain(|row| !read.removed.contains(row));
        for row in &read.added {
            if !self.rows.contains(&row.transport) {
                self.rows.push(row.transport);
            }
        }
    }
}
