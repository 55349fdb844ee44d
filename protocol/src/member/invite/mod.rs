//! Invites as devices see them: the join request and its answer, the five words, the root words,
//! and an invite's life at an admin's.
//!
//! This module must never know a clock, a connection, a database or MLS; KeyPackages are opaque
//! bytes here. Codes and bundles are in [`crate::invite_code`], which the relay uses as well.

mod answer;
mod dictionary;
mod refusal;
mod request;
mod root_words;
mod safety;
mod snapshot;
mod state;
mod words;

#[cfg(test)]
mod tests;

pub use answer::{
    Admitted, Answer, AnswerError, MAX_ANSWER_BYTES, MAX_INLINE_BYTES, Payload, SignedAnswer,
};
pub use dictionary::WordError;
pub use refusal::{Refusal, RefusalReason};
pub use request::{
    JoinRequest, MAX_KEY_PACKAGES, MAX_PACKAGE_BYTES, MAX_REQUEST_BYTES, Opened, RequestError,
};
pub use root_words::{ROOT_WORDS, RootWordsError, parse_root_words, root_words};
pub use safety::{SAFETY_WORDS, SafetyWords, TEAM_DIGITS, team_number};
pub use snapshot::{MAX_SNAPSHOT_BYTES, Snapshot};
pub use state::{
    AUTO_APPROVE_TTL, Approval, Asked, DEFAULT_TTL, Invite, InviteError, MAX_TTL, Phase, Terms,
    TermsError,
};
pub use words::{JOIN_WORDS, JoinWords, Transcript, passphrase};

pub use crate::invite_code::{
    Bundle, BundleError, BundleKey, CodeError, Invitation, InviteCode, InviteKeys, JoinKey,
    TeamRoot,
};

use crate::member::identity::SigningPublic;

impl From<TeamRoot> for SigningPublic {
    fn from(root: TeamRoot) -> Self {
        Self(root.0)
    }
}

impl From<SigningPublic> for TeamRoot {
    fn from(root: SigningPublic) -> Self {
        Self(root.0)
    }
}

/// What a message on an invite's channel is, its second item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A [`JoinRequest`].
    Request,
    /// An [`Answer`].
    Answer,
    /// A [`Refusal`].
    Refusal,
}

impl MessageKind {
    const fn code(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Answer => 2,
            Self::Refusal => 3,
        }
    }

    /// What `message` says it is, from its first three bytes: an array, version 1, the kind.
    pub fn of(message: &[u8]) -> Option<Self> {
        let &[array, 1, kind, ..] = message else { return None };
        let is_array = array >> 5 == 4;
        [Self::Request, Self::Answer, Self::Refusal]
            .into_iter()
            .find(|known| is_array && known.code() == kind)
    }
}
