//! A relay that is a list of cells.

use std::collections::HashMap;

use blake2::Digest as _;

use crate::wire::Cells;
use crate::wire::frame::{FailCode, InviteEnd, ToDevice, ToRelay};
use crate::wire::ids::{BlobId, CellId, Digest, InviteId, Lane, LogId, TeamId};
use crate::wire::limits::{CELL, MAX_OPEN_INVITES};
use crate::wire::running_hash;

pub(super) const LOG: LogId = LogId([5; 16]);

/// It keeps what it is given, and answers at once.
#[derive(Default)]
pub(super) struct Relay {
    pub(super) log: Vec<(CellId, [u8; CELL])>,
    pub(super) hashes: Vec<Digest>,
    /// The hash of the last ROWS document, and the authority it names.
    pub(super) registry: Option<(Digest, [u8; 32])>,
    pub(super) bundles: HashMap<InviteId, Vec<u8>>,
    pub(super) ended: HashMap<InviteId, InviteEnd>,
    pub(super) blobs: HashMap<BlobId, Vec<bytes::Bytes>>,
    /// Its log's id, if it is not [`LOG`].
    pub(super) id: Option<LogId>,
    /// Refuse everything that stores.
    pub(super) full: bool,
    /// Cells up to this place are gone.
    pub(super) forgotten: u64,
    /// Store, acknowledge, and push nothing to anybody.
    pub(super) silent: bool,
    /// Its clock, as far as that matters: invites that end by then are refused.
    pub(super) unix_s: u64,
}

impl Relay {
    /// What stands up from a backup of this relay as it is: the same cells, under another id.
    pub(super) fn restored(&self) -> Self {
        let (log, hashes) = (self.log.clone(), self.hashes.clone());
        let (registry, id) = (self.registry, Some(LogId([7; 16])));
        Self { log, hashes, registry, id, ..Self::default() }
    }

    pub(super) fn put(&mut self, cells: &Cells) -> Vec<u64> {
        cells
            .iter()
            .map(|(id, cell)| {
                if let Some(at) = self.log.iter().position(|(known, _)| *known == id) {
                    return at as u64 + 1;
                }
                let last = *self.hashes.last().unwrap();
                self.hashes.push(running_hash::next(&last, &id, cell));
                self.log.push((id, *cell));
                self.log.len() as u64
            })
            .collect()
    }

    pub(super) fn answer(&mut self, frame: ToRelay) -> Option<ToDevice> {
        Some(match frame {
            ToRelay::Put { request, .. } if self.full => {
                ToDevice::Fail { request, code: FailCode::OverQuota, retry_ms: 500 }
            }
            ToRelay::Put { request, cells, .. } => {
                ToDevice::Ack { request, seqs: self.put(&cells) }
            }
            ToRelay::Rows { request, document } => {
                let key = self.registry.as_ref().map(|(_, authority)| *authority);
                let read = document.verify(|_, read| read.claim.map(|c| c.root).or(key)).unwrap();
                let last = self.registry.as_ref().map_or(Digest([0; 32]), |(hash, _)| *hash);
                if document.hash() != last && read.previous != last {
                    return Some(ToDevice::Fail { request, code: FailCode::Stale, retry_ms: 0 });
                }
                if let Some(claim) = &read.claim {
                    self.claim(&claim.team);
                }
                self.registry = Some((document.hash(), read.authority));
                ToDevice::Done { request }
            }
            ToRelay::Invite { request, expires, .. }
                if expires <= self.unix_s || self.open_invites() >= MAX_OPEN_INVITES =>
            {
                ToDevice::Fail { request, code: FailCode::TooLarge, retry_ms: 0 }
            }
            ToRelay::Invite { request, id, bundle, .. } => {
                self.bundles.insert(id, bundle.to_vec());
                ToDevice::Done { request }
            }
            ToRelay::InviteEnd { request, id, end } => {
                self.ended.insert(id, end);
                ToDevice::Done { request }
            }
            ToRelay::BlobPut { request, .. } if self.full => {
                ToDevice::Fail { request, code: FailCode::OverQuota, retry_ms: 500 }
            }
            ToRelay::BlobPut { request, secret, chunk, .. } => {
                let id = BlobId(blake2::Blake2s256::digest(secret.expose()).into());
                self.blobs.entry(id).or_default().push(chunk);
                ToDevice::Done { request }
            }
            ToRelay::BlobGet { request, id, index, .. } => match self.blobs.get(&id) {
                Some(chunks) => {
                    let (count, chunk) = (chunks.len() as u16, chunks[usize::from(index)].clone());
                    ToDevice::Blob { request, count, chunk }
                }
                None => ToDevice::Fail { request, code: FailCode::Unknown, retry_ms: 0 },
            },
            ToRelay::BlobDelete { request, secret, .. } => {
                let id = BlobId(blake2::Blake2s256::digest(secret.expose()).into());
                match self.blobs.remove(&id) {
                    Some(_) => ToDevice::Done { request },
                    None => ToDevice::Fail { request, code: FailCode::Unknown, retry_ms: 0 },
                }
            }
            _ => return None,
        })
    }

    fn open_invites(&self) -> usize {
        self.bundles.keys().filter(|id| !self.ended.contains_key(id)).count()
    }

    fn claim(&mut self, team: &TeamId) {
        if self.hashes.is_empty() {
            self.hashes.push(running_hash::start(team, Lane(0), &LOG));
        }
    }
}
