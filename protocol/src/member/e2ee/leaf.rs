//! Leaves: the signer, the certificate in the credential, and what a leaf must be.

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::tls_codec::Size;
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey,
    ExtensionType, KeyPackage, LeafNode, Lifetime, ProtocolVersion, SignatureScheme,
};
use openmls_traits::signatures::{Signer, SignerError};

use super::authority::{Authority, Standing};
use super::error::LeafFault;
use super::state::ROOM_STATE;
use super::{MAX_CREDENTIAL, MAX_LEAF, SUITE};
use crate::member::identity::{LeafCertificate, SigningPublic, SigningSecret};

/// The leaf key as OpenMLS's signer: plain Ed25519, because MLS labels what it signs itself.
pub(super) struct LeafSigner<'a>(pub(super) &'a SigningSecret);

impl Signer for LeafSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let key = SigningKey::from_bytes(self.0.secret().expose());
        Ok(key.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// MLS lifetimes are unlimited: OpenMLS checks them against each receiver's clock, and a verdict
/// must not depend on one.
pub(super) fn unlimited() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// What our leaves can do: exactly what rooms and last-resort KeyPackages need.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[ExtensionType::LastResort, ExtensionType::Unknown(ROOM_STATE)]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// The credential of a certified leaf key.
pub(super) fn credential(certificate: &LeafCertificate, leaf: SigningPublic) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(certificate.encode()).into(),
        signature_key: leaf.0.to_vec().into(),
    }
}

/// The certificate that a leaf carries. Its signature is not checked here.
pub(super) fn certificate(credential: &Credential) -> Result<LeafCertificate, LeafFault> {
    if credential.serialized_content().len() > MAX_CREDENTIAL {
        return Err(LeafFault::CredentialTooLong);
    }
    if credential.credential_type() != CredentialType::Basic {
        return Err(LeafFault::Credential);
    }
    LeafCertificate::decode(credential.serialized_content()).ok_or(LeafFault::Credential)
}

/// The leaf key of OpenMLS's bytes.
pub(super) fn leaf_key(bytes: &[u8]) -> Result<SigningPublic, LeafFault> {
    bytes.try_into().map(SigningPublic).map_err(|_| LeafFault::Certificate)
}

/// Everything about a leaf that does not need the roster: size, capabilities, credential.
pub(super) fn shape(leaf: &LeafNode) -> Result<(LeafCertificate, SigningPublic), LeafFault> {
    if leaf.tls_serialized_len() > MAX_LEAF {
        return Err(LeafFault::TooLong);
    }
    let certificate = certificate(leaf.credential())?;
    let able = leaf.capabilities();
    let suites = able.ciphersuites().iter().any(|suite| Ciphersuite::try_from(*suite) == Ok(SUITE));
    if !suites
        || !able.extensions().contains(&ExtensionType::Unknown(ROOM_STATE))
        || !able.credentials().contains(&CredentialType::Basic)
    {
        return Err(LeafFault::Capabilities);
    }
    Ok((certificate, leaf_key(leaf.signature_key().as_slice())?))
}

/// Checks a leaf's certificate against the roster's identity key of its device, which must be
/// active.
pub(super) fn certified(
    certificate: &LeafCertificate,
    leaf: &SigningPublic,
    authority: &dyn Authority,
) -> Result<(), LeafFault> {
    match authority.device(&certificate.device) {
        Standing::Active { identity, .. } if certificate.verify(&identity, leaf) => Ok(()),
        Standing::Active { .. } => Err(LeafFault::Certificate),
        Standing::Revoked | Standing::Unknown => Err(LeafFault::NotActive),
    }
}

/// Everything about a KeyPackage that does not need the roster.
pub(super) fn package(package: &KeyPackage) -> Result<(LeafCertificate, SigningPublic), LeafFault> {
    if package.ciphersuite() != SUITE {
        return Err(LeafFault::Suite);
    }
    if *package.life_time() != unlimited() {
        return Err(LeafFault::Lifetime);
    }
    shape(package.leaf_node())
}
