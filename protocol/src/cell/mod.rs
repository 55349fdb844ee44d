//! Cells: what the log holds. Tag, seal, open, and messages cut into chained fragments.
//!
//! This module knows channels as keys. It must never know rooms, people or the relay.

pub mod chain;
pub mod channel_key;
pub mod direct;
pub mod fragment;

#[cfg(test)]
mod tests;
