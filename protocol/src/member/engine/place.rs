//! What a device says of the log to one that fell behind: a place, the running hash there, and the
//! roster entries that the other lacks.

use super::fault::Fault;
use super::memory::Memory;
use crate::member::identity::{SignatureBytes, SigningPublic, SigningSecret};
use crate::member::roster::SignedEntry;
use crate::member::store::Cursor;
use crate::wire::ids::{DeviceId, Digest, LogId, Seq};

const LABEL: &[u8] = b"staffetta 1 place";
/// The longest answer in bytes; who lacks more entries asks again.
const MAX_ANSWER: usize = 60_000;

/// Where a device stands in the log and the roster.
pub(super) struct Standing {
    pub(super) log: LogId,
    /// The last place read, and the running hash there.
    pub(super) seq: Seq,
    pub(super) hash: Digest,
    /// The last roster entry.
    pub(super) number: u32,
    pub(super) entry: Digest,
    /// Entries that the asker lacks, the next one first.
    pub(super) entries: Vec<SignedEntry>,
}

impl Standing {
    /// Of this device, with as many of the entries as fit.
    pub(super) fn of(
        cursor: Cursor,
        lacking: Vec<SignedEntry>,
        memory: &Memory,
    ) -> Result<Self, Fault> {
        let head = memory.roster()?.head();
        let mut left = MAX_ANSWER;
        let fits = |signed: &SignedEntry| {
            let fits = signed.encode().len() + 2 <= left;
            left = left.saturating_sub(signed.encode().len() + 2);
            fits
        };
        Ok(Self {
            log: cursor.log,
            seq: cursor.seq,
            hash: cursor.hash,
            number: head.number,
            entry: head.hash,
            entries: lacking.into_iter().take_while(fits).collect(),
        })
    }

    /// `signature 64 | log id 16 | seq 8 | h(seq) 32 | roster number 4 | entry hash 32 | (length 2 |
    /// entry)*`, signed for `peer` alone.
    pub(super) fn sign(&self, peer: &DeviceId, identity: &SigningSecret) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend_from_slice(&self.log.0);
        body.extend_from_slice(&self.seq.to_be_bytes());
        body.extend_from_slice(&self.hash.0);
        body.extend_from_slice(&self.number.to_be_bytes());
        body.extend_from_slice(&self.entry.0);
        for signed in &self.entries {
            let encoded = signed.encode();
            let length = u16::try_from(encoded.len()).unwrap_or(u16::MAX);
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(&encoded);
        }
        let signature = identity.sign(LABEL, &[peer.0.as_slice(), &body].concat());
        [signature.0.as_slice(), &body].concat()
    }

    /// Reads an answer of the device with this identity key to `me`; `None` if it is none.
    pub(super) fn read(me: &DeviceId, identity: &SigningPublic, bytes: &[u8]) -> Option<Self> {
        let (signature, body) = bytes.split_first_chunk::<64>()?;
        let signed = [me.0.as_slice(), body].concat();
        if !identity.verify(LABEL, &signed, &SignatureBytes(*signature)) {
            return None;
        }
        let (log, rest) = body.split_first_chunk::<16>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let (entry, mut rest) = rest.split_first_chunk::<32>()?;
        let mut entries = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (encoded, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            entries.push(SignedEntry::decode(encoded).ok()?);
            rest = after;
        }
        Some(Self {
            log: LogId(*log),
            seq: Seq::from_be_bytes(*seq),
            hash: Digest(*hash),
            number: u32::from_be_bytes(*number),
            entry: Digest(*entry),
            entries,
        })
    }
}
