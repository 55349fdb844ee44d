use proptest::prelude::*;

use super::team::{Person, Team};
use crate::member::roster::*;

#[test]
fn a_typed_name_becomes_nfc_and_a_foreign_one_must_be() {
    let typed = Name::parse("  Zoe\u{308} ").unwrap();
    assert_eq!(typed.as_str(), "Zo\u{eb}");
    assert!(Name::canonical("Zoe\u{308}").is_none());
    assert!(Name::canonical(" Lea").is_none());
    assert!(Name::canonical("Lea").is_some());
}

#[test]
fn a_name_has_1_to_40_characters_and_hides_nothing() {
    assert!(Name::parse(&"\u{1F3E0}".repeat(40)).is_ok());
    for (typed, error) in [
        (String::new(), NameError::Empty),
        ("  \t ".into(), NameError::Empty),
        ("\u{200D}".into(), NameError::Empty),
        ("x".repeat(41), NameError::TooLong),
        ("x".repeat(100_000), NameError::TooLong),
        ("Le\u{1b}[2Ja".into(), NameError::Forbidden),
        ("a\u{202E}b".into(), NameError::Forbidden),
        ("a\nb".into(), NameError::Forbidden),
        ("Karim\u{E0041}".into(), NameError::Forbidden),
        ("Kar\u{200B}im".into(), NameError::Forbidden),
    ] {
        assert_eq!(Name::parse(&typed), Err(error), "{typed:?}");
    }
}

#[test]
fn a_text_of_more_than_1024_bytes_is_not_looked_at_as_a_name() {
    let joiners = |count| "\u{200D}".repeat(count);
    let most = joiners(170) + " " + &joiners(171);
    assert_eq!(most.len(), 1_024);
    assert_eq!(Name::parse(&most), Err(NameError::Empty));
    for longer in [joiners(170) + "  " + &joiners(171), joiners(400)] {
        assert_eq!(Name::parse(&longer), Err(NameError::TooLong));
    }
}

#[test]
fn names_are_unique_in_a_team_ignoring_case() {
    let (mut team, karim) = Team::with_admin();
    for taken in ["karim", "KARIM", "\u{212A}arim", "Kar\u{200C}im"] {
        let mut other = Person::new("Sofia");
        other.name = taken;
        assert_eq!(
            team.add(&karim, &other, Role::Member),
            Err(RosterError::NameTaken),
            "{taken:?}"
        );
    }
    assert!(team.roster.member_by_name("kARIM").is_some());
    assert_eq!(Name::parse("Stra\u{df}e").unwrap().fold(), Name::parse("STRASSE").unwrap().fold());
}

#[test]
fn a_mistyped_name_finds_its_neighbours() {
    let (mut team, karim) = Team::with_admin();
    team.add(&karim, &Person::new("Sofia"), Role::Member).unwrap();
    let names: Vec<&str> = team.roster.nearest_names("sofai").iter().map(|n| n.as_str()).collect();
    assert_eq!(names, ["Sofia"]);
}

proptest! {
    #[test]
    fn what_parse_gives_the_wire_takes(typed in "\\PC{0,50}") {
        if let Ok(name) = Name::parse(&typed) {
            prop_assert_eq!(Name::canonical(name.as_str()), Some(name.clone()));
            prop_assert!(name.as_str().len() <= crate::invite_code::MAX_NAME_BYTES);
            prop_assert!(!name.fold().is_empty());
        }
    }
}
