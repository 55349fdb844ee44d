use proptest::prelude::*;

use super::super::cbor;
use super::team::{NOW, Person, Team, revoke};
use crate::member::identity::SigningSecret;
use crate::member::roster::*;
use crate::noise::keys::StaticPublic;
use crate::random::OsRandom;
use crate::wire::ids::{DeviceId, Digest, InviteId, LogId, RoomId};

fn one_of_each() -> Vec<Action> {
    let mut card = Person::new("Zo\u{eb}").card(Role::Bot, Author::Root);
    card.invite = Some(InviteId([8; 16]));
    card.expires = Some(u64::MAX);
    vec![
        Action::Found {
            root: SigningSecret::generate(&mut OsRandom).public(),
            team: Name::parse("Campagne").unwrap(),
            language: Language::English,
        },
        Action::AddDevice(Box::new(card)),
        Action::Revoke { device: DeviceId([1; 16]) },
        Action::Role { member: Person::new("x").member, role: Role::Admin },
        Action::RelayAddresses {
            relay: StaticPublic([2; 32]),
            addresses: vec!["relay.example:7443".into(), "[::1]:80".into()],
        },
        Action::LogChange {
            old: LogId([3; 16]),
            seq: 70_000,
            hash: Digest([4; 32]),
            new: LogId([5; 16]),
        },
        Action::RoomRestart { room: RoomId([6; 16]), without: DeviceId([7; 16]) },
        Action::Policy { name: "invite-ttl".into(), value: 86_400 },
        Action::Rewind { numbers: vec![3, 70_000] },
    ]
}

fn entry(action: Action) -> Entry {
    Entry { number: 300, prev: Digest([9; 32]), author: Author::Root, at: NOW, action }
}

#[test]
fn every_action_reads_back() {
    for action in one_of_each() {
        let entry = entry(action);
        assert_eq!(Entry::decode(&entry.encode().unwrap()), Ok(entry));
    }
}

#[test]
fn an_entry_has_one_encoding_only() {
    for action in one_of_each() {
        let encoded = entry(action).encode().unwrap();
        let trailing = [encoded.as_slice(), &[0]].concat();
        assert_eq!(Entry::decode(&trailing), Err(EntryError::Malformed));
        // The version 1 as a two-byte integer: the same value, another encoding.
        let longer = [&encoded[..1], &[0x18, 1], &encoded[2..]].concat();
        assert_eq!(Entry::decode(&longer), Err(EntryError::Malformed));
        // The outer array without a length.
        let indefinite = [&[0x9F], &encoded[1..], &[0xFF]].concat();
        assert_eq!(Entry::decode(&indefinite), Err(EntryError::Malformed));
        for cut in 0..encoded.len() {
            assert_eq!(Entry::decode(&encoded[..cut]), Err(EntryError::Malformed));
        }
    }
}

#[test]
fn a_newer_version_or_action_is_said_not_skipped() {
    let encoded = entry(Action::Revoke { device: DeviceId([1; 16]) }).encode().unwrap();
    let newer = [&encoded[..1], &[2], &encoded[2..]].concat();
    assert_eq!(Entry::decode(&newer), Err(EntryError::Version(2)));
    let at = encoded.len() - 19;
    assert_eq!(encoded[at], 2, "the action's number");
    let mut unknown = encoded.clone();
    unknown[at] = 11;
    assert_eq!(Entry::decode(&unknown), Err(EntryError::Action(11)));
}

#[test]
fn nobody_signs_what_nobody_reads() {
    let key = SigningSecret::generate(&mut OsRandom);
    for action in [
        Action::Rewind { numbers: vec![] },
        Action::Rewind { numbers: vec![2, 2] },
        Action::Rewind { numbers: (0..129).collect() },
        Action::Policy { name: "a b".into(), value: 1 },
        Action::Policy { name: "x".repeat(41), value: 1 },
        Action::RelayAddresses { relay: StaticPublic([2; 32]), addresses: vec![] },
        Action::RelayAddresses { relay: StaticPublic([2; 32]), addresses: vec!["a:1".into(); 5] },
    ] {
        assert_eq!(SignedEntry::sign(&entry(action), &key), Err(EntryError::Malformed));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_an_entry_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Entry::decode(&bytes);
        let _ = SignedEntry::decode(&bytes);
    }

    #[test]
    fn every_changed_byte_of_a_signed_entry_is_refused(at: proptest::sample::Index, flip in 1u8..=255) {
        let (team, _) = Team::with_admin();
        let mut encoded = team.entries[1].encode();
        let at = at.index(encoded.len());
        encoded[at] ^= flip;
        let Ok(changed) = SignedEntry::decode(&encoded) else { return Ok(()) };
        let mut roster = Roster::begin(&team.entries[0]).unwrap();
        prop_assert!(roster.apply(&changed).is_err());
    }
}

#[test]
fn deep_and_huge_items_are_refused_before_they_are_built() {
    let deep = vec![0x81; MAX_ENTRY_BYTES];
    assert_eq!(Entry::decode(&deep), Err(EntryError::Malformed));
    assert_eq!(Entry::decode(&vec![0; MAX_ENTRY_BYTES + 1]), Err(EntryError::TooLarge));
    // An array that claims 2^32 items.
    assert!(cbor::decode(&[0x9B, 0, 0, 0, 1, 0, 0, 0, 0], 64).is_none());
}

