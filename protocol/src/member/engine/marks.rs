//! A mark in every sealed cell of this device that only this device can read: it recognises the
//! cells that a later state of itself has sent, and so that it is a restored copy.
//!
//! The 24 bytes of the nonce are `random 8 | masked counter 8 | check 8`, where mask and check come
//! from a keyed hash under a key of the device's own. To everybody else they are random. The counter
//! grows with every cell and is kept in the same transaction: a cell with a counter that this
//! profile has not come to was sealed by a later one, whoever repeats it.

use blake2::Blake2sMac;
use blake2::digest::{Mac as _, consts::U8};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Cx;
use super::fault::Fault;
use crate::member::identity::DeviceKeys;
use crate::member::store::MetaKey;
use crate::random::Random;
use crate::secret::Secret;
use crate::wire::limits::CELL;

const LABEL: &[u8] = b"staffetta 1 own cells";
/// Length of a cell's nonce in bytes.
const NONCE: usize = 24;
/// Where the nonce stands in a cell.
const AT: std::ops::Range<usize> = 16..16 + NONCE;

/// The device's own key for marks.
pub(super) struct MarkKey(Secret<32>);

const _: () = assert!(std::mem::needs_drop::<MarkKey>());

impl MarkKey {
    pub(super) fn of(keys: &DeviceKeys) -> Self {
        let mut out = Zeroizing::new([0_u8; 32]);
        let seed = keys.identity.secret();
        // 32 bytes are within what HKDF-SHA256 gives.
        let _ = Hkdf::<Sha256>::new(Some(LABEL), seed.expose()).expand(b"mark", out.as_mut_slice());
        Self(Secret::filled(|key| key.copy_from_slice(out.as_slice())))
    }

    fn hash(&self, use_: u8, parts: &[&[u8]]) -> [u8; 8] {
        let mut mac = match Blake2sMac::<U8>::new_from_slice(self.0.expose()) {
            Ok(mac) => mac,
            // A key of 32 bytes is one that BLAKE2s takes.
            Err(_) => return [0; 8],
        };
        mac.update(&[use_]);
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    fn nonce(&self, random: [u8; 8], counter: u64) -> [u8; NONCE] {
        let masked = (counter ^ u64::from_be_bytes(self.hash(1, &[&random]))).to_be_bytes();
        let check = self.hash(2, &[&random, &masked]);
        let mut nonce = [0; NONCE];
        let parts = random.iter().chain(&masked).chain(&check);
        nonce.iter_mut().zip(parts).for_each(|(out, byte)| *out = *byte);
        nonce
    }

    /// The counter of a cell that this device, or a later state of it, has sealed.
    fn read(&self, cell: &[u8; CELL]) -> Option<u64> {
        let nonce = cell.get(AT)?;
        let (random, rest) = nonce.split_first_chunk::<8>()?;
        let (masked, check) = rest.split_first_chunk::<8>()?;
        let counter = u64::from_be_bytes(*masked) ^ u64::from_be_bytes(self.hash(1, &[random]));
        (self.hash(2, &[random, masked]) == check).then_some(counter)
    }
}

/// Randomness whose nonces carry the mark.
pub(super) struct Marked<'a> {
    key: MarkKey,
    counter: u64,
    random: &'a mut (dyn Random + Send),
}

impl Random for Marked<'_> {
    fn fill(&mut self, dest: &mut [u8]) {
        self.random.fill(dest);
        if let Some(random) = dest.first_chunk::<8>().filter(|_| dest.len() == NONCE) {
            let nonce = self.key.nonce(*random, self.counter);
            dest.copy_from_slice(&nonce);
            self.counter += 1;
        }
    }
}

impl Cx<'_> {
    fn mark_counter(&self) -> Result<u64, Fault> {
        Ok(self.tx.get(MetaKey::OwnCells)?.unwrap_or_default())
    }

    /// Seals with marked nonces: `seal` is handed the randomness.
    pub(super) fn marked<T>(
        &mut self,
        seal: impl FnOnce(&super::memory::Memory, &mut Marked<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let counter = self.mark_counter()?;
        let key = MarkKey::of(self.memory.keys()?);
        let mut marked = Marked { key, counter, random: &mut *self.random };
        let sealed = seal(self.memory, &mut marked)?;
        self.tx.set(MetaKey::OwnCells, &marked.counter)?;
        Ok(sealed)
    }

    /// Whether a later state of this device has sealed the cell: then this is a restored copy.
    pub(super) fn is_from_my_future(&self, cell: &[u8; CELL]) -> Result<bool, Fault> {
        let Some(keys) = &self.memory.keys else { return Ok(false) };
        match MarkKey::of(keys).read(cell) {
            Some(counter) => Ok(counter >= self.mark_counter()?),
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_mark_is_read_by_its_device_alone() {
        let (own, other) =
            (DeviceKeys::generate(&mut OsRandom), DeviceKeys::generate(&mut OsRandom));
        let mut cell = [0; CELL];
        cell[AT].copy_from_slice(&MarkKey::of(&own).nonce([7; 8], 41));
        assert_eq!(MarkKey::of(&own).read(&cell), Some(41));
        assert_eq!(MarkKey::of(&other).read(&cell), None);
        cell[AT.start + 9] ^= 1;
        assert_eq!(MarkKey::of(&own).read(&cell), None);
    }
}
