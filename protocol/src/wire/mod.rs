//! The wire: ids, limits, operations and their codec.
//!
//! This module knows byte layouts and nothing of keys, rooms or people.

pub mod ids;
