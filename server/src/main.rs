//! The relay.
mod store;
fn main() {}
