//! The signed request with which a device that fell out of a room asks to be removed and added
//! again, and the one commit that it allows.
//!
//! A request names the leaf that the device wants replaced. Whatever answers it puts another leaf
//! there, so that a request is good for one commit and can never be used again.

use blake2::{Blake2s256, Digest as _};
use openmls::prelude::tls_codec::Serialize;
use openmls::prelude::{KeyPackage, LeafNode};

use super::authority::{Actor, Authority, Role, Standing};
use super::error::Invalid;
use super::group::Group;
use super::packages;
use super::provider::Provider;
use super::verdict::Place;
use crate::member::identity::{SignatureBytes, SigningPublic, SigningSecret};
use crate::wire::ids::{DeviceId, Digest, RoomId};

/// Length of a request in bytes: what is signed, and the signature.
pub const REQUEST_BYTES: usize = BODY + 64;
const BODY: usize = 16 + 16 + 8 + 32 + 32;
const LABEL: &[u8] = b"staffetta 1 resync";

/// A device's wish for a new leaf in a room, signed with its identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResyncRequest {
    /// The device that asks.
    pub device: DeviceId,
    /// The room.
    pub room: RoomId,
    /// The last epoch it knows of; no earlier one may end by the answer.
    pub epoch: u64,
    /// [`Group::leaf_hash`] of the leaf that is to be replaced.
    pub leaf: Digest,
    /// BLAKE2s-256 of the fresh KeyPackage for the new leaf.
    pub package: Digest,
    pub(super) signature: SignatureBytes,
}

/// A request with the KeyPackage that it names.
#[derive(Clone, Copy, Debug)]
pub struct Resync<'a> {
    /// The request.
    pub request: &'a ResyncRequest,
    /// The KeyPackage's bytes.
    pub package: &'a [u8],
}

impl ResyncRequest {
    /// Signs a request for the KeyPackage `package`.
    pub fn sign(
        identity: &SigningSecret,
        room: RoomId,
        epoch: u64,
        leaf: Digest,
        package: &[u8],
    ) -> Self {
        let mut request = Self {
            device: identity.public().device_id(),
            room,
            epoch,
            leaf,
            package: Digest(Blake2s256::digest(package).into()),
            signature: SignatureBytes([0; 64]),
        };
        request.signature = identity.sign(LABEL, &request.body());
        request
    }

    /// Whether it is the device's own.
    pub fn is_signed_by(&self, identity: &SigningPublic) -> bool {
        identity.device_id() == self.device && identity.verify(LABEL, &self.body(), &self.signature)
    }

    /// Whether it names this KeyPackage.
    pub fn names(&self, package: &[u8]) -> bool {
        self.package.0 == <[u8; 32]>::from(Blake2s256::digest(package))
    }

    /// `device 16 | room 16 | epoch 8 | leaf 32 | package 32 | signature 64`.
    pub fn encode(&self) -> Vec<u8> {
        [self.body().as_slice(), &self.signature.0].concat()
    }

    /// Reads what [`ResyncRequest::encode`] wrote; the signature is not checked.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (device, rest) = bytes.split_first_chunk::<16>()?;
        let (room, rest) = rest.split_first_chunk::<16>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (leaf, rest) = rest.split_first_chunk::<32>()?;
        let (package, rest) = rest.split_first_chunk::<32>()?;
        Some(Self {
            device: DeviceId(*device),
            room: RoomId(*room),
            epoch: u64::from_be_bytes(*epoch),
            leaf: Digest(*leaf),
            package: Digest(*package),
            signature: SignatureBytes(rest.try_into().ok()?),
        })
    }

    fn body(&self) -> Vec<u8> {
        let epoch = self.epoch.to_be_bytes();
        [&self.device.0, &self.room.0, epoch.as_slice(), &self.leaf.0, &self.package.0].concat()
    }
}

impl Group {
    /// BLAKE2s-256 of the encryption key of a device's leaf, an HPKEPublicKey as RFC 9420 section
    /// 7.2 encodes it, which is another one after every commit that replaces the leaf; `None` if
    /// the device has none here.
    pub fn leaf_hash(&self, device: &DeviceId) -> Option<Digest> {
        self.mls.public_group().leaf(self.leaf_of(device)?).map(hash_of)
    }

    /// Whether the request allows `author` to replace the leaf it names, here and now.
    pub(super) fn permits(
        &self,
        request: &ResyncRequest,
        author: Actor,
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Result<(), Invalid> {
        let Standing::Active { identity, .. } = authority.device(&request.device) else {
            return Err(Invalid::Resync);
        };
        let holds = author.role != Role::Bot
            && request.room == self.room
            && request.epoch <= self.epoch()
            && self.leaf_hash(&request.device) == Some(request.leaf)
            && !place.required_removals.contains(&request.device)
            && request.is_signed_by(&identity);
        if holds { Ok(()) } else { Err(Invalid::Resync) }
    }
}

/// The hash by which requests and [`Group::leaf_hash`] name a leaf.
pub(super) fn hash_of(leaf: &LeafNode) -> Digest {
    // Serialising a vector into memory has no way to fail; nothing would match an empty one.
    let key = leaf.encryption_key().tls_serialize_detached().unwrap_or_default();
    Digest(Blake2s256::digest(key).into())
}

/// The hash of the leaf that a KeyPackage will make; `None` if it is none.
pub fn leaf_of_package(provider: &Provider<'_>, package: &[u8]) -> Option<Digest> {
    let (package, _, _) = packages::read(provider, package).ok()?;
    Some(hash_of(package.leaf_node()))
}

/// Whether an Add's KeyPackage is the one that the request names.
pub(super) fn is_named(request: &ResyncRequest, package: &KeyPackage) -> bool {
    package.tls_serialize_detached().is_ok_and(|bytes| request.names(&bytes))
}
