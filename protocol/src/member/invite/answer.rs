//! What an admin's device answers: the team as it is, and where its log stands.

use ciborium::Value;
use thiserror::Error;
use zeroize::Zeroizing;

use super::MessageKind;
use super::request::{JoinRequest, request_digest};
use super::snapshot::Snapshot;
use crate::invite_code::{Bundle, Invitation};
use crate::member::identity::{SignatureBytes, SigningSecret};
use crate::member::roster::cbor::{self, Fields, bytes, uint};
use crate::member::roster::{Roster, RosterError, RosterHead};
use crate::secret::Secret;
use crate::wire::ids::{BlobId, DeviceId, Digest, InviteId, LogId, Seq};

/// Largest answer in bytes: 32 cells of 945.
pub const MAX_ANSWER_BYTES: usize = 32 * 945;
/// Largest snapshot that stands in the answer itself; a larger one is a blob.
pub const MAX_INLINE_BYTES: usize = MAX_ANSWER_BYTES - 512;
const VERSION: u64 = 1;
const LABEL: &[u8] = b"staffetta 1 join answer";

/// Where the snapshot is.
pub enum Payload {
    /// In the answer itself.
    Inline(Vec<u8>),
    /// In a blob, sealed with a key of its own.
    Blob {
        /// The blob.
        id: BlobId,
        /// The key it is sealed with.
        key: Secret<32>,
        /// BLAKE2s-256 of the snapshot.
        hash: Digest,
        /// The snapshot's length in bytes.
        len: u32,
    },
}

const _: () = assert!(std::mem::needs_drop::<Payload>());

/// An approval, signed by the approver's identity key.
pub struct Answer {
    /// The invite.
    pub invite: InviteId,
    /// BLAKE2s-256 of the encoded request it answers.
    pub request: Digest,
    /// The device that approved.
    pub approver: DeviceId,
    /// The number of the roster entry that adds the newcomer.
    pub entry: u32,
    /// The log.
    pub log: LogId,
    /// The seq after which the newcomer reads.
    pub seq: Seq,
    /// The log's running hash there, which the newcomer takes from here and not from the relay.
    pub hash: Digest,
    /// The snapshot.
    pub payload: Payload,
}

/// Why an answer is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// Larger than an answer or a snapshot can be.
    #[error("an answer of impossible size")]
    TooLarge,
    /// The approver's version is newer than ours.
    #[error("answer version {0} is not supported")]
    Version(u64),
    /// Not deterministic CBOR of the layout, or a field out of its bounds.
    #[error("the answer is malformed")]
    Malformed,
    /// It answers another request or invite.
    #[error("the answer is for another request")]
    OtherRequest,
    /// The snapshot is not the one the answer names.
    #[error("the snapshot is not the one that was announced")]
    Snapshot,
    /// The chain does not hang together.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The chain is founded by another root than the bundle's, or does not contain the entry the
    /// bundle was made at: somebody's own team.
    #[error("the answer belongs to another team")]
    OtherTeam,
    /// The approver is no active admin of the chain, or did not sign.
    #[error("the answer is not signed by an admin of the team")]
    NotAnAdmin,
    /// The chain does not hold this device with these keys, this role and this invite, active.
    #[error("the team does not hold this device")]
    NotEnrolled,
}

/// An answer off the wire that names an approver who is not proven yet.
pub struct SignedAnswer {
    answer: Answer,
    body: Zeroizing<Vec<u8>>,
    signature: SignatureBytes,
}

/// A newcomer's proof that it is inside; only [`SignedAnswer::admit`] makes it.
pub struct Admitted {
    /// The roster.
    pub roster: Roster,
    /// The snapshot it was folded from.
    pub snapshot: Snapshot,
}

impl Answer {
    /// Encodes and signs: `[1, kind, body, signature]`.
    ///
    /// # Errors
    /// [`AnswerError::TooLarge`] if the inline snapshot is.
    pub fn encode(&self, approver: &SigningSecret) -> Result<Zeroizing<Vec<u8>>, AnswerError> {
        let mut body = self.body();
        let mut encoded_body = Zeroizing::new(Vec::with_capacity(2 * MAX_ANSWER_BYTES));
        cbor::encode_into(&body, &mut encoded_body);
        cbor::wipe(&mut body);
        let signature = approver.sign(LABEL, &encoded_body);
        let mut message = Value::Array(vec![
            uint(VERSION),
            uint(MessageKind::Answer.code()),
            bytes(&encoded_body),
            bytes(&signature.0),
        ]);
        let mut encoded = Zeroizing::new(Vec::with_capacity(2 * MAX_ANSWER_BYTES));
        cbor::encode_into(&message, &mut encoded);
        cbor::wipe(&mut message);
        if encoded.len() > MAX_ANSWER_BYTES {
            return Err(AnswerError::TooLarge);
        }
        Ok(encoded)
    }

    /// Reads an answer to `request`, the encoded request this device sent. Whether an admin signed
    /// it, only the roster can say: [`SignedAnswer::admit`].
    ///
    /// # Errors
    /// [`AnswerError`] for size, version, layout or another request.
    pub fn open(request: &[u8], encoded: &[u8]) -> Result<SignedAnswer, AnswerError> {
        let mut from = open_fields(encoded, MAX_ANSWER_BYTES)?;
        let mut read = || {
            if from.u8()? != MessageKind::Answer.code() {
                return None;
            }
            let body = Zeroizing::new(from.bytes(MAX_ANSWER_BYTES)?);
            let signature = SignatureBytes(from.array()?);
            let answer = Self::read(cbor::decode(&body, MAX_ANSWER_BYTES)?)?;
            from.end(SignedAnswer { answer, body, signature })
        };
        let signed = read().ok_or(AnswerError::Malformed)?;
        if signed.answer.request != request_digest(request) {
            return Err(AnswerError::OtherRequest);
        }
        Ok(signed)
    }

