//! Draws the state and does nothing else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::state::{Message, State};
use crate::{text, time};

/// The side bar's columns, and the least width of the screen that has one.
const SIDE: u16 = 18;
const SIDE_FROM: u16 = 72;

/// The most rows the line being written takes, frame included.
const INPUT_ROWS: usize = 8;

/// Bold and reverse only: legible on any background and under NO_COLOR.
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const REVERSE: Style = Style::new().add_modifier(Modifier::REVERSED);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);

/// Draws everything.
pub(super) fn draw(frame: &mut Frame, state: &State) {
    let area = frame.area();
    let (before, after) = state.input.around();
    let inner = usize::from(area.width.saturating_sub(2)).max(1);
    let typed = wrap(&format!("{before}{after}"), inner);
    let input_rows = (typed.len() + 2).min(INPUT_ROWS);
    let alarm_rows = u16::from(state.alarm.is_some());
    let [head, alarm, body, input, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(alarm_rows),
        Constraint::Min(1),
        Constraint::Length(u16::try_from(input_rows).unwrap_or(3)),
        Constraint::Length(1),
    ])
    .areas(area);

    frame.render_widget(Line::styled(header(state, head.width), REVERSE), head);
    if let Some(what) = &state.alarm {
        frame.render_widget(Line::styled(text::alarm(what), REVERSE.patch(BOLD)), alarm);
    }
    if area.width >= SIDE_FROM {
        let [side, main] =
            Layout::horizontal([Constraint::Length(SIDE), Constraint::Min(1)]).areas(body);
        rooms(frame, state, side);
        messages(frame, state, main);
    } else {
        messages(frame, state, body);
    }
    write_line(frame, state, input, &typed, wrap(before, inner));
    let footer = state.notice.clone().unwrap_or_else(|| footer(foot.width));
    let style = if state.notice.is_some() { BOLD } else { DIM };
    frame.render_widget(Line::styled(footer, style), foot);
}

fn header(state: &State, width: u16) -> String {
    let left = format!(" {} | {}", state.connection, state.team);
    let gap = usize::from(width).saturating_sub(width_of(&left) + width_of(&state.me) + 1);
    format!("{left}{:gap$}{} ", "", state.me)
}

/// As many hints as fit; the first one, how to quit, goes last.
fn footer(width: u16) -> String {
    let mut line = String::new();
    for hint in text::screen::footer() {
        if width_of(&line) + width_of(hint) + 2 <= usize::from(width) {
            line = format!("{line} {hint} ");
        }
    }
    line
}

fn rooms(frame: &mut Frame, state: &State, area: Rect) {
    let line = |room: &super::state::Room| {
        let unread = if room.unread > 0 { room.unread.to_string() } else { String::new() };
        let width = usize::from(SIDE - 2).saturating_sub(unread.len() + 1);
        let name = wrap(&room.name, width).swap_remove(0);
        let pad = width.saturating_sub(width_of(&name));
        let style = match (room.name == state.current, room.unread > 0) {
            (true, _) => REVERSE,
            (false, true) => BOLD,
            (false, false) => Style::new(),
        };
        Line::styled(format!("{name}{:pad$} {unread}", ""), style)
    };
    let lines: Vec<Line> = state.rooms.iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered()), area);
}

fn messages(frame: &mut Frame, state: &State, area: Rect) {
    let open = state.rooms.iter().find(|room| room.name == state.current);
    let title = open.map(|room| format!(" {} | {} ", room.name, text::words::people(room.members)));
    let block = Block::bordered().title(title.unwrap_or_default());
    let inner = block.inner(area);
    let height = usize::from(inner.height);
    let mut rows: Vec<Line> = Vec::new();
    // From the newest up, and no further than what is on the screen.
    for message in state.history.get(&state.current).into_iter().flatten().rev() {
        rows.extend(message_rows(message, usize::from(inner.width)).into_iter().rev());
        if rows.len() >= height + state.scroll {
            break;
        }
    }
    let scroll = state.scroll.min(rows.len().saturating_sub(height));
    let mut shown: Vec<Line> = rows.into_iter().skip(scroll).take(height).collect();
    shown.reverse();
    frame.render_widget(Paragraph::new(shown).block(block), area);
}

/// Time, trust, name and delivery in front; further rows are indented.
fn message_rows(message: &Message, width: usize) -> Vec<Line<'static>> {
    const INDENT: &str = "      ";
    let clock =
        if message.sent_at.is_empty() { "     ".into() } else { time::clock(&message.sent_at) };
    let trust = if message.verified { "v" } else { "!" };
    let state = match (message.own, message.seq) {
        (true, None) => " (queued)",
        (true, Some(_)) => " (sent)",
        _ => "",
    };
    let mut rows = vec![Line::from(vec![
        Span::styled(format!("{clock} "), DIM),
        Span::styled(format!("{trust} {}", message.from), BOLD),
        Span::styled(state, DIM),
    ])];
    if !message.verified {
        rows.push(Line::from(format!("{INDENT}(!) {}", text::screen::not_verified())));
    }
    let wrapped = wrap(&message.text, width.saturating_sub(INDENT.len()).max(1));
    rows.extend(wrapped.into_iter().map(|row| Line::from(format!("{INDENT}{row}"))));
    rows
}

fn write_line(frame: &mut Frame, state: &State, area: Rect, typed: &[String], to: Vec<String>) {
    let title = format!(" {} {} ", text::screen::write_here(), state.current);
    let block = Block::bordered().title(title);
    let inner = block.inner(area);
    let row = to.len().saturating_sub(1);
    let height = usize::from(inner.height).max(1);
    let first = (row + 1).saturating_sub(height);
    let lines: Vec<Line> =
        typed.iter().skip(first).take(height).map(|row| Line::raw(row.as_str())).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
    let column = to.last().map(|row| width_of(row)).unwrap_or_default();
    let at = |start: u16, offset: usize, most: u16| {
        start.saturating_add(u16::try_from(offset).unwrap_or(most).min(most.saturating_sub(1)))
    };
    frame.set_cursor_position(Position {
        x: at(inner.x, column, inner.width),
        y: at(inner.y, row - first, inner.height),
    });
}

fn width_of(text: &str) -> usize {
    Span::raw(text).width()
}

/// Cuts a text at its newlines and wherever a row would be wider than `width` columns. There is
/// always a row. Tabs are four columns anywhere.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for line in text.replace('\t', "    ").split('\n') {
        let mut row = String::new();
        let mut columns = 0;
        for grapheme in Span::raw(line).styled_graphemes(Style::new()) {
            let wide = width_of(grapheme.symbol);
            if columns + wide > width && !row.is_empty() {
                rows.push(std::mem::take(&mut row));
                columns = 0;
            }
            row.push_str(grapheme.symbol);
            columns += wide;
        }
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests;
