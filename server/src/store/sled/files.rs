//! Opening sled databases and making directories durable.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::store::StoreError;

/// How often a held lock is tried again: a database that was just closed, or whose process was
/// just killed, can hold it for a moment.
const LOCK_TRIES: u32 = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The segment that is being opened and checked, for [`damage`].
static CHECKING: Mutex<Option<String>> = Mutex::new(None);

/// Runs `work` on the segment `name`. sled panics on some damage instead of returning an error:
/// where panics unwind that is the same error; where they abort, the process's panic hook says
/// what [`damage`] knows.
pub(super) fn checking<T>(
    name: &str,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let note = |name| *CHECKING.lock().unwrap_or_else(PoisonError::into_inner) = name;
    note(Some(name.to_owned()));
    let result = catch_unwind(AssertUnwindSafe(work));
    note(None);
    result.unwrap_or_else(|_| {
        Err(StoreError::Damaged { segment: name.to_owned(), what: "it does not open" })
    })
}

/// The segment at which a panic strikes, if one is being opened.
pub(crate) fn damage() -> Option<String> {
    CHECKING.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::Io(error),
            // The texts of the others name offsets, never contents.
            other => Self::Database(other.to_string()),
        }
    }
}

/// A database and its file, which we sync ourselves because sled's flush does not.
pub(super) struct Database {
    pub(super) db: sled::Db,
    file: File,
}

impl Database {
    /// Opens the database in `dir`, creating it if `dir` is absent, with `cache` bytes of cache.
    pub(super) fn open(dir: &Path, cache: u64) -> Result<Self, StoreError> {
        // Left by a crash or a full disk, such a file blocks every later open.
        remove_matching(dir, |name| name.starts_with("snap.") && name.ends_with(".generating"))?;
        let config = sled::Config::new().path(dir).cache_capacity(cache);
        let mut tries = 0;
        let db = loop {
            match config.open() {
                Ok(db) => break db,
                Err(sled::Error::Io(error)) if is_lock(&error) => {
                    tries += 1;
                    if tries >= LOCK_TRIES {
                        return Err(StoreError::Locked);
                    }
                    thread::sleep(LOCK_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        };
        let file = File::options().read(true).write(true).open(dir.join("db"))?;
        Ok(Self { db, file })
    }

    /// Applies `batch`; durable on return.
    pub(super) fn write(&self, batch: sled::Batch) -> Result<(), StoreError> {
        self.db.apply_batch(batch)?;
        self.sync()
    }

    /// Makes everything written so far durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        // flush hands sled's buffers to the system and stops there on Linux.
        self.db.flush()?;
        self.file.sync_data()?;
        Ok(())
    }
}

/// sled reports a held lock as an `Other` error with this text and nothing else to tell it by.
fn is_lock(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Makes a database aside in `tmp`, empty and durable, and moves it to `place`: a database created
/// in place does not always open after a power cut.
pub(super) fn create_database(tmp: &Path, place: &Path, cache: u64) -> Result<(), StoreError> {
    if tmp.exists() {
        fs::remove_dir_all(tmp)?;
    }
    let database = Database::open(tmp, cache)?;
    database.sync()?;
    drop(database);
    sync_tree(tmp)?;
    rename_durably(tmp, place)
}

/// Renames `from` to `to` within one directory and makes the rename durable.
pub(super) fn rename_durably(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to)?;
    sync_dir(parent(to))
}

/// Syncs a directory's entries.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    Ok(File::open(dir)?.sync_all()?)
}

/// The directory that holds `path`.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Syncs everything in `dir`, and `dir`.
pub(super) fn sync_tree(dir: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_dir(dir)
}

fn remove_matching(dir: &Path, matches: impl Fn(&str) -> bool) -> Result<(), StoreError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&matches) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
