//! Who may come in: rows, invites, and the signed documents that change them.
//!
//! The relay can refuse a document; it cannot make one, and so cannot enlarge the team. Nobody
//! here knows names, rooms or what a cell holds. Methods that change something block on the disk.

mod budget;
mod door;
mod handles;
mod invites;
mod operator;
mod record;
mod rows;
mod spare;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use staffetta_protocol::gate::{Gate, Token};
use staffetta_protocol::noise::keys::StaticPublic;
use staffetta_protocol::wire::frame::FailCode;
use staffetta_protocol::wire::ids::{Digest, InviteId, TeamId};

pub(crate) use self::budget::OverQuota;
pub(crate) use self::door::{Cut, Pass};
use self::handles::Handles;
use self::invites::Moment;
pub(crate) use self::invites::{Invite, Kind, NewInvite, Standing, store_founder};
pub(crate) use self::record::Parent;
pub(crate) use self::rows::Row;
use crate::config::Limits;
use crate::store::{Clock, LogStore, StoreError};

/// Rows of one relay at most: one log serves about 300 devices well.
pub(crate) const MAX_REGISTRY: usize = 1_000;

/// Why the registry did not change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The peer's fault, as it is told.
    #[error("refused")]
    Peer(FailCode),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FailCode> for Refused {
    fn from(code: FailCode) -> Self {
        Self::Peer(code)
    }
}

/// The team that claimed the relay, and the last document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Team {
    id: TeamId,
    root: [u8; 32],
    authority: [u8; 32],
    version: u64,
    hash: Digest,
}

/// Whom a token let in.
#[derive(Clone)]
pub(crate) enum Caller {
    /// An enrolled device's row.
    Device(Arc<Row>),
    /// The holder of an invite.
    Newcomer(Arc<Invite>),
}

/// Who sent a frame, as the handshake proved it.
#[derive(Clone)]
pub(crate) enum Sender {
    /// An enrolled device.
    Device(Arc<Row>),
    /// The holder of an invite, with its throwaway key.
    Newcomer(Arc<Invite>, StaticPublic),
}

struct Tables {
    team: Option<Team>,
    rows: HashMap<Digest, Arc<Row>>,
    invites: HashMap<InviteId, Arc<Invite>>,
    handles: Handles<Caller>,
}

/// The registry of a relay.
pub(crate) struct Registry {
    store: Arc<dyn LogStore>,
    clock: Clock,
    steady: Clock,
    limits: Limits,
    gate: Gate,
    tables: Mutex<Tables>,
    /// Held while a change is checked and made durable, so that two cannot cross.
    changing: Mutex<()>,
    /// The invites that a second key tried to use since the start, and when.
    reused: Mutex<Vec<(InviteId, u64)>>,
}

impl Registry {
    /// Reads the registry from `store`.
    pub(crate) fn open(
        store: Arc<dyn LogStore>,
        relay: &StaticPublic,
        limits: Limits,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let now = clock();
        let mut tables = Tables {
            team: record::team(&*store)?,
            rows: HashMap::new(),
            invites: HashMap::new(),
            handles: Handles::new(now),
        };
        for row in record::rows(&*store, &limits, now)? {
            tables.rows.insert(row.transport.0, Arc::new(row));
        }
        for invite in record::invites(&*store)? {
            tables.invites.insert(invite.id, Arc::new(invite));
        }
        tables.refill(now);
        let gate = Gate::of(relay);
        let registry = Self {
            steady: store.steady(),
            store,
            clock,
            limits,
            gate,
            tables: Mutex::new(tables),
            changing: Mutex::default(),
            reused: Mutex::default(),
        };
        registry.ensure_log()?;
        Ok(registry)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, as invites have to see it.
    fn moment(&self) -> Moment {
        let (wall, steady) = ((self.clock)(), (self.steady)());
        Moment { latest: wall.max(steady), earliest: wall.min(steady) }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom a token lets in, if anybody. Cheap checks first; no public-key work.
    pub(crate) fn admit(&self, token: &Token) -> Option<Caller> {
        let now = (self.clock)();
        let caller = {
            let mut tables = self.tables();
            if tables.handles.is_due(now) {
                tables.refill(now);
            }
            tables.handles.get(&token.handle())?.clone()
        };
        let (gate, key, door) = match &caller {
            Caller::Device(row) => (self.gate, &row.gate, &row.door),
            Caller::Newcomer(invite) if invite.is_remembered(self.moment()) => {
                (Gate::of_invites(), &invite.gate, &invite.door)
            }
            Caller::Newcomer(_) => return None,
        };
        gate.check(token, key, now).ok()?;
        door.is_fresh(token.nonce(), token.time(), now).then_some(caller)
    }

    /// All rows.
    pub(crate) fn rows(&self) -> Vec<Arc<Row>> {
        self.tables().rows.values().cloned().collect()
    }

    /// Whether a team claimed the relay.
    pub(crate) fn is_claimed(&self) -> bool {
        self.tables().team.is_some()
    }
}

impl Tables {
    fn refill(&mut self, now: u64) {
        let rows = self.rows.values().map(|row| (&row.gate, Caller::Device(row.clone())));
        let invites =
            self.invites.values().map(|invite| (&invite.gate, Caller::Newcomer(invite.clone())));
        self.handles.refill(now, rows.chain(invites));
    }
}
