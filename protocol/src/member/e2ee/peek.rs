//! A look at a message's header before anything is parsed or believed.

use crate::wire::ids::RoomId;

/// What kind of MLS message it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A PublicMessage with a commit.
    Commit,
    /// A PublicMessage with a proposal.
    Proposal,
    /// A PrivateMessage with application data.
    Application,
}

/// A message's claims: room, epoch and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// The MLS group id.
    pub room: RoomId,
    /// The epoch it was sent in.
    pub epoch: u64,
    /// Its kind.
    pub kind: Kind,
}

/// Reads an MLSMessage's header (RFC 9420 section 6); `None` for every wire format, content type
/// and group id that rooms do not use. Nothing is verified, nothing allocated.
pub fn peek(bytes: &[u8]) -> Option<Peek> {
    let (version, rest) = number::<2>(bytes)?;
    let (wire_format, rest) = number::<2>(rest)?;
    if version != 1 {
        return None;
    }
    let (room, rest) = opaque(rest)?;
    let room = RoomId::from_slice(room)?;
    let (epoch, rest) = number::<8>(rest)?;
    let kind = match wire_format {
        1 => {
            let (sender_type, rest) = number::<1>(rest)?;
            let (_leaf, rest) = number::<4>(rest)?;
            let (_authenticated_data, rest) = opaque(rest)?;
            // Only members (sender type 1) speak in a room.
            match (sender_type, number::<1>(rest)?.0) {
                (1, 2) => Kind::Proposal,
                (1, 3) => Kind::Commit,
                _ => return None,
            }
        }
        2 if number::<1>(rest)?.0 == 1 => Kind::Application,
        _ => return None,
    };
    Some(Peek { room, epoch, kind })
}

fn number<const N: usize>(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = bytes.split_at_checked(N)?;
    Some((head.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
}

/// A vector with a variable-length header (RFC 9420 section 2.1.2).
fn opaque(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match bytes.first()? >> 6 {
        0 => number::<1>(bytes)?,
        1 => {
            let (len, rest) = number::<2>(bytes)?;
            (len & 0x3FFF, rest)
        }
        2 => {
            let (len, rest) = number::<4>(bytes)?;
            (len & 0x3FFF_FFFF, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(usize::try_from(len).ok()?)
}
