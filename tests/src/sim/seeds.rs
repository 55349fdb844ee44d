//! Many seeds of one morning, on as many threads as there are cores.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Day, ROUGH, Story};

/// In so many seeds in a row a process dies after each of the first so many steps of a day.
pub const EVERY_STEP: u64 = 50;

/// The step of its day after which a seed kills a process besides those that die by chance.
pub fn own_step(seed: u64) -> u64 {
    1 + seed % EVERY_STEP
}

/// Which days are lived.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first seed.
    pub first: u64,
    /// How many seeds at most.
    pub count: u64,
    /// Steps of each day.
    pub steps: u64,
    /// None is begun after this time.
    pub time: Duration,
}

/// Lives these days, each a copy of the same morning. `tell` hears of each as it ends: its seed, and
/// what it came to or what was found to be wrong.
pub fn run(
    morning: Story,
    seeds: Seeds,
    tell: impl Fn(u64, &anyhow::Result<Day>) + Sync,
) -> Vec<(u64, anyhow::Result<Day>)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (start, next, over) = (Instant::now(), AtomicU64::new(0), AtomicBool::new(false));
    let (morning, lived) = (Mutex::new(morning), Mutex::new(Vec::new()));
    let live = || {
        while !over.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= seeds.count || start.elapsed() > seeds.time {
                over.store(true, Ordering::Relaxed);
                return;
            }
            let seed = seeds.first + number;
            let copy = morning.lock().unwrap_or_else(PoisonError::into_inner).copy(seed);
            let day = copy.and_then(|story| story.day(ROUGH, seeds.steps));
            tell(seed, &day);
            lived.lock().unwrap_or_else(PoisonError::into_inner).push((seed, day));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(live);
        }
    });
    let mut lived = lived.into_inner().unwrap_or_else(PoisonError::into_inner);
    lived.sort_by_key(|(seed, _)| *seed);
    lived
}
