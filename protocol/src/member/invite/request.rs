//! The join request: what a newcomer's device says of itself.

use blake2::{Blake2s256, Digest as _};
use ciborium::Value;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::MessageKind;
use crate::invite_code::MAX_NAME_BYTES;
use crate::member::identity::{
    DeviceKeys, DevicePublic, LeafCertificate, SignatureBytes, SigningPublic,
};
use crate::member::roster::Name;
use crate::member::roster::cbor::{self, Fields, bytes, text, uint};
use crate::noise::keys::{AccessSecret, StaticPublic};
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, Digest, InviteId};

/// Largest encoded request in bytes: 16 cells of 945.
pub const MAX_REQUEST_BYTES: usize = 16 * 945;
/// Most KeyPackages of a request.
pub const MAX_KEY_PACKAGES: usize = 4;
/// Largest KeyPackage in bytes.
pub const MAX_PACKAGE_BYTES: usize = 4_096;

const VERSION: u64 = 1;
const LABEL: &[u8] = b"staffetta 1 join request";

/// What a newcomer asks with. Holds the device's access secret, wiped on drop.
pub struct JoinRequest {
    /// The invite.
    pub invite: InviteId,
    /// The device's identity and direct keys.
    pub device: DevicePublic,
    /// The key of the device's MLS leaf.
    pub leaf: SigningPublic,
    /// Binds the leaf key to the identity key.
    pub certificate: LeafCertificate,
    /// The device's key of the hop.
    pub transport: StaticPublic,
    /// The device's access secret, for its registry row.
    pub access: AccessSecret,
    /// KeyPackages, opaque here, the last resort first.
    pub key_packages: Vec<Vec<u8>>,
    /// What the person wants to be called.
    pub name: Name,
    /// What the device is to be called.
    pub label: Name,
}

const _: () = assert!(std::mem::needs_drop::<JoinRequest>());

/// A request off the wire, signed by the identity key it names, with the bytes the words bind.
pub struct Opened {
    /// The request.
    pub request: JoinRequest,
    encoded: Zeroizing<Vec<u8>>,
}

impl Opened {
    /// The whole canonical request, its proof included.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The request's digest, by which two requests are told apart.
    pub fn digest(&self) -> Digest {
        request_digest(&self.encoded)
    }
}

/// BLAKE2s-256 of an encoded request.
pub(super) fn request_digest(encoded: &[u8]) -> Digest {
    Digest(Blake2s256::digest(encoded).into())
}

/// Why a request cannot be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Larger than a request can be.
    #[error("a join request of impossible size")]
    TooLarge,
    /// The newcomer's version is newer than ours.
    #[error("join request version {0} is not supported")]
    Version(u64),
    /// Not deterministic CBOR of the layout, or a field out of its bounds.
    #[error("the join request is malformed")]
    Malformed,
    /// It speaks of another invite than the one whose channel carried it.
    #[error("the join request is for another invite")]
    OtherInvite,
    /// The identity key signed neither the request nor the leaf key.
    #[error("the join request is not signed by its identity key")]
    Proof,
}

impl JoinRequest {
    /// The request of a new device for `invite`.
    pub fn of_device(
        invite: InviteId,
        keys: &DeviceKeys,
        key_packages: Vec<Vec<u8>>,
        name: Name,
        label: Name,
    ) -> Self {
        Self {
            invite,
            device: DevicePublic { identity: keys.identity.public(), direct: keys.direct.public() },
            leaf: keys.leaf.public(),
            certificate: keys.certify_leaf(1),
            transport: keys.transport.public(),
            access: AccessSecret::from_secret(Secret::filled(|out| {
                out.copy_from_slice(keys.access.secret().expose());
            })),
            key_packages,
            name,
            label,
        }
    }

    /// The device's id.
    pub fn device_id(&self) -> DeviceId {
        self.device.identity.device_id()
    }

