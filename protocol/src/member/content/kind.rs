//! The kinds of content, and the form of each one's body.

use std::fmt;

use ciborium::Value;

use super::cbor::field;
use super::{ContentError, FileRef, check_text};

/// The longest reaction, in bytes of UTF-8: one emoji, however it is put together.
pub const MAX_REACTION: usize = 64;

/// What a message is.
#[derive(Clone, PartialEq)]
pub enum Kind {
    /// Text in the small markdown subset, 1 to [`super::MAX_TEXT`] bytes.
    Text(String),
    /// A new text for the message that MIMI `replaces` names.
    Edit(String),
    /// The message that MIMI `replaces` names is gone.
    Delete,
    /// An emoji, 1 to [`MAX_REACTION`] bytes, for the message that MIMI `inReplyTo` names.
    Reaction(String),
    /// A file, whose bytes are a blob.
    File(FileRef),
    /// A kind that this version does not know: kept, shown as unknown, passed on unchanged.
    Unknown {
        /// Its code; none of those above.
        code: u8,
        /// Its body.
        body: Value,
    },
}

impl Kind {
    /// The code of [`Kind::Text`].
    pub const TEXT: u8 = 1;
    /// The code of [`Kind::Edit`].
    pub const EDIT: u8 = 2;
    /// The code of [`Kind::Delete`].
    pub const DELETE: u8 = 3;
    /// The code of [`Kind::Reaction`].
    pub const REACTION: u8 = 4;
    /// The code of [`Kind::File`].
    pub const FILE: u8 = 5;

    /// The kind's code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Text(_) => Self::TEXT,
            Self::Edit(_) => Self::EDIT,
            Self::Delete => Self::DELETE,
            Self::Reaction(_) => Self::REACTION,
            Self::File(_) => Self::FILE,
            Self::Unknown { code, .. } => *code,
        }
    }

    /// Whether it stands in the history by itself, rather than saying something of another message.
    pub fn is_shown(code: u8) -> bool {
        matches!(code, Self::TEXT | Self::FILE)
    }

    pub(super) fn body(&self) -> Result<Value, ContentError> {
        Ok(match self {
            Self::Text(text) | Self::Edit(text) => {
                check_text(text)?;
                Value::Text(text.clone())
            }
            Self::Delete => Value::Null,
            Self::Reaction(emoji) => {
                check_reaction(emoji)?;
                Value::Text(emoji.clone())
            }
            Self::File(file) => file.body()?,
            Self::Unknown { code: Self::TEXT..=Self::FILE, .. } => {
                return Err(ContentError::Field(field::KIND));
            }
            Self::Unknown { body, .. } => body.clone(),
        })
    }

    pub(super) fn read(code: u8, body: Value) -> Result<Self, ContentError> {
        Ok(match (code, body) {
            (Self::TEXT, Value::Text(text)) => {
                check_text(&text)?;
                Self::Text(text)
            }
            (Self::EDIT, Value::Text(text)) => {
                check_text(&text)?;
                Self::Edit(text)
            }
            (Self::DELETE, Value::Null) => Self::Delete,
            (Self::REACTION, Value::Text(emoji)) => {
                check_reaction(&emoji)?;
                Self::Reaction(emoji)
            }
            (Self::FILE, body) => Self::File(FileRef::read(&body)?),
            (Self::TEXT | Self::EDIT | Self::DELETE | Self::REACTION, _) => {
                return Err(ContentError::Field(field::BODY));
            }
            (code, body) => Self::Unknown { code, body },
        })
    }
}

fn check_reaction(emoji: &str) -> Result<(), ContentError> {
    match emoji.len() {
        1..=MAX_REACTION if !emoji.chars().any(char::is_whitespace) => Ok(()),
        len => Err(ContentError::Reaction { len }),
    }
}

// What people write must not reach a log through a derived Debug.
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.code())
    }
}
