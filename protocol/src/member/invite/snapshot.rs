//! The team as an approver hands it to a newcomer.

use blake2::{Blake2s256, Digest as _};

use super::answer::AnswerError;
use super::request::MAX_PACKAGE_BYTES;
use crate::invite_code::reader::Reader;
use crate::member::roster::{MAX_SIGNED_BYTES, SignedEntry};
use crate::wire::ids::{DeviceId, Digest};

/// Largest snapshot in bytes.
pub const MAX_SNAPSHOT_BYTES: usize = 8 * 1_024 * 1_024;

const VERSION: u8 = 1;

/// The team as the approver holds it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every roster entry, from entry 0.
    pub entries: Vec<SignedEntry>,
    /// The last-resort KeyPackage of each device that has one, opaque here.
    pub packages: Vec<(DeviceId, Vec<u8>)>,
}

impl Snapshot {
    /// Big-endian: version 1; a u32 count of entries, each behind a u16 length; a u32 count of
    /// packages, each a device id and the package behind a u16 length. Not CBOR as a whole, so
    /// that reading a hostile one takes no more memory than its own size.
    ///
    /// # Errors
    /// [`AnswerError::TooLarge`] above [`MAX_SNAPSHOT_BYTES`] or a package's bound.
    pub fn encode(&self) -> Result<Vec<u8>, AnswerError> {
        let mut out = vec![VERSION];
        put_count(&mut out, self.entries.len())?;
        for entry in &self.entries {
            put_short(&mut out, &entry.encode())?;
        }
        put_count(&mut out, self.packages.len())?;
        for (device, package) in &self.packages {
            out.extend_from_slice(&device.0);
            put_short(&mut out, package)?;
        }
        if out.len() > MAX_SNAPSHOT_BYTES {
            return Err(AnswerError::TooLarge);
        }
        Ok(out)
    }

    /// Reads a snapshot; the chain is not checked.
    ///
    /// # Errors
    /// [`AnswerError`] for size, version or layout.
    pub fn decode(encoded: &[u8]) -> Result<Self, AnswerError> {
        if encoded.len() > MAX_SNAPSHOT_BYTES {
            return Err(AnswerError::TooLarge);
        }
        let (&version, rest) = encoded.split_first().ok_or(AnswerError::Malformed)?;
        if version != VERSION {
            return Err(AnswerError::Version(version.into()));
        }
        Self::read(&mut Reader::new(rest)).ok_or(AnswerError::Malformed)
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let short = |from: &mut Reader<'_>, max| {
            let length = usize::from(u16::from_be_bytes(from.array()?));
            if length > max { None } else { from.take(length).map(<[u8]>::to_vec) }
        };
        // A false count ends at the first entry that is not there.
        let count = u32::from_be_bytes(from.array()?);
        let entries = (0..count)
            .map(|_| SignedEntry::decode(&short(from, MAX_SIGNED_BYTES)?).ok())
            .collect::<Option<Vec<_>>>()?;
        let count = u32::from_be_bytes(from.array()?);
        let packages = (0..count)
            .map(|_| Some((DeviceId(from.array()?), short(from, MAX_PACKAGE_BYTES)?)))
            .collect::<Option<Vec<_>>>()?;
        from.rest().is_empty().then_some(Self { entries, packages })
    }

    /// The hash a [`super::Payload::Blob`] names.
    pub fn hash_of(encoded: &[u8]) -> Digest {
        Digest(Blake2s256::digest(encoded).into())
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<(), AnswerError> {
    let count = u32::try_from(count).map_err(|_| AnswerError::TooLarge)?;
    out.extend_from_slice(&count.to_be_bytes());
    Ok(())
}

fn put_short(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), AnswerError> {
    let length = u16::try_from(bytes.len()).map_err(|_| AnswerError::TooLarge)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
