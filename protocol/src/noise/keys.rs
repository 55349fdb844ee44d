//! X25519 keys and the keys that derive from a device's access secret.

use blake2::digest::consts::U32;
use blake2::digest::{KeyInit, Mac, Update};
use blake2::{Blake2s256, Blake2sMac, Digest as _};
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret as DalekSecret};
use zeroize::Zeroizing;

use crate::random::Random;
use crate::secret::Secret;
use crate::wire::ids::Digest;

/// The private half of a long-term X25519 key, 32 bytes, wiped on drop.
pub struct StaticSecret(Secret<32>);

/// The public half of a long-term X25519 key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StaticPublic(pub [u8; 32]);

impl std::fmt::Debug for StaticPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaticPublic(..)")
    }
}

impl StaticSecret {
    /// Makes a fresh key.
    pub fn generate(random: &mut (impl Random + ?Sized)) -> Self {
        Self(Secret::random(random))
    }

    /// Takes over key bytes that were stored.
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for the Noise library and the sealed store and nothing else.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The public half.
    pub fn public(&self) -> StaticPublic {
        StaticPublic(PublicKey::from(&self.dalek()).to_bytes())
    }

    /// X25519 (RFC 7748) with `peer`, or `None` if the result is all zero, which only a
    /// low-order point gives.
    pub fn agree(&self, peer: &StaticPublic) -> Option<Secret<32>> {
        let shared = self.dalek().diffie_hellman(&PublicKey::from(peer.0));
        if !shared.was_contributory() {
            return None;
        }
        Secret::copy(shared.as_bytes())
    }

    fn dalek(&self) -> DalekSecret {
        DalekSecret::from(*Zeroizing::new(*self.0.expose()))
    }
}

/// A device's access secret A (32 bytes): made by the device, known to the relay's registry.
/// The gate key and the psk of the hop derive from it.
pub struct AccessSecret(Secret<32>);

impl AccessSecret {
    /// Makes a fresh access secret.
    pub fn generate(random: &mut (impl Random + ?Sized)) -> Self {
        Self(Secret::random(random))
    }

    /// Takes over access secret bytes that were stored or received.
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for the registry, the sealed store and the join request and nothing else.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The key of the device's gate tokens.
    pub fn gate_key(&self) -> GateKey {
        GateKey(derive(self.0.expose(), b"staffetta 1 gate key"))
    }

    /// The pre-shared key of the device's Noise hop.
    pub fn psk(&self) -> HopPsk {
        HopPsk(derive(self.0.expose(), b"staffetta 1 hop psk"))
    }

    /// BLAKE2s-256 keyed with A over the transport public key: what the relay's row holds, so
    /// that a stolen registry names no device key.
    pub fn bind(&self, transport: &StaticPublic) -> TransportHash {
        let bound =
            derive(self.0.expose(), &[b"staffetta 1 transport ".as_slice(), &transport.0].concat());
        TransportHash(Digest(*bound.expose()))
    }
}

/// A device's transport key as its registry row shows it.
#[derive(Clone, Copy, Debug, Eq)]
pub struct TransportHash(pub Digest);

impl PartialEq for TransportHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.0.ct_eq(&other.0.0).into()
    }
}

/// The key of a row's gate tokens, 32 bytes.
pub struct GateKey(Secret<32>);

impl GateKey {
    /// Takes over gate key bytes, as the founder code and invites carry them.
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for the gate's hash, the INVITE operation and the registry and nothing else.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

/// The pre-shared key of a hop, 32 bytes.
pub struct HopPsk(Secret<32>);

impl HopPsk {
    /// Takes over psk bytes, as the founder code and invites carry them.
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for the Noise library, the INVITE operation and the registry and nothing else.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

const _: () = {
    assert!(std::mem::needs_drop::<StaticSecret>());
    assert!(std::mem::needs_drop::<AccessSecret>());
    assert!(std::mem::needs_drop::<GateKey>());
    assert!(std::mem::needs_drop::<HopPsk>());
};

/// The hash of a relay's public key as gate tokens include it and people compare it.
pub fn relay_fingerprint(relay: &StaticPublic) -> Digest {
    let mut hash = Blake2s256::new();
    blake2::Digest::update(&mut hash, b"staffetta 1 relay key");
    blake2::Digest::update(&mut hash, relay.0);
    Digest(hash.finalize().into())
}

/// BLAKE2s-256 keyed with `key` over `label`.
pub(crate) fn derive(key: &[u8; 32], label: &[u8]) -> Secret<32> {
    let mut mac = <Blake2sMac<U32> as KeyInit>::new(key.into());
    Update::update(&mut mac, label);
    Secret::filled(|out| out.copy_from_slice(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn both_ends_agree() {
        let (a, b) = (StaticSecret::generate(&mut OsRandom), StaticSecret::generate(&mut OsRandom));
        let ab = a.agree(&b.public()).unwrap();
        assert!(ab.ct_eq(b.agree(&a.public()).unwrap().expose()));
    }

    #[test]
    fn a_low_order_point_gives_no_secret() {
        let a = StaticSecret::generate(&mut OsRandom);
        assert!(a.agree(&StaticPublic([0; 32])).is_none());
    }

    #[test]
    fn keys_of_one_access_secret_differ_from_each_other() {
        let a = AccessSecret::generate(&mut OsRandom);
        assert!(!a.gate_key().secret().ct_eq(a.psk().secret().expose()));
    }
}
