//! The operations between a device and the relay, and their total codec.
//!
//! A frame's plaintext is `flags 1 | op 1 | fields | zeros`, in one of four sizes. Every byte
//! string either decodes to exactly one operation that encodes to the same bytes, or is an error.

use bytes::Bytes;

use super::cells::Cells;
use super::codec::{Reader, WireError, Writer};
use super::limits::{BLOB_CHUNK, CELL_RECORD, FRAME_SIZES, MAX_BLOB_CHUNKS};

mod to_device;
mod to_relay;

#[cfg(test)]
mod tests;

pub use to_device::{ToDevice, encode_push};
pub use to_relay::ToRelay;

/// The sender rekeys its direction after this frame.
pub const FLAG_REKEY: u8 = 1;

/// Op numbers kept for later: a device replacing its access secret; anonymous PUT with a blind
/// token; fixed upload slots; unlock of a device-held storage key after boot.
pub const RESERVED_OPS: [u8; 4] = [32, 33, 34, 35];

/// The most blob ids in one ANNOUNCE.
pub const MAX_ANNOUNCED: usize = 400;

/// Chooses among the sender's outstanding requests; the answer repeats it.
pub type Request = u32;

/// How an invite ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteEnd {
    /// The newcomer is a device now.
    Enrolled,
    /// The newcomer was refused.
    Refused,
    /// The invite was taken back before anybody used it.
    Revoked,
}

/// Where an invite stands, as its connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinState {
    /// The relay has no request yet.
    Open,
    /// The request waits for an admin.
    Waiting,
    /// An admin refused.
    Refused,
    /// Another key used the invite, at this time in unix seconds.
    Used(u64),
    /// The newcomer is a device: reconnect as one.
    Enrolled,
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident : $repr:ty { $($(#[$vdoc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The number on the wire.
            pub fn code(self) -> $repr {
                match self { $(Self::$variant => $value,)* }
            }

            /// Reads the number on the wire.
            pub fn from_code(code: $repr) -> Result<Self, WireError> {
                match code { $($value => Ok(Self::$variant),)* _ => Err(WireError::Value) }
            }
        }
    };
}

codes! {
    /// Why a request was refused. To the network an error is a code, never a cause.
    FailCode: u16 {
        /// The cell id or chunk is known with other bytes.
        Conflict = 1,
        /// The device is over a quota.
        OverQuota = 2,
        /// The row may not do this.
        Denied = 3,
        /// There is no such thing.
        Unknown = 4,
        /// The relay's disk is low.
        LowDisk = 5,
        /// Too large, or too many.
        TooLarge = 6,
        /// The document does not follow the one the relay has.
        Stale = 7,
        /// The invite expired, was used, or was ended.
        Ended = 8,
        /// The relay cannot store at present.
        Unavailable = 9,
    }
}

codes! {
    /// What a NOTICE says.
    NoticeKind: u8 {
        /// The relay is going down in order; reconnect.
        Draining = 1,
        /// The relay is busy.
        RetryAfter = 2,
        /// The device is over a quota.
        OverQuota = 3,
        /// The relay's disk is low.
        LowDisk = 4,
        /// The relay moved; the roster says where to.
        Moved = 5,
    }
}

mod op {
    pub(super) const HELLO: u8 = 1;
    pub(super) const PUT: u8 = 2;
    pub(super) const SEEN: u8 = 3;
    pub(super) const BPUT: u8 = 4;
    pub(super) const BGET: u8 = 5;
    pub(super) const BDEL: u8 = 6;
    pub(super) const ROWS: u8 = 7;
    pub(super) const INVITE: u8 = 8;
    pub(super) const INVITE_END: u8 = 9;
    pub(super) const JOIN: u8 = 10;
    pub(super) const PING: u8 = 11;
    pub(super) const BASE: u8 = 12;

    pub(super) const WELCOME: u8 = 129;
    pub(super) const INVITE_WELCOME: u8 = 130;
    pub(super) const NO_VERSION: u8 = 131;
    pub(super) const ACK: u8 = 132;
    pub(super) const PUSH: u8 = 133;
    pub(super) const GAP: u8 = 134;
    pub(super) const DONE: u8 = 135;
    pub(super) const FAIL: u8 = 136;
    pub(super) const BLOB: u8 = 137;
    pub(super) const ANNOUNCE: u8 = 138;
    pub(super) const JOIN_STATE: u8 = 139;
    pub(super) const NOTICE: u8 = 140;
    pub(super) const PONG: u8 = 141;
    pub(super) const INVITE_REUSED: u8 = 142;
}

fn open(plaintext: Bytes) -> Result<(u8, Reader), WireError> {
    if !FRAME_SIZES.contains(&plaintext.len()) {
        return Err(WireError::Size);
    }
    let mut read = Reader::new(plaintext);
    let flags = read.u8()?;
    if flags & !FLAG_REKEY != 0 {
        return Err(WireError::Value);
    }
    let op = read.u8()?;
    if RESERVED_OPS.contains(&op) {
        return Err(WireError::ReservedOp(op));
    }
    Ok((op, read))
}

fn begin(op: u8) -> Writer {
    let mut out = Writer::with_capacity(FRAME_SIZES[0]);
    out.u8(0).u8(op);
    out
}

fn read_cells(read: &mut Reader, max: usize) -> Result<Cells, WireError> {
    let count = usize::from(read.u8()?);
    if count == 0 || count > max {
        return Err(WireError::Limit);
    }
    Cells::from_records(read.take(count * CELL_RECORD)?)
}

fn write_cells<'a>(
    out: &mut Writer,
    runs: impl Iterator<Item = &'a Cells> + Clone,
    max: usize,
) -> Result<(), WireError> {
    let count: usize = runs.clone().map(Cells::len).sum();
    if count == 0 || count > max {
        return Err(WireError::Limit);
    }
    out.u8(u8::try_from(count).map_err(|_| WireError::Limit)?);
    for run in runs {
        out.put(run.records());
    }
    Ok(())
}

fn read_chunk(read: &mut Reader) -> Result<(u16, Bytes), WireError> {
    let count = read.u16()?;
    let chunk = read.bytes16(BLOB_CHUNK)?;
    if count == 0 || count > MAX_BLOB_CHUNKS || chunk.is_empty() {
        return Err(WireError::Limit);
    }
    Ok((count, chunk))
}
