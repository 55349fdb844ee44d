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
