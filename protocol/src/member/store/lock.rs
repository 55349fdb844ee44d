//! The profile's lock: one process holds a profile.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::files;

const LOCK_FILE: &str = "lock";

/// Held while this process is the profile's holder; released when dropped, and by the kernel when
/// the process dies.
pub struct ProfileLock {
    // Closing the file is what releases the lock.
    file: File,
}

/// Why the profile cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it: talk to its socket.
    #[error("another process holds the profile")]
    Held,
    /// There is no such directory.
    #[error("no profile here")]
    NoProfile,
    /// The lock file cannot be opened or locked.
    #[error("the profile's lock cannot be taken")]
    Io(#[source] std::io::Error),
}

impl ProfileLock {
    /// Takes the lock of the profile in `dir` without waiting.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn try_acquire(dir: &Path) -> Result<Self, LockError> {
        let file = files::open_private(&dir.join(LOCK_FILE), false).map_err(|error| match error
            .kind()
        {
            std::io::ErrorKind::NotFound => LockError::NoProfile,
            _ => LockError::Io(error),
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }

    /// Whether the lock's file still has a name. If not, the profile was removed under its holder.
    pub fn is_there(&self) -> bool {
        // A question that cannot be answered changes nothing.
        self.file.metadata().map_or(true, |file| file.nlink() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_holds_a_profile() {
        let dir = tempfile::tempdir().unwrap();
        let held = ProfileLock::try_acquire(dir.path()).unwrap();
        assert!(matches!(ProfileLock::try_acquire(dir.path()), Err(LockError::Held)));
        drop(held);
        assert!(ProfileLock::try_acquire(dir.path()).is_ok());
    }

    #[test]
    fn a_holder_sees_that_its_profile_was_removed() {
        let dir = tempfile::tempdir().unwrap();
        let held = ProfileLock::try_acquire(dir.path()).unwrap();
        assert!(held.is_there());
        std::fs::remove_file(dir.path().join(LOCK_FILE)).unwrap();
        assert!(!held.is_there());
    }

    #[test]
    fn a_missing_profile_is_not_made_by_locking_it() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert!(matches!(ProfileLock::try_acquire(&missing), Err(LockError::NoProfile)));
        assert!(!missing.exists());
    }
}
