//! What travels beside MLS's own fields: the note of a commit and the note of a Welcome.

use ciborium::value::Value;
use serde_bytes::ByteBuf;
use zeroize::{Zeroize, Zeroizing};

use super::cbor;
use super::resync::{REQUEST_BYTES, ResyncRequest};
use crate::secret::Secret;

const VERSION: u8 = 1;
/// The longest commit note in bytes: a resync request and its frame.
const MAX_COMMIT_NOTE: usize = 184;

const _: () = assert!(MAX_COMMIT_NOTE >= 16 + REQUEST_BYTES);
/// The most epochs of the control channel that a Welcome may bring.
pub const MAX_CONTROL_SECRETS: usize = 64;
/// The most check keys of a room that a Welcome may bring.
pub const MAX_CHECK_SECRETS: usize = 16;
/// The longest Welcome note in bytes: a secret takes at most 44.
const MAX_WELCOME_NOTE: usize = 24 + (MAX_CONTROL_SECRETS + MAX_CHECK_SECRETS) * 48;
/// The GroupInfo extension that holds the Welcome's note (RFC 9420 section 17.3, private use).
pub(super) const WELCOME_NOTE: u16 = 0xF5A2;

/// A commit's authenticated data: deterministic CBOR `[1, roster, resync]`, the third null or the
/// request that a resync answers. **Remove and Add of one device without it is INVALID.**
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitNote {
    /// The roster number the commit relies on, monotone per room.
    pub roster: u32,
    /// The request that the commit answers.
    pub resync: Option<ResyncRequest>,
}

impl CommitNote {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let resync = self.resync.map(|request| ByteBuf::from(request.encode()));
        cbor::encode(&(VERSION, self.roster, resync))
    }

    /// Reads what [`CommitNote::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, roster, resync) =
            cbor::decode::<(u8, u32, Option<ByteBuf>)>(bytes, MAX_COMMIT_NOTE)?;
        let resync = match resync {
            Some(bytes) => Some(ResyncRequest::decode(&bytes)?),
            None => None,
        };
        (version == VERSION).then_some(Self { roster, resync })
    }
}

/// A channel's secret of one epoch: the control channel's, or a room's check key.
pub struct EpochSecret {
    /// The room's epoch.
    pub epoch: u64,
    /// What the exporter gave in it.
    pub secret: Secret<32>,
}

const _: () = assert!(std::mem::needs_drop::<EpochSecret>());

/// What an adder gives the joiners beside the group.
#[derive(Clone, Copy, Default)]
pub struct WelcomeSecrets<'a> {
    /// The control channel's, at most [`MAX_CONTROL_SECRETS`].
    pub control: &'a [EpochSecret],
    /// The room's check keys, at most [`MAX_CHECK_SECRETS`].
    pub check: &'a [EpochSecret],
}

/// What a Welcome brings beside the group, sealed and signed with it: deterministic CBOR
/// `[1, roster floor, [[epoch, secret], ...], [removes, [[epoch, secret], ...]]]`.
pub struct WelcomeNote {
    /// The roster number of the room's last commit; the joiner accepts no lower one afterwards.
    pub roster_floor: u32,
    /// Secrets of the control channel's last epochs, oldest first, at most
    /// [`MAX_CONTROL_SECRETS`]; empty in any other room.
    pub control_secrets: Vec<EpochSecret>,
    /// Whether the Welcome's commit removes a leaf, so that the epoch it opens gives the check key.
    pub removes: bool,
    /// The room's check keys of before, oldest first, at most [`MAX_CHECK_SECRETS`].
    pub check_secrets: Vec<EpochSecret>,
}

/// Secrets as they stand in the note.
type Listed = Vec<(u64, Value)>;

impl WelcomeNote {
    /// The bytes; `None` with too many secrets. They are wiped here, OpenMLS's copies are not.
    pub(super) fn encode(
        roster_floor: u32,
        removes: bool,
        secrets: &WelcomeSecrets<'_>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let WelcomeSecrets { control, check } = secrets;
        if control.len() > MAX_CONTROL_SECRETS || check.len() > MAX_CHECK_SECRETS {
            return None;
        }
        let fields = (VERSION, roster_floor, listed(control), (removes, listed(check)));
        let out = Zeroizing::new(cbor::encode(&fields));
        fields.2.into_iter().chain(fields.3.1).for_each(|(_, secret)| wipe(secret));
        Some(out)
    }

    /// Reads what [`WelcomeNote::encode`] wrote; `None` for anything else.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, roster_floor, control, (removes, check)) =
            cbor::decode::<(u8, u32, Listed, (bool, Listed))>(bytes, MAX_WELCOME_NOTE)?;
        let control_secrets = read(control, MAX_CONTROL_SECRETS);
        let check_secrets = read(check, MAX_CHECK_SECRETS);
        let (control_secrets, check_secrets) = (control_secrets?, check_secrets?);
        (version == VERSION).then_some(Self {
            roster_floor,
            control_secrets,
            removes,
            check_secrets,
        })
    }
}

fn listed(secrets: &[EpochSecret]) -> Listed {
    secrets.iter().map(|s| (s.epoch, Value::Bytes(s.secret.expose().to_vec()))).collect()
}

fn read(listed: Listed, most: usize) -> Option<Vec<EpochSecret>> {
    let fits = listed.len() <= most;
    let read = listed.into_iter().map(|(epoch, value)| {
        let secret = value.as_bytes().and_then(|bytes| Secret::copy(bytes));
        wipe(value);
        Some(EpochSecret { epoch, secret: secret? })
    });
    // All are read, so that all are wiped.
    let read: Vec<_> = read.collect();
    if fits { read.into_iter().collect() } else { None }
}

fn wipe(value: Value) {
    if let Value::Bytes(mut bytes) = value {
        bytes.zeroize();
    }
}
