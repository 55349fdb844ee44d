//! What a commit may hold, whoever made it: commits built past our own checks.

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::{
    BasicCredential, CommitBuilder, CredentialWithKey, Initial, KeyPackage, LeafNodeParameters,
    Lifetime, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider, PreSharedKeyProposal, Proposal,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};

use super::leaf::LeafSigner;
use super::*;
use crate::member::identity::SigningSecret;

type Raw<'a> = CommitBuilder<'a, Initial>;

/// A commit made with OpenMLS alone: none of our checks, any note.
fn raw_noted(seat: &mut Seat, note: Vec<u8>, fill: impl FnOnce(Raw<'_>) -> Raw<'_>) -> Vec<u8> {
    let provider = Provider::new(&seat.device.connection);
    seat.group.mls.clear_pending_commit(provider.storage()).unwrap();
    seat.group.mls.set_aad(note);
    let bundle = fill(seat.group.mls.commit_builder())
        .load_psks(provider.storage())
        .unwrap()
        .build(provider.rand(), provider.crypto(), &LeafSigner(&seat.device.keys.leaf), |_| true)
        .unwrap()
        .stage_commit(&provider)
        .unwrap();
    bundle.into_messages().0.to_bytes().unwrap()
}

fn raw(seat: &mut Seat, fill: impl FnOnce(Raw<'_>) -> Raw<'_>) -> Vec<u8> {
    raw_noted(seat, CommitNote { roster: 0, resync: None }.encode(), fill)
}

/// Judged by all but the first seat, whose commit it is; all give one verdict.
fn all_say(seats: &mut [Seat], roster: &Roster, commit: &[u8], reason: Invalid) {
    for seat in &mut seats[1..] {
        assert_eq!(invalid(seat.judge(roster, commit)), reason);
    }
}

fn package_with(device: &Device, lifetime: Lifetime, credential: Vec<u8>) -> KeyPackage {
    let credential = CredentialWithKey {
        credential: BasicCredential::new(credential).into(),
        signature_key: device.keys.leaf.public().0.to_vec().into(),
    };
    KeyPackage::builder()
        .key_package_lifetime(lifetime)
        .leaf_node_capabilities(leaf::capabilities())
        .build(SUITE, &device.provider(), &LeafSigner(&device.keys.leaf), credential)
        .unwrap()
        .key_package()
        .clone()
}

fn parsed(device: &Device) -> KeyPackage {
    packages::read(&device.provider(), &device.package()).unwrap().0
}

#[test]
fn added_leaf_keys_must_be_active_roster_devices() {
    let (mut roster, mut seats) = team(2);
    let stranger = Device::new();
    let commit = raw(&mut seats[0], |b| b.propose_adds([parsed(&stranger)]));
    all_say(&mut seats, &roster, &commit, Invalid::Added(LeafFault::NotActive));
    let gone = roster.enrol(Role::Member);
    roster.revoke(&gone.id());
    let commit = raw(&mut seats[0], |b| b.propose_adds([parsed(&gone)]));
    all_say(&mut seats, &roster, &commit, Invalid::Added(LeafFault::NotActive));
    // Another device's certificate over a key of one's own.
    let victim = roster.enrol(Role::Member);
    let theirs = victim.certificate.encode();
    let fake = package_with(&stranger, leaf::unlimited(), theirs);
    let commit = raw(&mut seats[0], |b| b.propose_adds([fake]));
    all_say(&mut seats, &roster, &commit, Invalid::Added(LeafFault::Certificate));
}

#[test]
fn an_add_whose_life_time_is_not_exactly_the_unlimited_one_is_invalid() {
    let (mut roster, mut seats) = team(2);
    let newcomer = roster.enrol(Role::Member);
    let thirty_days = Lifetime::new(30 * 86_400);
    for lifetime in [thirty_days, Lifetime::init(1, u64::MAX), Lifetime::init(0, u64::MAX - 1)] {
        let package = package_with(&newcomer, lifetime, newcomer.certificate.encode());
        let commit = raw(&mut seats[0], |b| b.propose_adds([package]));
        all_say(&mut seats, &roster, &commit, Invalid::Added(LeafFault::Lifetime));
    }
}

#[test]
fn a_leaf_credential_is_at_most_160_bytes() {
    let (mut roster, mut seats) = team(2);
    let newcomer = roster.enrol(Role::Member);
    let long = package_with(&newcomer, leaf::unlimited(), vec![1; MAX_CREDENTIAL + 1]);
    let commit = raw(&mut seats[0], |b| b.propose_adds([long]));
    all_say(&mut seats, &roster, &commit, Invalid::Added(LeafFault::CredentialTooLong));
    let odd = package_with(&newcomer, leaf::unlimited(), vec![1; MAX_CREDENTIAL]);
    let commit = raw(&mut seats[0], |b| b.propose_adds([odd]));
    all_say(&mut seats, &roster, &commit, Invalid::Added(LeafFault::Credential));
}

#[test]
fn the_commit_must_remove_every_leaf_revoked_by_then_else_invalid() {
    let (mut roster, mut seats) = team(4);
    let (first, second) = (seats[2].id(), seats[3].id());
    roster.revoke(&first);
    roster.revoke(&second);
    let only_one = seats[0].group.leaf_of(&first).unwrap();
    let commit = raw(&mut seats[0], |b| b.propose_removals([only_one]));
    assert_eq!(invalid(seats[1].judge(&roster, &commit)), Invalid::RevokedStays);
    let commit = raw(&mut seats[0], |b| b.force_self_update(true));
    assert_eq!(invalid(seats[1].judge(&roster, &commit)), Invalid::RevokedStays);
    // A plain member may remove both, and does whatever else it wanted.
    let built = seats[1].commit(&roster, &UPDATE).unwrap();
    let outcome = valid(seats[0].judge(&roster, &built.commit));
    assert_eq!(outcome.removed, [first, second]);
}

#[test]
fn at_its_place_a_commits_author_must_be_an_active_roster_device() {
    let (mut roster, mut seats) = team(3);
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    roster.revoke(&seats[0].id());
    all_say(&mut seats, &roster, &commit, Invalid::AuthorNotActive);
    assert_eq!(invalid(seats[0].win(&roster, &commit)), Invalid::AuthorNotActive);
}

#[test]
fn remove_and_add_of_one_device_without_it_is_invalid() {
    let (roster, mut seats) = team(3);
    let leaf = seats[2].group.mls.own_leaf_index();
    let package = parsed(&seats[2].device);
    // The same leaf key would be a duplicate for OpenMLS; a fresh one is ours to find.
    let fresh = SigningSecret::generate(&mut OsRandom);
    let device = &seats[2].device;
    let certificate = LeafCertificate::issue(&device.keys.identity, &fresh.public(), 2);
    let renewed = KeyPackage::builder()
        .key_package_lifetime(leaf::unlimited())
        .leaf_node_capabilities(leaf::capabilities())
        .build(
            SUITE,
            &device.provider(),
            &LeafSigner(&fresh),
            leaf::credential(&certificate, fresh.public()),
        )
        .unwrap()
        .key_package()
        .clone();
    for package in [package, renewed.clone()] {
        let commit = raw(&mut seats[0], |b| b.propose_removals([leaf]).propose_adds([package]));
        assert_eq!(invalid(seats[1].judge(&roster, &commit)), Invalid::RemoveAndAdd);
    }
    let commit = raw(&mut seats[0], |b| b.propose_adds([renewed]));
    all_say(&mut seats, &roster, &commit, Invalid::Twice);
}

#[test]
fn a_commit_names_the_roster_number_it_relies_on_monotone_per_room() {
    let (roster, mut seats) = team(2);
    for note in [Vec::new(), vec![0], CommitNote { roster: 0, resync: None }.encode()[..2].to_vec()]
    {
        let commit = raw_noted(&mut seats[0], note, |b| b.force_self_update(true));
        all_say(&mut seats, &roster, &commit, Invalid::Note);
    }
    // [1, 0, 0]: the field kept for a resync.
    let resync = vec![0x83, 0x01, 0x00, 0x00];
    let commit = raw_noted(&mut seats[0], resync, |b| b.force_self_update(true));
    all_say(&mut seats, &roster, &commit, Invalid::Note);
    let note = CommitNote { roster: roster.number, resync: None };
    let commit = raw_noted(&mut seats[0], note.encode(), |b| b.force_self_update(true));
    let later = Place { roster_floor: roster.number + 1, ..Place::default() };
    let verdict = seats[1].judge_at(&roster, &commit, &later);
    assert_eq!(invalid(verdict), Invalid::RosterWentBack);
    let mut behind = roster.clone();
    behind.number -= 1;
    let verdict = seats[1].judge(&behind, &commit);
    assert!(matches!(verdict, Verdict::NeedsRoster(number) if number == roster.number));
    let floor = Place { roster_floor: roster.number, ..Place::default() };
    assert_eq!(valid(seats[1].judge_at(&roster, &commit, &floor)).roster, roster.number);
}

#[test]
fn at_most_sixteen_adds_each() {
    let (mut roster, mut seats) = team(2);
    let newcomers: Vec<Device> = (0..=MAX_ADDS).map(|_| roster.enrol(Role::Member)).collect();
    let packages: Vec<Vec<u8>> = newcomers.iter().map(Device::package).collect();
    let change = Change { add: &packages, ..Change::default() };
    assert_eq!(refused(seats[0].commit(&roster, &change)), Invalid::TooManyAdds);
    let parsed: Vec<KeyPackage> = newcomers.iter().map(parsed).collect();
    let commit = raw(&mut seats[0], |b| b.propose_adds(parsed));
    all_say(&mut seats, &roster, &commit, Invalid::TooManyAdds);
    let sixteen = Change { add: &packages[1..], ..Change::default() };
    let Seat { device, group } = &mut seats[0];
    group.mls.clear_pending_commit(device.provider().storage()).unwrap();
    let built = seats[0].commit(&roster, &sixteen).unwrap();
    assert_eq!(valid(seats[1].judge(&roster, &built.commit)).added.len(), MAX_ADDS);
}

#[test]
fn the_path_leaf_keeps_its_credential_or_carries_a_new_certificate() {
    let (roster, mut seats) = team(3);
    let others = leaf::credential(&seats[1].device.certificate, seats[0].device.keys.leaf.public());
    let params =
        |credential| LeafNodeParameters::builder().with_credential_with_key(credential).build();
    let commit = raw(&mut seats[0], |b| b.leaf_node_parameters(params(others)));
    let reason = Invalid::Path(LeafFault::Credential);
    all_say(&mut seats, &roster, &commit, reason);

    let keys = &seats[0].device.keys;
    // A serial that does not grow would bring an old key back.
    let stale = LeafCertificate::issue(&keys.identity, &keys.leaf.public(), 0);
    let stale = leaf::credential(&stale, keys.leaf.public());
    let commit = raw(&mut seats[0], |b| b.leaf_node_parameters(params(stale)));
    all_say(&mut seats, &roster, &commit, reason);

    let impostor = DeviceKeys::generate(&mut OsRandom).identity;
    let keys = &seats[0].device.keys;
    let mut forged = LeafCertificate::issue(&impostor, &keys.leaf.public(), 2);
    forged.device = seats[0].id();
    let forged = leaf::credential(&forged, keys.leaf.public());
    let commit = raw(&mut seats[0], |b| b.leaf_node_parameters(params(forged)));
    all_say(&mut seats, &roster, &commit, Invalid::Path(LeafFault::Certificate));

    let new =
        leaf::credential(&keys_of(&seats[0]).certify_leaf(2), keys_of(&seats[0]).leaf.public());
    let commit = raw(&mut seats[0], |b| b.leaf_node_parameters(params(new)));
    for seat in &mut seats {
        valid(seat.judge(&roster, &commit));
    }
    agree(&seats);
}

fn keys_of(seat: &Seat) -> &DeviceKeys {
    &seat.device.keys
}

#[test]
fn required_capabilities_and_the_kind_stay() {
    let (roster, mut seats) = team(2);
    let mut hidden = seats[0].group.state().clone();
    hidden.kind = RoomKind::Control;
    let other = state::context(hidden.encode().unwrap()).unwrap();
    let commit = raw(&mut seats[0], |b| b.propose_group_context_extensions(other).unwrap());
    all_say(&mut seats, &roster, &commit, Invalid::Context);
    let none = openmls::prelude::Extensions::empty();
    let commit = raw(&mut seats[0], |b| b.propose_group_context_extensions(none).unwrap());
    all_say(&mut seats, &roster, &commit, Invalid::Context);
    let same = seats[0].group.mls.extensions().clone();
    let commit = raw(&mut seats[0], |b| b.propose_group_context_extensions(same).unwrap());
    all_say(&mut seats, &roster, &commit, Invalid::Proposal);
}

#[test]
fn psk_proposals_are_invalid() {
    let (roster, mut seats) = team(2);
    let psk = Psk::External(ExternalPsk::new(b"psk".to_vec()));
    let provider = seats[0].device.provider();
    let id = PreSharedKeyId::new(SUITE, provider.rand(), psk).unwrap();
    id.store(&provider, &[7; 48]).unwrap();
    let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id)));
    let commit = raw(&mut seats[0], |b| b.add_proposal(proposal));
    all_say(&mut seats, &roster, &commit, Invalid::Proposal);
}

