//! How fast one connection is read, and when it is told that it is too fast.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use staffetta_protocol::wire::frame::{FailCode, NoticeKind, ToDevice, ToRelay};
use tokio::time::{Sleep, sleep};

use crate::bucket::{Bucket, Rate};

/// Frames that take from no quota, such as PING and BGET.
const FREE_FRAMES: Rate = Rate { per_minute: 12_000, burst: 2_000 };
/// How long a connection is not read after a refusal for quota: whoever goes on regardless costs
/// ten frames a second and no more.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);
/// A NOTICE of one kind comes at most so often, in milliseconds.
const NOTICE_MS: u64 = 10_000;

/// The pace of one connection.
pub(super) struct Pace {
    free: Bucket,
    pause: Option<Pin<Box<Sleep>>>,
    told: Option<(NoticeKind, u64)>,
}

impl Pace {
    /// A connection of which nothing was heard yet.
    pub(super) fn new(now_ms: u64) -> Self {
        Self { free: Bucket::full(FREE_FRAMES, now_ms), pause: None, told: None }
    }

    /// Whether to read on.
    pub(super) fn is_open(&self) -> bool {
        self.pause.is_none()
    }

    /// Returns when it is time to read on; never if it is so already.
    pub(super) async fn resume(&mut self) {
        match &mut self.pause {
            Some(pause) => pause.as_mut().await,
            None => pending().await,
        }
        self.pause = None;
    }

    /// A frame came.
    pub(super) fn heard(&mut self, frame: &ToRelay, now_ms: u64) {
        if !matches!(frame, ToRelay::Put { .. } | ToRelay::BlobPut { .. })
            && let Err(wait) = self.free.take(1, FREE_FRAMES, now_ms)
        {
            self.rest(Duration::from_millis(wait));
        }
    }

    /// An answer goes out; returns what to say beside it.
    pub(super) fn said(&mut self, frame: &ToDevice, now_ms: u64) -> Option<ToDevice> {
        let ToDevice::Fail { code, retry_ms, .. } = *frame else { return None };
        let kind = match code {
            FailCode::OverQuota => NoticeKind::OverQuota,
            FailCode::Unavailable => NoticeKind::RetryAfter,
            _ => return None,
        };
        if kind == NoticeKind::OverQuota {
            self.rest(REFUSED_PAUSE);
        }
        if self.told.is_some_and(|(told, at)| told == kind && now_ms < at + NOTICE_MS) {
            return None;
        }
        self.told = Some((kind, now_ms));
        Some(ToDevice::Notice { kind, retry_ms })
    }

    fn rest(&mut self, time: Duration) {
        self.pause = Some(Box::pin(sleep(time)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(code: FailCode) -> ToDevice {
        ToDevice::Fail { request: 1, code, retry_ms: 7 }
    }

    #[tokio::test]
    async fn overload_is_said_never_silent_and_not_repeated_without_end() {
        let mut pace = Pace::new(0);
        let mut kind = |code, now| match pace.said(&fail(code), now) {
            Some(ToDevice::Notice { kind, retry_ms: 7 }) => Some(kind),
            _ => None,
        };
        assert_eq!(kind(FailCode::OverQuota, 0), Some(NoticeKind::OverQuota));
        assert_eq!(kind(FailCode::OverQuota, NOTICE_MS - 1), None);
        assert_eq!(kind(FailCode::OverQuota, NOTICE_MS), Some(NoticeKind::OverQuota));
        assert_eq!(kind(FailCode::Unavailable, NOTICE_MS), Some(NoticeKind::RetryAfter));
        assert_eq!(kind(FailCode::Denied, 2 * NOTICE_MS), None);
    }

    #[tokio::test]
    async fn whoever_is_over_its_quota_is_not_read_for_a_while() {
        let mut pace = Pace::new(0);
        assert!(pace.is_open());
        pace.said(&fail(FailCode::OverQuota), 0);
        assert!(!pace.is_open());
        pace.resume().await;
        assert!(pace.is_open());
    }

    #[tokio::test]
    async fn a_flood_of_pings_is_slowed_down() {
        let mut pace = Pace::new(0);
        let free = (0..).take_while(|_| {
            pace.heard(&ToRelay::Ping, 0);
            pace.is_open()
        });
        assert_eq!(free.count() as u64, FREE_FRAMES.burst);
    }
}
