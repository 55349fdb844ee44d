//! Seconds that never jump, with which ages are counted.
//!
//! A wall clock may be years off for a minute: a dead battery, a hand that slipped, a lying time
//! server. Nothing may expire because of that. So ages are counted by the monotonic clock, the
//! wall clock is followed only where it goes along with it, and of the time a relay was off at
//! most [`MAX_OFF`] counts. What is lost by a wrong clock is at most a day of keeping; what is lost
//! by a long time off is that cells stay so much longer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Clock;

/// Seconds by which the wall clock may stray from the monotonic one between two looks and still be
/// followed: corrections, not jumps.
const TOLERANCE: u64 = 60;
/// Seconds of the time a relay was off that count at most.
pub(crate) const MAX_OFF: u64 = 24 * 3600;

/// A moment by both clocks, as it is kept while the relay is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Steady seconds.
    pub(crate) steady: u64,
    /// Unix seconds of the wall clock.
    pub(crate) wall: u64,
}

impl Mark {
    /// Steady 8, wall 8, big endian.
    pub(crate) fn encode(self) -> Vec<u8> {
        [self.steady.to_be_bytes(), self.wall.to_be_bytes()].concat()
    }

    /// Reads what [`Mark::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (steady, wall) = bytes.split_at_checked(8)?;
        Some(Self {
            steady: u64::from_be_bytes(steady.try_into().ok()?),
            wall: u64::from_be_bytes(wall.try_into().ok()?),
        })
    }
}

struct Look {
    wall: u64,
    monotonic: u64,
    /// Steady seconds are the wall's plus this.
    offset: i64,
    steady: u64,
}

/// The steady clock: equal to the wall clock until that jumps.
pub(crate) struct Steady {
    wall: Clock,
    monotonic: Clock,
    last: Mutex<Look>,
}

impl Steady {
    /// Goes on from `saved`, the last mark of the process before, if there is one.
    pub(crate) fn resume(wall: Clock, monotonic: Clock, saved: Option<Mark>) -> Self {
        let (now, ticks) = (wall(), monotonic());
        let steady = saved.map_or(now, |saved| {
            saved.steady.saturating_add(now.saturating_sub(saved.wall).min(MAX_OFF))
        });
        let offset = difference(steady, now);
        if offset.unsigned_abs() > TOLERANCE {
            tracing::warn!("the clock is not where it was expected; ages are counted without it");
        }
        let last = Look { wall: now, monotonic: ticks, offset, steady };
        Self { wall, monotonic, last: Mutex::new(last) }
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, monotonic) = ((self.wall)(), (self.monotonic)());
        let expected = last.wall.saturating_add(monotonic.saturating_sub(last.monotonic));
        if wall.abs_diff(expected) > TOLERANCE {
            tracing::warn!("the clock jumped; ages are counted without it");
            last.offset = last.offset.saturating_add(difference(expected, wall));
        }
        (last.wall, last.monotonic) = (wall, monotonic);
        last.steady = last.steady.max(wall.saturating_add_signed(last.offset));
        last
    }

    /// Now, in seconds; never less than before.
    pub(crate) fn now(&self) -> u64 {
        self.look().steady
    }

    /// Now, by both clocks.
    pub(crate) fn mark(&self) -> Mark {
        let last = self.look();
        Mark { steady: last.steady, wall: last.wall }
    }
}

fn difference(a: u64, b: u64) -> i64 {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    signed(a).saturating_sub(signed(b))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const START: u64 = 1_800_000_000;
    const TEN_YEARS: u64 = 10 * 365 * 24 * 3600;

    struct Hands {
        wall: Arc<AtomicU64>,
        monotonic: Arc<AtomicU64>,
    }

    impl Hands {
        fn new() -> Self {
            Self { wall: Arc::new(AtomicU64::new(START)), monotonic: Arc::new(AtomicU64::new(50)) }
        }

        fn steady(&self, saved: Option<Mark>) -> Steady {
            let clock = |hand: &Arc<AtomicU64>| -> Clock {
                let hand = hand.clone();
                Arc::new(move || hand.load(Ordering::SeqCst))
            };
            Steady::resume(clock(&self.wall), clock(&self.monotonic), saved)
        }

        fn pass(&self, seconds: u64) {
            self.wall.fetch_add(seconds, Ordering::SeqCst);
            self.monotonic.fetch_add(seconds, Ordering::SeqCst);
        }

        fn jump(&self, seconds: i64) {
            let wall = self.wall.load(Ordering::SeqCst).saturating_add_signed(seconds);
            self.wall.store(wall, Ordering::SeqCst);
        }
    }

    #[test]
    fn clock_jumps_of_ten_years_do_not_move_it() {
        let hands = Hands::new();
        let steady = hands.steady(None);
        let jump = i64::try_from(TEN_YEARS).unwrap();
        for round in 1..=24_u64 {
            hands.jump(if round % 3 == 0 { -jump } else { jump / 2 });
            assert_eq!(steady.now(), START + (round - 1) * 100);
            hands.pass(100);
            assert_eq!(steady.now(), START + round * 100);
        }
    }

    #[test]
    fn small_corrections_are_followed_and_never_go_back() {
        let hands = Hands::new();
        let steady = hands.steady(None);
        hands.jump(30);
        assert_eq!(steady.now(), START + 30);
        hands.jump(-50);
        assert_eq!(steady.now(), START + 30);
        hands.pass(100);
        assert_eq!(steady.now(), START + 80);
    }

    #[test]
    fn of_the_time_off_at_most_a_day_counts_and_none_that_went_backwards() {
        let hands = Hands::new();
        let saved = Mark { steady: START, wall: START };
        assert_eq!(Mark::decode(&saved.encode()), Some(saved));
        hands.jump(3_600);
        assert_eq!(hands.steady(Some(saved)).now(), START + 3_600);
        hands.jump(i64::try_from(TEN_YEARS).unwrap());
        assert_eq!(hands.steady(Some(saved)).now(), START + MAX_OFF);
        hands.jump(-2 * i64::try_from(TEN_YEARS).unwrap());
        let steady = hands.steady(Some(saved));
        hands.pass(5);
        assert_eq!(steady.now(), START + 5);
    }
}
