//! What the door counts, in Prometheus's text form. No label names a room or a sender.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a request ended.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// 202.
    Sent,
    /// 503: it is queued and goes out by itself.
    Queued,
    /// 4xx with a reason.
    Refused,
    /// 401.
    Unauthorised,
    /// 429.
    Limited,
}

/// How many requests ended how.
#[derive(Default)]
pub(super) struct Counters {
    sent: AtomicU64,
    queued: AtomicU64,
    refused: AtomicU64,
    unauthorised: AtomicU64,
    limited: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Sent => &self.sent,
            Outcome::Queued => &self.queued,
            Outcome::Refused => &self.refused,
            Outcome::Unauthorised => &self.unauthorised,
            Outcome::Limited => &self.limited,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn render(&self) -> String {
        const NAME: &str = "staffetta_webhook_requests_total";
        let mut page =
            format!("# HELP {NAME} Requests by how they ended.\n# TYPE {NAME} counter\n");
        for (result, counter) in [
            ("sent", &self.sent),
            ("queued", &self.queued),
            ("refused", &self.refused),
            ("unauthorised", &self.unauthorised),
            ("limited", &self.limited),
        ] {
            let count = counter.load(Ordering::Relaxed);
            // Writing to a String cannot fail.
            let _ = writeln!(page, "{NAME}{{result=\"{result}\"}} {count}");
        }
        page
    }
}
