//! What stands over the messages, as rows.

use super::line::Line;
use super::rows::{Ink, Piece, Row, columns, cut, fit, wrap};
use super::slash;
use super::state::State;
use super::state::panel::{Confirm, Help, List, Page, Panel, Prompt};

/// A panel as it is drawn.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// Where the cursor stands: column and row.
    pub(super) cursor: Option<(usize, usize)>,
}

/// The open panel in `width` columns and at most `height` rows; none if no panel hides messages.
pub(super) fn sheet(state: &State, width: usize, height: usize) -> Option<Sheet> {
    match state.panel.as_ref()? {
        Panel::Help(help) => Some(help_sheet(state, help, width, height)),
        Panel::List(list) => Some(list_sheet(state, list, width, height)),
        Panel::Prompt(prompt) => Some(prompt_sheet(prompt, width)),
        Panel::Confirm(confirm) => Some(confirm_sheet(state, confirm, width)),
        Panel::Page(page) => Some(page_sheet(page, width, height)),
        Panel::Select => None,
    }
}

fn help_sheet(state: &State, help: &Help, width: usize, height: usize) -> Sheet {
    let words = state.words();
    let keys = (words.keys)(help.place).iter().map(|(key, said)| ((*key).to_owned(), *said));
    let keys: Vec<(String, &str)> = keys.collect();
    let commands = slash::help(words);
    let first = keys.iter().chain(&commands).map(|(name, _)| columns(name)).max();
    let first = first.unwrap_or_default().min(width / 2);
    let line = |(name, said): &(String, &str)| {
        let name = fit(name, first, state.signs().cut);
        let said = cut(said, width.saturating_sub(first + 2), state.signs().cut);
        Row::of([
            Piece::new(Ink::Strong, name),
            Piece::new(Ink::Plain, "  "),
            Piece::new(Ink::Plain, said),
        ])
    };
    let mut all: Vec<Row> = keys.iter().map(line).collect();
    all.push(Row::default());
    all.push(Row::new(Ink::Dim, words.commands));
    all.extend(commands.iter().map(line));
    let top = help.top.min(all.len().saturating_sub(height));
    let rows = all.into_iter().skip(top).take(height).collect();
    Sheet { title: words.help.into(), rows, cursor: None }
}

fn page_sheet(page: &Page, width: usize, height: usize) -> Sheet {
    let all: Vec<Row> = page.rows.iter().flat_map(|row| wrap(&row.pieces, width)).collect();
    let top = page.top.min(all.len().saturating_sub(height));
    let rows = all.into_iter().skip(top).take(height).collect();
    Sheet { title: page.title.clone(), rows, cursor: None }
}

/// A line being typed, its end always in sight.
fn typed(line: &Line, width: usize) -> (Row, usize) {
    let (before, after) = line.around();
    let mut hidden = before;
    while columns(hidden) + 1 > width {
        let mut letters = hidden.chars();
        letters.next();
        hidden = letters.as_str();
    }
    let cursor = columns(hidden);
    let text = cut(&format!("{hidden}{after}"), width, "");
    (Row::new(Ink::Strong, text), cursor)
}

fn list_sheet(state: &State, list: &List, width: usize, height: usize) -> Sheet {
    let words = state.words();
    let signs = state.signs();
    let mut rows = Vec::new();
    let mut cursor = None;
    if let Some(query) = &list.query {
        let (row, column) = typed(query, width.saturating_sub(2));
        let mut line = Row::new(Ink::Dim, format!("{} ", signs.at));
        line.pieces.extend(row.pieces);
        cursor = Some((column + 2, 0));
        rows.push(line);
    }
    let room = height.saturating_sub(rows.len()).max(1);
    let asked = list.query.as_ref().is_none_or(|query| !query.is_empty());
    if list.items.is_empty() && asked {
        let said = if list.waiting { words.waiting } else { words.nothing_found };
        rows.push(Row::new(Ink::Dim, cut(said, width, signs.cut)));
    }
    let first = (list.at + 1).saturating_sub(room);
    for (at, item) in list.items.iter().enumerate().skip(first).take(room) {
        let note = cut(&item.note, width / 2, signs.cut);
        let left = width.saturating_sub(columns(&note) + 3);
        let sign = if at == list.at { signs.at } else { " " };
        let mut row = Row::of([
            Piece::new(Ink::Strong, format!("{sign} ")),
            Piece::new(item.ink, fit(&item.text, left, signs.cut)),
            Piece::new(Ink::Dim, format!(" {note}")),
        ]);
        row.selected = at == list.at;
        rows.push(row);
    }
    Sheet { title: list.title.clone(), rows, cursor }
}

fn prompt_sheet(prompt: &Prompt, width: usize) -> Sheet {
    let mut rows = wrap(&[Piece::new(Ink::Plain, prompt.text.as_str())], width);
    rows.push(Row::default());
    let (row, column) = typed(&prompt.line, width);
    let cursor = Some((column, rows.len()));
    rows.push(row);
    Sheet { title: prompt.title.clone(), rows, cursor }
}

fn confirm_sheet(state: &State, confirm: &Confirm, width: usize) -> Sheet {
    let ink = if confirm.danger { Ink::Alarm } else { Ink::Plain };
    let mut rows = wrap(&[Piece::new(ink, confirm.text.as_str())], width);
    rows.push(Row::default());
    rows.push(Row::new(Ink::Strong, cut(state.words().yes_no, width, state.signs().cut)));
    Sheet { title: confirm.title.clone(), rows, cursor: None }
}
