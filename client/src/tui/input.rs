//! The line being written.

use crossterm::event::KeyCode;

use crate::api::MAX_TEXT;

/// A text and where the cursor stands in it, always between two characters.
#[derive(Default)]
pub(super) struct Input {
    before: String,
    /// What follows the cursor.
    after: String,
}

impl Input {
    /// The whole text.
    pub(super) fn text(&self) -> String {
        [self.before.as_str(), self.after.as_str()].concat()
    }

    /// The text before and after the cursor.
    pub(super) fn around(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Writes at the cursor; `false`, and nothing written, if the text would be too long.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        let fits = self.before.len() + self.after.len() + text.len() <= MAX_TEXT;
        if fits {
            self.before.push_str(text);
        }
        fits
    }

    /// Forgets the text.
    pub(super) fn clear(&mut self) {
        self.before.clear();
        self.after.clear();
    }

    /// Moves or deletes.
    pub(super) fn key(&mut self, key: KeyCode) {
        match key {
            KeyCode::Backspace => {
                self.before.pop();
            }
            KeyCode::Delete => {
                self.after = self.after.chars().skip(1).collect();
            }
            KeyCode::Left => {
                if let Some(c) = self.before.pop() {
                    self.after.insert(0, c);
                }
            }
            KeyCode::Right => {
                let mut rest = self.after.chars();
                if let Some(c) = rest.next() {
                    self.before.push(c);
                    self.after = rest.collect();
                }
            }
            KeyCode::Home => {
                self.after = self.text();
                self.before.clear();
            }
            KeyCode::End => {
                self.before = self.text();
                self.after.clear();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_moves_by_characters() {
        let mut input = Input::default();
        assert!(input.insert("né"));
        input.key(KeyCode::Left);
        assert_eq!(input.around(), ("n", "é"));
        input.key(KeyCode::Delete);
        input.key(KeyCode::Delete);
        assert_eq!(input.text(), "n");
        input.key(KeyCode::Home);
        assert!(input.insert("o"));
        input.key(KeyCode::End);
        input.key(KeyCode::Right);
        assert_eq!(input.around(), ("on", ""));
        input.key(KeyCode::Backspace);
        assert_eq!(input.text(), "o");
    }

    #[test]
    fn a_text_never_grows_beyond_what_can_be_sent() {
        let mut input = Input::default();
        assert!(input.insert(&"a".repeat(MAX_TEXT)));
        assert!(!input.insert("b"));
        assert_eq!(input.text().len(), MAX_TEXT);
    }
}
