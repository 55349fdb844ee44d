//! Cells between two devices: found by a tag that both can compute, sealed by `Noise_K`.
//!
//! Inside the seal stands `index 2 | count 2 | length 2 | kind 1 | message id 8 | content 921`.
//! There is no chain: `K` authenticates each fragment.

use super::channel_key::{BODY, NONCE, TagKey, channel_secret, parts};
use crate::noise::keys::{StaticPublic, StaticSecret};
use crate::noise::sealed::{self, SEALED_OVERHEAD};
use crate::random::Random;
use crate::secret::Secret;
use crate::wire::limits::CELL;

const PLAIN: usize = BODY - SEALED_OVERHEAD;
const HEADER: usize = 2 + 2 + 2 + 1 + 8;
/// Usable bytes of one fragment.
pub const DIRECT_CONTENT: usize = PLAIN - HEADER;
/// The most fragments of one message: the Welcome into a room of 300 devices fits.
pub const MAX_DIRECT_FRAGMENTS: u16 = 1_139;
/// The longest message in bytes.
pub const MAX_DIRECT: usize = DIRECT_CONTENT * MAX_DIRECT_FRAGMENTS as usize;

/// The id of a direct message, random, by which copies are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectId(pub [u8; 8]);

/// One piece of a direct message.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectFragment {
    /// Which piece, from 0.
    pub index: u16,
    /// How many pieces the message has.
    pub count: u16,
    /// What the message is.
    pub kind: u8,
    /// The message.
    pub id: DirectId,
    /// At most [`DIRECT_CONTENT`] bytes.
    pub content: Vec<u8>,
}

/// The secret from which both devices derive the tags of their channel, or `None` if a key is of
/// low order.
pub fn direct_secret(own: &StaticSecret, peer: &StaticPublic) -> Option<Secret<32>> {
    Some(channel_secret(&own.agree(peer)?, b"direct"))
}

/// Cuts a message and seals it into cells; `None` above [`MAX_DIRECT`] bytes.
pub fn seal(
    random: &mut (impl Random + ?Sized),
    tag: &TagKey,
    own: &StaticSecret,
    peer: &StaticPublic,
    kind: u8,
    message: &[u8],
) -> Option<Vec<[u8; CELL]>> {
    if message.len() > MAX_DIRECT {
        return None;
    }
    let id: [u8; 8] = crate::random::bytes(random);
    let pieces: Vec<&[u8]> =
        if message.is_empty() { vec![message] } else { message.chunks(DIRECT_CONTENT).collect() };
    let count = u16::try_from(pieces.len()).ok()?;
    (0..count)
        .zip(pieces)
        .map(|(index, piece)| {
            let mut plain = Vec::with_capacity(PLAIN);
            plain.extend_from_slice(&index.to_be_bytes());
            plain.extend_from_slice(&count.to_be_bytes());
            plain.extend_from_slice(&u16::try_from(piece.len()).ok()?.to_be_bytes());
            plain.push(kind);
            plain.extend_from_slice(&id);
            plain.extend_from_slice(piece);
            plain.resize(PLAIN, 0);
            let body = sealed::seal(own, peer, &plain).ok()?;
            let nonce: [u8; NONCE] = crate::random::bytes(random);
            Some(tag.assemble(&nonce, &body))
        })
        .collect()
}

/// Opens a cell whose tag matched; `None` if the peer did not seal it for us.
pub fn open(own: &StaticSecret, peer: &StaticPublic, cell: &[u8; CELL]) -> Option<DirectFragment> {
    let (_, _, body) = parts(cell);
    let plain = sealed::open(own, peer, body).ok()?;
    let (index, rest) = plain.split_first_chunk::<2>()?;
    let (count, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (kind, rest) = rest.split_first()?;
    let (id, content) = rest.split_first_chunk::<8>()?;
    let (index, count) = (u16::from_be_bytes(*index), u16::from_be_bytes(*count));
    let content = content.get(..usize::from(u16::from_be_bytes(*length)))?;
    (index < count && count <= MAX_DIRECT_FRAGMENTS).then(|| DirectFragment {
        index,
        count,
        kind: *kind,
        id: DirectId(*id),
        content: content.to_vec(),
    })
}
