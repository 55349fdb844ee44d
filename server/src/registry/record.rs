//! How the registry stands in the store's typed state.
//!
//! ```text
//! team            version 1 | team 32 | root 32 | authority 32 | documents 8 | last hash 32
//! row/TRANSPORT   version 1 | A 32 | admin 1 | seen 8 | heard 8
//! invite/ID       version 1 | kind 1 (0 admin's, 1 founder, 2 spare) | stage 1 | gate 32 | psk 32 | expires 8 | ended 8 |
//!                 asked 8 | joiner 32 (zeros if none) | bundle
//! parent          version 1 | log id 16 | seq 8 | running hash 32, of the log this one replaces
//! spare           version 1 | log id 16, of the log that this relay will have, until it is begun
//! ```

use bytes::Bytes;
use staffetta_protocol::noise::keys::{AccessSecret, GateKey, HopPsk, StaticPublic, TransportHash};
use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::frame::InviteEnd;
use staffetta_protocol::wire::ids::{Digest, InviteId, LogId, Seq, TeamId};
use staffetta_protocol::wire::limits::MAX_BUNDLE;
use staffetta_protocol::wire::{Reader as WireReader, WireError, Writer};

use super::Team;
use super::budget::Budget;
use super::invites::{Invite, Kind, NewInvite, Stage, Standing};
use super::rows::Row;
use crate::config::Limits;
use crate::log::forget::Reader;
use crate::store::{Change, LogStore, StoreError};

const TEAM: &[u8] = b"team";
const ROW: &[u8] = b"row/";
const INVITE: &[u8] = b"invite/";
const PARENT: &[u8] = b"parent";
const SPARE: &[u8] = b"spare";
const VERSION: u8 = 1;

fn damaged(what: &'static str) -> StoreError {
    StoreError::Damaged { segment: "state".into(), what }
}

fn begin(value: Vec<u8>) -> Result<WireReader, WireError> {
    let mut read = WireReader::new(Bytes::from(value));
    if read.u8()? == VERSION { Ok(read) } else { Err(WireError::Value) }
}

fn flag(read: &mut WireReader) -> Result<bool, WireError> {
    match read.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(WireError::Value),
    }
}

/// The log that a restored one replaces, and the place up to which they are the same.
pub(crate) struct Parent {
    /// Its id.
    pub(crate) log: LogId,
    /// The last seq they share.
    pub(crate) seq: Seq,
    /// The running hash there.
    pub(crate) hash: Digest,
}

impl Parent {
    /// Its record.
    pub(crate) fn record(&self) -> Change {
        let mut out = Writer::default();
        out.u8(VERSION).put(&self.log.0).u64(self.seq).put(&self.hash.0);
        Change { key: PARENT.to_vec(), value: Some(out.finish()) }
    }

    /// Reads the record, if this log replaced another.
    pub(crate) fn read(store: &dyn LogStore) -> Result<Option<Self>, StoreError> {
        let Some(value) = store.get(PARENT)? else { return Ok(None) };
        read_parent(value).map(Some).map_err(|_| damaged("the parent"))
    }
}

/// The id that the log of a spare relay will have, once somebody says where it begins.
pub(super) fn spare(store: &dyn LogStore) -> Result<Option<LogId>, StoreError> {
    let Some(value) = store.get(SPARE)? else { return Ok(None) };
    let read = |value| {
        let mut read = begin(value)?;
        let log = LogId(read.array()?);
        read.finish().map(|()| log)
    };
    read(value).map(Some).map_err(|_| damaged("the spare's log"))
}

/// The record of that id.
pub(super) fn spare_log(log: &LogId) -> Change {
    let mut out = Writer::default();
    out.u8(VERSION).put(&log.0);
    Change { key: SPARE.to_vec(), value: Some(out.finish()) }
}

fn read_parent(value: Vec<u8>) -> Result<Parent, WireError> {
    let mut read = begin(value)?;
    let parent =
        Parent { log: LogId(read.array()?), seq: read.u64()?, hash: Digest(read.array()?) };
    read.finish()?;
    Ok(parent)
}

/// The team, if the relay is claimed.
pub(super) fn team(store: &dyn LogStore) -> Result<Option<Team>, StoreError> {
    let Some(value) = store.get(TEAM)? else { return Ok(None) };
    read_team(value).map(Some).map_err(|_| damaged("the team"))
}

fn read_team(value: Vec<u8>) -> Result<Team, WireError> {
    let mut read = begin(value)?;
    let team = Team {
        id: TeamId(read.array()?),
        root: read.array()?,
        authority: read.array()?,
        version: read.u64()?,
        hash: Digest(read.array()?),
    };
    read.finish()?;
    Ok(team)
}

/// All rows.
pub(super) fn rows(
    store: &dyn LogStore,
    limits: &Limits,
    now: u64,
) -> Result<Vec<Row>, StoreError> {
    let rows = store.scan(ROW)?.into_iter().map(|(key, value)| {
        let transport = key.strip_prefix(ROW).and_then(Digest::from_slice);
        let transport = transport.ok_or(WireError::Value)?;
        read_row(TransportHash(transport), value, Budget::new(limits, now.saturating_mul(1_000)))
    });
    rows.collect::<Result<_, _>>().map_err(|_| damaged("a row"))
}

