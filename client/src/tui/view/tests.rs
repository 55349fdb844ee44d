//! Every view at every size, in every look and language. What is drawn is kept as text, several
//! sizes in one file; what must hold for all of them is checked here.

mod pictures;
mod scenes;

use ratatui::Terminal;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use ratatui::{TerminalOptions, Viewport};
use serde_json::json;

use self::scenes::SCENES;
use super::super::geometry::Size;
use super::super::key::Code;
use super::super::rows::columns;
use super::super::state::tests::world::{World, control, message, setup};
use super::super::state::{Event, Setup, Theme, update};
use super::*;
use crate::text::screen::{EN, FR, Words};

const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (100, 28), (200, 50)];

fn drawn(state: &State) -> Buffer {
    let Size { width, height } = state.setup.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    terminal.backend().buffer().clone()
}

/// The rows of a buffer as a terminal shows them: what is wide covers what is behind it.
fn rows(buffer: &Buffer) -> Vec<String> {
    let Rect { width, height, .. } = buffer.area;
    let row = |y: u16| {
        let mut text = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            text.push_str(symbol);
            x += u16::try_from(columns(symbol)).unwrap().max(1);
        }
        text
    };
    (0..height).map(row).collect()
}

fn cells(buffer: &Buffer) -> impl Iterator<Item = &Cell> {
    buffer.content().iter()
}

/// The longest run of one character that is written out, and its length.
const RUN: usize = 100;

/// Rows as text in which nothing is written out a hundred times: equal rows once, with how often,
/// and of a long run one character, with how long.
fn compact(rows: Vec<String>) -> String {
    let mut out = String::new();
    for same in rows.chunk_by(|a, b| a == b) {
        let mut left = same[0].trim_end();
        while let Some(first) = left.chars().next() {
            let run = left.chars().take_while(|next| *next == first).count();
            match run {
                RUN.. => out.push_str(&format!("{first}<{run}>")),
                _ => out.extend(std::iter::repeat_n(first, run)),
            }
            left = &left[run * first.len_utf8()..];
        }
        if same.len() > 1 {
            out.push_str(&format!(" x{}", same.len()));
        }
        out.push('\n');
    }
    out
}

fn look(words: &'static Words, (width, height): (u16, u16), ascii: bool, no_colour: bool) -> Setup {
    Setup { ascii, no_colour, ..setup(words, Size { width, height }) }
}

/// What goes for every screen there is.
fn check(name: &str, state: &State, buffer: &Buffer) {
    let shown = rows(buffer);
    let width = usize::from(buffer.area.width);
    for row in &shown {
        assert_eq!(columns(row), width, "{name} at {width}: {row:?}");
    }
    let foot = shown.last().unwrap();
    assert!(foot.contains("F1") && foot.contains("^Q"), "{name} at {width}: {foot:?}");
    let frames = shown.iter().flat_map(|row| row.chars()).filter(|c| "┌┐└┘│─".contains(*c)).count();
    assert!(frames == 0 || !state.setup.ascii, "{name} at {width}");
    for row in &shown {
        assert!(!row.contains('\u{1b}') && !row.contains('\u{202e}'), "{name}: {row:?}");
    }
}

#[test]
fn every_view_at_every_size_in_every_look_and_language() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for (name, scene) in SCENES {
        for (language, words) in [("en", &EN), ("fr", &FR)] {
            let mut all = String::new();
            for size in SIZES {
                let of = |ascii: bool, no_colour: bool| {
                    let mut world = World::with(look(words, size, ascii, no_colour));
                    world.settle();
                    scene(&mut world);
                    let buffer = drawn(&world.state);
                    check(name, &world.state, &buffer);
                    (world, buffer)
                };
                let (_, coloured) = of(false, false);
                let (world, plain) = of(false, true);
                let (_, ascii) = of(true, true);
                // The settings name the theme.
                if name != &"settings" {
                    assert_eq!(rows(&coloured), rows(&plain), "{name}: colour moves nothing");
                }
                without_colour(name, &world.state, &plain);
                for (look, buffer) in [("", &plain), (" ascii", &ascii)] {
                    // ASCII differs in signs alone: one size of it is enough to look at.
                    if look.is_empty() || size == SIZES[1] {
                        all.push_str(&format!("== {}x{}{look}\n", size.0, size.1));
                        all.push_str(&compact(rows(buffer)));
                    }
                }
            }
            insta::assert_snapshot!(format!("{name}-{language}"), all);
        }
    }
}

