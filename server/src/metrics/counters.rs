//! Counters that connections add to.

use std::sync::atomic::{AtomicU64, Ordering};

use staffetta_protocol::wire::frame::FailCode;

/// The codes of refused requests, with the name under which each is shown.
pub(super) const REFUSALS: [(FailCode, &str); 9] = [
    (FailCode::Conflict, "conflict"),
    (FailCode::OverQuota, "over_quota"),
    (FailCode::Denied, "denied"),
    (FailCode::Unknown, "unknown"),
    (FailCode::LowDisk, "low_disk"),
    (FailCode::TooLarge, "too_large"),
    (FailCode::Stale, "stale"),
    (FailCode::Ended, "ended"),
    (FailCode::Unavailable, "unavailable"),
];

/// Counts since the start.
#[derive(Default)]
pub(crate) struct Counters {
    /// Connections that went through the gate.
    pub(super) admitted: AtomicU64,
    /// Connections that got the 404.
    pub(super) refused: AtomicU64,
    /// Cells handed to connections.
    pub(super) pushed: AtomicU64,
    /// Connections through the gate and not yet gone.
    pub(super) open: AtomicU64,
    refusals: [AtomicU64; REFUSALS.len()],
}

impl Counters {
    /// A connection got the 404.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Cells were handed to a connection.
    pub(crate) fn pushed(&self, cells: u64) {
        self.pushed.fetch_add(cells, Ordering::Relaxed);
    }

    /// A request was refused.
    pub(crate) fn failed(&self, code: FailCode) {
        let place = REFUSALS.iter().position(|(known, _)| *known == code);
        if let Some(count) = place.and_then(|place| self.refusals.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection went through the gate; it is gone when the gauge is dropped.
    pub(crate) fn admitted(&self) -> Gauge<'_> {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Gauge(&self.open)
    }

    pub(super) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REFUSALS
            .iter()
            .zip(&self.refusals)
            .map(|((_, name), count)| (*name, count.load(Ordering::Relaxed)))
    }
}

/// Counts one for as long as it lives.
pub(crate) struct Gauge<'a>(&'a AtomicU64);

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
