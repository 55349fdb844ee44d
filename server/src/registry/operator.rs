//! What the operator may do to the registry: refuse, and nothing else.

use staffetta_protocol::wire::ids::Digest;

use super::{Caller, Invite, Kind, NewInvite, Registry, Row, Standing, record};
use crate::store::{Change, StoreError};

/// Bytes of a row's hash that an operator is shown.
const ENTRY: usize = 8;
/// The shortest beginning of an entry that is taken for it, in hexadecimal digits.
const MIN_ENTRY: usize = 6;

/// Why the registry did not change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    /// Nothing begins so.
    #[error("no device has this entry; `staffetta-relay devices` lists them")]
    Unknown,
    /// More than one begins so.
    #[error("more than one device begins so; give more of the entry")]
    Ambiguous,
    /// Too little was given.
    #[error("give at least {MIN_ENTRY} digits of the entry")]
    Short,
    /// The team is founded.
    #[error("a team claimed this relay; there is nothing left to found")]
    Claimed,
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Row {
    /// What the operator calls this row: the beginning of the hash it is stored under.
    pub(crate) fn entry(&self) -> String {
        let hex = self.transport.0.to_hex();
        hex.get(..2 * ENTRY).unwrap_or(&hex).to_owned()
    }

    /// Its open connections.
    pub(crate) fn connections(&self) -> usize {
        self.door.open_count()
    }
}

impl Registry {
    /// Takes the row whose entry begins with `entry` away and cuts its connections; how many
    /// admins' rows are left. An admin's device can add it again.
    pub(crate) fn evict(&self, entry: &str) -> Result<usize, OperatorError> {
        if entry.len() < MIN_ENTRY {
            return Err(OperatorError::Short);
        }
        let entry = entry.to_ascii_lowercase();
        let _changing = self.changing();
        let found: Vec<Digest> = {
            let tables = self.tables();
            let begins = |key: &&Digest| key.to_hex().starts_with(&entry);
            tables.rows.keys().filter(begins).copied().take(2).collect()
        };
        let transport = match found.as_slice() {
            [] => return Err(OperatorError::Unknown),
            [one] => *one,
            _ => return Err(OperatorError::Ambiguous),
        };
        self.store.set(vec![record::removed_row(&transport)])?;
        let mut tables = self.tables();
        if let Some(gone) = tables.rows.remove(&transport) {
            tables.handles.remove(&gone.gate);
            gone.door.shut();
        }
        Ok(tables.rows.values().filter(|row| row.is_admin).count())
    }

    /// Replaces the founder code of a relay that nobody claimed.
    pub(crate) fn reissue_founder(&self, invite: NewInvite) -> Result<(), OperatorError> {
        let _changing = self.changing();
        if self.is_claimed() {
            return Err(OperatorError::Claimed);
        }
        let invite = Invite::new(invite, Kind::Founder, Standing::OPEN);
        let old: Vec<_> = {
            let tables = self.tables();
            tables.invites.values().filter(|invite| invite.kind == Kind::Founder).cloned().collect()
        };
        let removed =
            old.iter().map(|invite| Change { key: record::invite_key(&invite.id), value: None });
        let added = record::invite(&invite, &Standing::OPEN)?;
        self.store.set(removed.chain([added]).collect())?;
        let mut tables = self.tables();
        for gone in old {
            tables.handles.remove(&gone.gate);
            tables.invites.remove(&gone.id);
            gone.door.shut();
        }
        let invite = std::sync::Arc::new(invite);
        tables.handles.add(&invite.gate, &Caller::Newcomer(invite.clone()));
        tables.invites.insert(invite.id, invite);
        Ok(())
    }

    /// Invites that somebody may still use.
    pub(crate) fn open_invites(&self) -> usize {
        let now = self.moment();
        self.tables().invites.values().filter(|invite| invite.is_usable(now)).count()
    }
}
