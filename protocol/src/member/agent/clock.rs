//! The only place that reads clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::core::Now;

/// Both clocks of this process.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Starts the monotonic clock at 0.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time.
    pub fn now(&self) -> Now {
        // A wall clock before 1970 is off by far more than the gate bears; 0 is as wrong.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX), mono_ms: self.ms() }
    }

    /// Milliseconds of the monotonic clock.
    pub fn ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