fn read_row(transport: TransportHash, value: Vec<u8>, budget: Budget) -> Result<Row, WireError> {
    let mut read = begin(value)?;
    let access = AccessSecret::from_secret(Secret::take(&mut read.array()?));
    let is_admin = flag(&mut read)?;
    let reader = Reader { seen: read.u64()?, heard: read.u64()? };
    read.finish()?;
    Ok(Row::new(access, transport, is_admin, reader, budget))
}

fn row_key(transport: &Digest) -> Vec<u8> {
    [ROW, &transport.0].concat()
}

/// The removal of a row's record.
pub(super) fn removed_row(transport: &Digest) -> Change {
    Change { key: row_key(transport), value: None }
}

/// A row's record.
pub(super) fn row(row: &Row) -> Change {
    let mut out = Writer::default();
    let reader = row.reader();
    out.u8(VERSION).put(row.access().secret().expose()).u8(row.is_admin.into());
    out.u64(reader.seen).u64(reader.heard);
    Change { key: row_key(&row.transport.0), value: Some(out.finish()) }
}

/// The records of one document: all or none of them are made.
pub(super) fn changed_rows(team: &Team, removed: &[Digest], added: &[Row]) -> Vec<Change> {
    let mut out = Writer::default();
    out.u8(VERSION).put(&team.id.0).put(&team.root).put(&team.authority);
    out.u64(team.version).put(&team.hash.0);
    let team = Change { key: TEAM.to_vec(), value: Some(out.finish()) };
    let removed = removed.iter().map(|gone| Change { key: row_key(gone), value: None });
    std::iter::once(team).chain(removed).chain(added.iter().map(row)).collect()
}

/// All invites.
pub(super) fn invites(store: &dyn LogStore) -> Result<Vec<Invite>, StoreError> {
    let invites = store.scan(INVITE)?.into_iter().map(|(key, value)| {
        let id = key.strip_prefix(INVITE).and_then(InviteId::from_slice);
        read_invite(id.ok_or(WireError::Value)?, value)
    });
    invites.collect::<Result<_, _>>().map_err(|_| damaged("an invite"))
}

fn read_invite(id: InviteId, value: Vec<u8>) -> Result<Invite, WireError> {
    let mut read = begin(value)?;
    let kind = match read.u8()? {
        0 => Kind::Member,
        1 => Kind::Founder,
        2 => Kind::Spare,
        _ => return Err(WireError::Value),
    };
    let stage = match read.u8()? {
        0 => Stage::Open,
        1 => Stage::Waiting,
        2 => Stage::Ended(InviteEnd::Enrolled),
        3 => Stage::Ended(InviteEnd::Refused),
        4 => Stage::Ended(InviteEnd::Revoked),
        _ => return Err(WireError::Value),
    };
    let gate = GateKey::from_secret(Secret::take(&mut read.array()?));
    let psk = HopPsk::from_secret(Secret::take(&mut read.array()?));
    let (expires, ended, asked) = (read.u64()?, read.u64()?, read.u64()?);
    let joiner: [u8; 32] = read.array()?;
    let joiner = (joiner != [0; 32]).then_some((StaticPublic(joiner), asked));
    let bundle = read.bytes16(MAX_BUNDLE)?;
    read.finish()?;
    let standing = Standing { stage, joiner, ended };
    Ok(Invite::new(NewInvite { id, gate, psk, expires, bundle }, kind, standing))
}

/// The key of an invite's record.
pub(super) fn invite_key(id: &InviteId) -> Vec<u8> {
    [INVITE, &id.0].concat()
}

/// An invite's record.
///
/// # Errors
/// `TooLarge` for a bundle above its limit, which the codec refuses before.
pub(super) fn invite(invite: &Invite, standing: &Standing) -> Result<Change, StoreError> {
    let mut out = Writer::default();
    out.u8(VERSION).u8(match invite.kind {
        Kind::Member => 0,
        Kind::Founder => 1,
        Kind::Spare => 2,
    });
    out.u8(match standing.stage {
        Stage::Open => 0,
        Stage::Waiting => 1,
        Stage::Ended(InviteEnd::Enrolled) => 2,
        Stage::Ended(InviteEnd::Refused) => 3,
        Stage::Ended(InviteEnd::Revoked) => 4,
    });
    let (joiner, asked) = standing.joiner.unwrap_or((StaticPublic([0; 32]), 0));
    out.put(invite.gate.secret().expose()).put(invite.psk.secret().expose());
    out.u64(invite.expires).u64(standing.ended).u64(asked).put(&joiner.0);
    out.bytes16(&invite.bundle, MAX_BUNDLE).map_err(|_| StoreError::TooLarge)?;
    Ok(Change { key: invite_key(&invite.id), value: Some(out.finish()) })
}
