//! Staffetta's protocol: one log of equal, opaque cells, reached through a gate and a Noise hop.
//!
//! Without features this crate holds what a relay needs: the wire format, the gate, the Noise hop,
//! cells and the sans-IO session machines. With the feature `member` it holds everything a device
//! needs as well, up to the agent and bots. The byte layouts are those of `protocol/spec/`.
//!
//! Nothing here reads a clock, opens a socket or spawns a task, except the agent of `member`.

pub mod cell;
pub mod gate;
pub mod invite_code;
pub mod noise;
pub mod random;
pub mod secret;
pub mod session;
pub mod wire;

#[cfg(feature = "member")]
pub mod member;

#[cfg(feature = "member")]
pub use member::bot;

#[cfg(test)]
mod tests;
