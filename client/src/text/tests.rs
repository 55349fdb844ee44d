use super::*;

fn locale(variables: &[(&str, &str)]) -> Language {
    Language::of_locale(|name| {
        variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into())
    })
}

#[test]
fn the_locale_names_the_language() {
    assert_eq!(locale(&[]), Language::En);
    assert_eq!(locale(&[("LANG", "fr_FR.UTF-8")]), Language::Fr);
    assert_eq!(locale(&[("LANG", "fr")]), Language::Fr);
    assert_eq!(locale(&[("LANG", "FR_be@euro")]), Language::Fr);
    assert_eq!(locale(&[("LANG", "fr_FR"), ("LC_MESSAGES", "en_GB.UTF-8")]), Language::En);
    assert_eq!(locale(&[("LC_ALL", "fr_CA"), ("LANG", "en_GB")]), Language::Fr);
    assert_eq!(locale(&[("LC_ALL", ""), ("LANG", "fr_FR")]), Language::Fr);
    for other in ["C.UTF-8", "POSIX", "de_DE", "frp_IT", "fro"] {
        assert_eq!(locale(&[("LC_ALL", other)]), Language::En, "{other}");
    }
}

#[test]
fn the_flag_is_seen_before_the_line_is_parsed() {
    let named = |line: &str| Language::of_arguments(line.split(' ').map(OsString::from));
    assert_eq!(named("staffetta status"), None);
    assert_eq!(named("staffetta --lang fr status"), Some(Language::Fr));
    assert_eq!(named("staffetta status --lang=fr --help"), Some(Language::Fr));
    assert_eq!(named("staffetta --lang de status"), None);
    assert_eq!(named("staffetta send general -- --lang fr"), None);
}

#[test]
fn every_thread_of_a_test_speaks_its_own_language() {
    speak(Language::Fr);
    assert_eq!(queued(), fr::chat::queued());
    let other = std::thread::spawn(queued).join().unwrap();
    assert_eq!(other, en::chat::queued());
}

/// The tables as they are written.
const FRENCH: [&str; 13] = [
    include_str!("fr/help.rs"),
    include_str!("fr/agent/alarms.rs"),
    include_str!("fr/agent/people.rs"),
    include_str!("fr/agent/work.rs"),
    include_str!("fr/bots.rs"),
    include_str!("fr/chat.rs"),
    include_str!("fr/common.rs"),
    include_str!("fr/health.rs"),
    include_str!("fr/people.rs"),
    include_str!("fr/screen.rs"),
    include_str!("fr/wizard.rs"),
    include_str!("fr/words.rs"),
    include_str!("fr/wrong.rs"),
];

#[test]
fn french_marks_stand_behind_a_space_that_does_not_break() {
    for table in FRENCH {
        for line in table.lines().filter(|line| line.contains('"')) {
            for wrong in [" ?", " !", " ;", " »", "« ", " :"] {
                assert!(!line.contains(wrong), "{wrong:?} in {line}");
            }
        }
    }
}

#[test]
fn a_sentence_begins_with_a_capital_and_ends_with_a_full_stop() {
    assert_eq!(sentence("étrange"), "Étrange.");
    assert_eq!(sentence("Really?"), "Really?");
    assert_eq!(next_step("try: staffetta status"), "Try: staffetta status");
}
