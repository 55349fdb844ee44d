//! The devices of a campaign: how they claim a relay, connect, send and read.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use ed25519_dalek::SigningKey;
use staffetta_protocol::gate::Gate;
use staffetta_protocol::invite_code::InviteCode;
use staffetta_protocol::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::session::device::DeviceSession;
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{FailCode, ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{CellId, Digest, Lane, LogId, TeamId};
use staffetta_protocol::wire::limits::CELL;
use staffetta_protocol::wire::rows::{Claim, Row, RowsDocument, RowsSigner};

use super::site::{Process, Site};
use crate::load::link::Link;

/// A resume so far ahead that nothing is pushed.
pub const ONLY_SEND: u64 = 1 << 60;
/// The team's id.
pub const TEAM: TeamId = TeamId([7; 32]);

/// One device's keys for the hop, and the relay's.
pub struct Device {
    access: AccessSecret,
    transport: StaticSecret,
    relay: StaticPublic,
}

/// What WELCOME said.
#[derive(Clone, Copy)]
pub struct Welcome {
    /// The log.
    pub log: LogId,
    /// The oldest seq held.
    pub oldest: u64,
    /// The head.
    pub head: u64,
    /// The running hash there.
    pub hash: Digest,
}

/// Claims `site`, which `process` serves, for `count` devices.
pub async fn found(
    site: &Site,
    process: &Process,
    code: &str,
    count: usize,
) -> anyhow::Result<Vec<Arc<Device>>> {
    let devices: Vec<_> = (0..count).map(|_| Arc::new(Device::new(site.key))).collect();
    let keys = InviteCode::parse(code)?.keys();
    let throwaway = StaticSecret::generate(&mut OsRandom);
    let session = DeviceSession::newcomer(0, &throwaway, &keys.psk)?;
    let gate = Gate::of_invites();
    let mut link = Link::connect(process.address, gate, &keys.gate, session).await?;
    link.next().await?;
    let seed = Secret::random(&mut OsRandom);
    let root = SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes();
    let document = RowsDocument {
        version: 1,
        previous: Digest([0; 32]),
        claim: Some(Claim { team: TEAM, root }),
        authority: root,
        added: devices.iter().map(|device| device.row()).collect(),
        removed: vec![],
        addresses: vec![],
    };
    let document = document.sign(RowsSigner::Root, &seed)?;
    link.send(&ToRelay::Rows { request: 1, document })?;
    link.flush().await?;
    ensure!(matches!(link.next().await?, ToDevice::Done { .. }), "the claim was refused");
    Ok(devices)
}

impl Device {
    fn new(relay: StaticPublic) -> Self {
        let access = AccessSecret::generate(&mut OsRandom);
        Self { access, transport: StaticSecret::generate(&mut OsRandom), relay }
    }

    fn row(&self) -> Row {
        let bytes = self.access.secret().expose();
        let access = AccessSecret::from_secret(Secret::filled(|out| out.copy_from_slice(bytes)));
        Row { access, transport: self.access.bind(&self.transport.public()), admin: true }
    }

    /// Connects, wanting the log from `resume` on.
    pub async fn link(&self, at: SocketAddr, resume: u64) -> anyhow::Result<(Link, Welcome)> {
        let psk = self.access.psk();
        let session = DeviceSession::device(0, &self.relay, &self.transport, &psk, resume)?;
        let (gate, key) = (Gate::of(&self.relay), self.access.gate_key());
        let mut link = Link::connect(at, gate, &key, session).await?;
        match link.next().await? {
            ToDevice::Welcome { log, oldest, head, hash, .. } => {
                Ok((link, Welcome { log, oldest, head, hash }))
            }
            _ => bail!("no welcome"),
        }
    }
}

/// The cell numbered `n`.
pub fn cell(n: u64) -> (CellId, [u8; CELL]) {
    let mut id = [0; 16];
    let mut cell = [0; CELL];
    for (at, byte) in cell.iter_mut().enumerate() {
        *byte = (n.wrapping_mul(0x9E37_79B9).wrapping_add(at as u64 * 31) >> 7) as u8;
    }
    if let Some(start) = id.first_chunk_mut::<8>() {
        *start = n.to_be_bytes();
    }
    (CellId(id), cell)
}

/// The number of a cell.
pub fn number(id: &CellId) -> anyhow::Result<u64> {
    Ok(u64::from_be_bytes(*id.0.first_chunk().context("a number")?))
}

/// Why a PUT was not acknowledged.
#[derive(Debug)]
pub enum NotStored {
    /// The relay said why.
    Refused(FailCode),
    /// The connection broke; the relay may have stored the cells.
    Broken,
}

/// PUTs the cells of these numbers in one frame and waits for their seqs. Tells whether a NOTICE of
/// a low disk came meanwhile through `was_noticed`.
pub async fn put(
    link: &mut Link,
    numbers: &[u64],
    was_noticed: &mut bool,
) -> Result<Vec<u64>, NotStored> {
    let cells: Vec<_> = numbers.iter().map(|n| cell(*n)).collect();
    let cells = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
    let frame = ToRelay::Put { lane: Lane(0), request: 7, cells };
    link.send(&frame).map_err(|_| NotStored::Broken)?;
    loop {
        match link.next().await.map_err(|_| NotStored::Broken)? {
            ToDevice::Ack { seqs, .. } => return Ok(seqs),
            ToDevice::Fail { code, .. } => return Err(NotStored::Refused(code)),
            ToDevice::Notice { .. } => *was_noticed = true,
            _ => {}
        }
    }
}
