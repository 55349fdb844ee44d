//! Where everything stands on a screen of a given size. The state asks it how far a page is, the
//! view where to draw; neither decides alone.

use super::line::Line;
use super::rows::{Ink, Piece, columns, wrap};

/// The side bar's columns, and the least width of a screen that has one.
pub(super) const SIDE: u16 = 18;
const SIDE_FROM: u16 = 72;

/// The most rows of the text being written.
const MOST_WRITTEN: usize = 6;

/// The most rows of what is said for now.
const MOST_SAID: usize = 3;

/// The most banners shown at once; a line says how many more there are.
pub(super) const MOST_BANNERS: usize = 3;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { width: 80, height: 24 }
    }
}

/// A rectangle of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Area {
    /// Without a frame of one cell.
    pub(super) fn inside(self) -> Self {
        Self {
            x: self.x.saturating_add(1),
            y: self.y.saturating_add(1),
            width: self.width.saturating_sub(2),
            height: self.height.saturating_sub(2),
        }
    }

    pub(super) fn holds(self, column: u16, row: u16) -> bool {
        let within = |at: u16, from: u16, length: u16| at >= from && at - from < length;
        within(column, self.x, self.width) && within(row, self.y, self.height)
    }
}

/// Where everything stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) head: Area,
    pub(super) banners: Area,
    /// The side bar with its frame, if there is room for one.
    pub(super) side: Option<Area>,
    /// The messages with their frame.
    pub(super) main: Area,
    /// What is said for now.
    pub(super) notice: Area,
    /// The text being written with its frame.
    pub(super) compose: Area,
    pub(super) foot: Area,
}

/// Places everything: `written` rows of text being written, `banners` banners and `said` rows of
/// what is said for now.
pub(super) fn geometry(size: Size, written: usize, banners: usize, said: usize) -> Geometry {
    let Size { width, height } = size;
    let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    // What gives way first on a tiny screen: the messages, the banners, the head.
    let mut left = height;
    let mut take = |wanted: u16| {
        let taken = wanted.min(left);
        left -= taken;
        taken
    };
    let foot = take(1);
    let compose = take(rows(written.clamp(1, MOST_WRITTEN)) + 2);
    let notice = take(rows(said.min(MOST_SAID)));
    let head = take(1);
    let shown = if banners > MOST_BANNERS { MOST_BANNERS + 1 } else { banners };
    let banner = take(rows(shown));
    let body = left;
    let at = |y: u16, height: u16| Area { x: 0, y, width, height };
    let side_width = if width >= SIDE_FROM { SIDE } else { 0 };
    let body_y = head + banner;
    let side = Area { x: 0, y: body_y, width: side_width, height: body };
    let main =
        Area { x: side_width, y: body_y, width: width - side_width.min(width), height: body };
    Geometry {
        head: at(0, head),
        banners: at(head, banner),
        side: (side_width > 0).then_some(side),
        main,
        notice: at(body_y + body, notice),
        compose: at(body_y + body + notice, compose),
        foot: at(body_y + body + notice + compose, foot),
    }
}

/// The rows of a text being written, the first of them that is shown, and where the cursor stands
/// among all: column and row.
pub(super) fn written(
    line: &Line,
    width: usize,
    height: usize,
) -> (Vec<String>, usize, usize, usize) {
    let rows = |text: &str| -> Vec<String> { wrap_hard(text, width.max(1)) };
    let (before, _) = line.around();
    let upto = rows(before);
    let row = upto.len().saturating_sub(1);
    let column = upto.last().map(|row| columns(row)).unwrap_or_default();
    let first = (row + 1).saturating_sub(height.max(1));
    (rows(&line.text()), first, column, row)
}

/// Breaks a text where the screen ends and nowhere else, so that the cursor stays where it is.
fn wrap_hard(text: &str, width: usize) -> Vec<String> {
    // Blanks that do not break: the wrapping only cuts between words at plain ones.
    let solid = text.replace(' ', "\u{a0}");
    wrap(&[Piece::new(Ink::Plain, solid)], width)
        .iter()
        .map(|row| row.text().replace('\u{a0}', " "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_and_everything_is_on_the_screen() {
        for width in [1, 10, 60, 71, 72, 80, 200] {
            for height in [1, 2, 3, 5, 8, 20, 24, 50] {
                for (lines, banners) in [(1, 0), (40, 9), (3, 1)] {
                    let at = geometry(Size { width, height }, lines, banners, banners);
                    let side = at.side.unwrap_or_default();
                    assert_eq!(side.width + at.main.width, width);
                    let rows = [at.head, at.banners, at.main, at.notice, at.compose, at.foot];
                    let mut y = 0;
                    for area in rows {
                        assert_eq!(area.y, y, "{width}x{height} {area:?}");
                        y += area.height;
                    }
                    assert_eq!(y, height);
                    assert_eq!(at.foot.height, 1);
                }
            }
        }
    }

    #[test]
    fn the_cursor_stands_behind_what_was_typed() {
        let line = Line::with("ab cd ef".into());
        let (rows, first, column, row) = written(&line, 4, 6);
        assert_eq!(rows, ["ab c", "d ef"]);
        assert_eq!((first, column, row), (0, 4, 1));
        let (_, first, ..) = written(&Line::with("a\n".repeat(9)), 4, 6);
        assert_eq!(first, 4);
    }
}
