//! Invites: opened and ended by admins, used once, remembered for seven days.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use staffetta_protocol::noise::keys::{GateKey, HopPsk, StaticPublic};
use staffetta_protocol::wire::frame::{FailCode, InviteEnd, JoinState};
use staffetta_protocol::wire::ids::InviteId;
use staffetta_protocol::wire::limits::{INVITE_MEMORY_S, MAX_OPEN_INVITES};
use tokio::sync::watch;

use super::door::{Door, Ordinal, Pass};
use super::{Caller, Refused, Registry, Sender, record};
use crate::store::{Change, LogStore, StoreError};

/// The longest life of an invite in seconds.
const MAX_LIFE_S: u64 = 7 * 24 * 3600;
/// Invites of one relay, those that ended and are remembered included.
pub(crate) const MAX_INVITES: usize = 2_048;
/// JOINs of one invite at most; the joiner repeats its own after a broken connection.
const MAX_JOINS: u32 = 16;

/// Now, when the wall clock may have jumped: what opens a door is judged by the later of both
/// clocks, what destroys something by the earlier. So a jump ends nothing for good and brings
/// nothing back to life.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) latest: u64,
    pub(super) earliest: u64,
}

/// How an invite stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nobody asked yet.
    Open,
    /// Somebody asked.
    Waiting,
    /// It ended, and how.
    Ended(InviteEnd),
}

/// How an invite stands, and who used it when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) stage: Stage,
    /// The first joiner's throwaway key and the unix second it asked.
    pub(crate) joiner: Option<(StaticPublic, u64)>,
    /// The unix second the invite ended; 0 before.
    pub(crate) ended: u64,
}

impl Standing {
    /// An invite nobody used.
    pub(crate) const OPEN: Self = Self { stage: Stage::Open, joiner: None, ended: 0 };

    /// What the holder of `key` is told.
    pub(crate) fn told_to(&self, key: &StaticPublic) -> JoinState {
        match (self.joiner, self.stage) {
            (Some((joiner, at)), _) if joiner != *key => JoinState::Used(at),
            (_, Stage::Open) => JoinState::Open,
            (_, Stage::Waiting) => JoinState::Waiting,
            (Some(_), Stage::Ended(InviteEnd::Enrolled)) => JoinState::Enrolled,
            (None, Stage::Ended(InviteEnd::Enrolled)) => JoinState::Used(self.ended),
            (_, Stage::Ended(InviteEnd::Refused | InviteEnd::Revoked)) => JoinState::Refused,
        }
    }
}

/// What an invite is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An admin made it, for one new device.
    Member,
    /// The relay made it: its holder founds the team.
    Founder,
    /// The relay made it: its holder makes the relay a team's next one.
    Spare,
}

/// An invite as the relay has it: it cannot open the bundle.
pub(crate) struct Invite {
    pub(super) id: InviteId,
    pub(super) gate: GateKey,
    pub(crate) psk: HopPsk,
    pub(crate) bundle: Bytes,
    pub(super) expires: u64,
    /// What it is good for.
    pub(crate) kind: Kind,
    pub(super) door: Arc<Door>,
    standing: watch::Sender<Standing>,
    joins: AtomicU32,
    /// Whether a second user was told of already.
    reused: AtomicBool,
}

const _: () = assert!(std::mem::needs_drop::<Invite>());

/// What INVITE says.
pub(crate) struct NewInvite {
    /// The invite.
    pub(crate) id: InviteId,
    /// Key of its tokens.
    pub(crate) gate: GateKey,
    /// psk of its hop.
    pub(crate) psk: HopPsk,
    /// When it expires, in unix seconds.
    pub(crate) expires: u64,
    /// The sealed bundle.
    pub(crate) bundle: Bytes,
}

impl Invite {
    pub(crate) fn new(from: NewInvite, kind: Kind, standing: Standing) -> Self {
        let NewInvite { id, gate, psk, expires, bundle } = from;
        Self {
            id,
            gate,
            psk,
            bundle,
            expires,
            kind,
            door: Arc::new(Door::default()),
            standing: watch::channel(standing).0,
            joins: AtomicU32::new(0),
            reused: AtomicBool::new(false),
        }
    }

    /// Goes in.
    pub(crate) fn enter(&self, ordinal: Ordinal) -> Pass {
        self.door.enter(ordinal)
    }

    /// How it stands, and every change of it.
    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Whether a token of it still opens the gate: while open or asked, and so long after it
    /// ended as its id is remembered, to say so to a second user.
    pub(super) fn is_remembered(&self, now: Moment) -> bool {
        let standing = *self.standing.borrow();
        match standing.stage {
            Stage::Open => now.latest < self.expires,
            Stage::Waiting | Stage::Ended(_) => !self.is_forgotten(now),
        }
    }

    /// Whether somebody may still use it, the founder code included.
    pub(super) fn is_usable(&self, now: Moment) -> bool {
        let stage = self.standing.borrow().stage;
        !matches!(stage, Stage::Ended(_)) && now.latest < self.expires
    }

    fn is_open(&self, now: Moment) -> bool {
        let stage = self.standing.borrow().stage;
        self.kind == Kind::Member && !matches!(stage, Stage::Ended(_)) && now.latest < self.expires
    }

    /// Whether seven days passed since it ended or expired.
    fn is_forgotten(&self, now: Moment) -> bool {
        let ended = match self.standing.borrow().ended {
            0 => self.expires,
            ended => ended,
        };
        ended.saturating_add(INVITE_MEMORY_S) < now.earliest
    }
}

