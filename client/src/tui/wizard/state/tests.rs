mod fuzz;

use super::*;

/// A whole code.
pub(in crate::tui::wizard) fn code() -> String {
    crate::api::code()
}

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn control(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

fn type_in(state: &mut State, text: &str) {
    for c in text.chars() {
        assert!(update(state, key(KeyCode::Char(c))).is_none());
    }
}

fn enter(state: &mut State) -> Option<Effect> {
    update(state, key(KeyCode::Enter))
}

pub(in crate::tui::wizard) fn invited(inviter: Option<&str>) -> Invitation {
    Invitation {
        team: "Campagne 2027".into(),
        inviter: inviter.map(str::to_owned),
        auto_approve: false,
    }
}

pub(in crate::tui::wizard) fn proposed() -> State {
    State { proposal: Zeroizing::new("one two three four five six".into()), ..State::default() }
}

/// The first run up to the page of the passphrase.
fn at_passphrase() -> State {
    let mut state = proposed();
    update(&mut state, Event::Paste(code()));
    assert!(matches!(enter(&mut state), Some(Effect::Look(asked)) if *asked == code()));
    update(&mut state, Event::Looked(Ok(invited(Some("Karim")))));
    assert_eq!(state.page, Page::Team);
    assert!(enter(&mut state).is_none());
    type_in(&mut state, "Lea");
    assert!(enter(&mut state).is_none());
    assert_eq!(state.page, Page::Passphrase);
    state
}

fn failed(exit: u8) -> Event {
    Event::Failed(Said { exit, lines: vec!["No.".into()] })
}

#[test]
fn five_pages_lead_from_the_code_to_the_room() {
    let mut state = at_passphrase();
    // Enter takes what is proposed.
    let Some(Effect::Join { name, passphrase, .. }) = enter(&mut state) else { panic!("no join") };
    assert_eq!(name, "Lea");
    assert_eq!(passphrase.unwrap().as_str(), "one two three four five six");
    assert_eq!(state.page, Page::Working);
    let words = ["citron", "ardoise", "volcan", "piano", "balcon"].map(String::from).to_vec();
    update(&mut state, Event::Waiting(invited(Some("Karim")), Some(words)));
    assert_eq!(state.page, Page::Words);
    assert!(matches!(update(&mut state, Event::Inside), Some(Effect::Enter)));
}

#[test]
fn an_own_passphrase_has_twelve_characters_at_least() {
    let mut state = at_passphrase();
    type_in(&mut state, "elevenchars");
    assert!(enter(&mut state).is_none());
    assert_eq!(state.page, Page::Passphrase);
    assert!(state.said.is_some());
    type_in(&mut state, "é");
    assert!(state.said.is_none());
    let Some(Effect::Join { passphrase, .. }) = enter(&mut state) else { panic!("no join") };
    assert_eq!(passphrase.unwrap().as_str(), "elevencharsé");
    assert!(state.passphrase.text().is_empty());
}

#[test]
fn keys_typed_while_keys_are_made_are_dropped() {
    let mut state = at_passphrase();
    enter(&mut state);
    type_in(&mut state, "too early");
    update(&mut state, Event::Paste("early too".into()));
    assert!(enter(&mut state).is_none());
    assert_eq!(state.page, Page::Working);
    update(&mut state, Event::Waiting(invited(Some("Karim")), None));
    assert_eq!(state.page, Page::Working, "an invite that approves by itself has no page of words");
    for line in [&state.code, &state.name, &state.passphrase] {
        assert!(!line.text().contains("early"));
    }
}

#[test]
fn a_code_is_found_in_what_people_paste() {
    let code = code();
    let (host, symbols) = code.split_once('/').unwrap();
    let (front, back) = symbols.split_at(12);
    for pasted in [
        format!("Bonjour Lea,\nvoici ton invitation :\n\n  {code}\n\nKarim"),
        format!("{host}/{front}\r\n{back}"),
        format!("  {}  ", code.to_lowercase()),
    ] {
        let mut state = proposed();
        update(&mut state, Event::Paste(pasted));
        assert_eq!(state.code.text(), code);
    }
}

#[test]
fn what_is_no_code_goes_nowhere() {
    let mut state = proposed();
    assert!(enter(&mut state).is_none());
    assert!(state.said.is_some());
    let code = code();
    let (start, _) = code.split_at(code.len() - 3);
    type_in(&mut state, start);
    assert!(enter(&mut state).is_none());
    assert_eq!(state.page, Page::Code);
}

#[test]
fn not_who_i_expected_asks_for_another_code_and_sends_nothing() {
    for answer in [KeyCode::Char('n'), KeyCode::Esc] {
        let mut state = proposed();
        update(&mut state, Event::Paste(code()));
        enter(&mut state);
        update(&mut state, Event::Looked(Ok(invited(Some("Mallory")))));
        assert!(update(&mut state, key(answer)).is_none());
        assert_eq!((state.page, state.code.text()), (Page::Code, ""));
        assert!(state.said.is_some() && state.invitation.is_none());
    }
    let mut state = proposed();
    update(&mut state, Event::Paste(code()));
    enter(&mut state);
    update(&mut state, Event::Looked(Ok(invited(Some("Mallory")))));
    update(&mut state, key(KeyCode::Down));
    assert!(enter(&mut state).is_none());
    assert_eq!(state.page, Page::Code);
}

#[test]
fn an_unreachable_relay_is_tried_again_with_all_that_was_typed() {
    let mut state = at_passphrase();
    enter(&mut state);
    update(&mut state, failed(exit::UNREACHABLE));
    assert_eq!(state.page, Page::Again);
    let Some(Effect::Join { name, passphrase, .. }) = enter(&mut state) else { panic!("no join") };
    assert_eq!((name.as_str(), passphrase), ("Lea", None));
}

#[test]
fn a_refused_request_asks_for_another_code_and_for_no_other_passphrase() {
    let mut state = at_passphrase();
    enter(&mut state);
    update(&mut state, failed(exit::FAILED));
    assert_eq!(state.page, Page::Code);
    enter(&mut state);
    update(&mut state, Event::Looked(Ok(invited(None))));
    enter(&mut state);
    assert_eq!(state.name.text(), "Lea");
    assert!(matches!(enter(&mut state), Some(Effect::Join { passphrase: None, .. })));
}

#[test]
fn root_words_stay_until_they_are_on_paper() {
    let mut state = at_passphrase();
    enter(&mut state);
    let words: Vec<String> = (1..=24).map(|n| format!("word{n}")).collect();
    update(&mut state, Event::Founded(Zeroizing::new(words.join(" "))));
    type_in(&mut state, "x");
    assert_eq!(state.page, Page::RootWords);
    assert!(matches!(enter(&mut state), Some(Effect::Written)));
    assert!(state.root_words.is_empty());
    assert!(matches!(update(&mut state, Event::Inside), Some(Effect::Enter)));
}

#[test]
fn a_passphrase_from_a_file_is_not_asked_for() {
    let mut state = State { passphrase_known: true, ..proposed() };
    update(&mut state, Event::Paste(code()));
    enter(&mut state);
    update(&mut state, Event::Looked(Ok(invited(None))));
    enter(&mut state);
    type_in(&mut state, "Lea");
    assert!(matches!(enter(&mut state), Some(Effect::Join { passphrase: None, .. })));
}

#[test]
fn control_c_never_quits_by_surprise() {
    let mut state = at_passphrase();
    assert!(update(&mut state, control('c')).is_none());
    assert!(state.said.is_some());
    assert!(matches!(update(&mut state, control('q')), Some(Effect::Quit)));
}
