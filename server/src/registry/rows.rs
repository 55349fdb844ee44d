//! Rows, and the documents that add and remove them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use staffetta_protocol::noise::keys::{AccessSecret, GateKey, TransportHash};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::frame::FailCode;
use staffetta_protocol::wire::ids::{Digest, Lane, LogId, Seq};
use staffetta_protocol::wire::rows::{RowsDocument, RowsSigner, SignedRows};

use super::budget::{Budget, OverQuota};
use super::door::{Door, Ordinal, Pass};
use super::{Caller, Kind, MAX_REGISTRY, Refused, Registry, Sender, Team, record};
use crate::config::Limits;
use crate::log::forget::Reader;
use crate::store::{LogIdentity, StoreError};

/// What the relay knows of one device.
pub(crate) struct Row {
    access: AccessSecret,
    pub(crate) transport: TransportHash,
    pub(crate) is_admin: bool,
    pub(super) gate: GateKey,
    pub(super) door: Arc<Door>,
    seen: AtomicU64,
    heard: AtomicU64,
    budget: Mutex<Budget>,
}

const _: () = assert!(std::mem::needs_drop::<Row>());

impl Row {
    pub(super) fn new(
        access: AccessSecret,
        transport: TransportHash,
        is_admin: bool,
        reader: Reader,
        budget: Budget,
    ) -> Self {
        Self {
            gate: access.gate_key(),
            access,
            transport,
            is_admin,
            door: Arc::new(Door::default()),
            seen: AtomicU64::new(reader.seen),
            heard: AtomicU64::new(reader.heard),
            budget: Mutex::new(budget),
        }
    }

    /// A copy of the access secret, for one session.
    pub(crate) fn access(&self) -> AccessSecret {
        let bytes = self.access.secret().expose();
        AccessSecret::from_secret(Secret::filled(|out| out.copy_from_slice(bytes)))
    }

    /// Goes in.
    pub(crate) fn enter(&self, ordinal: Ordinal) -> Pass {
        self.door.enter(ordinal)
    }

    /// How far the device got.
    pub(crate) fn reader(&self) -> Reader {
        Reader {
            seen: self.seen.load(Ordering::Relaxed),
            heard: self.heard.load(Ordering::Relaxed),
        }
    }

    /// Notes that the device is here and committed everything up to `seq`.
    pub(crate) fn saw(&self, seq: Seq, now: u64) {
        self.seen.fetch_max(seq, Ordering::Relaxed);
        self.heard.fetch_max(now, Ordering::Relaxed);
    }

    /// Takes from the device's allowance.
    pub(crate) fn spend<T>(
        &self,
        take: impl FnOnce(&mut Budget) -> Result<T, OverQuota>,
    ) -> Result<T, OverQuota> {
        take(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Registry {
    /// Carries out a document, if it is signed, follows the last one and comes from `sender`: an
    /// admin's row, or the holder of the founder code.
    pub(crate) fn apply(&self, sender: &Sender, signed: &SignedRows) -> Result<(), Refused> {
        let _changing = self.changing();
        let team = self.tables().team;
        let may_send = match sender {
            Sender::Device(row) => row.is_admin,
            Sender::Newcomer(invite, _) => invite.kind != Kind::Member && team.is_none(),
        };
        if !may_send {
            return Err(FailCode::Denied.into());
        }
        if team.is_some_and(|team| team.hash == signed.hash()) {
            // Its DONE was lost.
            return Ok(());
        }
        let spare = matches!(sender, Sender::Newcomer(invite, _) if invite.kind == Kind::Spare);
        let document = signed
            .verify(|signer, document| match (team, &document.claim, signer) {
                (None, Some(claim), RowsSigner::Root) if !spare => Some(claim.root),
                // The team's root is not on its admins' devices any more.
                (None, Some(_), RowsSigner::Authority) if spare => Some(document.authority),
                (Some(team), None, RowsSigner::Root) => Some(team.root),
                (Some(team), None, RowsSigner::Authority) => Some(team.authority),
                _ => None,
            })
            .map_err(|_| FailCode::Denied)?;
        let next = next_team(team, &document, signed.hash(), spare)?;
        self.make(next, document, spare)?;
        self.ensure_log()?;
        if let Sender::Newcomer(invite, key) = sender {
            self.founded(invite, key)?;
        }
        Ok(())
    }

    fn make(&self, team: Team, document: RowsDocument, spare: bool) -> Result<(), Refused> {
        let now = (self.clock)();
        let start = Reader { seen: self.store.head().seq, heard: (self.steady)() };
        let removed: Vec<Digest> = document.removed.iter().map(|transport| transport.0).collect();
        let kept = {
            let tables = self.tables();
            tables.rows.keys().filter(|transport| !removed.contains(transport)).count()
        };
        if kept + document.added.len() > MAX_REGISTRY {
            return Err(FailCode::TooLarge.into());
        }
        let added: Vec<Row> = document
            .added
            .into_iter()
            .map(|row| {
                let budget = Budget::new(&self.limits, now.saturating_mul(1_000));
                Row::new(row.access, row.transport, row.admin, start, budget)
            })
            .collect();
        let mut changes = record::changed_rows(&team, &removed, &added);
        if spare {
            changes.push(record::spare_log(&LogId::random(&mut OsRandom)));
        }
        self.store.set(changes)?;
        let mut tables = self.tables();
        tables.team = Some(team);
        for transport in added.iter().map(|row| row.transport.0).chain(removed) {
            if let Some(gone) = tables.rows.remove(&transport) {
                tables.handles.remove(&gone.gate);
                gone.door.shut();
            }
        }
        for row in added {
            let row = Arc::new(row);
            tables.handles.add(&row.gate, &Caller::Device(row.clone()));
            tables.rows.insert(row.transport.0, row);
        }
        Ok(())
    }

    /// Creates the log of a claimed relay that has none.
    pub(super) fn ensure_log(&self) -> Result<(), StoreError> {
        let team = self.tables().team;
        match team {
            // A spare's is created when somebody says where it begins.
            Some(_) if record::spare(&*self.store)?.is_some() => Ok(()),
            Some(team) if self.store.identity().is_none() => {
                let log = LogId::random(&mut OsRandom);
                self.store.create(LogIdentity { team: team.id, lane: Lane(0), log })
            }
            _ => Ok(()),
        }
    }

    /// Makes durable how far every device got.
    pub(crate) fn save_readers(&self) -> Result<(), StoreError> {
        let _changing = self.changing();
        self.store.set(self.rows().iter().map(|row| record::row(row)).collect())
    }

    /// The limits of a device.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}

fn next_team(
    team: Option<Team>,
    document: &RowsDocument,
    hash: Digest,
    spare: bool,
) -> Result<Team, FailCode> {
    let (version, previous) = team.map_or((0, Digest([0; 32])), |team| (team.version, team.hash));
    // A spare's registry goes on where the team's stands, so that versions only grow.
    let follows = document.version == version + 1 || (spare && document.version > version);
    if !follows || document.previous != previous {
        return Err(FailCode::Stale);
    }
    let (id, root) = match (team, &document.claim) {
        (Some(team), None) => (team.id, team.root),
        (None, Some(claim)) => (claim.team, claim.root),
        _ => return Err(FailCode::Denied),
    };
    Ok(Team { id, root, authority: document.authority, version: document.version, hash })
}
