//! One line that is being typed; it may be a secret, so its memory is wiped and never moves.

use zeroize::Zeroizing;

/// The most bytes of a line.
const MOST: usize = 512;

/// What was typed so far; the cursor stands at its end.
pub(super) struct Line(Zeroizing<String>);

const _: () = assert!(std::mem::needs_drop::<Line>());

impl Default for Line {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(MOST)))
    }
}

impl Line {
    /// Adds what can be seen of `typed`; what goes beyond [`MOST`] bytes is left out.
    pub(super) fn push(&mut self, typed: &str) {
        for c in typed.chars().filter(|c| !c.is_control()) {
            if self.0.len() + c.len_utf8() <= MOST {
                self.0.push(c);
            }
        }
    }

    /// Takes back the last character.
    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// Puts `text` in the place of everything.
    pub(super) fn set(&mut self, text: &str) {
        self.clear();
        self.push(text);
    }

    pub(super) fn clear(&mut self) {
        use zeroize::Zeroize as _;
        // The room stays, so that the line never moves.
        self.0.as_mut_str().zeroize();
        self.0.clear();
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn copy(&self) -> Zeroizing<String> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_what_can_be_seen_and_never_moves() {
        let mut line = Line::default();
        let place = line.text().as_ptr();
        line.push("a\u{1b}[\n\u{7f}é");
        assert_eq!(line.text(), "a[é");
        line.push(&"x".repeat(2 * MOST));
        assert_eq!(line.text().len(), MOST);
        line.pop();
        assert_eq!(line.text().len(), MOST - 1);
        line.set("new");
        assert_eq!(line.text(), "new");
        line.clear();
        assert!(line.text().is_empty());
        assert_eq!(line.text().as_ptr(), place);
    }
}
