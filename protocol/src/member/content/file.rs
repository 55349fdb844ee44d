//! A reference to a file: where its sealed bytes are, and what opens and proves them.

use std::sync::Arc;

use ciborium::Value;

use super::cbor::{array, bytes, field, number};
use super::{ContentError, MAX_NUMBER};
use crate::secret::Secret;
use crate::wire::ids::{BlobId, Digest};

/// The largest file, in bytes: it fits one blob, padded.
pub const MAX_FILE: u64 = 60 * 1024 * 1024;
/// The longest file name, in bytes of UTF-8.
pub const MAX_FILE_NAME: usize = 255;

/// A file as a message names it.
#[derive(Clone)]
pub struct FileRef {
    /// Its name as the sender gave it, 1 to [`MAX_FILE_NAME`] bytes; not yet safe for any disk.
    pub name: String,
    /// Its size in bytes, without padding.
    pub size: u64,
    /// The blob that holds it.
    pub blob: BlobId,
    /// The key of that blob and of nothing else.
    pub key: Arc<Secret<32>>,
    /// BLAKE2s of the file's bytes.
    pub hash: Digest,
}

impl PartialEq for FileRef {
    fn eq(&self, other: &Self) -> bool {
        self.key.ct_eq(other.key.expose())
            && (&self.name, self.size, self.blob, self.hash)
                == (&other.name, other.size, other.blob, other.hash)
    }
}

impl FileRef {
    pub(super) fn body(&self) -> Result<Value, ContentError> {
        self.check()?;
        Ok(Value::Array(vec![
            Value::Text(self.name.clone()),
            self.size.into(),
            bytes(&self.blob.0),
            bytes(self.key.expose()),
            bytes(&self.hash.0),
        ]))
    }

    pub(super) fn read(body: &Value) -> Result<Self, ContentError> {
        let Some([name, size, blob, key, hash]) = body.as_array().map(Vec::as_slice) else {
            return Err(ContentError::Field(field::BODY));
        };
        let wrong = ContentError::Field(field::BODY);
        let key = key.as_bytes().and_then(|key| Secret::copy(key)).ok_or(wrong)?;
        let file = Self {
            name: name.as_text().ok_or(wrong)?.to_owned(),
            size: number(field::BODY, size, MAX_NUMBER)?,
            blob: BlobId(array(field::BODY, blob)?),
            key: Arc::new(key),
            hash: Digest(array(field::BODY, hash)?),
        };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), ContentError> {
        let named = (1..=MAX_FILE_NAME).contains(&self.name.len());
        match named && self.size <= MAX_FILE {
            true => Ok(()),
            false => Err(ContentError::Field(field::BODY)),
        }
    }
}

/// The length that a file of `size` bytes is padded to with zeros: Padme (Nikitin et al., PETS
/// 2019), which hides all but a few bits of the length and adds at most 12 %.
pub fn padded(size: u64) -> u64 {
    if size < 2 {
        return size.max(1);
    }
    let exponent = u64::from(size.ilog2());
    let kept = u64::from(exponent.max(1).ilog2()) + 1;
    let mask = (1_u64 << exponent.saturating_sub(kept)) - 1;
    size.saturating_add(mask) & !mask
}

/// A name that is safe to give to a file here: one component, visible characters only, not hidden,
/// at most 200 bytes; never empty.
pub fn safe_name(name: &str) -> String {
    const MAX: usize = 200;
    let forbidden =
        |found: char| matches!(found, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let clean = super::sanitize_line(name).replace(forbidden, "_");
    let mut kept = String::new();
    for found in clean.trim().trim_start_matches('.').chars() {
        if kept.len() + found.len_utf8() > MAX {
            break;
        }
        kept.push(found);
    }
    let kept = kept.trim_end_matches(['.', ' ']);
    if kept.is_empty() { "file".to_owned() } else { kept.to_owned() }
}
