//! Stories of the agent with real sockets, a small relay and a core that only remembers.

pub(super) mod fake_core;
mod fake_relay;
mod holding;
mod links;
mod locking;
mod memory;
mod newcomers;

use std::future::Future;
use std::time::Duration;

use super::*;

/// Waits for a named fact; a fact that does not come is a failure, not a hang.
pub(super) async fn within<T>(what: &str, fact: impl Future<Output = T>) -> T {
    let Ok(fact) = timeout(Duration::from_secs(10), fact).await else { panic!("not seen: {what}") };
    fact
}

#[test]
fn no_core_dumps() {
    harden().unwrap();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
    assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
}
