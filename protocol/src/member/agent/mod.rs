//! The agent: holds a profile, keeps the link to the relay, serves the local socket.
//!
//! It owns sockets, threads and the clock, and drives a [`core::Core`]. It must never know what a
//! cell holds.

pub mod core;
