//! Draws the state and does nothing else: rows go where the geometry says, in the theme's colours.
//! With the terminal's edge the only place that names the drawing library.

mod theme;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::symbols::border;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use self::theme::Palette;
use super::geometry::{Area, written};
use super::rows::{Ink, Piece, Row, columns, cut, fit};
use super::sheet::{Sheet, sheet};
use super::state::{Curtain, State};
use super::{edges, side};

/// The widest panel, and the margin around it on a screen that has room.
const PANEL: u16 = 76;
const MARGIN: u16 = 2;

const ASCII_FRAME: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let view = View { state, palette: Palette::of(state.theme) };
    let screen = frame.area();
    frame.buffer_mut().set_style(screen, view.palette.base());
    match &state.curtain {
        Curtain::Open => view.room(frame),
        Curtain::Blank => view.blank(frame),
        Curtain::Locked { .. } => view.locked(frame),
    }
}

struct View<'a> {
    state: &'a State,
    palette: Palette,
}

impl View<'_> {
    fn line(&self, row: &Row) -> Line<'static> {
        let style = |piece: &Piece| {
            let style = self.palette.style(piece);
            if row.selected { style.patch(self.palette.selected()) } else { style }
        };
        let spans = row.pieces.iter().map(|piece| Span::styled(piece.text.clone(), style(piece)));
        let line = Line::from(spans.collect::<Vec<_>>());
        if row.selected { line.style(self.palette.selected()) } else { line }
    }

    fn rows(&self, frame: &mut Frame<'_>, rows: &[Row], area: Area) {
        for (row, y) in rows.iter().zip(0..area.height) {
            let at = Area { y: area.y + y, height: 1, ..area };
            frame.render_widget(self.line(row), rect(at));
        }
    }

    fn frame(&self, frame: &mut Frame<'_>, title: &str, area: Area) {
        let width = usize::from(area.width.saturating_sub(4));
        let set = if self.state.signs().lines { border::PLAIN } else { ASCII_FRAME };
        let mut block = Block::bordered()
            .border_set(set)
            .border_style(self.palette.style(&Piece::new(Ink::Dim, "")));
        if !title.is_empty() && width > 0 {
            let title = format!(" {} ", cut(title, width, self.state.signs().cut));
            block =
                block.title(Span::styled(title, self.palette.style(&Piece::new(Ink::Strong, ""))));
        }
        frame.render_widget(block, rect(area));
    }

    fn room(&self, frame: &mut Frame<'_>) {
        let state = self.state;
        let at = state.geometry();
        self.rows(frame, &[edges::head(state, usize::from(at.head.width))], at.head);
        let banners = edges::banners(state, usize::from(at.banners.width));
        self.rows(frame, &banners, at.banners);
        if let Some(area) = at.side {
            let inside = area.inside();
            self.frame(frame, state.words().rooms, area);
            let rows = side::rows(state, usize::from(inside.width), usize::from(inside.height));
            let rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
            self.rows(frame, &rows, inside);
        }
        self.messages(frame, at.main);
        self.rows(frame, &state.said(), at.notice);
        self.writing(frame, at.compose);
        self.rows(frame, &[edges::foot(state, usize::from(at.foot.width))], at.foot);
        self.panel(frame, at.main, at.foot);
    }

    fn messages(&self, frame: &mut Frame<'_>, area: Area) {
        let state = self.state;
        let inside = area.inside();
        let width = usize::from(area.width.saturating_sub(4));
        self.frame(frame, &edges::title(state, width), area);
        let Some(timeline) = state.timeline() else { return };
        let paper = state.paper_of(usize::from(inside.width));
        let height = usize::from(inside.height);
        let rows: Vec<Row> = match timeline.messages.is_empty() && timeline.at_end {
            true => paper.empty(),
            false => paper.visible(timeline, height).into_iter().map(|(_, row)| row).collect(),
        };
        let above = height.saturating_sub(rows.len());
        let above = u16::try_from(above).unwrap_or_default();
        let shown = Area { y: inside.y + above, height: inside.height - above, ..inside };
        self.rows(frame, &rows, shown);
        if timeline.anchor.is_some() && area.height > 2 {
            let said = format!(" {} ", state.words().below);
            let wide = u16::try_from(columns(&said)).unwrap_or(u16::MAX);
            if wide + 4 <= area.width {
                let x = area.x + area.width - wide - 2;
                let at = Area { x, y: area.y + area.height - 1, width: wide, height: 1 };
                self.rows(frame, &[Row::new(Ink::Mark, said)], at);
            }
        }
    }

    fn writing(&self, frame: &mut Frame<'_>, area: Area) {
        let state = self.state;
        let inside = area.inside();
        self.frame(frame, &edges::writing(state), area);
        if inside.height == 0 || inside.width == 0 {
            return;
        }
        let (width, height) = (usize::from(inside.width), usize::from(inside.height));
        let (rows, first, column, row) = written(&state.compose.line, width, height);
        let shown: Vec<Row> = rows
            .into_iter()
            .skip(first)
            .take(height)
            .map(|row| Row::new(Ink::Plain, row))
            .collect();
        self.rows(frame, &shown, inside);
        if state.panel.is_none() {
            cursor(frame, inside, column, row - first);
        }
    }

    /// Over the messages, and on a small screen over everything but the foot.
    fn panel(&self, frame: &mut Frame<'_>, main: Area, foot: Area) {
        let screen = Area { x: 0, y: 0, width: foot.width, height: foot.y };
        let width = screen.width.saturating_sub(2 * MARGIN).min(PANEL);
        let inner = usize::from(width.saturating_sub(4));
        let most = usize::from(screen.height.saturating_sub(2));
        let Some(Sheet { title, rows, cursor: at }) = sheet(self.state, inner, most) else {
            return;
        };
        let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2);
        let height = height.clamp(3, screen.height.max(3)).min(screen.height);
        let top = if height <= main.height { main.y } else { 0 };
        let area = Area { x: (screen.width - width) / 2, y: top, width, height };
        frame.render_widget(Clear, rect(area));
        frame.buffer_mut().set_style(rect(area), self.palette.base());
        self.frame(frame, &title, area);
        let inside = area.inside();
        let text = Area { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        self.rows(frame, &rows, text);
        if let Some((column, row)) = at {
            cursor(frame, text, column, row);
        }
    }

    fn blank(&self, frame: &mut Frame<'_>) {
        let size = self.state.setup.size;
        let said = Row::new(Ink::Dim, self.state.words().blank);
        let at = Area { x: 1, y: size.height / 2, width: size.width.saturating_sub(1), height: 1 };
        self.rows(frame, &[said], at);
        self.way_out(frame);
    }

    fn locked(&self, frame: &mut Frame<'_>) {
        let Curtain::Locked { typed, said, waiting } = &self.state.curtain else { return };
        let words = self.state.words();
        let size = self.state.setup.size;
        let width = size.width.saturating_sub(2 * MARGIN).min(PANEL);
        let height = 4.min(size.height);
        let y = (size.height.saturating_sub(height)) / 2;
        let area = Area { x: (size.width - width) / 2, y, width, height };
        self.frame(frame, words.locked, area);
        let inside = area.inside();
        let room = usize::from(inside.width);
        let asked = format!("{}: ", words.passphrase);
        let stars = "*".repeat(typed.chars().count());
        let line = if *waiting { words.unlocking.to_owned() } else { format!("{asked}{stars}") };
        let line = Row::new(Ink::Strong, fit(&line, room, self.state.signs().cut));
        let said = said.as_deref().unwrap_or_default();
        let said = Row::new(Ink::Warn, cut(said, room, self.state.signs().cut));
        self.rows(frame, &[line, said], inside);
        if !waiting {
            cursor(frame, inside, columns(&asked) + columns(&stars), 0);
        }
        self.way_out(frame);
    }

    /// The foot, where there is nothing else to say.
    fn way_out(&self, frame: &mut Frame<'_>) {
        let at = self.state.geometry().foot;
        self.rows(frame, &[edges::foot(self.state, usize::from(at.width))], at);
    }
}

fn rect(area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }
}

fn cursor(frame: &mut Frame<'_>, inside: Area, column: usize, row: usize) {
    let within =
        |at: usize, most: u16| u16::try_from(at).unwrap_or(u16::MAX).min(most.saturating_sub(1));
    frame.set_cursor_position(Position {
        x: inside.x + within(column, inside.width),
        y: inside.y + within(row, inside.height),
    });
}

#[cfg(test)]
mod tests;