    /// Signs and encodes the request: `[1, kind, body, proof]`, where the proof is by the identity
    /// key over the encoded body.
    ///
    /// # Errors
    /// [`RequestError`] if a field is out of bounds or the keys are another device's.
    pub fn encode(&self, keys: &DeviceKeys) -> Result<Zeroizing<Vec<u8>>, RequestError> {
        let mut body = self.body();
        // Room for everything, so that no shorter copy of the access secret is left behind.
        let mut encoded_body = Zeroizing::new(Vec::with_capacity(2 * MAX_REQUEST_BYTES));
        cbor::encode_into(&body, &mut encoded_body);
        cbor::wipe(&mut body);
        if encoded_body.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLarge);
        }
        let proof = keys.identity.sign(LABEL, &encoded_body);
        let mut message = Value::Array(vec![
            uint(VERSION),
            uint(MessageKind::Request.code()),
            bytes(&encoded_body),
            bytes(&proof.0),
        ]);
        let mut encoded = Zeroizing::new(Vec::with_capacity(2 * MAX_REQUEST_BYTES));
        cbor::encode_into(&message, &mut encoded);
        cbor::wipe(&mut message);
        Self::open(&self.invite, &encoded)?;
        Ok(encoded)
    }

    /// Reads a request from the channel of `invite` and checks both signatures.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn open(invite: &InviteId, encoded: &[u8]) -> Result<Opened, RequestError> {
        if encoded.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLarge);
        }
        let (mut body, proof) = read_envelope(encoded)?;
        let request = cbor::decode(&body, MAX_REQUEST_BYTES).and_then(Self::read);
        let request = request.ok_or(RequestError::Malformed);
        let is_signed = |request: &Self| request.device.identity.verify(LABEL, &body, &proof);
        let checked = request.and_then(|request| {
            if request.invite != *invite {
                return Err(RequestError::OtherInvite);
            }
            let is_certified = request.certificate.verify(&request.device.identity, &request.leaf);
            if !is_certified || !is_signed(&request) {
                return Err(RequestError::Proof);
            }
            Ok(request)
        });
        body.zeroize();
        Ok(Opened { request: checked?, encoded: Zeroizing::new(encoded.to_vec()) })
    }

    fn body(&self) -> Value {
        let packages = self.key_packages.iter().map(|package| bytes(package)).collect();
        Value::Array(vec![
            bytes(&self.invite.0),
            bytes(&self.device.identity.0),
            bytes(&self.device.direct.0),
            bytes(&self.leaf.0),
            bytes(&self.certificate.encode()),
            bytes(&self.transport.0),
            bytes(self.access.secret().expose()),
            Value::Array(packages),
            text(self.name.as_str()),
            text(self.label.as_str()),
        ])
    }

    fn read(body: Value) -> Option<Self> {
        let mut from = Fields::of(body)?;
        let invite = InviteId(from.array()?);
        let device = DevicePublic {
            identity: SigningPublic(from.array()?),
            direct: StaticPublic(from.array()?),
        };
        let leaf = SigningPublic(from.array()?);
        let certificate = LeafCertificate::decode(&from.bytes(LeafCertificate::LEN)?)?;
        let transport = StaticPublic(from.array()?);
        let access = Zeroizing::new(from.bytes(32)?);
        let access = AccessSecret::from_secret(Secret::copy(&access)?);
        let mut packages = from.list(MAX_KEY_PACKAGES)?;
        let key_packages = (0..packages.left())
            .map(|_| packages.bytes(MAX_PACKAGE_BYTES))
            .collect::<Option<Vec<_>>>()?;
        let name = Name::canonical(&from.text(MAX_NAME_BYTES)?)?;
        let label = Name::canonical(&from.text(MAX_NAME_BYTES)?)?;
        from.end(Self {
            invite,
            device,
            leaf,
            certificate,
            transport,
            access,
            key_packages,
            name,
            label,
        })
    }
}

fn read_envelope(encoded: &[u8]) -> Result<(Vec<u8>, SignatureBytes), RequestError> {
    let read = || Fields::of(cbor::decode(encoded, MAX_REQUEST_BYTES)?);
    let mut from = read().ok_or(RequestError::Malformed)?;
    match from.u64() {
        Some(VERSION) => {}
        Some(version) => return Err(RequestError::Version(version)),
        None => return Err(RequestError::Malformed),
    }
    let mut rest = || {
        if from.u8()? != MessageKind::Request.code() {
            return None;
        }
        let body = from.bytes(MAX_REQUEST_BYTES)?;
        let proof = SignatureBytes(from.array()?);
        from.end((body, proof))
    };
    rest().ok_or(RequestError::Malformed)
}
