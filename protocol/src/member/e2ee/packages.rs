//! KeyPackages: making one's own, and judging another's.

use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::{
    KeyPackage, KeyPackageBundle, KeyPackageIn, KeyPackageRef, OpenMlsProvider, ProtocolVersion,
    Welcome,
};
use openmls_traits::storage::StorageProvider as _;

use super::authority::Authority;
use super::error::{Error, LeafFault};
use super::leaf::{self, LeafSigner};
use super::provider::Provider;
use super::{MAX_PACKAGE, SUITE};
use crate::member::identity::{DeviceKeys, LeafCertificate, SigningPublic};
use crate::wire::ids::DeviceId;

/// A KeyPackageRef (RFC 9420 section 5.2), 48 bytes: how a Welcome names the KeyPackage it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackageRef(pub [u8; 48]);

/// A KeyPackage that can be used for an Add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageInfo {
    /// Whose it is.
    pub device: DeviceId,
    /// Its leaf key.
    pub leaf: SigningPublic,
    /// Whether it may be used more than once.
    pub last_resort: bool,
    /// Its reference.
    pub reference: PackageRef,
}

/// Makes a KeyPackage (RFC 9420 section 10, 2,728 bytes) and keeps its private keys.
///
/// A Welcome consumes them; those of a last-resort KeyPackage stay.
pub fn new_package(
    provider: &Provider<'_>,
    keys: &DeviceKeys,
    certificate: &LeafCertificate,
    last_resort: bool,
) -> Result<Vec<u8>, Error> {
    let mut builder = KeyPackage::builder()
        .key_package_lifetime(leaf::unlimited())
        .leaf_node_capabilities(leaf::capabilities());
    if last_resort {
        builder = builder.mark_as_last_resort();
    }
    let credential = leaf::credential(certificate, keys.leaf.public());
    let bundle = builder
        .build(SUITE, provider, &LeafSigner(&keys.leaf), credential)
        .map_err(|_| Error::Library("make a KeyPackage"))?;
    let bytes = bundle.key_package().tls_serialize_detached();
    bytes.map_err(|_| Error::Library("serialise a KeyPackage"))
}

/// The reference of a KeyPackage made here.
pub fn package_ref(provider: &Provider<'_>, bytes: &[u8]) -> Result<PackageRef, Error> {
    let read = read(provider, bytes).ok();
    let reference = read.and_then(|(package, _, _)| package.hash_ref(provider.crypto()).ok());
    let bytes = reference.and_then(|reference| reference.as_slice().try_into().ok());
    bytes.map(PackageRef).ok_or(Error::Library("a KeyPackage's reference"))
}

/// Forgets the private keys of a KeyPackage made here; nothing if a Welcome has used them up.
pub fn forget_package(provider: &Provider<'_>, reference: &PackageRef) -> Result<(), Error> {
    // A variable-length vector (RFC 9420 section 2.1.2): its length, then its bytes.
    let encoded = [[48].as_slice(), &reference.0].concat();
    let reference = KeyPackageRef::tls_deserialize_exact(encoded)
        .map_err(|_| Error::Library("a KeyPackage's reference"))?;
    Ok(provider.storage().delete_key_package(&reference)?)
}

/// A single-use KeyPackage of this device that a Welcome has just used up, with its private keys.
pub struct UsedPackage {
    name: KeyPackageRef,
    bundle: KeyPackageBundle,
    reference: PackageRef,
}

const _: () = assert!(std::mem::needs_drop::<UsedPackage>());

impl UsedPackage {
    /// The one that a Welcome is for; `None` if that is a last-resort one, or none of this device's.
    pub(super) fn of(
        provider: &Provider<'_>,
        welcome: &Welcome,
    ) -> Result<Option<Self>, rusqlite::Error> {
        for secrets in welcome.secrets() {
            let name = secrets.new_member();
            let found: Option<KeyPackageBundle> = provider.storage().key_package(&name)?;
            let Some(bundle) = found else { continue };
            let reference = name.as_slice().try_into().map(PackageRef);
            let single_use = !bundle.key_package().last_resort();
            return Ok(reference.ok().filter(|_| single_use).map(|reference| Self {
                name,
                bundle,
                reference,
            }));
        }
        Ok(None)
    }

    /// Its reference.
    pub fn reference(&self) -> &PackageRef {
        &self.reference
    }

    /// Keeps its private keys after all, until [`forget_package`].
    pub fn put_back(&self, provider: &Provider<'_>) -> Result<(), Error> {
        Ok(provider.storage().write_key_package(&self.name, &self.bundle)?)
    }
}

/// Checks the KeyPackage of a device that is not on the roster yet but whose identity key is known,
/// as in a join request.
pub fn check_package(
    provider: &Provider<'_>,
    bytes: &[u8],
    identity: &SigningPublic,
) -> Result<PackageInfo, LeafFault> {
    let (package, certificate, leaf) = read(provider, bytes)?;
    if !certificate.verify(identity, &leaf) {
        return Err(LeafFault::Certificate);
    }
    info(provider, &package, certificate.device, leaf)
}

/// Checks the KeyPackage of a device on the roster. Its age is the adder's to judge.
pub fn check_package_of(
    provider: &Provider<'_>,
    bytes: &[u8],
    authority: &dyn Authority,
) -> Result<PackageInfo, LeafFault> {
    let (package, certificate, leaf) = read(provider, bytes)?;
    leaf::certified(&certificate, &leaf, authority)?;
    info(provider, &package, certificate.device, leaf)
}

/// Parses a KeyPackage and checks all of it that needs no roster.
pub(super) fn read(
    provider: &Provider<'_>,
    bytes: &[u8],
) -> Result<(KeyPackage, LeafCertificate, SigningPublic), LeafFault> {
    if bytes.len() > MAX_PACKAGE {
        return Err(LeafFault::TooLong);
    }
    let package = KeyPackageIn::tls_deserialize_exact(bytes)
        .map_err(|_| LeafFault::Malformed)?
        .validate(provider.crypto(), ProtocolVersion::Mls10)
        .map_err(|_| LeafFault::Malformed)?;
    let (certificate, leaf) = leaf::package(&package)?;
    Ok((package, certificate, leaf))
}

fn info(
    provider: &Provider<'_>,
    package: &KeyPackage,
    device: DeviceId,
    leaf: SigningPublic,
) -> Result<PackageInfo, LeafFault> {
    let reference = package.hash_ref(provider.crypto()).map_err(|_| LeafFault::Malformed)?;
    let reference = reference.as_slice().try_into().map_err(|_| LeafFault::Malformed)?;
    let last_resort = package.last_resort();
    Ok(PackageInfo { device, leaf, last_resort, reference: PackageRef(reference) })
}
