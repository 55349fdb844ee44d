//! Load against a real relay process: what the `load` binary drives.
//!
//! It prints figures and judges nothing: absolute ones move between machines and moments.

pub mod link;
pub mod relay;
pub mod work;
