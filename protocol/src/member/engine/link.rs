//! The link to the relay as the engine sees it: what was asked, what was answered.

use std::collections::{BTreeMap, HashSet};

use crate::member::agent::core::Down;
use crate::noise::keys::StaticPublic;
use crate::wire::frame::Request;
use crate::wire::ids::{BlobId, CellId, Digest, InviteId, LogId, Seq};

use super::blobs::Fetch;

/// The state of one connection; a new one starts from nothing.
#[derive(Clone, Default)]
pub(super) struct Link {
    /// WELCOME came and nothing broke since.
    pub(super) connected: bool,
    /// Why the last connection or attempt ended.
    pub(super) down: Option<Down>,
    /// The address over which this connection goes.
    pub(super) address: Option<String>,
    /// The relay's key, as it was shown to the holder of a code.
    pub(super) relay: Option<StaticPublic>,
    /// The log that WELCOME named, its head and the running hash there.
    pub(super) shown: Option<(LogId, Seq, Digest)>,
    /// The oldest place that the relay still has, as WELCOME said.
    pub(super) oldest: Seq,
    /// When to look for the team's own relay elsewhere, in monotonic milliseconds.
    pub(super) leave_at: Option<u64>,
    /// The next cell to be put into a log that lacks it; nothing else is sent before the last.
    pub(super) carry: Option<Seq>,
    /// The head that WELCOME named: nothing is sent before it is read.
    pub(super) target: Seq,
    /// Cells handed over on this connection and not yet seen in the log.
    pub(super) sent: HashSet<CellId>,
    /// Nothing is put before this time, in monotonic milliseconds.
    pub(super) retry_at: u64,
    /// The relay refused cells for this reason, until it takes some again.
    pub(super) refused: Option<&'static str>,
    /// The last seq reported as SEEN, and when, in monotonic milliseconds.
    pub(super) seen: Seq,
    pub(super) seen_at: u64,
    /// When something is due that no frame announces, in monotonic milliseconds.
    pub(super) due: Option<u64>,
    /// When texts that wait for a renewed leaf go without it, in unix milliseconds.
    pub(super) texts_at: Option<u64>,
    /// Blobs to fetch, or being fetched.
    pub(super) fetches: Vec<Fetch>,
    asked: BTreeMap<Request, Asked>,
    next: Request,
}

/// What an outstanding request was for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Put(Vec<CellId>),
    /// Cells of the old log from this place on, so many.
    Carry(Seq, u64),
    /// Cells that stood apart, up to one that stood there.
    Apart(Seq),
    Rows,
    /// The rows of another relay than the team's.
    SpareRows,
    Base,
    Invite(InviteId),
    InviteEnd(InviteId),
    BlobPut(BlobId, u16),
    BlobGet(BlobId),
    BlobDelete(BlobId),
}

impl Link {
    /// No connection, for this reason.
    pub(super) fn broken(why: Down) -> Self {
        Self { down: Some(why), ..Self::default() }
    }

    /// Notes a request and returns the number that its answer will repeat.
    pub(super) fn ask(&mut self, what: Asked) -> Request {
        self.next = self.next.wrapping_add(1);
        self.asked.insert(self.next, what);
        self.next
    }

    /// What an answer is for; `None` if nothing was asked.
    pub(super) fn answered(&mut self, request: Request) -> Option<Asked> {
        self.asked.remove(&request)
    }

    /// Whether something of this sort is outstanding.
    pub(super) fn awaits(&self, sort: impl Fn(&Asked) -> bool) -> bool {
        self.asked.values().any(sort)
    }

    /// What to go back to if the step fails.
    pub(super) fn mark(&self) -> Self {
        self.clone()
    }

    /// Goes back to a mark.
    pub(super) fn reset_to(&mut self, mark: Self) {
        *self = mark;
    }
}