#[test]
fn the_team_id_is_the_hash_of_entry_0_and_every_entry_names_the_one_before() {
    let (team, _) = Team::with_admin();
    assert_eq!(team.roster.team().0, team.entries[0].hash().0);
    assert_eq!(team.entries[1].entry().unwrap().prev, team.entries[0].hash());
    assert_eq!(team.roster.head(), RosterHead { number: 1, hash: team.entries[1].hash() });
    assert_eq!(team.roster.entry_count(), 2);
    let again: Vec<SignedEntry> =
        team.entries.iter().map(|e| SignedEntry::decode(&e.encode()).unwrap()).collect();
    assert!(Roster::from_entries(&again).unwrap() == team.roster);
}

#[test]
fn a_founding_is_signed_by_the_root_it_names_and_stands_first_only() {
    let (root, thief) =
        (SigningSecret::generate(&mut OsRandom), SigningSecret::generate(&mut OsRandom));
    let found = Action::Found {
        root: root.public(),
        team: Name::parse("Campagne").unwrap(),
        language: Language::French,
    };
    let first = Entry {
        number: 0,
        prev: Digest([0; 32]),
        author: Author::Root,
        at: NOW,
        action: found.clone(),
    };
    let stolen = SignedEntry::sign(&first, &thief).unwrap();
    assert_eq!(Roster::begin(&stolen).err(), Some(RosterError::Signature));
    let second = SignedEntry::sign(&Entry { number: 1, ..first }, &root).unwrap();
    assert_eq!(Roster::begin(&second).err(), Some(RosterError::Founding));
    let mut team = Team::empty();
    assert_eq!(team.by_root(found), Err(RosterError::Founding));
    assert_eq!(Roster::from_entries([]).err(), Some(RosterError::Founding));
}

#[test]
fn two_admins_at_once_log_order_decides_and_the_loser_rebases() {
    let (mut team, karim) = Team::with_admin();
    let (sofia, paul) = (Person::new("Sofia"), Person::new("Paul"));
    team.add(&karim, &sofia, Role::Admin).unwrap();
    // Both write entry 3 on the same head; Karim's comes first in the log.
    let by_sofia = team
        .roster
        .sign_next(
            sofia.author(),
            &sofia.keys.identity,
            NOW,
            Action::AddDevice(Box::new(paul.card(Role::Member, sofia.author()))),
        )
        .unwrap();
    team.add(&karim, &Person::new("Lea"), Role::Member).unwrap();
    assert_eq!(team.post(by_sofia), Err(RosterError::NotNext { expected: 4 }));
    team.add(&sofia, &paul, Role::Member).unwrap();
    assert!(team.roster.is_active(&paul.device()));
}

#[test]
fn an_entry_counts_with_its_authors_signature_only() {
    let (mut team, karim) = Team::with_admin();
    let thief = Person::new("Thief");
    let action = Action::AddDevice(Box::new(thief.card(Role::Admin, karim.author())));
    let as_karim = team.roster.next_entry(karim.author(), NOW, action.clone());
    let forged = SignedEntry::sign(&as_karim, &thief.keys.identity).unwrap();
    assert_eq!(team.post(forged), Err(RosterError::Signature));
    let as_root = team.roster.next_entry(Author::Root, NOW, action.clone());
    let forged = SignedEntry::sign(&as_root, &karim.keys.identity).unwrap();
    assert_eq!(team.post(forged), Err(RosterError::Signature));
    assert_eq!(team.by(&thief, action), Err(RosterError::UnknownAuthor));
}

#[test]
fn a_log_change_ends_the_present_log_and_never_goes_back() {
    let (mut team, karim) = Team::with_admin();
    let (seq, hash) = (40, Digest([1; 32]));
    let change = |old: u8, new: u8| {
        let (old, new) = (LogId([old; 16]), LogId([new; 16]));
        (Action::LogChange { old, seq, hash, new }, Applied::LogChange { old, seq, hash, new })
    };
    assert_eq!(team.roster.log(), None);
    for (old, new) in [(1, 2), (2, 3)] {
        let (action, applied) = change(old, new);
        assert_eq!(team.by(&karim, action), Ok(applied));
        assert_eq!(team.roster.log(), Some(&LogId([new; 16])));
    }
    assert!(team.roster.has_left(&LogId([1; 16])) && team.roster.has_left(&LogId([2; 16])));
    assert!(!team.roster.has_left(&LogId([3; 16])) && !team.roster.has_left(&LogId([4; 16])));
    // Of a log that has ended already, to one that was left, and to itself.
    for (old, new) in [(1, 4), (3, 1), (3, 3)] {
        assert_eq!(team.by(&karim, change(old, new).0), Err(RosterError::NotAllowed));
    }
    assert!(team.add(&karim, &Person::new("Lea"), Role::Member).is_ok());
}

#[test]
fn an_admin_who_fills_the_roster_can_still_be_put_out() {
    let (mut team, karim) = Team::with_admin();
    let sofia = Person::new("Sofia");
    team.add(&karim, &sofia, Role::Admin).unwrap();
    team.roster.head.number = MAX_ENTRIES;
    let lea = Person::new("Lea");
    assert_eq!(team.add(&sofia, &lea, Role::Member), Err(RosterError::Full));
    assert!(team.by(&karim, revoke(&sofia)).is_ok());
    let card = lea.card(Role::Admin, Author::Root);
    assert!(team.by_root(Action::AddDevice(Box::new(card))).is_ok());
}
