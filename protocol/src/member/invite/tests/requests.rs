use proptest::prelude::*;

use crate::member::identity::{DeviceKeys, LeafCertificate};
use crate::member::invite::*;
use crate::member::roster::Name;
use crate::member::roster::cbor;
use crate::random::OsRandom;
use crate::wire::ids::InviteId;

pub(super) const INVITE: InviteId = InviteId([7; 16]);

pub(super) fn request_of(keys: &DeviceKeys, name: &str) -> JoinRequest {
    let packages = vec![vec![0xAB; 2_648]; 2];
    let label = Name::parse("computer").unwrap();
    JoinRequest::of_device(INVITE, keys, packages, Name::parse(name).unwrap(), label)
}

#[test]
fn a_request_reads_back_with_every_key() {
    let keys = DeviceKeys::generate(&mut OsRandom);
    let encoded = request_of(&keys, "Zo\u{eb}").encode(&keys).unwrap();
    assert_eq!(MessageKind::of(&encoded), Some(MessageKind::Request));
    let opened = JoinRequest::open(&INVITE, &encoded).unwrap();
    assert_eq!(opened.encoded(), encoded.as_slice());
    let request = &opened.request;
    assert_eq!(request.device_id(), keys.device_id());
    assert_eq!(request.name.as_str(), "Zo\u{eb}");
    assert_eq!(request.key_packages, vec![vec![0xAB; 2_648]; 2]);
    assert!(request.access.secret().ct_eq(keys.access.secret().expose()));
    assert!(request.transport == keys.transport.public());
    assert!(request.device.direct == keys.direct.public());
    assert_eq!(request.leaf, keys.leaf.public());
    assert_eq!(request.encode(&keys).unwrap(), encoded, "canonical");
}

#[test]
fn the_largest_request_fits_sixteen_cells() {
    let keys = DeviceKeys::generate(&mut OsRandom);
    let mut request = request_of(&keys, &"\u{1F3E0}".repeat(40));
    request.label = Name::parse(&"\u{1F3E0}".repeat(40)).unwrap();
    request.key_packages = vec![vec![1; 2_648]; MAX_KEY_PACKAGES];
    assert!(request.encode(&keys).unwrap().len() <= MAX_REQUEST_BYTES);
    request.key_packages = vec![vec![1; MAX_PACKAGE_BYTES]; MAX_KEY_PACKAGES];
    assert_eq!(request.encode(&keys).err(), Some(RequestError::TooLarge));
    request.key_packages = vec![vec![1]; MAX_KEY_PACKAGES + 1];
    assert_eq!(request.encode(&keys).err(), Some(RequestError::Malformed));
    request.key_packages = vec![vec![1; MAX_PACKAGE_BYTES + 1]];
    assert_eq!(request.encode(&keys).err(), Some(RequestError::Malformed));
}

#[test]
fn a_request_is_for_one_invite_and_of_one_device() {
    let keys = DeviceKeys::generate(&mut OsRandom);
    let encoded = request_of(&keys, "Lea").encode(&keys).unwrap();
    let other = InviteId([8; 16]);
    assert_eq!(JoinRequest::open(&other, &encoded).err(), Some(RequestError::OtherInvite));
    let thief = DeviceKeys::generate(&mut OsRandom);
    assert_eq!(request_of(&keys, "Lea").encode(&thief).err(), Some(RequestError::Proof));
}

#[test]
fn a_leaf_key_somebody_else_certified_is_refused() {
    let (keys, thief) = (DeviceKeys::generate(&mut OsRandom), DeviceKeys::generate(&mut OsRandom));
    let mut request = request_of(&keys, "Lea");
    request.certificate = LeafCertificate::issue(&thief.identity, &keys.leaf.public(), 1);
    assert_eq!(request.encode(&keys).err(), Some(RequestError::Proof));
}

#[test]
fn a_newer_request_is_told_from_a_broken_one() {
    let keys = DeviceKeys::generate(&mut OsRandom);
    let mut encoded = request_of(&keys, "Lea").encode(&keys).unwrap();
    encoded[1] = 2;
    assert_eq!(JoinRequest::open(&INVITE, &encoded).err(), Some(RequestError::Version(2)));
    assert_eq!(
        JoinRequest::open(&INVITE, &vec![0; MAX_REQUEST_BYTES + 1]).err(),
        Some(RequestError::TooLarge)
    );
    let nested = cbor::encode(&ciborium::Value::Array(vec![cbor::uint(1u8), cbor::uint(1u8)]));
    assert_eq!(JoinRequest::open(&INVITE, &nested).err(), Some(RequestError::Malformed));
}

proptest! {
    #[test]
    fn every_changed_byte_of_a_request_is_refused(at: proptest::sample::Index, flip in 1u8..=255) {
        let keys = DeviceKeys::generate(&mut OsRandom);
        let mut encoded = request_of(&keys, "Lea").encode(&keys).unwrap();
        let at = at.index(encoded.len());
        encoded[at] ^= flip;
        prop_assert!(JoinRequest::open(&INVITE, &encoded).is_err());
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(JoinRequest::open(&INVITE, &bytes).is_err());
        prop_assert!(Answer::open(&[], &bytes).is_err());
        prop_assert!(Refusal::open(&[], &bytes).is_none());
        let _ = Snapshot::decode(&bytes);
        let _ = MessageKind::of(&bytes);
    }
}
