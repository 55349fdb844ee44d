//! What the operator's commands change in a running relay, and what they and the metrics read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::metrics::Counters;

/// The file that says when the last backup was made, in unix seconds.
const BACKUP_STAMP: &str = "last-backup";

/// The operator's hand on a running relay.
pub(crate) struct Control {
    /// What connections count.
    pub(crate) counters: Counters,
    /// Wakes whoever waits to drain.
    pub(crate) drain: Notify,
    maintenance: AtomicBool,
    disk_used: AtomicU64,
    data: PathBuf,
    /// Held while the log is read for a backup or cells are forgotten.
    trimming: Mutex<()>,
}

impl Control {
    /// Of the relay in `data`.
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            counters: Counters::default(),
            drain: Notify::new(),
            maintenance: AtomicBool::new(false),
            disk_used: AtomicU64::new(0),
            data: data.to_owned(),
            trimming: Mutex::default(),
        }
    }

    /// Whether the operator keeps devices out.
    pub(crate) fn in_maintenance(&self) -> bool {
        self.maintenance.load(Ordering::Relaxed)
    }

    pub(super) fn set_maintenance(&self, on: bool) {
        self.maintenance.store(on, Ordering::Relaxed);
    }

    /// The relay's directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Notes the bytes of the relay's directory.
    pub(crate) fn measured(&self, bytes: u64) {
        self.disk_used.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of the relay's directory, as last measured.
    pub(crate) fn disk_used(&self) -> u64 {
        self.disk_used.load(Ordering::Relaxed)
    }

    /// Bytes free on the relay's disk, 0 if the system does not say.
    pub(crate) fn disk_free(&self) -> u64 {
        disk_free(&self.data).unwrap_or(0)
    }

    /// The unix second of the last backup.
    pub(crate) fn last_backup(&self) -> Option<u64> {
        last_backup(&self.data)
    }

    /// Nothing is forgotten while this is held.
    pub(crate) fn hold_log(&self) -> MutexGuard<'_, ()> {
        self.trimming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Taken to forget cells, unless somebody reads the whole log.
    pub(crate) fn may_trim(&self) -> Option<MutexGuard<'_, ()>> {
        self.trimming.try_lock().ok()
    }
}

/// Bytes free on the disk that holds `dir`.
pub(crate) fn disk_free(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The unix second of the last backup of the relay in `data`.
pub(crate) fn last_backup(data: &Path) -> Option<u64> {
    fs::read_to_string(data.join(BACKUP_STAMP)).ok()?.trim().parse().ok()
}

/// Notes that a backup was made at `now`.
pub(crate) fn backed_up(data: &Path, now: u64) -> std::io::Result<()> {
    fs::write(data.join(BACKUP_STAMP), format!("{now}\n"))
}
