//! The wire: ids, limits, operations and their codec.
//!
//! This module owns every byte layout between a device and the relay, the running hash of a log
//! and the relay-facing documents. It must never know rooms, people or what a cell holds.

pub mod cells;
mod codec;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod rows;
pub mod running_hash;

#[cfg(test)]
mod tests;

pub use cells::Cells;
pub use codec::{Reader, WireError, Writer};
