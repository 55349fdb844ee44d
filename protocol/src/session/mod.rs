//! The session machines of both ends, without sockets or clocks.
//!
//! One driver invariant: hand in one input, then drain `poll` until it returns `None`. Time is in
//! milliseconds of any monotonic clock.

pub mod device;
pub mod relay;

#[cfg(test)]
mod tests;

use crate::noise::NoiseError;
use crate::wire::WireError;

/// Milliseconds within which a handshake and the first frame must be through.
pub const HANDSHAKE_MS: u64 = 10_000;
/// Milliseconds without a frame after which a device sends PING.
pub const PING_MS: u64 = 25_000;
/// Milliseconds without a frame after which an end takes the other for dead.
pub const DEAD_MS: u64 = 75_000;

/// Why a session ended. The peer only sees the connection close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// A message was not authentic: another key, another psk, or tampering.
    #[error("not authentic")]
    NotAuthentic,
    /// The device's static key is not that of the row whose handle it used.
    #[error("static key does not match the row")]
    WrongRow,
    /// The peer sent bytes that are no frame.
    #[error("malformed frame: {0}")]
    Malformed(WireError),
    /// The peer sent a frame that has no place here.
    #[error("frame out of place")]
    Misbehaved,
    /// No version is spoken by both.
    #[error("the other end speaks versions {min} to {max}")]
    NoVersion {
        /// The peer's oldest.
        min: u16,
        /// The peer's newest.
        max: u16,
    },
    /// The peer was silent for too long.
    #[error("timed out")]
    TimedOut,
    /// Our own side misused the session.
    #[error("session misused")]
    Misuse,
}

impl From<NoiseError> for Closed {
    fn from(error: NoiseError) -> Self {
        match error {
            NoiseError::Refused => Self::NotAuthentic,
            NoiseError::Misuse => Self::Misuse,
        }
    }
}

impl From<WireError> for Closed {
    fn from(error: WireError) -> Self {
        Self::Malformed(error)
    }
}
