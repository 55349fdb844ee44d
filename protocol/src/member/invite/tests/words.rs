use super::requests::{INVITE, request_of};
use crate::invite_code::Language;
use crate::member::identity::DeviceKeys;
use crate::member::invite::*;
use crate::random::OsRandom;
use crate::wire::ids::{Digest, InviteId};

#[test]
fn the_words_bind_the_invite_the_bundle_and_the_whole_request() {
    let keys = DeviceKeys::generate(&mut OsRandom);
    let bundle = Digest([1; 32]);
    let request = request_of(&keys, "Lea").encode(&keys).unwrap();
    let transcript = Transcript::new(&INVITE, &bundle, &request);
    let opened = JoinRequest::open(&INVITE, &request).unwrap();
    assert!(Transcript::of_opened(&bundle, &opened) == transcript);
    assert!(Transcript::new(&InviteId([8; 16]), &bundle, &request) != transcript);
    assert!(Transcript::new(&INVITE, &Digest([2; 32]), &request) != transcript);
    for at in 0..request.len() {
        let mut changed = request.to_vec();
        changed[at] ^= 1;
        assert!(Transcript::new(&INVITE, &bundle, &changed) != transcript, "byte {at}");
    }
    // Every field of the request is one of these bytes, the name and the access secret included.
    let other = request_of(&keys, "Leo").encode(&keys).unwrap();
    assert!(Transcript::new(&INVITE, &bundle, &other) != transcript);
}

#[test]
fn two_sides_with_one_bundle_have_the_same_five_words_and_a_thiefs_differ() {
    let request = b"the request";
    let newcomer = Transcript::new(&INVITE, &Digest([1; 32]), request).words().unwrap();
    let thief = Transcript::new(&INVITE, &Digest([2; 32]), request).words().unwrap();
    let said = newcomer.to_text(Language::French).join(" ");
    assert_eq!(newcomer.matches(Language::French, &said), Ok(true));
    assert_eq!(thief.matches(Language::French, &said), Ok(false));
}
