//! Stories of a stolen admin's device and the root's words.

use super::team::*;
use crate::member::roster::*;
use crate::noise::keys::StaticPublic;
use crate::wire::ids::{Digest, LogId};

#[test]
fn rewind_undoes_the_effects_of_named_entries_from_its_own_place_on() {
    let (mut team, karim) = Team::with_admin();
    let (lea, thief, friend) = (Person::new("Lea"), Person::new("Thief"), Person::new("Friend"));
    team.add(&karim, &lea, Role::Member).unwrap();
    let first = team.roster.head().number + 1;
    team.add(&karim, &thief, Role::Admin).unwrap();
    team.add(&thief, &friend, Role::Member).unwrap();
    team.by(&thief, Action::Role { member: lea.member, role: Role::Admin }).unwrap();
    team.by(&thief, Action::Policy { name: "receipts".into(), value: 1 }).unwrap();
    let before = team.entries.clone();
    let numbers = (first..first + 4).collect();
    let applied = team.by_root(Action::Rewind { numbers }).unwrap();
    let place = team.roster.head().number;
    let Applied::Rewound { revoked, roles, relay } = applied else { panic!("{applied:?}") };
    assert_eq!(revoked, [thief.device(), friend.device()]);
    assert_eq!(roles, [(lea.member, Role::Admin, Role::Member)]);
    assert!(!relay);
    // The devices they added count as revoked from there, not from earlier.
    for person in [&thief, &friend] {
        assert_eq!(team.roster.device(&person.device()).unwrap().revoked, Some(place));
    }
    assert_eq!(team.roster.policy("receipts"), None);
    let again = team.by(&thief, Action::Revoke { device: karim.device() });
    assert_eq!(again, Err(RosterError::RevokedAuthor));
    // Nothing judged earlier is judged again: the chain before is what it was.
    let earlier = Roster::from_entries(&before).unwrap();
    assert!(earlier.is_active(&friend.device()));
    assert_eq!(Roster::from_entries(&team.entries).unwrap(), team.roster);
}

#[test]
fn what_others_did_to_the_same_thing_stands() {
    let (mut team, karim) = Team::with_admin();
    let lea = Person::new("Lea");
    team.add(&karim, &lea, Role::Member).unwrap();
    let promote = Action::Role { member: lea.member, role: Role::Admin };
    team.by(&karim, promote.clone()).unwrap();
    let promoted = team.roster.head().number;
    team.by(&karim, Action::Role { member: lea.member, role: Role::Member }).unwrap();
    team.by(&karim, promote).unwrap();
    let Ok(Applied::Rewound { roles, .. }) =
        team.by_root(Action::Rewind { numbers: vec![promoted] })
    else {
        panic!("not rewound")
    };
    assert_eq!(roles, []);
    assert_eq!(team.roster.member(&lea.member).unwrap().role, Role::Admin);
}

#[test]
fn only_the_root_rewinds_and_only_what_came_before() {
    let (mut team, karim) = Team::with_admin();
    let rewind = |numbers| Action::Rewind { numbers };
    assert_eq!(team.by(&karim, rewind(vec![1])), Err(RosterError::NotAllowed));
    for numbers in [vec![0], vec![2], vec![1, 2]] {
        assert_eq!(team.by_root(rewind(numbers)), Err(RosterError::NotAllowed));
    }
}

#[test]
fn a_next_relay_has_a_log_of_its_own_and_a_rewind_takes_it_back() {
    let (mut team, karim) = Team::with_admin();
    let lea = Person::new("Lea");
    team.add(&karim, &lea, Role::Member).unwrap();
    let next = |log: u8, addresses: &[&str]| NextRelay {
        relay: StaticPublic([log; 32]),
        addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
        log: LogId([log; 16]),
        after_s: 600,
    };
    let named = |log| Action::NextRelay(next(log, &["spare.example:7443"]));
    assert_eq!(team.by(&lea, named(2)), Err(RosterError::NotAllowed));
    assert_eq!(team.by(&karim, named(2)), Ok(Applied::NextRelay));
    assert_eq!(team.by(&karim, named(3)), Ok(Applied::NextRelay));
    assert_eq!(team.roster.next_relay().map(|next| next.log), Some(LogId([3; 16])));
    let last = team.roster.head().number;
    team.by_root(Action::Rewind { numbers: vec![last] }).unwrap();
    assert_eq!(team.roster.next_relay().map(|next| next.log), Some(LogId([2; 16])));
    // The team goes there: then it is the next one no more, and never again.
    let change = |old, new| {
        let (old, new) = (LogId([old; 16]), LogId([new; 16]));
        Action::LogChange { old, seq: 9, hash: Digest([1; 32]), new }
    };
    team.by(&karim, change(1, 2)).unwrap();
    assert!(team.roster.next_relay().is_none());
    for log in [1, 2] {
        assert_eq!(team.by(&karim, named(log)), Err(RosterError::NotAllowed));
    }
    team.by(&karim, named(4)).unwrap();
    team.by(&karim, Action::NextRelay(next(4, &[]))).unwrap();
    assert!(team.roster.next_relay().is_none(), "taken back");
}
