//! How many requests are taken on.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many requests a minute, all of which may come at once.
pub(super) struct Limit {
    per_minute: u32,
    state: Mutex<State>,
}

struct State {
    /// What may be taken on now, in requests.
    left: f64,
    at: Option<Instant>,
}

impl Limit {
    pub(super) fn new(per_minute: u32) -> Self {
        let state = State { left: f64::from(per_minute), at: None };
        Self { per_minute, state: Mutex::new(state) }
    }

    /// Takes one request on, or says how long until the next one is.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let per_second = f64::from(self.per_minute) / 60.0;
        // Nothing that holds this lock can leave the numbers half changed.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = state.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let left = state.left + passed.as_secs_f64() * per_second;
        state.left = left.min(f64::from(self.per_minute));
        state.at = Some(now);
        if state.left >= 1.0 {
            state.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - state.left) / per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_rate_is_told_when_to_come_again() {
        let limit = Limit::new(60);
        let now = Instant::now();
        assert!((0..60).all(|_| limit.take(now).is_ok()));
        let wait = limit.take(now).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limit.take(now + Duration::from_secs(1)).is_ok());
        assert!(limit.take(now + Duration::from_secs(1)).is_err());
        assert!(limit.take(now + Duration::from_secs(3_600)).is_ok());
    }
}
