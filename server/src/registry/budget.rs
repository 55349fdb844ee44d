//! What one device may store: a bucket of cells, and cells and blob bytes a day.

use crate::bucket::{Bucket, Rate};
use crate::config::Limits;

const DAY_S: u64 = 24 * 3600;

/// What is left of a device's allowance. Forgotten when the relay restarts.
pub(crate) struct Budget {
    bucket: Bucket,
    day: u64,
    cells: u64,
    blob_bytes: u64,
}

fn rate(limits: &Limits) -> Rate {
    Rate { per_minute: limits.cells_per_minute, burst: limits.cells_burst }
}

/// Over the allowance; milliseconds after which to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverQuota {
    pub(crate) retry_ms: u32,
}

impl Budget {
    /// A full allowance.
    pub(crate) fn new(limits: &Limits, now_ms: u64) -> Self {
        Self { bucket: Bucket::full(rate(limits), now_ms), day: 0, cells: 0, blob_bytes: 0 }
    }

    fn turn(&mut self, now_ms: u64) {
        let day = now_ms / 1_000 / DAY_S;
        if day != self.day {
            (self.day, self.cells, self.blob_bytes) = (day, 0, 0);
        }
    }

    fn tomorrow(now_ms: u64) -> OverQuota {
        let left = DAY_S * 1_000 - now_ms % (DAY_S * 1_000);
        OverQuota { retry_ms: u32::try_from(left).unwrap_or(u32::MAX) }
    }

    /// Takes `cells` cells.
    pub(crate) fn cells(
        &mut self,
        cells: u64,
        limits: &Limits,
        now_ms: u64,
    ) -> Result<(), OverQuota> {
        self.turn(now_ms);
        if self.cells.saturating_add(cells) > limits.cells_per_day {
            return Err(Self::tomorrow(now_ms));
        }
        self.bucket
            .take(cells, rate(limits), now_ms)
            .map_err(|wait| OverQuota { retry_ms: u32::try_from(wait).unwrap_or(u32::MAX) })?;
        self.cells += cells;
        Ok(())
    }

    /// Takes `bytes` bytes of blobs.
    pub(crate) fn blob(
        &mut self,
        bytes: u64,
        limits: &Limits,
        now_ms: u64,
    ) -> Result<(), OverQuota> {
        self.turn(now_ms);
        if self.blob_bytes.saturating_add(bytes) > limits.blob_bytes_per_day {
            return Err(Self::tomorrow(now_ms));
        }
        self.blob_bytes += bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_time_refills_it() {
        let limits = Limits {
            cells_per_minute: 60,
            cells_burst: 100,
            cells_per_day: 150,
            ..Limits::default()
        };
        let mut budget = Budget::new(&limits, 0);
        assert_eq!(budget.cells(100, &limits, 0), Ok(()));
        assert_eq!(budget.cells(2, &limits, 0), Err(OverQuota { retry_ms: 2_000 }));
        assert_eq!(budget.cells(2, &limits, 2_000), Ok(()));
        assert_eq!(budget.cells(1, &limits, 2_000), Err(OverQuota { retry_ms: 1_000 }));
        let evening = 86_000_000;
        assert_eq!(budget.cells(49, &limits, evening), Err(OverQuota { retry_ms: 400_000 }));
        assert_eq!(budget.cells(49, &limits, evening + 400_000), Ok(()));
    }
}
