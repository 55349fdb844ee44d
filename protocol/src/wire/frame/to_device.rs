//! What the relay tells a device.

use bytes::Bytes;

use super::{
    FailCode, JoinState, MAX_ANNOUNCED, NoticeKind, Request, begin, op, open, read_cells,
    read_chunk, write_cells,
};
use crate::wire::cells::Cells;
use crate::wire::codec::{Reader, WireError, Writer};
use crate::wire::ids::{BlobId, Digest, InviteId, Lane, LogId, Seq};
use crate::wire::limits::{BLOB_CHUNK, CELL_RECORD, FRAME_SIZES, MAX_BUNDLE, MAX_CELLS, MAX_FRAME};

/// What the relay tells a device.
#[derive(Clone)]
pub enum ToDevice {
    /// Answers HELLO of an enrolled device.
    Welcome {
        /// The minor version that both use from here on.
        version: u16,
        /// The lane.
        lane: Lane,
        /// The log's identity.
        log: LogId,
        /// The oldest seq held.
        oldest: Seq,
        /// The newest durable seq; 0 if there is none.
        head: Seq,
        /// The running hash at `head`.
        hash: Digest,
        /// Whether the device's own row is an admin's.
        admin: bool,
        /// Blob bytes a device may store a day.
        blob_quota: u64,
    },
    /// Answers HELLO of an invite connection.
    InviteWelcome {
        /// The minor version that both use from here on.
        version: u16,
        /// The sealed bundle.
        bundle: Bytes,
        /// Where the invite stands.
        state: JoinState,
    },
    /// No version is common; the relay closes.
    NoVersion {
        /// The oldest minor version the relay speaks.
        min: u16,
        /// The newest minor version the relay speaks.
        max: u16,
    },
    /// The cells of a PUT or JOIN are durable.
    Ack {
        /// The request.
        request: Request,
        /// The seq of each cell, in the order of the PUT.
        seqs: Vec<Seq>,
    },
    /// The next cells of the log, in order and without gaps.
    Push {
        /// The lane.
        lane: Lane,
        /// The seq of the first cell.
        first: Seq,
        /// The running hash at the last cell.
        hash: Digest,
        /// 1 to 60 cells.
        cells: Cells,
    },
    /// The wanted seq is past retention.
    Gap {
        /// The lane.
        lane: Lane,
        /// The oldest seq held.
        oldest: Seq,
    },
    /// A request that answers nothing more was carried out and is durable.
    Done {
        /// The request.
        request: Request,
    },
    /// A request was refused.
    Fail {
        /// The request.
        request: Request,
        /// Why.
        code: FailCode,
        /// Milliseconds after which to try again; 0 if that would not help.
        retry_ms: u32,
    },
    /// One chunk of a blob.
    Blob {
        /// The request.
        request: Request,
        /// How many chunks the blob has.
        count: u16,
        /// The chunk.
        chunk: Bytes,
    },
    /// Blobs that came to be, with their sizes, so that every device fetches the small ones.
    Announce {
        /// The lane.
        lane: Lane,
        /// Id and size in bytes.
        blobs: Vec<(BlobId, u64)>,
    },
    /// Where a join request stands; invite connections only.
    Join {
        /// The state.
        state: JoinState,
    },
    /// The relay says how it is; never silent overload.
    Notice {
        /// What.
        kind: NoticeKind,
        /// Milliseconds after which to try again; 0 if not said.
        retry_ms: u32,
    },
    /// Answers PING.
    Pong,
    /// Somebody with another key than the first joiner's used an invite; admins' rows only.
    InviteReused {
        /// The invite.
        id: InviteId,
        /// When, in unix seconds.
        at: u64,
    },
}

