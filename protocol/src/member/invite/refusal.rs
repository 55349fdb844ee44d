//! A newcomer is turned away.

use ciborium::Value;

use super::MessageKind;
use super::request::request_digest;
use crate::member::roster::cbor::{self, Fields, bytes, uint};
use crate::wire::ids::{Digest, InviteId};

/// Largest encoded refusal in bytes.
const MAX_REFUSAL_BYTES: usize = 64;
const VERSION: u64 = 1;

/// Why a newcomer was turned away. It proves nothing: whoever has the code can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The invite.
    pub invite: InviteId,
    /// BLAKE2s-256 of the encoded request it refuses.
    pub request: Digest,
    /// Why.
    pub reason: RefusalReason,
}

/// The reasons of a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// The admin said no.
    Rejected,
    /// Somebody has this name already; ask again under another one.
    NameTaken,
    /// The invite ended.
    Expired,
}

impl Refusal {
    /// `[1, kind, invite, request, reason]` in deterministic CBOR.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&Value::Array(vec![
            uint(VERSION),
            uint(MessageKind::Refusal.code()),
            bytes(&self.invite.0),
            bytes(&self.request.0),
            uint(self.reason.code()),
        ]))
    }

    /// Reads a refusal of `request`, the encoded request this device sent; anything else, a
    /// refusal of somebody else's request included, is `None`.
    pub fn open(request: &[u8], encoded: &[u8]) -> Option<Self> {
        let mut from = Fields::of(cbor::decode(encoded, MAX_REFUSAL_BYTES)?)?;
        if from.u64()? != VERSION || from.u8()? != MessageKind::Refusal.code() {
            return None;
        }
        let refusal = Self {
            invite: InviteId(from.array()?),
            request: Digest(from.array()?),
            reason: RefusalReason::from_code(from.u8()?)?,
        };
        from.end(refusal).filter(|refusal| refusal.request == request_digest(request))
    }
}

impl RefusalReason {
    const fn code(self) -> u8 {
        match self {
            Self::Rejected => 0,
            Self::NameTaken => 1,
            Self::Expired => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Rejected, Self::NameTaken, Self::Expired]
            .into_iter()
            .find(|reason| reason.code() == code)
    }
}
