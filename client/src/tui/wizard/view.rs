//! Draws the first run. Everything is in words and in `>`, nothing in colour or line art alone, so that
//! one drawing serves every terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::{Page, State};
use crate::api::{CodeCheck, check_code};
use crate::output::clean_line;
use crate::passphrase::MIN_CHARS;
use crate::text;
use crate::text::wizard as say;

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const REVERSE: Style = Style::new().add_modifier(Modifier::REVERSED);

/// The widest that prose is set, in columns.
const WIDEST: u16 = 72;
/// Columns left free on either side.
const MARGIN: u16 = 2;
/// Words of the root in one row.
const IN_A_ROW: usize = 4;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(
        Line::styled(format!("{:1$}", " Staffetta", head.width.into()), REVERSE),
        head,
    );
    frame.render_widget(Line::styled(format!(" {}", keys(state)), DIM), foot);
    let width = body.width.saturating_sub(2 * MARGIN).min(WIDEST);
    let page = page(state, usize::from(width).max(1));
    // Where there is no room for all of it, the end matters: it is where one types.
    let surplus = page.rows.len().saturating_sub(body.height.into());
    let top = u16::try_from(page.rows.len()).unwrap_or(u16::MAX);
    let top = body.height.saturating_sub(top) / 3;
    let area = Rect {
        x: body.x + MARGIN.min(body.width),
        y: body.y + top,
        width: width.min(body.width.saturating_sub(MARGIN)),
        height: body.height - top,
    };
    if let Some((row, column)) = page.cursor
        && let Some(row) = row.checked_sub(surplus).and_then(|row| u16::try_from(row).ok())
    {
        let column = u16::try_from(column).unwrap_or(u16::MAX).min(area.width);
        frame.set_cursor_position((area.x + column, area.y + row));
    }
    let rows: Vec<Line<'_>> = page.rows.into_iter().skip(surplus).collect();
    frame.render_widget(Paragraph::new(rows), area);
}

/// What the keys do here.
fn keys(state: &State) -> &'static str {
    match state.page {
        Page::Code => say::keys_code(),
        Page::Team => say::keys_team(),
        Page::Name => say::keys_name(),
        Page::Passphrase => say::keys_passphrase(),
        Page::RootWords => say::keys_root_words(),
        Page::Again => say::keys_again(),
        Page::Looking | Page::Working | Page::Words => say::keys_wait(),
    }
}

/// Rows of a page, and where the cursor stands in them.
struct Rows {
    rows: Vec<Line<'static>>,
    cursor: Option<(usize, usize)>,
    width: usize,
}

impl Rows {
    fn prose(&mut self, text: &str, style: Style) {
        for row in text.split('\n').flat_map(|line| fold(line, self.width)) {
            self.rows.push(Line::styled(row, style));
        }
    }

    fn gap(&mut self) {
        self.rows.push(Line::default());
    }

    /// The line that is being typed, wherever it breaks.
    fn typed(&mut self, text: &str) {
        let mut row = String::from("> ");
        for c in text.chars() {
            if width_of(&row) + width_of(c.encode_utf8(&mut [0; 4])) > self.width {
                self.rows.push(Line::styled(std::mem::take(&mut row), BOLD));
                row.push_str("  ");
            }
            row.push(c);
        }
        self.cursor = Some((self.rows.len(), width_of(&row)));
        self.rows.push(Line::styled(row, BOLD));
    }
}

fn page(state: &State, width: usize) -> Rows {
    let mut rows = Rows { rows: Vec::new(), cursor: None, width };
    match state.page {
        Page::Code => code(state, &mut rows),
        Page::Looking => rows.prose(say::looking(), BOLD),
        Page::Team => team(state, &mut rows),
        Page::Name => {
            rows.prose(say::name(), BOLD);
            rows.gap();
            rows.prose(say::name_how(), Style::new());
            rows.gap();
            rows.typed(state.name.text());
        }
        Page::Passphrase => passphrase(state, &mut rows),
        Page::Working => rows.prose(say::working(), BOLD),
        Page::Words => {
            let inviter = inviter(state).unwrap_or_default();
            rows.prose(&text::call(&inviter), Style::new());
            rows.gap();
            rows.prose(&format!("    {}", state.words.join(" ")), BOLD);
            rows.gap();
            rows.prose(&say::words_wait(&inviter), Style::new());
        }
        Page::RootWords => root_words(state, &mut rows),
        Page::Again => rows.prose(say::again(), BOLD),
    }
    if let Some(said) = &state.said {
        rows.gap();
        for line in &said.lines {
            rows.prose(&format!("! {}", clean_line(line)), BOLD);
        }
    }
    rows
}

