//! The bytes of a beacon: where a device stands in the log, the roster and a room, signed.

use crate::member::identity::{SignatureBytes, SigningPublic, SigningSecret};
use crate::wire::ids::{DeviceId, Digest, LogId, RoomId, Seq};

const VERSION: u8 = 1;
const LABEL: &[u8] = b"staffetta 1 beacon";
/// Length of what is signed, in bytes.
const BODY: usize = 1 + 16 + 16 + 16 + 8 + 32 + 4 + 32 + 8 + 8 + 48;

/// Where a device stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Beacon {
    pub(super) device: DeviceId,
    pub(super) room: RoomId,
    /// The log, the last place read, and the running hash there.
    pub(super) log: LogId,
    pub(super) seq: Seq,
    pub(super) hash: Digest,
    /// The last roster entry.
    pub(super) number: u32,
    pub(super) entry: Digest,
    /// The room's epoch, the place of the commit that opened it, and its authenticator.
    pub(super) epoch: u64,
    pub(super) opened: Seq,
    pub(super) authenticator: [u8; 48],
}

impl Beacon {
    /// `signature 64 | version 1 | device 16 | room 16 | log id 16 | seq 8 | h(seq) 32 | roster
    /// number 4 | entry hash 32 | epoch 8 | place 8 | authenticator 48`: it fits one cell.
    pub(super) fn sign(&self, identity: &SigningSecret) -> Vec<u8> {
        let body = self.body();
        [identity.sign(LABEL, &body).0.as_slice(), &body].concat()
    }

    /// Reads a beacon and its signature, which is not checked yet.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, SignatureBytes)> {
        let (signature, body) = bytes.split_first_chunk::<64>()?;
        let (version, rest) = body.split_first()?;
        if body.len() != BODY || *version != VERSION {
            return None;
        }
        let (device, rest) = rest.split_first_chunk::<16>()?;
        let (room, rest) = rest.split_first_chunk::<16>()?;
        let (log, rest) = rest.split_first_chunk::<16>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let (entry, rest) = rest.split_first_chunk::<32>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (opened, rest) = rest.split_first_chunk::<8>()?;
        let beacon = Self {
            device: DeviceId(*device),
            room: RoomId(*room),
            log: LogId(*log),
            seq: Seq::from_be_bytes(*seq),
            hash: Digest(*hash),
            number: u32::from_be_bytes(*number),
            entry: Digest(*entry),
            epoch: u64::from_be_bytes(*epoch),
            opened: Seq::from_be_bytes(*opened),
            authenticator: rest.try_into().ok()?,
        };
        Some((beacon, SignatureBytes(*signature)))
    }

    pub(super) fn is_signed_by(
        &self,
        identity: &SigningPublic,
        signature: &SignatureBytes,
    ) -> bool {
        identity.verify(LABEL, &self.body(), signature)
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BODY);
        out.push(VERSION);
        out.extend_from_slice(&self.device.0);
        out.extend_from_slice(&self.room.0);
        out.extend_from_slice(&self.log.0);
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.hash.0);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.entry.0);
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.opened.to_be_bytes());
        out.extend_from_slice(&self.authenticator);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::fragment::CONTENT;
    use crate::member::identity::DeviceKeys;
    use crate::random::OsRandom;

    #[test]
    fn a_beacon_is_one_cell_and_its_devices_own() {
        let (keys, other) =
            (DeviceKeys::generate(&mut OsRandom), DeviceKeys::generate(&mut OsRandom));
        let beacon = Beacon {
            device: keys.device_id(),
            room: RoomId([1; 16]),
            log: LogId([2; 16]),
            seq: 3,
            hash: Digest([4; 32]),
            number: 5,
            entry: Digest([6; 32]),
            epoch: 7,
            opened: 8,
            authenticator: [9; 48],
        };
        let bytes = beacon.sign(&keys.identity);
        assert!(bytes.len() <= CONTENT);
        let (read, signature) = Beacon::read(&bytes).unwrap();
        assert!(read == beacon && read.is_signed_by(&keys.identity.public(), &signature));
        assert!(!read.is_signed_by(&other.identity.public(), &signature));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let holds = Beacon::read(&bad)
                .is_some_and(|(read, sig)| read.is_signed_by(&keys.identity.public(), &sig));
            assert!(!holds, "byte {at}");
        }
        assert!(Beacon::read(&bytes[..bytes.len() - 1]).is_none());
    }
}
