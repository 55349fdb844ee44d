//! Stories told with real processes, and load against them.

pub mod load;
