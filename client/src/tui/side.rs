//! The side bar as rows: rooms, people, bots, with what is unread.

use super::rows::{Ink, Piece, Row, columns, fit};
use super::state::State;
use super::state::rooms::{Entry, Section};

/// The rows that are seen of the side bar in `width` columns and `height` rows, each with the key
/// of what it opens. The open one is always seen.
pub(super) fn rows(state: &State, width: usize, height: usize) -> Vec<(Row, Option<String>)> {
    let words = state.words();
    let mut all: Vec<(Row, Option<String>)> = Vec::new();
    let mut section = Section::Rooms;
    let mut open = 0;
    for entry in &state.entries {
        if entry.section != section {
            section = entry.section;
            let title = match section {
                Section::Rooms => words.rooms,
                Section::People => words.people,
                Section::Bots => words.bots,
            };
            all.push((Row::new(Ink::Dim, fit(title, width, state.signs().cut)), None));
        }
        if entry.key == state.current {
            open = all.len();
        }
        all.push((row(state, entry, width), Some(entry.key.clone())));
    }
    let first = (open + 1).saturating_sub(height).max(open.saturating_sub(height / 2));
    let first = first.min(all.len().saturating_sub(height));
    all.into_iter().skip(first).take(height).collect()
}

fn row(state: &State, entry: &Entry, width: usize) -> Row {
    let signs = state.signs();
    let open = entry.key == state.current;
    let muted = state.muted.contains(&entry.key);
    let (count, count_ink) = match (entry.unread, entry.mentions, muted) {
        (0, _, true) => (state.words().mute.to_owned(), Ink::Dim),
        (0, _, false) => (String::new(), Ink::Plain),
        (unread, 0, true) => (unread.to_string(), Ink::Dim),
        (unread, 0, false) => (unread.to_string(), Ink::Strong),
        (unread, _, _) => (format!("{unread}@"), Ink::Mark),
    };
    let (sign, ink) = match entry.section {
        Section::Rooms => (" ", Ink::Plain),
        _ if !entry.verified => (signs.unverified, Ink::Warn),
        Section::Bots => (signs.bot, Ink::Trusted),
        Section::People => (signs.verified, Ink::Trusted),
    };
    let loud = entry.unread > 0 && !muted;
    let name_ink = if loud { Ink::Strong } else { Ink::Plain };
    let room = width.saturating_sub(4 + columns(&count));
    let mut row = Row::of([
        Piece::new(Ink::Strong, if open { signs.at } else { " " }),
        Piece::new(ink, sign),
        Piece::new(name_ink, format!(" {} ", fit(&entry.title().line(), room, signs.cut))),
        Piece::new(count_ink, count),
    ]);
    row.selected = open;
    row
}

impl State {
    /// What a line of the side bar opens.
    pub(super) fn side_key(&self, height: usize, line: usize) -> Option<String> {
        rows(self, 1, height).into_iter().nth(line).and_then(|(_, key)| key)
    }
}