impl ToDevice {
    /// Reads a frame's plaintext.
    ///
    /// # Errors
    /// A [`WireError`] for anything but the encoding of an operation.
    pub fn decode(plaintext: Bytes) -> Result<Self, WireError> {
        let size = plaintext.len();
        let (op, mut read) = open(plaintext)?;
        let read_ref = &mut read;
        let frame = match op {
            op::WELCOME => Self::Welcome {
                version: read_ref.u16()?,
                lane: Lane(read_ref.u16()?),
                log: LogId(read_ref.array()?),
                oldest: read_ref.u64()?,
                head: read_ref.u64()?,
                hash: Digest(read_ref.array()?),
                admin: match read_ref.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(WireError::Value),
                },
                blob_quota: read_ref.u64()?,
            },
            op::INVITE_WELCOME => Self::InviteWelcome {
                version: read_ref.u16()?,
                state: read_join_state(read_ref)?,
                bundle: read_ref.bytes16(MAX_BUNDLE)?,
            },
            op::NO_VERSION => Self::NoVersion { min: read_ref.u16()?, max: read_ref.u16()? },
            op::ACK => {
                let request = read_ref.u32()?;
                let count = usize::from(read_ref.u8()?);
                if count == 0 || count > MAX_CELLS {
                    return Err(WireError::Limit);
                }
                let seqs = (0..count).map(|_| read_ref.u64()).collect::<Result<_, _>>()?;
                Self::Ack { request, seqs }
            }
            op::PUSH => {
                let lane = Lane(read_ref.u16()?);
                let first = read_ref.u64()?;
                let hash = Digest(read_ref.array()?);
                let cells = read_cells(read_ref, MAX_CELLS)?;
                // So that no seq of the run can overflow.
                if first == 0 || first > Seq::MAX - MAX_CELLS as Seq {
                    return Err(WireError::Value);
                }
                Self::Push { lane, first, hash, cells }
            }
            op::GAP => Self::Gap { lane: Lane(read_ref.u16()?), oldest: read_ref.u64()? },
            op::DONE => Self::Done { request: read_ref.u32()? },
            op::FAIL => Self::Fail {
                request: read_ref.u32()?,
                code: FailCode::from_code(read_ref.u16()?)?,
                retry_ms: read_ref.u32()?,
            },
            op::BLOB => {
                let request = read_ref.u32()?;
                let (count, chunk) = read_chunk(read_ref)?;
                Self::Blob { request, count, chunk }
            }
            op::ANNOUNCE => {
                let lane = Lane(read_ref.u16()?);
                let count = read_ref.count16(MAX_ANNOUNCED)?;
                let blobs = (0..count)
                    .map(|_| Ok((BlobId(read_ref.array()?), read_ref.u64()?)))
                    .collect::<Result<_, WireError>>()?;
                Self::Announce { lane, blobs }
            }
            op::JOIN_STATE => Self::Join { state: read_join_state(read_ref)? },
            op::NOTICE => Self::Notice {
                kind: NoticeKind::from_code(read_ref.u8()?)?,
                retry_ms: read_ref.u32()?,
            },
            op::PONG => Self::Pong,
            op::INVITE_REUSED => {
                Self::InviteReused { id: InviteId(read_ref.array()?), at: read_ref.u64()? }
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
            Self::Welcome { version, lane, log, oldest, head, hash, admin, blob_quota } => {
                out = begin(op::WELCOME);
                out.u16(*version).u16(lane.0).put(&log.0).u64(*oldest).u64(*head).put(&hash.0);
                out.u8((*admin).into()).u64(*blob_quota);
            }
            Self::InviteWelcome { version, bundle, state } => {
                out = begin(op::INVITE_WELCOME);
                out.u16(*version);
                write_join_state(&mut out, *state);
                out.bytes16(bundle, MAX_BUNDLE)?;
            }
            Self::NoVersion { min, max } => {
                out = begin(op::NO_VERSION);
                out.u16(*min).u16(*max);
            }
            Self::Ack { request, seqs } => {
                out = begin(op::ACK);
                if seqs.is_empty() || seqs.len() > MAX_CELLS {
                    return Err(WireError::Limit);
                }
                out.u32(*request).u8(u8::try_from(seqs.len()).map_err(|_| WireError::Limit)?);
                for seq in seqs {
                    out.u64(*seq);
                }
            }
            Self::Push { lane, first, hash, cells } => {
                return encode_push(*lane, *first, hash, std::slice::from_ref(cells));
            }
            Self::Gap { lane, oldest } => {
                out = begin(op::GAP);
                out.u16(lane.0).u64(*oldest);
            }
            Self::Done { request } => {
                out = begin(op::DONE);
                out.u32(*request);
            }
            Self::Fail { request, code, retry_ms } => {
                out = begin(op::FAIL);
                out.u32(*request).u16(code.code()).u32(*retry_ms);
            }
            Self::Blob { request, count, chunk } => {
                out = begin(op::BLOB);
                out.u32(*request).u16(*count).bytes16(chunk, BLOB_CHUNK)?;
            }
            Self::Announce { lane, blobs } => {
                out = begin(op::ANNOUNCE);
                out.u16(lane.0).count16(blobs.len(), MAX_ANNOUNCED)?;
                for (id, size) in blobs {
                    out.put(&id.0).u64(*size);
                }
            }
            Self::Join { state } => {
                out = begin(op::JOIN_STATE);
                write_join_state(&mut out, *state);
            }
            Self::Notice { kind, retry_ms } => {
                out = begin(op::NOTICE);
                out.u8(kind.code()).u32(*retry_ms);
            }
            Self::Pong => out = begin(op::PONG),
            Self::InviteReused { id, at } => {
                out = begin(op::INVITE_REUSED);
                out.put(&id.0).u64(*at);
            }
        }
        out.finish_padded()
    }
}

/// The plaintext of a PUSH whose cells lie in several runs, without joining them first.
///
/// # Errors
/// [`WireError::Limit`] unless the runs hold 1 to 60 cells together.
pub fn encode_push(
    lane: Lane,
    first: Seq,
    hash: &Digest,
    runs: &[Cells],
) -> Result<Vec<u8>, WireError> {
    let count: usize = runs.iter().map(Cells::len).sum();
    let mut out = Writer::with_capacity(
        FRAME_SIZES.into_iter().find(|size| *size > count * CELL_RECORD).unwrap_or(MAX_FRAME),
    );
    out.u8(0).u8(op::PUSH).u16(lane.0).u64(first).put(&hash.0);
    write_cells(&mut out, runs.iter(), MAX_CELLS)?;
    out.finish_padded()
}

fn read_join_state(read: &mut Reader) -> Result<JoinState, WireError> {
    let (state, at) = (read.u8()?, read.u64()?);
    match (state, at) {
        (0, 0) => Ok(JoinState::Open),
        (1, 0) => Ok(JoinState::Waiting),
        (2, 0) => Ok(JoinState::Refused),
        (3, at) => Ok(JoinState::Used(at)),
        (4, 0) => Ok(JoinState::Enrolled),
        _ => Err(WireError::Value),
    }
}

fn write_join_state(out: &mut Writer, state: JoinState) {
    let (state, at) = match state {
        JoinState::Open => (0, 0),
        JoinState::Waiting => (1, 0),
        JoinState::Refused => (2, 0),
        JoinState::Used(at) => (3, at),
        JoinState::Enrolled => (4, 0),
    };
    out.u8(state).u64(at);
}
