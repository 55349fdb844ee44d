//! Device keys: identity, leaf, direct and transport, and the leaf's certificate.
//!
//! The identity key signs roster entries and certificates and nothing MLS. The leaf key signs MLS
//! messages and nothing else; a certificate by the identity key binds it to the device.

use blake2::{Blake2s256, Digest as _};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use crate::random::{Random, bytes};
use crate::secret::Secret;
use crate::wire::ids::DeviceId;

/// An Ed25519 signature (RFC 8032), 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignatureBytes(pub [u8; 64]);

/// An Ed25519 private key, wiped on drop.
pub struct SigningSecret(Box<SigningKey>);

/// An Ed25519 public key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SigningPublic(pub [u8; 32]);

const _: () = {
    assert!(std::mem::needs_drop::<SigningKey>());
    assert!(std::mem::needs_drop::<SigningSecret>());
};

impl SigningSecret {
    /// Makes a fresh key.
    pub fn generate(random: &mut (impl Random + ?Sized)) -> Self {
        Self::from_secret(&Secret::take(&mut bytes(random)))
    }

    /// Takes over a key's 32-byte seed.
    pub fn from_secret(seed: &Secret<32>) -> Self {
        Self(Box::new(SigningKey::from_bytes(seed.expose())))
    }

    /// The 32-byte seed, for the sealed store and the root words and nothing else.
    pub fn secret(&self) -> Secret<32> {
        Secret::filled(|out| out.copy_from_slice(self.0.as_bytes()))
    }

    /// The public half.
    pub fn public(&self) -> SigningPublic {
        SigningPublic(self.0.verifying_key().to_bytes())
    }

    /// Signs `label || 0x00 || message`, so that a signature made for one purpose serves no other.
    pub fn sign(&self, label: &[u8], message: &[u8]) -> SignatureBytes {
        SignatureBytes(self.0.sign(&[label, &[0], message].concat()).to_bytes())
    }
}

impl SigningPublic {
    /// Checks a signature strictly (no small-order keys, no malleable form).
    pub fn verify(&self, label: &[u8], message: &[u8], signature: &SignatureBytes) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.0) else { return false };
        let signed = [label, &[0], message].concat();
        key.verify_strict(&signed, &Signature::from_bytes(&signature.0)).is_ok()
    }

    /// The id of the device whose identity key this is.
    pub fn device_id(&self) -> DeviceId {
        let mut hash = Blake2s256::new();
        hash.update(b"staffetta 1 device id");
        hash.update(self.0);
        let digest: [u8; 32] = hash.finalize().into();
        let (id, _) = digest.split_at(DeviceId::LEN);
        DeviceId::from_slice(id).unwrap_or(DeviceId([0; 16]))
    }
}

impl std::fmt::Debug for SigningPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningPublic(..)")
    }
}

impl std::fmt::Debug for SignatureBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignatureBytes(..)")
    }
}

/// Everything secret that makes a device this device.
pub struct DeviceKeys {
    /// Signs roster entries, certificates, approvals.
    pub identity: SigningSecret,
    /// Signs MLS messages.
    pub leaf: SigningSecret,
    /// Opens direct messages.
    pub direct: StaticSecret,
    /// The static key of the hop.
    pub transport: StaticSecret,
    /// Known to the relay as well; gate key and psk derive from it.
    pub access: AccessSecret,
}

impl DeviceKeys {
    /// Makes the keys of a new device.
    pub fn generate(random: &mut (impl Random + ?Sized)) -> Self {
        Self {
            identity: SigningSecret::generate(random),
            leaf: SigningSecret::generate(random),
            direct: StaticSecret::generate(random),
            transport: StaticSecret::generate(random),
            access: AccessSecret::generate(random),
        }
    }

    /// The device's id.
    pub fn device_id(&self) -> DeviceId {
        self.identity.public().device_id()
    }

    /// Certifies the leaf key, with `serial` counting the device's leaf keys from 1.
    pub fn certify_leaf(&self, serial: u32) -> LeafCertificate {
        LeafCertificate::issue(&self.identity, &self.leaf.public(), serial)
    }
}

/// The public keys of a device as the roster holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevicePublic {
    /// The identity key.
    pub identity: SigningPublic,
    /// The direct key.
    pub direct: StaticPublic,
}

/// The MLS leaf credential's content: a leaf key certified by a device's identity key, 85 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafCertificate {
    /// The device.
    pub device: DeviceId,
    /// Counts the device's leaf keys from 1.
    pub serial: u32,
    /// By the identity key, over device, serial and leaf key.
    pub signature: SignatureBytes,
}

const LEAF_LABEL: &[u8] = b"staffetta 1 leaf certificate";

impl LeafCertificate {
    /// Encoded length in bytes.
    pub const LEN: usize = 1 + DeviceId::LEN + 4 + 64;
    const VERSION: u8 = 1;

    /// Issues the certificate of `leaf`.
    pub fn issue(identity: &SigningSecret, leaf: &SigningPublic, serial: u32) -> Self {
        let device = identity.public().device_id();
        let signature = identity.sign(LEAF_LABEL, &Self::signed(&device, serial, leaf));
        Self { device, serial, signature }
    }

    /// Whether `identity` is this device's key and certified `leaf`.
    pub fn verify(&self, identity: &SigningPublic, leaf: &SigningPublic) -> bool {
        identity.device_id() == self.device
            && identity.verify(
                LEAF_LABEL,
                &Self::signed(&self.device, self.serial, leaf),
                &self.signature,
            )
    }

    /// The credential bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.push(Self::VERSION);
        out.extend_from_slice(&self.device.0);
        out.extend_from_slice(&self.serial.to_be_bytes());
        out.extend_from_slice(&self.signature.0);
        out
    }

    /// Reads credential bytes; `None` for another length or version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (device, rest) = rest.split_at_checked(DeviceId::LEN)?;
        let (serial, signature) = rest.split_at_checked(4)?;
        if *version != Self::VERSION {
            return None;
        }
        Some(Self {
            device: DeviceId::from_slice(device)?,
            serial: u32::from_be_bytes(serial.try_into().ok()?),
            signature: SignatureBytes(signature.try_into().ok()?),
        })
    }

    fn signed(device: &DeviceId, serial: u32, leaf: &SigningPublic) -> Vec<u8> {
        [device.0.as_slice(), &serial.to_be_bytes(), &leaf.0].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_certificate_binds_one_leaf_key_to_one_device() {
        let keys = DeviceKeys::generate(&mut OsRandom);
        let certificate = keys.certify_leaf(1);
        let read = LeafCertificate::decode(&certificate.encode()).unwrap();
        assert!(read.verify(&keys.identity.public(), &keys.leaf.public()));
        let other = DeviceKeys::generate(&mut OsRandom);
        assert!(!read.verify(&keys.identity.public(), &other.leaf.public()));
        assert!(!read.verify(&other.identity.public(), &keys.leaf.public()));
    }

    #[test]
    fn a_leaf_credential_is_at_most_160_bytes() {
        const { assert!(LeafCertificate::LEN <= 160) }
    }
}
