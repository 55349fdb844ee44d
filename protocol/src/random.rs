//! Randomness is handed in, so that a seeded world replays exactly.

/// A source of cryptographically secure random bytes.
pub trait Random {
    /// Fills the whole of `dest`.
    fn fill(&mut self, dest: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    /// Fills `dest` from `getrandom(2)`.
    ///
    /// A machine that cannot produce random bytes cannot produce keys: the process is aborted
    /// rather than continued with predictable ones.
    fn fill(&mut self, dest: &mut [u8]) {
        if getrandom::fill(dest).is_err() {
            std::process::abort();
        }
    }
}

/// Returns `N` fresh random bytes.
pub fn bytes<const N: usize>(random: &mut (impl Random + ?Sized)) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}
