//! What a device asks of the relay.

use bytes::Bytes;

use super::{InviteEnd, Request, begin, op, open, read_cells, read_chunk, write_cells};
use crate::noise::keys::{GateKey, HopPsk};
use crate::secret::Secret;
use crate::wire::cells::Cells;
use crate::wire::codec::WireError;
use crate::wire::ids::{BlobId, Digest, InviteId, Lane, Seq};
use crate::wire::limits::{BLOB_CHUNK, MAX_BASE, MAX_BUNDLE, MAX_CELLS, MAX_FRAME, MAX_JOIN_CELLS};
use crate::wire::rows::SignedRows;

/// What a device asks of the relay.
pub enum ToRelay {
    /// Opens the session: the versions spoken and the first seq wanted.
    Hello {
        /// Oldest minor version spoken.
        min: u16,
        /// Newest minor version spoken.
        max: u16,
        /// The lane to follow.
        lane: Lane,
        /// The first seq wanted.
        resume: Seq,
    },
    /// Stores cells, in this order. Answered by ACK or FAIL.
    Put {
        /// The lane.
        lane: Lane,
        /// Repeated by the answer.
        request: Request,
        /// 1 to 60 cells.
        cells: Cells,
    },
    /// Everything up to this seq was committed by the device.
    Seen {
        /// The lane.
        lane: Lane,
        /// The last committed seq.
        seq: Seq,
    },
    /// Stores one chunk of a blob, write-once. Answered by DONE or FAIL.
    BlobPut {
        /// The lane.
        lane: Lane,
        /// Repeated by the answer.
        request: Request,
        /// The blob's id is the BLAKE2s-256 of this.
        secret: Secret<32>,
        /// Which chunk, from 0.
        index: u16,
        /// How many chunks the blob has.
        count: u16,
        /// 1 byte to 60 KiB.
        chunk: Bytes,
    },
    /// Asks for one chunk of a blob. Answered by BLOB or FAIL.
    BlobGet {
        /// The lane.
        lane: Lane,
        /// Repeated by the answer.
        request: Request,
        /// The blob.
        id: BlobId,
        /// Which chunk, from 0.
        index: u16,
    },
    /// Deletes a blob. Answered by DONE or FAIL.
    BlobDelete {
        /// The lane.
        lane: Lane,
        /// Repeated by the answer.
        request: Request,
        /// The blob's write secret.
        secret: Secret<32>,
    },
    /// Changes the registry. Answered by DONE or FAIL.
    Rows {
        /// Repeated by the answer.
        request: Request,
        /// The signed document.
        document: SignedRows,
    },
    /// Opens an invite; admins' rows only. Answered by DONE or FAIL.
    Invite {
        /// Repeated by the answer.
        request: Request,
        /// The invite.
        id: InviteId,
        /// Key of the invite's gate tokens.
        gate: GateKey,
        /// The psk of the invite's hop.
        psk: HopPsk,
        /// When it expires, in unix seconds.
        expires: u64,
        /// The sealed bundle, at most 4 KiB.
        bundle: Bytes,
    },
    /// Ends an invite; admins' rows only. Answered by DONE or FAIL.
    InviteEnd {
        /// Repeated by the answer.
        request: Request,
        /// The invite.
        id: InviteId,
        /// How it ends.
        end: InviteEnd,
    },
    /// The newcomer's join request; invite connections only. Answered by ACK or FAIL.
    Join {
        /// Repeated by the answer.
        request: Request,
        /// 1 to 16 cells.
        cells: Cells,
    },
    /// Keeps the connection alive. Answered by PONG.
    Ping,
    /// Says where the log of a spare relay begins: after this place of the log that it goes on
    /// from. Taken once. Answered by DONE or FAIL.
    Base {
        /// The lane.
        lane: Lane,
        /// Repeated by the answer.
        request: Request,
        /// The place; at most [`MAX_BASE`].
        seq: Seq,
        /// The running hash there.
        hash: Digest,
    },
}

