//! An invite's life as its admins see it.

use thiserror::Error;

use crate::invite_code::Role;
use crate::wire::ids::{DeviceId, Digest};

/// How long an invite is good unless somebody says otherwise: 24 hours, in seconds.
pub const DEFAULT_TTL: u64 = 24 * 3_600;
/// How long an invite may be good: 7 days, in seconds.
pub const MAX_TTL: u64 = 7 * 24 * 3_600;
/// How long an invite may be good that is approved without the words: 1 hour, in seconds.
pub const AUTO_APPROVE_TTL: u64 = 3_600;

/// What an invite was made for; only [`Terms::new`] makes it. Times are unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    role: Role,
    auto_approve: bool,
    expires: u64,
}

/// Terms that no invite may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TermsError {
    /// An admin is never approved without the words.
    #[error("an admin is never approved without the words")]
    AdminWithoutWords,
    /// Zero seconds, or more than allowed.
    #[error("an invite of this kind is good for 1 to {max} seconds")]
    Ttl {
        /// The longest this kind may be good, in seconds.
        max: u64,
    },
}

/// Where an invite stands. Times are unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nobody came yet.
    Open,
    /// Somebody asks.
    Asking {
        /// The digest of the request.
        request: Digest,
        /// When it came.
        since: u64,
    },
    /// It brought a device in.
    Used {
        /// The device.
        device: DeviceId,
        /// The digest of its request.
        request: Digest,
        /// When.
        at: u64,
    },
    /// Its time was over.
    Expired,
    /// An admin took it back, refused the newcomer, or was revoked.
    Revoked {
        /// When.
        at: u64,
    },
}

/// An invite: its terms and where it stands. Nothing leads out of used, expired or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invite {
    terms: Terms,
    phase: Phase,
}

/// Why an invite does not do what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InviteError {
    /// The second use: an alarm, with the time of the first.
    #[error("the invite was already used at {first}")]
    SecondUse {
        /// When it was used first, in unix seconds.
        first: u64,
    },
    /// Its time is over.
    #[error("the invite expired")]
    Expired,
    /// It was taken back.
    #[error("the invite was revoked")]
    Revoked,
    /// Nobody asks, so there is nobody to approve.
    #[error("nobody asks with this invite")]
    NobodyAsks,
    /// Somebody else asks than the one who was looked at.
    #[error("another request than the one compared")]
    OtherRequest,
    /// The invite is one that needs the words, or an admin's explicit waiver.
    #[error("this invite is not approved without the words")]
    WordsNeeded,
}

/// What a request that came was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The first: somebody is to be told.
    First,
    /// The same newcomer, still waiting.
    Again,
    /// The same newcomer, who was approved and may have missed the answer.
    Inside,
}

/// How an approval is justified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// The five words matched.
    WordsCompared,
    /// An admin waived the words by hand; the device is not verified.
    Unverified,
    /// The invite said so from the start; the device is not verified.
    Automatic,
}

impl Terms {
    /// An invite made at `now`, good for `ttl` seconds.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn new(role: Role, auto_approve: bool, now: u64, ttl: u64) -> Result<Self, TermsError> {
        if auto_approve && role == Role::Admin {
            return Err(TermsError::AdminWithoutWords);
        }
        let max = if auto_approve { AUTO_APPROVE_TTL } else { MAX_TTL };
        if ttl == 0 || ttl > max {
            return Err(TermsError::Ttl { max });
        }
        Ok(Self { role, auto_approve, expires: now.saturating_add(ttl) })
    }

    /// Takes over stored terms, which were checked when they were made.
    pub fn stored(role: Role, auto_approve: bool, expires: u64) -> Option<Self> {
        let is_allowed = !(auto_approve && role == Role::Admin);
        is_allowed.then_some(Self { role, auto_approve, expires })
    }

    /// What the newcomer will be.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the admin's device approves without the words.
    pub fn auto_approve(&self) -> bool {
        self.auto_approve
    }

    /// When the invite ends, in unix seconds.
    pub fn expires(&self) -> u64 {
        self.expires
    }
}

impl Phase {
    /// The state as people read it and JSON shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Asking { .. } => "asking",
            Self::Used { .. } => "used",
            Self::Expired => "expired",
            Self::Revoked { .. } => "revoked",
        }
    }
}

impl Approval {
    /// What the roster entry says.
    pub fn words_compared(self) -> bool {
        self == Self::WordsCompared
    }
}

impl Invite {
    /// A new, open invite.
    pub fn open(terms: Terms) -> Self {
        Self { terms, phase: Phase::Open }
    }

    /// Takes over a stored invite.
    pub fn stored(terms: Terms, phase: Phase) -> Self {
        Self { terms, phase }
    }

    /// What it was made for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Where it stands at `now`; what is past its time is expired, whether or not anybody said so.
    pub fn phase(&self, now: u64) -> Phase {
        match self.phase {
            Phase::Open | Phase::Asking { .. } if now >= self.terms.expires => Phase::Expired,
            phase => phase,
        }
    }

    /// Whether its channel is still listened to.
    pub fn is_live(&self, now: u64) -> bool {
        matches!(self.phase(now), Phase::Open | Phase::Asking { .. })
    }

    /// A request came. The same one again is the same newcomer, also after it was approved;
    /// another one is the second use.
    ///
    /// # Errors
    /// [`InviteError`]; of these, [`InviteError::SecondUse`] is an alarm.
    pub fn ask(&mut self, now: u64, request: Digest) -> Result<Asked, InviteError> {
        match self.phase(now) {
            Phase::Open => {
                self.phase = Phase::Asking { request, since: now };
                Ok(Asked::First)
            }
            Phase::Asking { request: first, .. } if first == request => Ok(Asked::Again),
            Phase::Used { request: first, .. } if first == request => Ok(Asked::Inside),
            phase => Err(refusal(phase)),
        }
    }

    /// An admin approves `request`, which brings `device` in.
    ///
    /// # Errors
    /// [`InviteError`]; the invite is then unchanged.
    pub fn approve(
        &mut self,
        now: u64,
        request: &Digest,
        device: DeviceId,
        approval: Approval,
    ) -> Result<(), InviteError> {
        match self.phase(now) {
            Phase::Asking { request: asking, .. } if asking == *request => {}
            Phase::Asking { .. } => return Err(InviteError::OtherRequest),
            Phase::Open => return Err(InviteError::NobodyAsks),
            phase => return Err(refusal(phase)),
        }
        if approval == Approval::Automatic && !self.terms.auto_approve {
            return Err(InviteError::WordsNeeded);
        }
        self.phase = Phase::Used { device, request: *request, at: now };
        Ok(())
    }

    /// An admin takes it back or refuses who asks, or an admin was revoked, which closes all.
    ///
    /// # Errors
    /// [`InviteError`] if it was over already.
    pub fn revoke(&mut self, now: u64) -> Result<(), InviteError> {
        match self.phase(now) {
            Phase::Open | Phase::Asking { .. } => self.phase = Phase::Revoked { at: now },
            phase => return Err(refusal(phase)),
        }
        Ok(())
    }
}

fn refusal(phase: Phase) -> InviteError {
    match phase {
        Phase::Open => InviteError::NobodyAsks,
        Phase::Asking { since, .. } => InviteError::SecondUse { first: since },
        Phase::Used { at, .. } => InviteError::SecondUse { first: at },
        Phase::Expired => InviteError::Expired,
        Phase::Revoked { .. } => InviteError::Revoked,
    }
}
