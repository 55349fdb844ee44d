//! A key as the screen knows it, whatever library read it.

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// A key and what was held with it. Shift is in the character itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) code: Code,
    pub(super) control: bool,
    pub(super) alt: bool,
}

/// What the mouse did, and in which column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mouse {
    Up,
    Down,
    Press { column: u16, row: u16 },
}

impl From<Code> for Key {
    fn from(code: Code) -> Self {
        Self { code, control: false, alt: false }
    }
}
