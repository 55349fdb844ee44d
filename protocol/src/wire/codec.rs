//! Reading and writing fixed layouts: big-endian integers, length-prefixed bytes, no surprises.

use bytes::Bytes;

/// Why bytes are not what they should be. The peer that sent them is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end inside a field.
    #[error("truncated")]
    Truncated,
    /// There are bytes after the last field, or padding that is not zero.
    #[error("trailing bytes")]
    Trailing,
    /// A count or length is above its limit.
    #[error("over a limit")]
    Limit,
    /// A field holds a value it cannot have.
    #[error("bad value")]
    Value,
    /// An operation nobody defined.
    #[error("unknown operation {0}")]
    UnknownOp(u8),
    /// An operation number kept for later.
    #[error("reserved operation {0}")]
    ReservedOp(u8),
    /// The frame does not have one of the four sizes.
    #[error("bad frame size")]
    Size,
}

/// Reads fields from the front of a shared buffer without copying.
pub struct Reader {
    rest: Bytes,
}

impl Reader {
    /// Reads from `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        Self { rest: bytes }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<Bytes, WireError> {
        if len > self.rest.len() {
            return Err(WireError::Truncated);
        }
        Ok(self.rest.split_to(len))
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.as_ref().try_into().map_err(|_| WireError::Truncated)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A two-byte length of at most `max`, and so many bytes.
    pub fn bytes16(&mut self, max: usize) -> Result<Bytes, WireError> {
        let len = usize::from(self.u16()?);
        if len > max {
            return Err(WireError::Limit);
        }
        self.take(len)
    }

    /// A two-byte length of at most `max`, and so many bytes of UTF-8.
    pub fn text16(&mut self, max: usize) -> Result<String, WireError> {
        let bytes = self.bytes16(max)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| WireError::Value)
    }

    /// A two-byte count of at most `max`.
    pub fn count16(&mut self, max: usize) -> Result<usize, WireError> {
        let count = usize::from(self.u16()?);
        if count > max { Err(WireError::Limit) } else { Ok(count) }
    }

    /// Ends reading; refuses anything that is left.
    pub fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }

    /// Ends reading of a frame of `size` bytes; what is left must be the zeros that
    /// [`Writer::finish_padded`] adds, up to the smallest frame size that holds the rest.
    pub fn finish_padded(self, size: usize) -> Result<(), WireError> {
        let smallest = frame_size(size.saturating_sub(self.rest.len()));
        let is_padding = || self.rest.iter().all(|byte| *byte == 0);
        if smallest == Some(size) && is_padding() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// The smallest size of a frame that holds `len` bytes.
fn frame_size(len: usize) -> Option<usize> {
    super::limits::FRAME_SIZES.into_iter().find(|size| *size >= len)
}

/// Writes fields to the end of a buffer.
#[derive(Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity) }
    }

    /// Raw bytes.
    pub fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.put(&[value])
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.put(&value.to_be_bytes())
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.put(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.put(&value.to_be_bytes())
    }

    /// A two-byte length of at most `max`, and the bytes.
    pub fn bytes16(&mut self, bytes: &[u8], max: usize) -> Result<&mut Self, WireError> {
        self.count16(bytes.len(), max)?;
        Ok(self.put(bytes))
    }

    /// A two-byte count of at most `max`.
    pub fn count16(&mut self, count: usize, max: usize) -> Result<&mut Self, WireError> {
        if count > max {
            return Err(WireError::Limit);
        }
        let count = u16::try_from(count).map_err(|_| WireError::Limit)?;
        Ok(self.u16(count))
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// What was written, with zeros up to the smallest frame size that holds it.
    pub fn finish_padded(mut self) -> Result<Vec<u8>, WireError> {
        let size = frame_size(self.out.len()).ok_or(WireError::Limit)?;
        self.out.resize(size, 0);
        Ok(self.out)
    }
}
