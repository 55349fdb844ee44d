//! One entry, its only encoding, its hash and its signature.

use blake2::{Blake2s256, Digest as _};
use ciborium::Value;

use super::action::{Action, Author};
use super::cbor::{self, Fields, bytes, uint};
use super::error::EntryError;
use crate::member::identity::{SignatureBytes, SigningPublic, SigningSecret};
use crate::wire::ids::Digest;

/// Largest entry in bytes.
pub const MAX_ENTRY_BYTES: usize = 2_048;
/// Largest entry with its signature, in bytes.
pub const MAX_SIGNED_BYTES: usize = MAX_ENTRY_BYTES + 80;

const VERSION: u64 = 1;
const LABEL: &[u8] = b"staffetta 1 roster entry";

/// An entry: `[1, number, prev, author, at, kind, body]` in deterministic CBOR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the chain, from 0.
    pub number: u32,
    /// The hash of the entry before; zeros in entry 0.
    pub prev: Digest,
    /// Who signs it.
    pub author: Author,
    /// When, in unix seconds, as the author claims.
    pub at: u64,
    /// What it does.
    pub action: Action,
}

/// An entry's bytes and the signature over them; neither is checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedEntry {
    bytes: Vec<u8>,
    signature: SignatureBytes,
}

impl std::fmt::Debug for SignedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedEntry(..)")
    }
}

impl Entry {
    /// The only encoding.
    ///
    /// # Errors
    /// [`EntryError`] if a field is out of its bounds, so that nobody signs what nobody reads.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let encoded = cbor::encode(&Value::Array(vec![
            uint(VERSION),
            uint(self.number),
            bytes(&self.prev.0),
            self.author.to_value(),
            uint(self.at),
            uint(self.action.kind()),
            self.action.to_value(),
        ]));
        Self::decode(&encoded)?;
        Ok(encoded)
    }

    /// Reads an entry of at most [`MAX_ENTRY_BYTES`].
    ///
    /// # Errors
    /// [`EntryError`] unless the bytes are the only encoding of an entry within all bounds.
    pub fn decode(encoded: &[u8]) -> Result<Self, EntryError> {
        if encoded.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLarge);
        }
        let value = cbor::decode(encoded, MAX_ENTRY_BYTES).ok_or(EntryError::Malformed)?;
        let mut from = Fields::of(value).ok_or(EntryError::Malformed)?;
        match from.u64() {
            Some(VERSION) => {}
            Some(version) => return Err(EntryError::Version(version)),
            None => return Err(EntryError::Malformed),
        }
        Self::read(&mut from)
    }

    fn read(from: &mut Fields) -> Result<Self, EntryError> {
        let head = |from: &mut Fields| {
            let (number, prev) = (from.u32()?, Digest(from.array()?));
            let (author, at) = (Author::read(from)?, from.u64()?);
            Some((number, prev, author, at, from.u64()?, from.value()?))
        };
        let (number, prev, author, at, kind, body) = head(from).ok_or(EntryError::Malformed)?;
        from.end(()).ok_or(EntryError::Malformed)?;
        Ok(Self { number, prev, author, at, action: Action::read(kind, body)? })
    }
}

impl SignedEntry {
    /// Signs an entry with its author's identity key, or the root's.
    ///
    /// # Errors
    /// [`EntryError`] if the entry is out of bounds.
    pub fn sign(entry: &Entry, key: &SigningSecret) -> Result<Self, EntryError> {
        let bytes = entry.encode()?;
        let signature = key.sign(LABEL, &bytes);
        Ok(Self { bytes, signature })
    }

    /// Takes over an entry as the store holds it.
    pub fn stored(bytes: Vec<u8>, signature: SignatureBytes) -> Self {
        Self { bytes, signature }
    }

    /// The entry's bytes, which the signature covers.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The author's signature.
    pub fn signature(&self) -> &SignatureBytes {
        &self.signature
    }

    /// `[entry, signature]` in deterministic CBOR, at most [`MAX_SIGNED_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&Value::Array(vec![bytes(&self.bytes), bytes(&self.signature.0)]))
    }

    /// Reads what [`Self::encode`] writes; the signature is not checked.
    ///
    /// # Errors
    /// [`EntryError::TooLarge`] or [`EntryError::Malformed`].
    pub fn decode(encoded: &[u8]) -> Result<Self, EntryError> {
        if encoded.len() > MAX_SIGNED_BYTES {
            return Err(EntryError::TooLarge);
        }
        let read = || {
            let mut from = Fields::of(cbor::decode(encoded, MAX_SIGNED_BYTES)?)?;
            let bytes = from.bytes(MAX_ENTRY_BYTES)?;
            let signature = SignatureBytes(from.array()?);
            from.end(Self { bytes, signature })
        };
        read().ok_or(EntryError::Malformed)
    }

    /// The entry.
    ///
    /// # Errors
    /// [`EntryError`] as [`Entry::decode`].
    pub fn entry(&self) -> Result<Entry, EntryError> {
        Entry::decode(&self.bytes)
    }

    /// BLAKE2s-256 of exactly what is signed: label, a zero byte, the entry's bytes. Of entry 0
    /// this is the team id.
    pub fn hash(&self) -> Digest {
        let mut hash = Blake2s256::new();
        hash.update(LABEL);
        hash.update([0]);
        hash.update(&self.bytes);
        Digest(hash.finalize().into())
    }

    /// Whether `key` signed it.
    pub(super) fn is_signed_by(&self, key: &SigningPublic) -> bool {
        key.verify(LABEL, &self.bytes, &self.signature)
    }
}
