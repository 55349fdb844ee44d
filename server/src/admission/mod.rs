//! Before the WebSocket: who may stand before the gate, for how long, and what is asked first.
//!
//! In this order, so that each check costs less than what it spares: a place in the line and the
//! source's budget, the size and time of the HTTP head, the shape of the token, its handle, MAC and
//! nonce, the row's budget of handshakes, and only then Noise. Whatever is wrong with a request, the
//! answer is the same 404, byte for byte; a source over its budget gets none, because a device
//! behind the same address must not take it for a refusal. Past the gate a connection stands no
//! longer in the line of strangers: nobody without a token can take its place.
//!
//! This module must never know rows, invites or sessions.

mod head;
mod line;
mod source;

pub(crate) use self::head::{HEAD_TIME, IN_MAINTENANCE, Knock, NOT_FOUND, read_head, switching};
pub(crate) use self::line::{HalfOpen, Place};
pub(crate) use self::source::Source;
