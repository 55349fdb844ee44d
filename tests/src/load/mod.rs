//! Load against a real relay process: what the `load` and `flood` binaries drive.
//!
//! It prints figures and judges nothing: absolute ones move between machines and moments.

pub mod arguments;
pub mod attack;
pub mod flood;
pub mod frames;
pub mod link;
pub mod refusal;
pub mod relay;
pub mod work;
