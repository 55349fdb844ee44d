//! A text being written, and where the cursor stands in it.

use unicode_segmentation::UnicodeSegmentation;

use super::key::{Code, Key};

/// A text and where the cursor stands in it, always between two characters as people see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    before: String,
    /// What follows the cursor.
    after: String,
}

impl Line {
    /// A text with the cursor at its end.
    pub(super) fn with(text: String) -> Self {
        Self { before: text, after: String::new() }
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        [self.before.as_str(), self.after.as_str()].concat()
    }

    /// The text before and after the cursor.
    pub(super) fn around(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Writes at the cursor; `false`, and nothing written, if the text had more than `most` bytes.
    pub(super) fn insert(&mut self, text: &str, most: usize) -> bool {
        let fits = self.before.len() + self.after.len() + text.len() <= most;
        if fits {
            self.before.push_str(text);
        }
        fits
    }

    /// Puts `text` in place of the last `bytes` bytes before the cursor.
    pub(super) fn replace(&mut self, bytes: usize, text: &str) {
        let keep = self.before.len().saturating_sub(bytes);
        if self.before.is_char_boundary(keep) {
            self.before.truncate(keep);
            self.before.push_str(text);
        }
    }

    /// Moves or deletes; `false` if the key does neither.
    pub(super) fn key(&mut self, key: Key) -> bool {
        let by_word = key.control || key.alt;
        match key.code {
            Code::Backspace if by_word => self.delete_word(),
            Code::Char('w') if key.control => self.delete_word(),
            Code::Char('u') if key.control => self.before.clear(),
            Code::Char('k') if key.control => self.after.clear(),
            Code::Char('a') if key.control => self.home(),
            Code::Char('e') if key.control => self.end(),
            Code::Backspace => {
                let keep = self.last();
                self.before.truncate(keep);
            }
            Code::Delete => {
                let cut = self.first();
                self.after.drain(..cut);
            }
            Code::Left if by_word => self.left(word_start(&self.before)),
            Code::Left => self.left(self.last()),
            Code::Right if by_word => self.right(word_end(&self.after)),
            Code::Right => self.right(self.first()),
            Code::Home => self.home(),
            Code::End => self.end(),
            _ => return false,
        }
        true
    }

    /// Moves a line up, or down; `false` if there is none there.
    pub(super) fn vertical(&mut self, up: bool) -> bool {
        let start = self.before.rfind('\n').map_or(0, |at| at + 1);
        let column = self.before.get(start..).unwrap_or_default().graphemes(true).count();
        let place = |line: &str| line.graphemes(true).take(column).map(str::len).sum::<usize>();
        if up {
            let Some(end) = start.checked_sub(1) else { return false };
            let line = self.before.get(..end).unwrap_or_default();
            let begin = line.rfind('\n').map_or(0, |at| at + 1);
            let to = begin + place(line.get(begin..).unwrap_or_default());
            self.left(to);
        } else {
            let Some(end) = self.after.find('\n') else { return false };
            let rest = self.after.get(end + 1..).unwrap_or_default();
            let line = rest.split('\n').next().unwrap_or_default();
            let to = end + 1 + place(line);
            self.right(to);
        }
        true
    }

    fn home(&mut self) {
        self.left(self.before.rfind('\n').map_or(0, |at| at + 1));
    }

    fn end(&mut self) {
        self.right(self.after.find('\n').unwrap_or(self.after.len()));
    }

    fn delete_word(&mut self) {
        let keep = word_start(&self.before);
        self.before.truncate(keep);
    }

    /// Where the last character before the cursor begins.
    fn last(&self) -> usize {
        self.before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    /// Where the first character behind the cursor ends.
    fn first(&self) -> usize {
        self.after.graphemes(true).next().map_or(0, str::len)
    }

    fn left(&mut self, to: usize) {
        if self.before.is_char_boundary(to) {
            let moved = self.before.split_off(to);
            self.after.insert_str(0, &moved);
        }
    }

    fn right(&mut self, to: usize) {
        if self.after.is_char_boundary(to) {
            let rest = self.after.split_off(to);
            self.before.push_str(&self.after);
            self.after = rest;
        }
    }
}

fn word_start(text: &str) -> usize {
    text.unicode_word_indices().next_back().map_or(0, |(at, _)| at)
}

fn word_end(text: &str) -> usize {
    let mut words = text.unicode_word_indices();
    words.next().map_or(text.len(), |(at, word)| at + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut Line, codes: &[Code]) {
        for code in codes {
            assert!(line.key(Key::from(*code)));
        }
    }

    #[test]
    fn the_cursor_moves_by_what_people_see_as_one_character() {
        let mut line = Line::default();
        assert!(line.insert("ne\u{301}👩‍🌾", 100));
        press(&mut line, &[Code::Left]);
        assert_eq!(line.around(), ("ne\u{301}", "👩‍🌾"));
        press(&mut line, &[Code::Backspace]);
        assert_eq!(line.text(), "n👩‍🌾");
        press(&mut line, &[Code::Delete, Code::Delete, Code::Home]);
        assert!(line.insert("o", 100));
        press(&mut line, &[Code::End, Code::Right, Code::Backspace]);
        assert_eq!(line.text(), "o");
    }

    #[test]
    fn a_text_never_grows_beyond_its_bound() {
        let mut line = Line::default();
        assert!(line.insert("abc", 3) && !line.insert("d", 3));
        assert_eq!(line.text(), "abc");
    }

    #[test]
    fn lines_and_words_can_be_walked() {
        let mut line = Line::with("one two\nthree\nfour five".into());
        assert!(line.vertical(true) && line.around().0.ends_with("three"));
        assert!(line.vertical(true) && line.around().0 == "one t");
        assert!(!line.vertical(true));
        assert!(line.vertical(false) && line.vertical(false) && !line.vertical(false));
        assert!(line.key(Key { code: Code::Char('w'), control: true, alt: false }));
        assert!(line.around().0.ends_with("three\n"), "{:?}", line.around());
        assert!(line.key(Key { code: Code::Right, control: true, alt: false }));
        assert_eq!(line.text(), "one two\nthree\nfive");
    }
}
