//! What the inks look like in each theme.

use ratatui::style::{Color, Modifier, Style};

use super::super::rows::{Ink, Piece};
use super::super::state::Theme;

/// The colours of a theme.
pub(super) struct Palette(Theme);

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

impl Palette {
    pub(super) fn of(theme: Theme) -> Self {
        Self(theme)
    }

    /// What stands where nothing else is said.
    pub(super) fn base(&self) -> Style {
        match self.0 {
            Theme::Dark | Theme::Mono => Style::new(),
            Theme::Light => Style::new().fg(Color::Black).bg(Color::White),
            Theme::Contrast => Style::new().fg(Color::White).bg(Color::Black),
        }
    }

    /// What is chosen: seen without any colour too.
    pub(super) fn selected(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn style(&self, piece: &Piece) -> Style {
        let mut style = match self.0 {
            Theme::Dark => coloured(piece.ink, Color::DarkGray, Color::Yellow, Color::LightCyan),
            Theme::Light => coloured(piece.ink, Color::DarkGray, Color::Red, Color::Blue),
            Theme::Contrast => {
                let style = coloured(piece.ink, Color::White, Color::LightYellow, Color::LightCyan);
                if piece.ink == Ink::Dim { style } else { style.patch(BOLD) }
            }
            Theme::Mono => plain(piece.ink),
        };
        let marks = [
            (piece.bold, Modifier::BOLD),
            (piece.italic, Modifier::ITALIC),
            (piece.struck, Modifier::CROSSED_OUT),
        ];
        for (_, modifier) in marks.into_iter().filter(|(is, _)| *is) {
            style = style.add_modifier(modifier);
        }
        style
    }
}

fn coloured(ink: Ink, dim: Color, warn: Color, me: Color) -> Style {
    match ink {
        Ink::Plain => Style::new(),
        Ink::Dim => Style::new().fg(dim),
        Ink::Strong => BOLD,
        Ink::Me => Style::new().fg(me),
        Ink::Trusted => Style::new().fg(Color::Green),
        Ink::Warn => Style::new().fg(warn),
        Ink::Alarm => BOLD.fg(Color::White).bg(Color::Red),
        Ink::Link => Style::new().fg(me).add_modifier(Modifier::UNDERLINED),
        Ink::Code => Style::new().fg(Color::Magenta),
        Ink::Mark => BOLD.fg(Color::Black).bg(Color::Yellow),
        Ink::Paper => Style::new().fg(Color::White).bg(Color::Black),
    }
}

/// Bold, reverse, underline and dim alone. crossterm 0.29 writes a colour as a reset when NO_COLOR
/// is set, and the reset takes the weight away: so no cell may have one.
fn plain(ink: Ink) -> Style {
    match ink {
        Ink::Plain | Ink::Code | Ink::Paper | Ink::Trusted | Ink::Me => Style::new(),
        Ink::Dim => Style::new().add_modifier(Modifier::DIM),
        Ink::Strong | Ink::Warn => BOLD,
        Ink::Alarm | Ink::Mark => BOLD.add_modifier(Modifier::REVERSED),
        Ink::Link => Style::new().add_modifier(Modifier::UNDERLINED),
    }
}
