//! The Noise hop and the one-way sealed messages of direct channels. The only module that names
//! snow.

pub mod keys;
