//! What may stand in the log.
//!
//! Logs are evidence against the people who use a relay. A value reaches one only through
//! [`safe`], which takes only types that are marked here, each with the reason; a test reads the
//! source and finds every field that goes another way.

use std::fmt::{self, Display};
use std::net::IpAddr;

use staffetta_protocol::session::Closed;
use tracing::field::{DisplayValue, display};

use crate::config::Privacy;
use crate::store::StoreError;

/// A type of which no value says who somebody is, what a device holds or which cell it is about.
pub(crate) trait LogSafe: Display {}

/// Counts, and the random-free ordinals of connections.
impl LogSafe for u64 {}
/// Versions of formats.
impl LogSafe for u32 {}
/// Switches.
impl LogSafe for bool {}
/// Names what failed in the system, without a path.
impl LogSafe for std::io::ErrorKind {}
/// Names segments by number, and what is wrong with them; never keys, ids or values.
impl LogSafe for StoreError {}
/// Says how a session ended, in our own words.
impl LogSafe for Closed {}
impl<T: LogSafe> LogSafe for &T {}

/// A field of a log line.
pub(crate) fn safe<T: LogSafe>(value: T) -> DisplayValue<T> {
    display(value)
}

/// The source of a connection, where the operator asked for it in `privacy.log_addresses`.
pub(crate) struct AskedSource(IpAddr);

impl AskedSource {
    /// The address, or `None` where the operator did not ask: then there is nothing to log.
    pub(crate) fn new(privacy: &Privacy, source: Option<IpAddr>) -> Option<Self> {
        source.filter(|_| privacy.log_addresses).map(Self)
    }
}

impl Display for AskedSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Only the operator's own setting makes one.
impl LogSafe for AskedSource {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_logged_only_where_the_operator_asked() {
        let source = Some(IpAddr::from([192, 0, 2, 1]));
        assert!(AskedSource::new(&Privacy::default(), source).is_none());
        let asked = AskedSource::new(&Privacy { log_addresses: true }, source).unwrap();
        assert_eq!(asked.to_string(), "192.0.2.1");
    }
}
