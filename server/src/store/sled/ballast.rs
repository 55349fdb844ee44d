//! A file that takes up room, to be given up when the disk is full: opening a database needs some.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FallocateFlags, fallocate};

/// Bytes of the ballast of a relay.
pub(crate) const BALLAST_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes written at a time where a file system cannot reserve room.
const CHUNK: usize = 1024 * 1024;

/// The ballast of one store.
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    is_there: Mutex<bool>,
}

impl Ballast {
    /// The ballast of the store in `dir`; what a crash left of one is taken away.
    pub(super) fn new(dir: &Path, bytes: u64) -> Self {
        let path = dir.join("ballast");
        let size = fs::metadata(&path).map(|meta| meta.len()).unwrap_or_default();
        let ballast = Self { path, bytes, is_there: Mutex::new(size == bytes) };
        if size != bytes {
            ballast.release();
        }
        ballast
    }

    fn is_there(&self) -> MutexGuard<'_, bool> {
        self.is_there.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `free` bytes are fewer than `wanted` beside the ballast. Takes the ballast in where
    /// it is missing and there is room for it; until then its room is owed.
    pub(super) fn is_low(&self, free: u64, wanted: u64) -> bool {
        let mut is_there = self.is_there();
        if *is_there {
            return free < wanted;
        }
        if free < wanted.saturating_add(self.bytes) {
            return true;
        }
        *is_there = self.make().is_ok();
        if !*is_there {
            let _ = fs::remove_file(&self.path);
        }
        !*is_there
    }

    fn make(&self) -> std::io::Result<()> {
        if self.bytes == 0 {
            return Ok(());
        }
        let mut file = File::create(&self.path)?;
        if fallocate(&file, FallocateFlags::empty(), 0, self.bytes).is_err() {
            let zeros = vec![0; CHUNK];
            for _ in 0..self.bytes.div_ceil(CHUNK as u64) {
                file.write_all(&zeros)?;
            }
            file.set_len(self.bytes)?;
        }
        file.sync_all()
    }

    /// Gives its room back to the disk.
    pub(super) fn release(&self) {
        let mut is_there = self.is_there();
        let _ = fs::remove_file(&self.path);
        *is_there = self.bytes == 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ballast_that_was_given_up_is_owed_before_anything_is_taken_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ballast");
        let size = || fs::metadata(&path).map(|meta| meta.len()).unwrap_or_default();
        let ballast = Ballast::new(dir.path(), 5_000);
        assert!(ballast.is_low(5_999, 1_000), "it is owed");
        assert_eq!(size(), 0);
        assert!(!ballast.is_low(6_000, 1_000));
        assert_eq!(size(), 5_000);
        assert!(!ballast.is_low(1_000, 1_000) && ballast.is_low(999, 1_000));
        ballast.release();
        assert_eq!(size(), 0);
        assert!(ballast.is_low(5_999, 1_000));
        // A crash while it was made.
        fs::write(&path, [0; 100]).unwrap();
        assert!(Ballast::new(dir.path(), 5_000).is_low(5_999, 1_000));
        assert_eq!(size(), 0);
    }
}
