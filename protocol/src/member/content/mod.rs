//! What a message says: the content format and the sanitiser.
//!
//! It owns the bytes inside an encrypted room message, and what of them may reach a screen. It
//! must never know who may say what, where the bytes came from, or how they are kept.
//!
//! Content is one CBOR map with small integer keys, in deterministic form (RFC 8949, section
//! 4.2.1); concepts and names are those of the IETF MIMI content format. A form that is not
//! deterministic is refused, so that decoding and encoding give back the same bytes, whatever
//! unknown kinds and fields they hold.

mod cbor;
mod file;
mod kind;
mod sanitize;
#[cfg(test)]
mod tests;

use std::fmt;

use ciborium::Value;

use crate::wire::ids::{ContentId, Digest, MemberId, Seq};

pub use file::{FileRef, MAX_FILE, MAX_FILE_NAME, padded, safe_name};
pub use kind::{Kind, MAX_REACTION};
pub use sanitize::{MAX_MARKS, sanitize_block, sanitize_line};

/// The version of the format.
pub const VERSION: u64 = 1;
/// The longest text, in bytes of UTF-8.
pub const MAX_TEXT: usize = 24_000;
/// The longest encoded content, in bytes: what fits 32 cells beside the MLS message around it.
pub const MAX_CONTENT: usize = 29_000;
/// How many members one message can mention.
pub const MAX_MENTIONS: usize = 64;
/// The latest time that can be claimed, in unix seconds: the end of the year 9998.
pub const MAX_TIME: u64 = 253_370_764_799;
/// The highest counter, and the highest place in a log, that can be claimed: 2^53 - 1.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What a message says, with what every kind has in common.
#[derive(Clone, PartialEq)]
pub struct Content {
    /// MIMI message id: random, equal on all devices.
    pub id: ContentId,
    /// Counts the sender device's messages in this room, from 1.
    pub counter: u64,
    /// When it was sent, as the sender claims, in unix seconds.
    pub sent_at: u64,
    /// What it is.
    pub kind: Kind,
    /// MIMI `inReplyTo`; of a reaction, what it is a reaction to.
    pub in_reply_to: Option<ContentId>,
    /// MIMI `expires`: when it is to vanish, in unix seconds.
    pub expires: Option<u64>,
    /// The members it mentions.
    pub mentions: Vec<MemberId>,
    /// The sender's roster head: number and hash of the last entry it has applied.
    pub roster_head: Option<(u32, Digest)>,
    /// Where the sender was in the log.
    pub log_head: Option<LogHead>,
    /// MIMI `replaces`: the message that an edit or a deletion is about.
    pub replaces: Option<ContentId>,
    /// A receipt: the sender has read the room up to this place in the log.
    pub read_to: Option<Seq>,
    /// Fields of a later version of the format, kept as they are.
    pub unknown: Unknown,
}

/// A sender's place in the log, in short form; the hash binds the log's id as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// The place.
    pub seq: Seq,
    /// The first 16 bytes of the running hash there.
    pub hash: [u8; 16],
}

/// Fields that this version does not know.
#[derive(Clone, Default, PartialEq)]
pub struct Unknown(Vec<(Value, Value)>);

// What people write must not reach a log through a derived Debug.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown({})", self.len())
    }
}

impl Unknown {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why content is refused: the sender's fault when decoding, the writer's when encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The text has no bytes.
    #[error("the text is empty")]
    Empty,
    /// The text is longer than [`MAX_TEXT`].
    #[error("the text has {len} bytes")]
    TextTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A reaction is not 1 to [`MAX_REACTION`] bytes without blanks.
    #[error("the reaction has {len} bytes or holds blanks")]
    Reaction {
        /// Its length in bytes.
        len: usize,
    },
    /// The content is longer than [`MAX_CONTENT`].
    #[error("the content has {len} bytes")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// There are more than [`MAX_MENTIONS`] mentions.
    #[error("the content has {count} mentions")]
    TooManyMentions {
        /// How many.
        count: usize,
    },
    /// The bytes are not a CBOR map.
    #[error("the content is not a CBOR map")]
    Malformed,
    /// The bytes are not in deterministic form.
    #[error("the content is not in deterministic form")]
    NotDeterministic,
    /// The content is of a version that cannot be read.
    #[error("the content has version {0}")]
    Version(u64),
    /// A field is missing, or has another type, length or range than it must.
    #[error("the content's field {0} is missing or wrong")]
    Field(u8),
}

impl Content {
    /// A text with nothing but what every message has.
    ///
    /// # Errors
    /// [`ContentError::Empty`], [`ContentError::TextTooLong`].
    pub fn text(
        id: ContentId,
        counter: u64,
        sent_at: u64,
        text: String,
    ) -> Result<Self, ContentError> {
        check_text(&text)?;
        Ok(Self::new(id, counter, sent_at, Kind::Text(text)))
    }

    /// Content with nothing but what every message has.
    pub fn new(id: ContentId, counter: u64, sent_at: u64, kind: Kind) -> Self {
        Self {
            id,
            counter,
            sent_at,
            kind,
            in_reply_to: None,
            expires: None,
            mentions: Vec::new(),
            roster_head: None,
            log_head: None,
            replaces: None,
            read_to: None,
            unknown: Unknown::default(),
        }
    }

    /// The message that an edit, a deletion or a reaction is about.
    pub fn target(&self) -> Option<ContentId> {
        match self.kind {
            Kind::Edit(_) | Kind::Delete => self.replaces,
            Kind::Reaction(_) => self.in_reply_to,
            Kind::Text(_) | Kind::File(_) | Kind::Unknown { .. } => None,
        }
    }

    /// The content's bytes, in deterministic form, at most [`MAX_CONTENT`] of them.
    ///
    /// # Errors
    /// Any but [`ContentError::Malformed`] and [`ContentError::Version`], if a field is out of
    /// its bounds.
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        cbor::encode(self)
    }

    /// Reads content that anybody may have written, in time and memory bounded by
    /// [`MAX_CONTENT`].
    ///
    /// # Errors
    /// See [`ContentError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        cbor::decode(bytes)
    }
}

/// Whether `text` can be sent: 1 to [`MAX_TEXT`] bytes.
///
/// # Errors
/// [`ContentError::Empty`], [`ContentError::TextTooLong`].
pub fn check_text(text: &str) -> Result<(), ContentError> {
    match text.len() {
        0 => Err(ContentError::Empty),
        len if len > MAX_TEXT => Err(ContentError::TextTooLong { len }),
        _ => Ok(()),
    }
}
