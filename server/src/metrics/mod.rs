//! What the relay counts, and the private listener that shows it.
//!
//! Numbers about the relay as a whole and nothing else: no label and no value here ever stands for
//! one device, address, invite or cell.

mod counters;
mod listener;
mod snapshot;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use self::counters::Counters;
pub(crate) use self::listener::serve;
pub(crate) use self::snapshot::Snapshot;
