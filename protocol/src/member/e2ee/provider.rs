//! OpenMLS's provider over the device's own SQL connection.

use openmls_rust_crypto::RustCrypto;
use openmls_sqlite_storage::{Codec, SqliteStorageProvider};
use openmls_traits::OpenMlsProvider;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::storage::{Deferred, Storage};

/// CBOR for OpenMLS's rows: bincode and postcard write them and then cannot read them.
#[derive(Default)]
pub(super) struct Cbor;

/// A row of OpenMLS could not be written or read.
#[derive(Debug, Error)]
#[error("a stored MLS value does not fit its type")]
pub(super) struct CborError;

impl Codec for Cbor {
    type Error = CborError;

    fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, CborError> {
        let mut out = Vec::new();
        ciborium::into_writer(value, &mut out).map_err(|_| CborError)?;
        Ok(out)
    }

    fn from_slice<T: DeserializeOwned>(slice: &[u8]) -> Result<T, CborError> {
        ciborium::from_reader(slice).map_err(|_| CborError)
    }
}

/// Cryptography and storage for one step: build it over the step's transaction and drop it with it.
pub struct Provider<'c> {
    crypto: RustCrypto,
    storage: Storage<'c>,
    connection: &'c Connection,
}

impl<'c> Provider<'c> {
    /// Works on `connection`, or on the open transaction a `&Transaction` dereferences to.
    pub fn new(connection: &'c Connection) -> Self {
        Self::over(connection, None)
    }

    /// As [`Provider::new`]; what every message changes waits in `deferred` until it is flushed.
    pub fn deferring(connection: &'c Connection, deferred: &'c Deferred) -> Self {
        Self::over(connection, Some(deferred))
    }

    fn over(connection: &'c Connection, deferred: Option<&'c Deferred>) -> Self {
        let storage = Storage::new(connection, deferred);
        Self { crypto: RustCrypto::default(), storage, connection }
    }

    /// Does `work` and keeps its writes if it succeeds, and none of them if it fails.
    pub(super) fn all_or_nothing<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        let done = work();
        match done {
            Ok(_) => self.connection.execute_batch("RELEASE e2ee")?,
            Err(_) => self.undo()?,
        }
        done
    }

    /// Does `work` and undoes all it wrote.
    pub(super) fn rehearse<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        let done = work();
        self.undo()?;
        done
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.storage.flush()?;
        self.connection.execute_batch("SAVEPOINT e2ee")
    }

    fn undo(&self) -> rusqlite::Result<()> {
        self.storage.discard();
        self.connection.execute_batch("ROLLBACK TO e2ee; RELEASE e2ee")
    }
}

impl<'c> OpenMlsProvider for Provider<'c> {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = Storage<'c>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}

/// OpenMLS's tables could not be made or brought up to date.
#[derive(Debug, Error)]
#[error("the MLS tables could not be brought up to date")]
pub struct MigrateError;

/// Makes OpenMLS's tables, or brings them up to date. Must run outside any transaction.
pub fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    SqliteStorageProvider::<Cbor, &mut Connection>::new(connection)
        .run_migrations()
        .map_err(|_| MigrateError)
}