fn code(state: &State, rows: &mut Rows) {
    rows.prose(say::code(), BOLD);
    rows.gap();
    rows.prose(say::code_looks(), Style::new());
    rows.gap();
    rows.typed(state.code.text());
    if state.said.is_some() {
        return;
    }
    rows.gap();
    match check_code(state.code.text()) {
        CodeCheck::Good => rows.prose(say::code_good(), Style::new()),
        CodeCheck::Wrong(what) => rows.prose(&format!("! {what}"), BOLD),
        CodeCheck::Partial(0) => {}
        CodeCheck::Partial(count) => rows.prose(&say::code_partial(count), DIM),
    }
}

fn inviter(state: &State) -> Option<String> {
    state.invitation.as_ref()?.inviter.as_deref().map(clean_line)
}

fn team(state: &State, rows: &mut Rows) {
    let team = state.invitation.as_ref().map(|it| clean_line(&it.team)).unwrap_or_default();
    match inviter(state) {
        Some(inviter) => rows.prose(&text::joining(&team, &inviter), BOLD),
        None if team.is_empty() => rows.prose(say::founding_unnamed(), BOLD),
        None => rows.prose(&say::founding(&team), BOLD),
    }
    rows.gap();
    for (refuse, answer) in [(false, say::yes()), (true, say::not_who())] {
        let (mark, style) =
            if refuse == state.refuse { ("> ", BOLD) } else { ("  ", Style::new()) };
        rows.prose(&format!("{mark}[ {answer} ]"), style);
    }
}

fn passphrase(state: &State, rows: &mut Rows) {
    rows.prose(say::passphrase(), BOLD);
    rows.gap();
    rows.prose(say::passphrase_why(), Style::new());
    rows.gap();
    rows.prose(say::passphrase_proposed(), Style::new());
    rows.prose(&format!("    {}", state.proposal.as_str()), BOLD);
    rows.gap();
    rows.prose(&say::passphrase_own(MIN_CHARS), Style::new());
    let typed = state.passphrase.text();
    if state.hidden {
        rows.typed(&"*".repeat(typed.chars().count()));
    } else {
        rows.typed(typed);
    }
}

/// Six rows of four numbered words, as they are written on paper.
fn root_words(state: &State, rows: &mut Rows) {
    rows.prose(&text::root_words().replace('\n', " "), Style::new());
    rows.gap();
    let words: Vec<&str> = state.root_words.split_whitespace().collect();
    for (row, words) in words.chunks(IN_A_ROW).enumerate() {
        let numbered = words.iter().zip(row * IN_A_ROW + 1..);
        let cells = numbered.map(|(word, n)| format!("{n:>2} {word:<10}")).collect::<String>();
        rows.rows.push(Line::styled(format!(" {cells}"), BOLD));
    }
}

fn width_of(text: &str) -> usize {
    Span::raw(text).width()
}

/// Cuts a line of prose between its words; a word that is too long for a row is cut inside. What is
/// indented stays indented.
fn fold(text: &str, width: usize) -> Vec<String> {
    let indent = &" ".repeat(text.len() - text.trim_start_matches(' ').len());
    let mut rows = Vec::new();
    let mut row = indent.clone();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let blank = usize::from(width_of(&row) > indent.len());
        if blank == 1 && width_of(&row) + blank + width_of(word) > width {
            rows.push(std::mem::replace(&mut row, indent.clone()));
        } else if blank == 1 {
            row.push(' ');
        }
        for c in word.chars() {
            if width_of(&row) + width_of(c.encode_utf8(&mut [0; 4])) > width {
                rows.push(std::mem::replace(&mut row, indent.clone()));
            }
            row.push(c);
        }
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests;