#[test]
fn proposals_by_reference_are_invalid() {
    let (roster, mut seats) = team(3);
    let target = seats[2].group.mls.own_leaf_index();
    let Seat { device, group } = &mut seats[0];
    let provider = Provider::new(&device.connection);
    group.mls.propose_remove_member(&provider, &LeafSigner(&device.keys.leaf), target).unwrap();
    let commit = raw(&mut seats[0], |b| b.consume_proposal_store(true));
    all_say(&mut seats, &roster, &commit, Invalid::Mls);
}

#[test]
fn external_commits_are_invalid() {
    let (mut roster, mut seats) = team(2);
    let stranger = roster.enrol(Role::Admin);
    let provider = seats[0].device.provider();
    let signer = LeafSigner(&seats[0].device.keys.leaf);
    let info = seats[0].group.mls.export_group_info(provider.crypto(), &signer, true).unwrap();
    let info = MlsMessageIn::tls_deserialize_exact(info.to_bytes().unwrap()).unwrap();
    let MlsMessageBodyIn::GroupInfo(info) = info.extract() else { panic!("no group info") };
    let provider = stranger.provider();
    let credential = leaf::credential(&stranger.certificate, stranger.keys.leaf.public());
    let parameters = LeafNodeParameters::builder().with_capabilities(leaf::capabilities()).build();
    let (_group, bundle) = openmls::prelude::MlsGroup::external_commit_builder()
        .with_config(group::join_config())
        .with_aad(CommitNote { roster: 0, resync: None }.encode())
        .build_group(&provider, info, credential)
        .unwrap()
        .leaf_node_parameters(parameters)
        .load_psks(provider.storage())
        .unwrap()
        .build(provider.rand(), provider.crypto(), &LeafSigner(&stranger.keys.leaf), |_| true)
        .unwrap()
        .finalize(&provider)
        .unwrap();
    let commit = bundle.into_contents().0.to_bytes().unwrap();
    for seat in &mut seats {
        assert_eq!(invalid(seat.judge(&roster, &commit)), Invalid::Malformed);
    }
}
