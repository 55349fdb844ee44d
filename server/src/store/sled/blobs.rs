//! Blobs: plain files, a directory each, because sled gives no space back.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use staffetta_protocol::wire::ids::BlobId;
use staffetta_protocol::wire::limits::BLOB_CHUNK;

use super::files::{rename_durably, sync_dir};
use crate::store::StoreError;

/// The directory of blobs.
pub(super) struct Blobs {
    dir: PathBuf,
    /// Held while a chunk is written, so that two writers of one chunk cannot both be the first.
    writing: Mutex<()>,
}

impl Blobs {
    /// Opens the directory and removes files that a crash left unfinished.
    pub(super) fn open(parent: &Path) -> Result<Self, StoreError> {
        let dir = parent.join("blobs");
        fs::create_dir_all(&dir)?;
        sync_dir(parent)?;
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tmp-")) {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { dir, writing: Mutex::new(()) })
    }

    fn blob(&self, id: &BlobId) -> PathBuf {
        self.dir.join(id.to_hex())
    }

    /// Writes a chunk once, durable on return.
    pub(super) fn put(&self, id: &BlobId, index: u32, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > BLOB_CHUNK {
            return Err(StoreError::TooLarge);
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = self.get(id, index)? {
            return if there == bytes { Ok(()) } else { Err(StoreError::Conflict) };
        }
        let blob = self.blob(id);
        if !blob.exists() {
            fs::create_dir(&blob)?;
            sync_dir(&self.dir)?;
        }
        let tmp = self.dir.join("tmp-chunk");
        let written = write_durably(&tmp, bytes);
        if written.is_err() {
            // On a full disk what was written of it takes room for nothing.
            let _ = fs::remove_file(&tmp);
        }
        written?;
        rename_durably(&tmp, &blob.join(index.to_string()))
    }

    /// Reads a chunk.
    pub(super) fn get(&self, id: &BlobId, index: u32) -> Result<Option<Vec<u8>>, StoreError> {
        match fs::read(self.blob(id).join(index.to_string())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a blob.
    pub(super) fn remove(&self, id: &BlobId) -> Result<(), StoreError> {
        match fs::remove_dir_all(self.blob(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => sync_dir(&self.dir),
        }
    }

    /// All blobs.
    pub(super) fn list(&self) -> Result<Vec<BlobId>, StoreError> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            ids.extend(entry?.file_name().to_str().and_then(BlobId::from_hex));
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