impl ToRelay {
    /// Reads a frame's plaintext.
    ///
    /// # Errors
    /// A [`WireError`] for anything but the encoding of an operation.
    pub fn decode(plaintext: Bytes) -> Result<Self, WireError> {
        let size = plaintext.len();
        let (op, mut read) = open(plaintext)?;
        let read_ref = &mut read;
        let frame = match op {
            op::HELLO => Self::Hello {
                min: read_ref.u16()?,
                max: read_ref.u16()?,
                lane: Lane(read_ref.u16()?),
                resume: read_ref.u64()?,
            },
            op::PUT => Self::Put {
                lane: Lane(read_ref.u16()?),
                request: read_ref.u32()?,
                cells: read_cells(read_ref, MAX_CELLS)?,
            },
            op::SEEN => Self::Seen { lane: Lane(read_ref.u16()?), seq: read_ref.u64()? },
            op::BPUT => {
                let lane = Lane(read_ref.u16()?);
                let request = read_ref.u32()?;
                let secret = Secret::take(&mut read_ref.array()?);
                let index = read_ref.u16()?;
                let (count, chunk) = read_chunk(read_ref)?;
                if index >= count {
                    return Err(WireError::Value);
                }
                Self::BlobPut { lane, request, secret, index, count, chunk }
            }
            op::BGET => Self::BlobGet {
                lane: Lane(read_ref.u16()?),
                request: read_ref.u32()?,
                id: BlobId(read_ref.array()?),
                index: read_ref.u16()?,
            },
            op::BDEL => Self::BlobDelete {
                lane: Lane(read_ref.u16()?),
                request: read_ref.u32()?,
                secret: Secret::take(&mut read_ref.array()?),
            },
            op::ROWS => Self::Rows {
                request: read_ref.u32()?,
                document: SignedRows(read_ref.bytes16(MAX_FRAME)?),
            },
            op::INVITE => Self::Invite {
                request: read_ref.u32()?,
                id: InviteId(read_ref.array()?),
                gate: GateKey::from_secret(Secret::take(&mut read_ref.array()?)),
                psk: HopPsk::from_secret(Secret::take(&mut read_ref.array()?)),
                expires: read_ref.u64()?,
                bundle: read_ref.bytes16(MAX_BUNDLE)?,
            },
            op::INVITE_END => Self::InviteEnd {
                request: read_ref.u32()?,
                id: InviteId(read_ref.array()?),
                end: match read_ref.u8()? {
                    1 => InviteEnd::Enrolled,
                    2 => InviteEnd::Refused,
                    3 => InviteEnd::Revoked,
                    _ => return Err(WireError::Value),
                },
            },
            op::JOIN => Self::Join {
                request: read_ref.u32()?,
                cells: read_cells(read_ref, MAX_JOIN_CELLS)?,
            },
            op::PING => Self::Ping,
            op::BASE => {
                let (lane, request) = (Lane(read_ref.u16()?), read_ref.u32()?);
                let (seq, hash) = (read_ref.u64()?, Digest(read_ref.array()?));
                if seq > MAX_BASE {
                    return Err(WireError::Limit);
                }
                Self::Base { lane, request, seq, hash }
            }
            other => return Err(WireError::UnknownOp(other)),
        };
        read.finish_padded(size)?;
        Ok(frame)
    }

    /// The frame's plaintext.
    ///
    /// # Errors
    /// [`WireError::Limit`] if a field is over its limit: our caller is at fault.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let mut out;
        match self {
            Self::Hello { min, max, lane, resume } => {
                out = begin(op::HELLO);
                out.u16(*min).u16(*max).u16(lane.0).u64(*resume);
            }
            Self::Put { lane, request, cells } => {
                out = begin(op::PUT);
                out.u16(lane.0).u32(*request);
                write_cells(&mut out, std::iter::once(cells), MAX_CELLS)?;
            }
            Self::Seen { lane, seq } => {
                out = begin(op::SEEN);
                out.u16(lane.0).u64(*seq);
            }
            Self::BlobPut { lane, request, secret, index, count, chunk } => {
                out = begin(op::BPUT);
                out.u16(lane.0).u32(*request).put(secret.expose()).u16(*index).u16(*count);
                out.bytes16(chunk, BLOB_CHUNK)?;
            }
            Self::BlobGet { lane, request, id, index } => {
                out = begin(op::BGET);
                out.u16(lane.0).u32(*request).put(&id.0).u16(*index);
            }
            Self::BlobDelete { lane, request, secret } => {
                out = begin(op::BDEL);
                out.u16(lane.0).u32(*request).put(secret.expose());
            }
            Self::Rows { request, document } => {
                out = begin(op::ROWS);
                out.u32(*request).bytes16(&document.0, MAX_FRAME)?;
            }
            Self::Invite { request, id, gate, psk, expires, bundle } => {
                out = begin(op::INVITE);
                out.u32(*request).put(&id.0);
                out.put(gate.secret().expose()).put(psk.secret().expose()).u64(*expires);
                out.bytes16(bundle, MAX_BUNDLE)?;
            }
            Self::InviteEnd { request, id, end } => {
                out = begin(op::INVITE_END);
                out.u32(*request).put(&id.0).u8(match end {
                    InviteEnd::Enrolled => 1,
                    InviteEnd::Refused => 2,
                    InviteEnd::Revoked => 3,
                });
            }
            Self::Join { request, cells } => {
                out = begin(op::JOIN);
                out.u32(*request);
                write_cells(&mut out, std::iter::once(cells), MAX_JOIN_CELLS)?;
            }
            Self::Ping => out = begin(op::PING),
            Self::Base { lane, request, seq, hash } => {
                if *seq > MAX_BASE {
                    return Err(WireError::Limit);
                }
                out = begin(op::BASE);
                out.u16(lane.0).u32(*request).u64(*seq).put(&hash.0);
            }
        }
        out.finish_padded()
    }
}
