use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use zeroize::Zeroizing;

use super::super::state::Said;
use super::super::state::tests::{code, invited, proposed};
use super::*;
use crate::text::{Language, speak};

const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (100, 28), (200, 50)];

/// Every page with something on it, by name.
fn pages() -> Vec<(&'static str, State)> {
    let at = |page, invitation| State { page, invitation, ..proposed() };
    let karim = || Some(invited(Some("Karim")));
    let mut typing = at(Page::Code, None);
    typing.code.push("relay.example/K7QX4-M2P9");
    let mut whole = at(Page::Code, None);
    whole.code.push(&code());
    let mut mistyped = at(Page::Code, None);
    let mut wrong = code();
    let third = wrong.find('/').unwrap() + 13;
    let other = if wrong[third..].starts_with('7') { "8" } else { "7" };
    wrong.replace_range(third..=third, other);
    mistyped.code.push(&wrong);
    let mut refuse = at(Page::Team, karim());
    refuse.refuse = true;
    let mut named = at(Page::Name, karim());
    named.name.push("李小龍 Müller-Ångström de la Tour 👩‍👩‍👧");
    let mut short = at(Page::Passphrase, karim());
    short.passphrase.push("too short");
    short.said =
        Some(Said { exit: 1, lines: vec![crate::text::wizard::passphrase_short(9, MIN_CHARS)] });
    let mut hidden = at(Page::Passphrase, karim());
    hidden.passphrase.push("a passphrase that is longer than any row of the smallest screen is");
    hidden.hidden = true;
    let mut words = at(Page::Words, karim());
    words.words = ["citron", "ardoise", "volcan", "piano", "balcon"].map(String::from).to_vec();
    let mut root = at(Page::RootWords, Some(invited(None)));
    let list: Vec<String> = (1..=24).map(|n| format!("word{n}")).collect();
    root.root_words = Zeroizing::new(list.join(" "));
    let mut again = at(Page::Again, karim());
    again.said = Some(Said {
        exit: 69,
        lines: vec!["The relay cannot be reached.".into(), "Check the network.".into()],
    });
    vec![
        ("code", at(Page::Code, None)),
        ("code, not whole", typing),
        ("code, whole", whole),
        ("code, mistyped", mistyped),
        ("looking", at(Page::Looking, None)),
        ("team", at(Page::Team, karim())),
        ("team, refused", refuse),
        ("team, founder", at(Page::Team, Some(invited(None)))),
        ("name", named),
        ("passphrase", at(Page::Passphrase, karim())),
        ("passphrase, too short", short),
        ("passphrase, hidden", hidden),
        ("working", at(Page::Working, karim())),
        ("words", words),
        ("root words", root),
        ("again", again),
    ]
}

fn drawn(state: &State, (width, height): (u16, u16)) -> (Buffer, Option<(u16, u16)>) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    let cursor = terminal.get_cursor_position().ok().map(|at| (at.x, at.y));
    (terminal.backend().buffer().clone(), cursor)
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width);
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>()).collect()
}

#[test]
fn every_page_at_every_size_in_every_language() {
    for (language, named) in [(Language::En, "en"), (Language::Fr, "fr")] {
        speak(language);
        for size in SIZES {
            let mut all = String::new();
            for (name, state) in pages() {
                let (buffer, _) = drawn(&state, size);
                let rows = rows(&buffer);
                let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
                all += &format!("== {name}\n{}\n", rows.join("\n"));
            }
            // Blank rows say nothing.
            while all.contains("\n\n\n") {
                all = all.replace("\n\n\n", "\n\n");
            }
            insta::assert_snapshot!(format!("{named}-{}x{}", size.0, size.1), all);
        }
    }
}

#[test]
fn nothing_is_cut_and_how_to_quit_is_always_there() {
    for language in [Language::En, Language::Fr] {
        speak(language);
        for (name, state) in pages() {
            let words = |size| {
                let (buffer, _) = drawn(&state, size);
                let shown = rows(&buffer).join(" ");
                assert!(shown.contains("^Q"), "{name} at {size:?}");
                let words = shown.split_whitespace().map(str::to_owned);
                words.filter(|word| word.len() < 30).collect::<Vec<_>>()
            };
            let wide = words((200, 50));
            for size in SIZES {
                let narrow = words(size);
                for word in &wide {
                    let there = narrow.contains(word) || narrow.join("").contains(word.as_str());
                    assert!(there, "{word} of {name} at {size:?} in {language:?}");
                }
            }
        }
    }
}

#[test]
fn no_page_needs_colour_or_more_than_ascii_of_its_own() {
    for (name, state) in pages() {
        let (buffer, _) = drawn(&state, (80, 24));
        for cell in &buffer.content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name}");
        }
        let typed = state.name.text();
        let foreign = rows(&buffer).join("").chars().find(|&c| !c.is_ascii() && !typed.contains(c));
        assert_eq!(foreign, None, "{name}");
    }
}

#[test]
fn each_question_stands_on_its_own_page_only() {
    for (name, state) in pages() {
        let (buffer, _) = drawn(&state, (80, 24));
        let shown = rows(&buffer).join(" ").to_lowercase();
        assert_eq!(shown.contains("your name"), state.page == Page::Name, "{name}");
        assert_eq!(shown.contains("passphrase"), state.page == Page::Passphrase, "{name}");
    }
}

#[test]
fn the_cursor_stands_where_one_types() {
    for size in SIZES {
        for (name, state) in pages() {
            let typing = matches!(state.page, Page::Code | Page::Name | Page::Passphrase);
            let (buffer, cursor) = drawn(&state, size);
            let Some((x, y)) = cursor.filter(|_| typing) else { continue };
            let row = &rows(&buffer)[usize::from(y)];
            let before = if state.hidden {
                "*".to_owned()
            } else {
                [&state.code, &state.name, &state.passphrase]
                    .iter()
                    .find_map(|line| line.text().chars().last())
                    .map_or("> ".into(), String::from)
            };
            assert!(row.trim_end().ends_with(before.trim_end()), "{name} at {size:?}: {row}");
            assert!(x >= 4, "{name} at {size:?}");
        }
    }
}

#[test]
fn the_pictures_show_the_first_run_as_it_is() {
    let title = "The first run: the five words to be read out to the inviter";
    let (_, state) = pages().into_iter().find(|(name, _)| *name == "words").unwrap();
    let (buffer, _) = drawn(&state, (84, 12));
    crate::tui::picture::is_fresh("first-run.svg", title, &buffer);
}
