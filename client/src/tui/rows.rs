//! Rows of text as the screen lays them out: pieces in inks, measured in columns. It knows what a
//! column is and nothing of a terminal.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What a piece of text is; a theme says what that looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ink {
    #[default]
    Plain,
    /// Beside the matter: times, frames, hints.
    Dim,
    /// A name or title.
    Strong,
    /// This member.
    Me,
    /// Compared by voice.
    Trusted,
    /// Not compared, or otherwise to be looked at.
    Warn,
    /// Something is wrong.
    Alarm,
    Link,
    /// Dark on light whatever the theme, for codes that a camera reads.
    Paper,
    Code,
    /// A mention of this member, a count of unread messages.
    Mark,
}

/// A piece of text in one ink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) ink: Ink,
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) struck: bool,
}

impl Piece {
    pub(super) fn new(ink: Ink, text: impl Into<String>) -> Self {
        Self { text: text.into(), ink, ..Self::default() }
    }

    fn looks_like(&self, other: &Self) -> bool {
        let look = |piece: &Self| (piece.ink, piece.bold, piece.italic, piece.struck);
        look(self) == look(other)
    }
}

/// One row of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) pieces: Vec<Piece>,
    pub(super) selected: bool,
}

impl Row {
    pub(super) fn new(ink: Ink, text: impl Into<String>) -> Self {
        Self::of([Piece::new(ink, text)])
    }

    pub(super) fn of(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self { pieces: pieces.into_iter().collect(), selected: false }
    }

    pub(super) fn columns(&self) -> usize {
        self.pieces.iter().map(|piece| columns(&piece.text)).sum()
    }

    /// Puts `piece` at the right edge of a row of `width` columns, if it fits with a blank.
    pub(super) fn right(&mut self, piece: Piece, width: usize) -> bool {
        let wanted = columns(&piece.text);
        let free = width.saturating_sub(self.columns());
        let fits = free > wanted;
        if fits {
            self.pieces.push(Piece::new(Ink::Plain, " ".repeat(free - wanted)));
            self.pieces.push(piece);
        }
        fits
    }

    /// Its text without inks.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// The columns that a text takes, counted as a terminal counts them: by what people see as one
/// character.
pub(super) fn columns(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// `text`, or its beginning and `end` if it has more than `width` columns.
pub(super) fn cut(text: &str, width: usize, end: &str) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(columns(end));
    let mut used = 0;
    let fitting = text.graphemes(true).take_while(|shown| {
        used += shown.width();
        used <= room
    });
    let mut out: String = fitting.collect();
    if columns(end) <= width {
        out.push_str(end);
    }
    out
}

/// `text` cut and filled up with blanks to exactly `width` columns.
pub(super) fn fit(text: &str, width: usize, end: &str) -> String {
    let mut out = cut(text, width, end);
    let missing = width.saturating_sub(columns(&out));
    out.push_str(&" ".repeat(missing));
    out
}

/// Breaks pieces at line feeds and, between words where that is possible, wherever a row would
/// have more than `width` columns. There is always a row. A tab is four blanks.
pub(super) fn wrap(pieces: &[Piece], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut line: Vec<(&str, &Piece, usize)> = Vec::new();
    let mut used = 0;
    for piece in pieces {
        for shown in piece.text.graphemes(true) {
            if shown == "\n" {
                rows.push(joined(&line));
                (line, used) = (Vec::new(), 0);
                continue;
            }
            let (shown, wide) = if shown == "\t" { ("    ", 4) } else { (shown, shown.width()) };
            if used + wide > width && !line.is_empty() {
                let rest = match line.iter().rposition(|(shown, ..)| *shown == " ") {
                    _ if shown == " " => Vec::new(),
                    Some(blank) if blank > 0 => line.split_off(blank + 1),
                    _ => Vec::new(),
                };
                while line.last().is_some_and(|(shown, ..)| *shown == " ") {
                    line.pop();
                }
                rows.push(joined(&line));
                line = rest;
                used = line.iter().map(|(_, _, wide)| wide).sum();
                if shown == " " && line.is_empty() {
                    continue;
                }
            }
            line.push((shown, piece, wide));
            used += wide;
        }
    }
    rows.push(joined(&line));
    rows
}

fn joined(line: &[(&str, &Piece, usize)]) -> Row {
    let mut row = Row::default();
    for (shown, like, _) in line {
        match row.pieces.last_mut().filter(|piece| piece.looks_like(like)) {
            Some(piece) => piece.text.push_str(shown),
            None => row.pieces.push(Piece { text: (*shown).to_owned(), ..(*like).clone() }),
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        wrap(&[Piece::new(Ink::Plain, text)], width).iter().map(Row::text).collect()
    }

    #[test]
    fn rows_break_between_words_and_by_columns_not_bytes() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
        assert_eq!(wrapped("a\n\nb", 4), ["a", "", "b"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("a\tb", 8), ["a    b"]);
        assert_eq!(wrapped("日", 1), ["日"]);
        assert_eq!(wrapped("one  two", 4), ["one", "two"]);
    }

    #[test]
    fn a_text_is_cut_between_characters_that_people_see() {
        assert_eq!(cut("Bartholomew", 6, "…"), "Barth…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2, "~"), "e\u{301}~");
        assert_eq!(fit("日本語", 4, "…"), "日… ");
        assert_eq!(fit("a", 3, "…"), "a  ");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn inks_survive_the_wrapping() {
        let rows = wrap(&[Piece::new(Ink::Plain, "a b"), Piece::new(Ink::Link, "cc dd")], 5);
        let text: Vec<String> = rows.iter().map(Row::text).collect();
        assert_eq!(text, ["a bcc", "dd"]);
        assert_eq!(rows[1].pieces[0].ink, Ink::Link);
    }
}
