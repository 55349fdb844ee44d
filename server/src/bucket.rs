//! A token bucket that is told the time.

/// What is left of an allowance that refills steadily. It neither reads a clock nor allocates, so
/// that a table of thousands is cheap and a test can jump through a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// Thousandths.
    left: u64,
    filled_ms: u64,
}

/// How a bucket refills.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// In the long run.
    pub(crate) per_minute: u64,
    /// At once.
    pub(crate) burst: u64,
}

const MINUTE_MS: u64 = 60_000;

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(rate: Rate, now_ms: u64) -> Self {
        Self { left: rate.burst.saturating_mul(1_000), filled_ms: now_ms }
    }

    /// What is left, in thousandths. A clock that went back refills nothing.
    pub(crate) fn refill(&mut self, rate: Rate, now_ms: u64) -> u64 {
        let passed = now_ms.saturating_sub(self.filled_ms);
        let gained = passed.saturating_mul(rate.per_minute.max(1)).saturating_mul(1_000);
        let gained = gained / MINUTE_MS;
        // What is too short for a thousandth counts together with the next.
        if gained > 0 || now_ms < self.filled_ms {
            self.filled_ms = now_ms;
        }
        self.left = self.left.saturating_add(gained).min(rate.burst.saturating_mul(1_000));
        self.left
    }

    /// Takes `count`, or says after how many milliseconds there will be enough.
    pub(crate) fn take(&mut self, count: u64, rate: Rate, now_ms: u64) -> Result<(), u64> {
        let wanted = count.saturating_mul(1_000);
        match self.refill(rate, now_ms).checked_sub(wanted) {
            Some(rest) => {
                self.left = rest;
                Ok(())
            }
            None => {
                let missing = wanted - self.left;
                Err((missing.saturating_mul(MINUTE_MS) / rate.per_minute.max(1)).div_ceil(1_000))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_minute: 60, burst: 10 };

    #[test]
    fn a_burst_empties_it_and_time_refills_it() {
        let mut bucket = Bucket::full(RATE, 0);
        assert_eq!(bucket.take(10, RATE, 0), Ok(()));
        assert_eq!(bucket.take(2, RATE, 500), Err(1_500));
        assert_eq!(bucket.take(2, RATE, 2_000), Ok(()));
        assert_eq!(bucket.take(11, RATE, 1_000_000_000), Err(1_000));
    }

    #[test]
    fn a_clock_that_jumps_neither_fills_nor_locks_it() {
        let mut bucket = Bucket::full(RATE, 1_000_000);
        assert_eq!(bucket.take(10, RATE, 1_000_000), Ok(()));
        assert_eq!(bucket.take(1, RATE, 0), Err(1_000));
        assert_eq!(bucket.take(1, RATE, 1_000), Ok(()));
    }

    #[test]
    fn many_short_waits_are_one_long_one() {
        let mut bucket = Bucket::full(RATE, 0);
        bucket.take(10, RATE, 0).unwrap();
        for now in 1..1_000 {
            bucket.refill(RATE, now);
        }
        assert_eq!(bucket.take(1, RATE, 1_000), Ok(()));
    }
}
