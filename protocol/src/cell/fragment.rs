//! Messages cut into fragments, each of which names the next by hash.
//!
//! Inside the seal stands `index 2 | count 2 | length 2 | kind 1 | next 16 | content 945`. `next`
//! is the hash of the next fragment's header and content, built from the last to the first; in the
//! last it is zero. There is no message id: a fragment extends the open chain that expects its
//! hash, so nobody can slip one into another's message.

use blake2::digest::Digest as _;
use blake2::{Blake2s256, digest};

use super::channel_key::BODY;
use crate::wire::limits::MAX_FRAGMENTS;

/// Bytes of an encoded fragment: a body less its 16-byte authentication tag.
pub const FRAGMENT: usize = BODY - 16;
/// Bytes of the header.
pub const HEADER: usize = 2 + 2 + 2 + 1 + 16;
/// Usable bytes of one fragment.
pub const CONTENT: usize = FRAGMENT - HEADER;
/// The longest message in bytes.
pub const MAX_MESSAGE: usize = CONTENT * MAX_FRAGMENTS;

/// The hash by which a fragment expects the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextHash(pub [u8; 16]);

/// One piece of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Which piece, from 0.
    pub index: u16,
    /// How many pieces the message has.
    pub count: u16,
    /// What the message is; the channel's users decide.
    pub kind: u8,
    /// The hash of the next piece; zero in the last.
    pub next: NextHash,
    /// At most [`CONTENT`] bytes.
    pub content: Vec<u8>,
}

/// The message does not fit into [`MAX_FRAGMENTS`] fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message of {0} bytes is too long")]
pub struct TooLong(pub usize);

impl Fragment {
    /// The fixed-size plaintext of a cell: header, content, zeros.
    pub fn encode(&self) -> [u8; FRAGMENT] {
        let mut out = [0; FRAGMENT];
        let length = u16::try_from(self.content.len()).unwrap_or(u16::MAX);
        let header = [self.index.to_be_bytes(), self.count.to_be_bytes(), length.to_be_bytes()];
        let bytes = header
            .iter()
            .flatten()
            .chain(std::slice::from_ref(&self.kind))
            .chain(&self.next.0)
            .chain(&self.content);
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        out
    }

    /// Reads a cell's plaintext; `None` if it is no fragment.
    pub fn decode(bytes: &[u8; FRAGMENT]) -> Option<Self> {
        let (index, rest) = bytes.split_first_chunk::<2>()?;
        let (count, rest) = rest.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (kind, rest) = rest.split_first()?;
        let (next, content) = rest.split_first_chunk::<16>()?;
        let (index, count) = (u16::from_be_bytes(*index), u16::from_be_bytes(*count));
        let length = usize::from(u16::from_be_bytes(*length));
        let (content, padding) = content.split_at_checked(length)?;
        let last = index.checked_add(1)? == count;
        let sound = index < count
            && usize::from(count) <= MAX_FRAGMENTS
            && padding.iter().all(|byte| *byte == 0)
            && last == (*next == [0; 16]);
        sound.then(|| Self {
            index,
            count,
            kind: *kind,
            next: NextHash(*next),
            content: content.to_vec(),
        })
    }

    /// The hash by which the fragment before this one expects it.
    pub fn hash(&self) -> NextHash {
        let mut hash = Blake2s256::new();
        digest::Update::update(&mut hash, b"staffetta 1 fragment");
        digest::Update::update(&mut hash, &self.encode());
        let full: [u8; 32] = hash.finalize().into();
        NextHash(full.first_chunk::<16>().copied().unwrap_or_default())
    }
}

/// Cuts a message into fragments, in order.
///
/// # Errors
/// [`TooLong`] above [`MAX_MESSAGE`] bytes.
pub fn split(kind: u8, message: &[u8]) -> Result<Vec<Fragment>, TooLong> {
    if message.len() > MAX_MESSAGE {
        return Err(TooLong(message.len()));
    }
    let pieces: Vec<&[u8]> =
        if message.is_empty() { vec![message] } else { message.chunks(CONTENT).collect() };
    let count = u16::try_from(pieces.len()).map_err(|_| TooLong(message.len()))?;
    let mut next = NextHash::default();
    let mut fragments = Vec::with_capacity(pieces.len());
    for (index, piece) in (0..count).zip(pieces).rev() {
        let fragment = Fragment { index, count, kind, next, content: piece.to_vec() };
        next = fragment.hash();
        fragments.push(fragment);
    }
    fragments.reverse();
    Ok(fragments)
}
