//! What travels beside MLS's own fields: the note of a commit and the note of a Welcome.

use ciborium::value::Value;
use zeroize::{Zeroize, Zeroizing};

use super::cbor;
use crate::secret::Secret;

const VERSION: u8 = 1;
/// The longest commit note in bytes.
const MAX_COMMIT_NOTE: usize = 16;
/// The most epochs of the control channel that a Welcome may bring.
pub const MAX_CONTROL_SECRETS: usize = 64;
/// The longest Welcome note in bytes: a secret takes at most 44.
const MAX_WELCOME_NOTE: usize = 16 + MAX_CONTROL_SECRETS * 48;
/// The GroupInfo extension that holds the Welcome's note (RFC 9420 section 17.3, private use).
pub(super) const WELCOME_NOTE: u16 = 0xF5A2;

/// A commit's authenticated data: deterministic CBOR `[1, roster, null]`.
///
/// The third field is kept for the request that a resync answers; until that exists it must be
/// null, and so **Remove and Add of one device is INVALID**.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitNote {
    /// The roster number the commit relies on, monotone per room.
    pub roster: u32,
}

impl CommitNote {
    /// The bytes, at most 16.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&(VERSION, self.roster, None::<u8>))
    }

    /// Reads what [`CommitNote::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, roster, resync) =
            cbor::decode::<(u8, u32, Option<u8>)>(bytes, MAX_COMMIT_NOTE)?;
        (version == VERSION && resync.is_none()).then_some(Self { roster })
    }
}

/// The control channel's secret of one epoch.
pub struct ControlSecret {
    /// The epoch of the control room.
    pub epoch: u64,
    /// What the exporter gave in it.
    pub secret: Secret<32>,
}

const _: () = assert!(std::mem::needs_drop::<ControlSecret>());

/// What a Welcome brings beside the group, sealed and signed with it: deterministic CBOR
/// `[1, roster floor, [[epoch, secret], ...], []]`. The fourth field is kept for check secrets.
pub struct WelcomeNote {
    /// The roster number of the room's last commit; the joiner accepts no lower one afterwards.
    pub roster_floor: u32,
    /// Secrets of the control channel's last epochs, oldest first, at most
    /// [`MAX_CONTROL_SECRETS`]; empty in any other room.
    pub control_secrets: Vec<ControlSecret>,
}

impl WelcomeNote {
    /// The bytes; `None` with too many secrets. They are wiped here, OpenMLS's copies are not.
    pub(super) fn encode(
        roster_floor: u32,
        control_secrets: &[ControlSecret],
    ) -> Option<Zeroizing<Vec<u8>>> {
        if control_secrets.len() > MAX_CONTROL_SECRETS {
            return None;
        }
        let secrets: Vec<(u64, Value)> = control_secrets
            .iter()
            .map(|s| (s.epoch, Value::Bytes(s.secret.expose().to_vec())))
            .collect();
        let fields = (VERSION, roster_floor, secrets, Vec::<u8>::new());
        let out = Zeroizing::new(cbor::encode(&fields));
        fields.2.into_iter().for_each(|(_, secret)| wipe(secret));
        Some(out)
    }

    /// Reads what [`WelcomeNote::encode`] wrote; `None` for anything else.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        type Fields = (u8, u32, Vec<(u64, Value)>, Vec<u8>);
        let (version, roster_floor, secrets, check) =
            cbor::decode::<Fields>(bytes, MAX_WELCOME_NOTE)?;
        if version != VERSION || !check.is_empty() || secrets.len() > MAX_CONTROL_SECRETS {
            return None;
        }
        let control_secrets = secrets
            .into_iter()
            .map(|(epoch, value)| {
                let secret = value.as_bytes().and_then(|bytes| Secret::copy(bytes));
                wipe(value);
                Some(ControlSecret { epoch, secret: secret? })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { roster_floor, control_secrets })
    }
}

fn wipe(value: Value) {
    if let Value::Bytes(mut bytes) = value {
        bytes.zeroize();
    }
}
