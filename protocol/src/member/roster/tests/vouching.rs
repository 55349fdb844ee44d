//! Stories of people who compare words later.

use super::team::*;
use crate::member::roster::*;

fn vouch(people: &[&Person]) -> Action {
    let mut devices: Vec<_> = people.iter().map(|person| person.device()).collect();
    devices.sort();
    Action::Vouch { devices }
}

/// Karim, an admin, and Lea and Sofia, whom nobody has heard; and a bot.
fn unheard() -> (Team, Person, Person, Person, Person) {
    let (mut team, karim) = Team::with_admin();
    let (lea, sofia, bot) = (Person::new("Lea"), Person::new("Sofia"), Person::new("planning"));
    for (person, role) in [(&lea, Role::Member), (&sofia, Role::Member), (&bot, Role::Bot)] {
        let card = AddDevice { words_compared: false, ..person.card(role, karim.author()) };
        team.by(&karim, Action::AddDevice(Box::new(card))).unwrap();
    }
    (team, karim, lea, sofia, bot)
}

fn is_vouched_for(team: &Team, person: &Person) -> bool {
    team.roster.is_vouched_for(team.roster.device(&person.device()).unwrap())
}

#[test]
fn a_later_verification_stands_in_the_roster_so_that_everybody_sees_who_compared_words() {
    let (mut team, karim, lea, sofia, _) = unheard();
    assert!(!is_vouched_for(&team, &lea));
    team.by(&sofia, vouch(&[&lea])).unwrap();
    assert!(is_vouched_for(&team, &lea));
    let of = |team: &Team| team.roster.vouchers_of(team.roster.device(&lea.device()).unwrap());
    assert_eq!(of(&team), [sofia.member]);
    team.by(&karim, vouch(&[&lea])).unwrap();
    assert_eq!(of(&team).len(), 2);
    assert_eq!(Roster::from_entries(&team.entries).unwrap(), team.roster);
    // What a device that is out has said is worth nothing, and a person may say it again.
    team.by(&karim, revoke(&sofia)).unwrap();
    assert_eq!(of(&team), [karim.member]);
    let again = sofia.another_device();
    team.add(&karim, &again, Role::Member).unwrap();
    team.by(&again, vouch(&[&lea])).unwrap();
    assert_eq!(of(&team).len(), 2);
}

#[test]
fn nobody_vouches_for_himself_twice_for_a_bot_s_word_or_for_who_is_out() {
    let (mut team, karim, lea, sofia, bot) = unheard();
    let own = lea.another_device();
    team.add(&karim, &own, Role::Member).unwrap();
    assert_eq!(team.by(&lea, vouch(&[&own])), Err(RosterError::Voucher));
    assert_eq!(team.by(&bot, vouch(&[&lea])), Err(RosterError::NotAllowed));
    assert_eq!(team.by_root(vouch(&[&lea])), Err(RosterError::Voucher));
    team.by(&sofia, vouch(&[&lea])).unwrap();
    assert_eq!(team.by(&sofia, vouch(&[&lea])), Err(RosterError::Voucher));
    assert_eq!(team.by(&sofia, vouch(&[&own, &lea])), Err(RosterError::Voucher));
    team.by(&karim, revoke(&lea)).unwrap();
    assert_eq!(team.by(&karim, vouch(&[&lea])), Err(RosterError::RevokedDevice));
    let stranger = Person::new("Stranger");
    assert_eq!(team.by(&karim, vouch(&[&stranger])), Err(RosterError::UnknownDevice));
    assert_eq!(team.roster.to_vouch_for(&sofia.device(), &own.member), [own.device()]);
    assert_eq!(team.roster.to_vouch_for(&own.device(), &own.member), []);
}

#[test]
fn vouching_cannot_fill_the_roster() {
    let (mut team, karim, lea, _, _) = unheard();
    let mut said = 0;
    for number in 0..12 {
        let name: &'static str = Box::leak(format!("Person {number}").into_boxed_str());
        let person = Person::new(name);
        team.add(&karim, &person, Role::Member).unwrap();
        said += usize::from(team.by(&person, vouch(&[&lea])).is_ok());
    }
    assert_eq!(said, 8);
}

#[test]
fn a_rewind_takes_back_what_a_stolen_device_has_vouched_for() {
    let (mut team, karim, lea, sofia, _) = unheard();
    team.by(&sofia, vouch(&[&lea])).unwrap();
    let number = team.roster.head().number;
    team.by(&karim, vouch(&[&lea])).unwrap();
    team.by_root(Action::Rewind { numbers: vec![number] }).unwrap();
    let device = team.roster.device(&lea.device()).unwrap();
    assert_eq!(team.roster.vouchers_of(device), [karim.member]);
}

#[test]
fn a_vouch_names_devices_in_one_order_and_not_too_many() {
    let (mut team, karim, lea, sofia, _) = unheard();
    let mut devices = vec![lea.device(), sofia.device()];
    devices.sort();
    devices.reverse();
    for devices in [devices, vec![], vec![lea.device(); 2], vec![lea.device(); 17]] {
        assert!(team.by(&karim, Action::Vouch { devices }).is_err());
    }
    assert!(team.by(&karim, vouch(&[&lea, &sofia])).is_ok());
}