/// Nothing is told by colour alone, and what is chosen is seen.
fn without_colour(name: &str, state: &State, buffer: &Buffer) {
    assert_eq!(state.theme, Theme::Mono);
    for cell in cells(buffer) {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name}");
    }
    let chooses = matches!(
        &state.panel,
        Some(super::super::state::panel::Panel::List(list)) if !list.items.is_empty()
    ) || state.timeline().is_some_and(|timeline| timeline.selected.is_some());
    if chooses {
        let reversed = cells(buffer).any(|cell| cell.modifier.contains(Modifier::REVERSED));
        assert!(reversed, "{name}: what is chosen is not seen");
    }
}

#[test]
fn without_colour_no_colour_reaches_the_terminal_and_the_choice_is_seen() {
    let mut world = World::with(look(&EN, (80, 24), false, true));
    world.settle();
    world.hears(message("a", "general", 1, "look", false));
    world.key(control('p'));
    let mut bytes: Vec<u8> = Vec::new();
    {
        let viewport = Viewport::Fixed(Rect::new(0, 0, 80, 24));
        let backend = CrosstermBackend::new(&mut bytes);
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        terminal.draw(|frame| draw(frame, &world.state)).unwrap();
    }
    let text = String::from_utf8(bytes).unwrap();
    let mut colours = Vec::new();
    for sequence in text.split("\x1b[").skip(1) {
        let (numbers, _) = sequence.split_once('m').unwrap_or((sequence, ""));
        let codes = numbers.split(';').filter_map(|code| code.parse::<u16>().ok());
        if numbers.chars().all(|c| c.is_ascii_digit() || c == ';') {
            colours.extend(
                codes.filter(|code| matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107)),
            );
        }
    }
    assert!(colours.is_empty(), "{colours:?}");
    assert!(text.contains("\x1b[7m"), "nothing is reversed");
}

#[test]
fn every_theme_draws_and_only_mono_has_no_colour() {
    let mut world = World::new();
    world.hears(message("a", "general", 1, "look at https://x.example", false));
    for (theme, name) in Theme::ALL {
        world.state.theme = theme;
        let buffer = drawn(&world.state);
        let coloured = cells(&buffer).any(|it| (it.fg, it.bg) != (Color::Reset, Color::Reset));
        assert_eq!(coloured, theme != Theme::Mono, "{name}");
    }
}

#[test]
fn no_size_is_too_small_to_draw() {
    let mut world = World::new();
    for n in 0..30 {
        world.hears(message(&n.to_string(), "general", n, "many words in a row", false));
    }
    update(&mut world.state, Event::Agent(json!({"type": "alarm", "text": "look"})));
    for panel in [None, Some(Code::F(1)), Some(Code::F(12))] {
        if let Some(code) = panel {
            world.press(code);
        }
        for width in [1, 2, 3, 5, 10, 30, 71, 72, 200] {
            for height in [1, 2, 3, 4, 5, 6, 8, 50] {
                world.happens(Event::Resize(Size { width, height }));
                drawn(&world.state);
                world.happens(Event::Key(control('x')));
            }
        }
    }
}

#[test]
fn what_stands_at_the_lower_edge_stays_there_when_the_size_changes() {
    let mut world = World::new();
    for n in 0..200 {
        let text = format!("message {n} with some words that a narrow screen has to wrap");
        world.hears(message(&n.to_string(), "general", n, &text, true));
    }
    for _ in 0..3 {
        world.press(Code::PageUp);
    }
    let lowest = |world: &World| {
        let paper = world.state.paper();
        let timeline = world.state.timeline().unwrap();
        paper.visible(timeline, world.state.page()).last().unwrap().0
    };
    let before = lowest(&world);
    assert!(before < 190);
    for (width, height) in [(200, 50), (60, 20), (100, 28), (80, 24)] {
        world.happens(Event::Resize(Size { width, height }));
        assert!(lowest(&world).abs_diff(before) <= 1, "{width}x{height}");
    }
}
