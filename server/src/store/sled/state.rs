//! Typed state: a small sled database under the rules of the segments.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::files::{Database, create_database};
use crate::store::{Change, Pair, StoreError};

/// Bytes of cache.
const CACHE: u64 = 4 * 1024 * 1024;

/// The state database; closed after an error and opened again by the next use.
pub(super) struct State {
    dir: PathBuf,
    database: Mutex<Option<Database>>,
}

impl State {
    /// Opens the state in `parent`, creating it if absent.
    pub(super) fn open(parent: &Path) -> Result<Self, StoreError> {
        let dir = parent.join("state");
        if !dir.exists() {
            create_database(&parent.join("tmp-state"), &dir, CACHE)?;
        }
        let database = Database::open(&dir, CACHE)?;
        Ok(Self { dir, database: Mutex::new(Some(database)) })
    }

    fn guard(&self) -> MutexGuard<'_, Option<Database>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut guard = self.guard();
        let database = match guard.take() {
            Some(database) => database,
            None => Database::open(&self.dir, CACHE)?,
        };
        let result = work(&database);
        // sled refuses everything after an error until it is opened again.
        if result.is_ok() {
            *guard = Some(database);
        }
        result
    }

    /// A value.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|database| Ok(database.db.get(key)?.map(|value| value.to_vec())))
    }

    /// All that begins with `prefix`.
    pub(super) fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        self.with(|database| {
            let items = database.db.scan_prefix(prefix);
            items
                .map(|item| item.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect::<Result<_, _>>()
                .map_err(StoreError::from)
        })
    }

    /// Makes all changes or none, durable on return.
    pub(super) fn set(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for Change { key, value } in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.with(|database| database.write(batch))
    }
}