impl Registry {
    /// Opens an invite; admins' rows only.
    pub(crate) fn invite(&self, sender: &Sender, invite: NewInvite) -> Result<(), Refused> {
        let _changing = self.changing();
        must_be_admin(sender)?;
        let now = (self.clock)();
        if invite.expires <= now || invite.expires - now > MAX_LIFE_S {
            return Err(FailCode::TooLarge.into());
        }
        let moment = self.moment();
        {
            let tables = self.tables();
            if tables.invites.contains_key(&invite.id) {
                return Err(FailCode::Ended.into());
            }
            let open = tables.invites.values().filter(|other| other.is_open(moment)).count();
            if open >= MAX_OPEN_INVITES || tables.invites.len() >= MAX_INVITES {
                return Err(FailCode::TooLarge.into());
            }
        }
        self.add_invite(Invite::new(invite, Kind::Member, Standing::OPEN))?;
        Ok(())
    }

    fn add_invite(&self, invite: Invite) -> Result<(), StoreError> {
        self.store.set(vec![record::invite(&invite, &Standing::OPEN)?])?;
        let invite = Arc::new(invite);
        let mut tables = self.tables();
        tables.handles.add(&invite.gate, &Caller::Newcomer(invite.clone()));
        tables.invites.insert(invite.id, invite);
        Ok(())
    }

    /// Ends an invite; admins' rows only.
    pub(crate) fn end_invite(
        &self,
        sender: &Sender,
        id: &InviteId,
        end: InviteEnd,
    ) -> Result<(), Refused> {
        let _changing = self.changing();
        must_be_admin(sender)?;
        let invite = self.tables().invites.get(id).cloned().ok_or(FailCode::Unknown)?;
        let standing = *invite.standing.borrow();
        match standing.stage {
            // Said again after a broken connection.
            Stage::Ended(before) if before == end => return Ok(()),
            Stage::Ended(_) => return Err(FailCode::Ended.into()),
            Stage::Open | Stage::Waiting => {}
        }
        let ended = (self.clock)();
        self.stand(&invite, Standing { stage: Stage::Ended(end), ended, ..standing })?;
        Ok(())
    }

    /// Notes that another key than the first joiner's used an invite; how many invites that happened
    /// to since the start. One is noted once.
    pub(crate) fn note_reuse(&self, invite: &Invite) -> u64 {
        let mut reused = self.reused.lock().unwrap_or_else(PoisonError::into_inner);
        let first = invite.kind == Kind::Member && !invite.reused.swap(true, Ordering::Relaxed);
        if first && reused.len() < MAX_INVITES {
            reused.push((invite.id, (self.clock)()));
        }
        reused.len() as u64
    }

    /// The invites noted as used twice after the first `after` of them, and when.
    pub(crate) fn reused_after(&self, after: u64) -> Vec<(InviteId, u64)> {
        let reused = self.reused.lock().unwrap_or_else(PoisonError::into_inner);
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        reused.get(after..).unwrap_or_default().to_vec()
    }

    /// Binds an invite to the first joiner's key and says whether `key` may send its cells.
    pub(crate) fn join(&self, invite: &Invite, key: &StaticPublic) -> Result<(), Refused> {
        let _changing = self.changing();
        let (standing, now) = (*invite.standing.borrow(), (self.clock)());
        if invite.kind != Kind::Member {
            return Err(FailCode::Denied.into());
        }
        if self.moment().latest >= invite.expires
            || !matches!(standing.told_to(key), JoinState::Open | JoinState::Waiting)
        {
            return Err(FailCode::Ended.into());
        }
        if invite.joins.fetch_add(1, Ordering::Relaxed) >= MAX_JOINS {
            return Err(FailCode::OverQuota.into());
        }
        if standing.joiner.is_none() {
            let joiner = Some((*key, now));
            self.stand(invite, Standing { stage: Stage::Waiting, joiner, ..standing })?;
        }
        Ok(())
    }

    /// The founder code dies once the relay is claimed.
    pub(super) fn founded(&self, invite: &Invite, key: &StaticPublic) -> Result<(), StoreError> {
        let now = (self.clock)();
        let (stage, joiner) = (Stage::Ended(InviteEnd::Enrolled), Some((*key, now)));
        self.stand(invite, Standing { stage, joiner, ended: now })
    }

    fn stand(&self, invite: &Invite, standing: Standing) -> Result<(), StoreError> {
        self.store.set(vec![record::invite(invite, &standing)?])?;
        invite.standing.send_replace(standing);
        Ok(())
    }

    /// Forgets invites that ended or expired more than seven days ago.
    pub(crate) fn forget_invites(&self) -> Result<(), StoreError> {
        let _changing = self.changing();
        let now = self.moment();
        let gone: Vec<_> = {
            let tables = self.tables();
            tables.invites.values().filter(|invite| invite.is_forgotten(now)).cloned().collect()
        };
        if gone.is_empty() {
            return Ok(());
        }
        let keys = gone.iter().map(|invite| record::invite_key(&invite.id));
        self.store.set(keys.map(|key| Change { key, value: None }).collect())?;
        let mut tables = self.tables();
        for invite in gone {
            tables.handles.remove(&invite.gate);
            tables.invites.remove(&invite.id);
            invite.door.shut();
        }
        Ok(())
    }
}

/// Stores the founder code's or spare code's invite in a new relay.
pub(crate) fn store_founder(
    store: &dyn LogStore,
    invite: NewInvite,
    kind: Kind,
) -> Result<(), StoreError> {
    store.set(vec![record::invite(&Invite::new(invite, kind, Standing::OPEN), &Standing::OPEN)?])
}

fn must_be_admin(sender: &Sender) -> Result<(), FailCode> {
    match sender {
        Sender::Device(row) if row.is_admin => Ok(()),
        _ => Err(FailCode::Denied),
    }
}
