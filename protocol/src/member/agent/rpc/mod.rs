//! JSON-RPC 2.0, one object a line, over the profile's unix socket.
//!
//! It owns the socket file, its two ends and their bounds. It must never know what a method does.

mod client;
mod lines;
mod message;
mod server;
mod socket;

pub(super) use client::Client;
pub(super) use server::Server;
pub use socket::connect;

#[cfg(test)]
mod tests;

/// Reads a line as the server does, and makes what it would answer.
#[cfg(fuzzing)]
pub fn read_line_for_fuzzing(line: &[u8]) {
    use super::core::ApiError;

    let line = lines::Line::Whole(zeroize::Zeroizing::new(line.to_vec()));
    let (id, result) = match message::read(line) {
        Ok(message::Request { id, method, params }) => {
            (id.unwrap_or_default(), Ok(serde_json::json!({ "method": method, "params": params })))
        }
        Err(message::Malformed(id, error)) => (id, Err::<_, ApiError>(*error)),
    };
    let answer = message::answer(id, result);
    assert_eq!(answer.iter().filter(|byte| **byte == b'\n').count(), 1, "one line an answer");
}

/// The longest request, in bytes, without its line end.
pub const MAX_REQUEST: usize = 1024 * 1024;
/// The longest answer that a client reads, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// The most connections that are served at once.
pub const MAX_CONNECTIONS: usize = 64;
/// The most calls of one connection that are carried out at once; more wait in the socket.
const MAX_CALLS: usize = 16;
/// Lines that wait for one end's socket.
const WRITE_QUEUE: usize = 16;
