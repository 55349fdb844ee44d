//! Stories told with real processes: the harness.
//!
//! It starts relays and clients as people do, by their command lines, and knows of the inside only
//! what a stranger could read in the specification. A story waits for named facts
//! ([`eventually`]), never for time; every process ends when its value is dropped.

pub mod binaries;
pub mod bots;
pub mod canary;
pub mod cut_proxy;
pub mod eventually;
pub mod hand;
pub mod load;
pub mod process;
pub mod relay_process;
pub mod rpc;
pub mod source;
pub mod specification;
pub mod staff;
pub mod terminal;
pub mod world;

pub use eventually::eventually;
pub use relay_process::Relay;
pub use staff::{Done, Staff};
pub use world::World;
