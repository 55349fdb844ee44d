//! Every size and bound of the wire, in bytes unless it says otherwise.

/// The bytes of a cell: tag 16, nonce 24, body 984.
pub const CELL: usize = 1024;
/// The bytes of a cell with its 16-byte id, as they stand in PUT and PUSH.
pub const CELL_RECORD: usize = 16 + CELL;
/// The most cells in one frame.
pub const MAX_CELLS: usize = 60;

const FRAME_HEAD: usize = 64;
/// The four plaintext sizes of a frame: 1, 4, 16 and 60 cells and a head.
pub const FRAME_SIZES: [usize; 4] = [
    CELL_RECORD + FRAME_HEAD,
    4 * CELL_RECORD + FRAME_HEAD,
    16 * CELL_RECORD + FRAME_HEAD,
    MAX_FRAME,
];
/// The largest plaintext of a frame.
pub const MAX_FRAME: usize = MAX_CELLS * CELL_RECORD + FRAME_HEAD;
/// The authentication tag of one Noise message.
pub const NOISE_TAG: usize = 16;
/// The largest WebSocket message of the hop. Handshake messages have the size of the smallest
/// frame.
pub const MAX_WIRE_MESSAGE: usize = MAX_FRAME + NOISE_TAG;

/// The largest blob chunk.
pub const BLOB_CHUNK: usize = 60 * 1024;
/// The most chunks of one blob: 64 MiB less a little.
pub const MAX_BLOB_CHUNKS: u16 = 1_092;
/// Blobs up to this size are fetched by every device, so that fetching says nothing.
pub const SHARED_BLOB: u64 = 1024 * 1024;

/// The most cells of a join request.
pub const MAX_JOIN_CELLS: usize = 16;
/// The most invites a relay holds open.
pub const MAX_OPEN_INVITES: usize = 32;
/// The largest sealed invite bundle.
pub const MAX_BUNDLE: usize = 4 * 1024;
/// The most rows added or removed by one ROWS document.
pub const MAX_ROWS: usize = 400;
/// The most relay addresses of one ROWS document.
pub const MAX_ADDRESSES: usize = 8;
/// The longest relay address.
pub const MAX_ADDRESS: usize = 255;
/// How long a relay remembers used and expired invite ids, in seconds.
pub const INVITE_MEMORY_S: u64 = 7 * 24 * 3600;

/// Messages in one direction after which the sender rekeys.
pub const REKEY_MESSAGES: u64 = 1 << 16;
/// Milliseconds after which the sender rekeys.
pub const REKEY_MS: u64 = 10 * 60 * 1000;

/// The wire's major version; it is in the prologue of every handshake.
pub const WIRE_MAJOR: u8 = 1;
/// The oldest minor version spoken.
pub const MIN_VERSION: u16 = 1;
/// The newest minor version spoken.
pub const MAX_VERSION: u16 = 1;

/// A chain of fragments not complete within so many seqs of its first is void.
pub const CHAIN_LIFE: u64 = 4_096;
/// The most fragments of one message.
pub const MAX_FRAGMENTS: usize = 512;
/// The most unfinished chains of one channel; a further first fragment is ignored by everybody.
pub const MAX_OPEN_CHAINS: usize = 32;
/// The greatest place after which the log of a spare relay begins: seqs never overflow.
pub const MAX_BASE: u64 = 1 << 56;
