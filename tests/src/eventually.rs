//! Waiting for a fact, with a deadline. The only place of the stories that lets time pass.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a fact may take. Generous, because the machine may be busy with other stories; a story
/// that fails fails once.
pub const PATIENCE: Duration = Duration::from_secs(90);

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Asks `probe` until it answers, and returns the answer.
///
/// # Panics
/// If `fact` did not come true within [`PATIENCE`].
pub fn eventually<T>(fact: &str, probe: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, probe).unwrap_or_else(|| panic!("did not happen in {PATIENCE:?}: {fact}"))
}

/// Asks `probe` until it answers or `patience` is over.
pub fn within<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::park_timeout(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Does something in equal steps until it is over; what comes late is made up for.
pub fn every(pause: Duration, over: &AtomicBool, mut work: impl FnMut()) {
    let mut next = Instant::now();
    while !over.load(Ordering::Relaxed) {
        work();
        next += pause;
        rest(next.saturating_duration_since(Instant::now()));
    }
}

/// The pause of a load that comes at a rate; nothing is waited for.
pub fn rest(pause: Duration) {
    within::<()>(pause, || None);
}
