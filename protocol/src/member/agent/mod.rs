//! The agent: holds a profile, keeps the link to the relay, serves the local socket.
//!
//! It owns sockets, threads and the clock, and drives a [`core::Core`]. It must never know what a
//! cell holds.
//!
//! One process holds a profile; every other one is its client. [`open`] finds out which of the
//! two this process is, and its [`Handle`] answers the same calls either way.

mod address;
mod clock;
mod connection;
pub mod core;
mod driver;
mod events;
mod faults;
mod harden;
mod hold;
mod link;
mod newcomer;
mod rpc;
mod socks;
mod upgrade;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

pub use address::{Address, DEFAULT_PORT, Proxy};
pub use clock::Clock;
pub use connection::newcomer_gate;
pub use core::{ApiError, Core, Dial, Down, Now, Out};
pub use events::Events;
pub use harden::harden;
pub use newcomer::{Newcomer, NewcomerEvent, NewcomerOptions, NotConnected};
pub use rpc::{MAX_CONNECTIONS, MAX_REQUEST};

use crate::random::OsRandom;
use driver::{CoreDialer, Driver, Job};
use link::{Control, Link};

/// How long a command waits for the lock or for the holder's socket (UX.md section 2).
pub const WAIT_LOCK: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);
/// How long a stopping holder waits for the link's last frames.
const LAST_FRAMES: Duration = Duration::from_secs(3);