    fn body(&self) -> Value {
        let payload = match &self.payload {
            Payload::Inline(snapshot) => vec![bytes(snapshot)],
            Payload::Blob { id, key, hash, len } => {
                vec![bytes(&id.0), bytes(key.expose()), bytes(&hash.0), uint(*len)]
            }
        };
        Value::Array(vec![
            bytes(&self.invite.0),
            bytes(&self.request.0),
            bytes(&self.approver.0),
            uint(self.entry),
            bytes(&self.log.0),
            uint(self.seq),
            bytes(&self.hash.0),
            Value::Array(payload),
        ])
    }

    fn read(body: Value) -> Option<Self> {
        let mut from = Fields::of(body)?;
        let answer = Self {
            invite: InviteId(from.array()?),
            request: Digest(from.array()?),
            approver: DeviceId(from.array()?),
            entry: from.u32()?,
            log: LogId(from.array()?),
            seq: from.u64()?,
            hash: Digest(from.array()?),
            payload: read_payload(from.list(4)?)?,
        };
        from.end(answer)
    }
}

impl SignedAnswer {
    /// What the answer says, to fetch the blob it may name; nothing of it is proven.
    pub fn unproven(&self) -> &Answer {
        &self.answer
    }

    /// Checks the answer against the bundle and the request this device sent. `fetched` is the
    /// opened blob if the answer names one, and ignored otherwise.
    ///
    /// # Errors
    /// [`AnswerError`]: the chain must hang from the bundle's root, run through the entry the
    /// bundle was made at, hold this device active, and hold the approver as an active admin who
    /// signed.
    pub fn admit(
        &self,
        fetched: Option<&[u8]>,
        bundle: &Bundle,
        request: &JoinRequest,
    ) -> Result<Admitted, AnswerError> {
        let encoded = self.answer.payload.snapshot(fetched)?;
        let snapshot = Snapshot::decode(encoded)?;
        let roster = fold(&snapshot, bundle)?;
        let approver = roster
            .active_admins()
            .find(|device| device.id == self.answer.approver)
            .ok_or(AnswerError::NotAnAdmin)?;
        if !approver.keys.identity.verify(LABEL, &self.body, &self.signature) {
            return Err(AnswerError::NotAnAdmin);
        }
        let is_enrolled = roster.device(&request.device_id()).is_some_and(|device| {
            device.revoked.is_none()
                && device.keys == request.device
                && device.added == self.answer.entry
                && device.invite == Some(request.invite)
        });
        if !is_enrolled || self.answer.invite != request.invite {
            return Err(AnswerError::NotEnrolled);
        }
        Ok(Admitted { roster, snapshot })
    }
}

impl Payload {
    fn snapshot<'a>(&'a self, fetched: Option<&'a [u8]>) -> Result<&'a [u8], AnswerError> {
        match self {
            Self::Inline(snapshot) => Ok(snapshot),
            Self::Blob { hash, len, .. } => {
                let fetched = fetched.ok_or(AnswerError::Snapshot)?;
                let is_whole = u32::try_from(fetched.len()) == Ok(*len);
                if !is_whole || Snapshot::hash_of(fetched) != *hash {
                    return Err(AnswerError::Snapshot);
                }
                Ok(fetched)
            }
        }
    }
}

/// Folds the chain and requires the bundle's root and head on its way.
fn fold(snapshot: &Snapshot, bundle: &Bundle) -> Result<Roster, AnswerError> {
    let Invitation::Member { root, head, .. } = &bundle.invitation else {
        return Err(AnswerError::OtherTeam);
    };
    let mut entries = snapshot.entries.iter();
    let first = entries.next().ok_or(RosterError::Founding)?;
    let mut roster = Roster::begin(first)?;
    if *roster.root() != (*root).into() {
        return Err(AnswerError::OtherTeam);
    }
    let mut passed = is_at(&roster, head);
    for entry in entries {
        roster.apply(entry)?;
        passed |= is_at(&roster, head);
    }
    if passed { Ok(roster) } else { Err(AnswerError::OtherTeam) }
}

fn is_at(roster: &Roster, head: &RosterHead) -> bool {
    roster.head() == *head
}

fn read_payload(mut from: Fields) -> Option<Payload> {
    let payload = if from.left() == 1 {
        Payload::Inline(from.bytes(MAX_INLINE_BYTES)?)
    } else {
        let id = BlobId(from.array()?);
        let key = Zeroizing::new(from.bytes(32)?);
        Payload::Blob {
            id,
            key: Secret::copy(&key)?,
            hash: Digest(from.array()?),
            len: from.u32()?,
        }
    };
    from.end(payload)
}

/// The items behind the version.
fn open_fields(encoded: &[u8], max: usize) -> Result<Fields, AnswerError> {
    if encoded.len() > max {
        return Err(AnswerError::TooLarge);
    }
    let read = || Fields::of(cbor::decode(encoded, max)?);
    let mut from = read().ok_or(AnswerError::Malformed)?;
    match from.u64() {
        Some(VERSION) => Ok(from),
        Some(version) => Err(AnswerError::Version(version)),
        None => Err(AnswerError::Malformed),
    }
}
