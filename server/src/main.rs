//! The relay: one team's log of equal, opaque cells, kept and passed on.
//!
//! It links no MLS and no device code: what it cannot do, it cannot be made to do.

mod address;
mod admin;
mod admission;
mod backup;
mod blobs;
mod bucket;
mod cli;
mod config;
mod connection;
mod doctor;
mod founder;
mod hub;
mod init;
mod listen;
mod log;
mod logsafe;
mod metrics;
mod porch;
mod registry;
mod relay;
mod sd;
mod store;
mod stream;
mod utc;

fn main() -> std::process::ExitCode {
    // What the relay writes is nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    cli::run()
}
