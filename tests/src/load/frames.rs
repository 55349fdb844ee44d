//! WebSocket frames by hand (RFC 6455 section 5.2), well-formed and not.

use staffetta_protocol::noise::handshake::HANDSHAKE_MESSAGE;
use staffetta_protocol::wire::limits::MAX_WIRE_MESSAGE;

/// Bytes of a handshake message.
pub const HANDSHAKE: usize = HANDSHAKE_MESSAGE;

const BINARY: u8 = 2;
const CONTINUATION: u8 = 0;
const PING: u8 = 9;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A frame that claims `len` bytes and has those of `payload`, masked with zeros.
fn frame(first: u8, len: u64, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => out.push(MASKED | len),
        (_, Ok(len)) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            out.push(MASKED | 127);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    out
}

/// One whole binary message.
pub fn binary(payload: &[u8]) -> Vec<u8> {
    frame(FINAL | BINARY, payload.len() as u64, payload)
}

/// Pings of 100 bytes, `count` of them.
pub fn pings(count: usize) -> Vec<u8> {
    frame(FINAL | PING, 100, &[0x70; 100]).repeat(count)
}

/// What no device sends: each must be the end of a connection.
pub fn hostile() -> Vec<Vec<u8>> {
    let over = MAX_WIRE_MESSAGE + 1;
    let fragment = [0xA5; 1_024];
    let begun = frame(BINARY, fragment.len() as u64, &fragment);
    let more = frame(CONTINUATION, fragment.len() as u64, &fragment);
    let empty = frame(CONTINUATION, 0, &[]);
    vec![
        // Oversize, and merely claimed to be.
        binary(&vec![0xA5; over]),
        frame(FINAL | BINARY, 1 << 40, &[0xA5; 100]),
        frame(FINAL | BINARY, u64::MAX, &[]),
        // Fragments that add up to too much, and fragments without end.
        [begun.clone(), more.repeat(100)].concat(),
        [begun, empty.repeat(100_000)].concat(),
        // Control frames without end, and one that is too long.
        pings(10_000),
        frame(FINAL | PING, 1_000, &[0; 1_000]),
        // No frames at all, another size, text.
        vec![0xFF; 4_096],
        binary(&[0xA5; 100]),
        frame(FINAL | 1, 5, b"hello"),
    ]
}
