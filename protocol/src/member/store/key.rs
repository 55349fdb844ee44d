//! The passphrase, and the key file that wraps the database key under it.
//!
//! `key` holds, big-endian: magic 8 | version 1 | memory in KiB 4 | passes 4 | salt 16 | nonce 24 |
//! wrapped key 48. The wrap is XChaCha20-Poly1305 under Argon2id (RFC 9106, version 0x13, one
//! lane) of the passphrase in NFC; everything before the wrapped key is its associated data.

#[cfg(test)]
mod tests;

use std::path::Path;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::files;
use crate::random::{Random, bytes};
use crate::secret::Secret;

pub(super) const KEY_FILE: &str = "key";
const MAGIC: &[u8; 8] = b"stafkey\0";
const VERSION: u8 = 1;
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const KEY_LEN: usize = 32;
const HEADER_LEN: usize = MAGIC.len() + 1 + 4 + 4 + SALT_LEN + NONCE_LEN;
const FILE_LEN: usize = HEADER_LEN + KEY_LEN + TAG_LEN;

/// What people type to open a profile. Held in NFC, so that every keyboard's form is the same one.
pub struct Passphrase(Zeroizing<String>);

/// The random key of the database, 32 bytes.
pub struct DbKey(Secret<KEY_LEN>);

const _: () = {
    assert!(std::mem::needs_drop::<Passphrase>());
    assert!(std::mem::needs_drop::<DbKey>());
};

impl Passphrase {
    /// NFC grows UTF-8 by no more than this factor (Unicode Standard Annex #15).
    const MAX_GROWTH: usize = 3;

    /// Takes over what was typed or read, without its line end.
    pub fn new(typed: Zeroizing<String>) -> Self {
        // Reserved at once: a growing string would leave unwiped copies behind.
        let mut text = Zeroizing::new(String::with_capacity(typed.len() * Self::MAX_GROWTH));
        text.extend(typed.nfc());
        Self(text)
    }

    /// The text, to be handed to the process that holds the profile and nowhere else.
    pub(in super::super) fn expose(&self) -> &str {
        &self.0
    }
}

impl DbKey {
    /// Makes a fresh key.
    pub fn generate(random: &mut (impl Random + ?Sized)) -> Self {
        Self(Secret::random(random))
    }

    /// The bytes, for the key pragma and nothing else.
    pub(in super::super) fn secret(&self) -> &Secret<KEY_LEN> {
        &self.0
    }
}

/// The cost of deriving the wrapping key from the passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    memory_kib: u32,
    passes: u32,
}

impl Calibration {
    /// The least that is ever used: 64 MiB, three passes.
    pub const FLOOR: Self = Self { memory_kib: 64 * 1024, passes: 3 };
    /// The most that is ever used or believed: 1 GiB, 16 passes.
    pub const CEILING: Self = Self { memory_kib: 1024 * 1024, passes: 16 };
    /// What one derivation should take, in milliseconds.
    pub const TARGET_MS: u64 = 1000;

    /// Chooses a cost of about [`Self::TARGET_MS`] on this machine by timing one derivation at
    /// the floor; `now_ms` is a monotonic clock in milliseconds.
    ///
    /// # Errors
    /// [`KeyError::Memory`] if not even the floor's memory can be had.
    pub fn measure(now_ms: &mut dyn FnMut() -> u64) -> Result<Self, KeyError> {
        let begun = now_ms();
        Self::FLOOR.derive(&Passphrase(Zeroizing::new(String::new())), &[0; SALT_LEN])?;
        Ok(Self::for_elapsed(now_ms().saturating_sub(begun)))
    }

    /// The cost for a machine on which the floor took `ms` milliseconds: memory grows first,
    /// because it is what an attacker's hardware pays most for.
    fn for_elapsed(ms: u64) -> Self {
        let factor = u32::try_from(Self::TARGET_MS / ms.max(1)).unwrap_or(u32::MAX).max(1);
        let room = Self::CEILING.memory_kib / Self::FLOOR.memory_kib;
        let memory_factor = factor.min(room);
        let passes = Self::FLOOR.passes.saturating_mul(factor / memory_factor);
        Self {
            memory_kib: Self::FLOOR.memory_kib * memory_factor,
            passes: passes.min(Self::CEILING.passes),
        }
    }

    fn is_believable(self) -> bool {
        (Self::FLOOR.memory_kib..=Self::CEILING.memory_kib).contains(&self.memory_kib)
            && (Self::FLOOR.passes..=Self::CEILING.passes).contains(&self.passes)
    }

    fn derive(
        self,
        passphrase: &Passphrase,
        salt: &[u8; SALT_LEN],
    ) -> Result<Secret<KEY_LEN>, KeyError> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(KEY_LEN))
            .map_err(|_| KeyError::Damaged)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut memory = Vec::new();
        memory.try_reserve_exact(argon.params().block_count()).map_err(|_| KeyError::Memory)?;
        memory.resize(argon.params().block_count(), Block::default());
        let mut derived = Ok(());
        let key = Secret::filled(|out| {
            derived = argon.hash_password_into_with_memory(
                passphrase.0.as_bytes(),
                salt,
                out.as_mut_slice(),
                &mut memory,
            );
        });
        // The library leaves the filled memory to its caller.
        memory.iter_mut().for_each(|block| block.zeroize());
        derived.map_err(|_| KeyError::Damaged)?;
        Ok(key)
    }
}

/// Why a key file cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The passphrase is not the one the key file was made with.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// There is no key file in the directory.
    #[error("no profile here")]
    NoProfile,
    /// There is a key file in the directory already; it was not touched.
    #[error("a profile is already here")]
    AlreadyThere,
    /// The key file was written by a newer program.
    #[error("the key file has version {found}")]
    Newer {
        /// The version found.
        found: u8,
    },
    /// The key file is not one, or asks for a cost outside floor and ceiling.
    #[error("the key file is damaged")]
    Damaged,
    /// The machine has not enough free memory for the derivation.
    #[error("not enough memory to derive the key")]
    Memory,
    /// The file cannot be read or written.
    #[error("the key file cannot be read or written")]
    Io(#[source] std::io::Error),
}

impl From<std::io::Error> for KeyError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NoProfile,
            _ => Self::Io(error),
        }
    }
}

/// Whether `dir` has a key file.
pub fn has_key(dir: &Path) -> bool {
    dir.join(KEY_FILE).exists()
}

/// Makes a random database key and the key file in `dir` that wraps it under `passphrase`: whole
/// and durable, or absent. The caller holds the profile's lock.
///
/// # Errors
/// [`KeyError::AlreadyThere`], [`KeyError::Memory`], or what the file system said.
pub fn create_key(
    dir: &Path,
    passphrase: &Passphrase,
    calibration: Calibration,
    random: &mut (impl Random + ?Sized),
) -> Result<DbKey, KeyError> {
    // A lost key file is a lost profile, so one is never written over.
    if has_key(dir) {
        return Err(KeyError::AlreadyThere);
    }
    let key = DbKey::generate(random);
    write_key(dir, &key, passphrase, calibration, random)?;
    Ok(key)
}

/// Wraps the database key under another passphrase. The old key file is whole until the new one
/// is, and gone then. A copy of the old one still opens with the old passphrase.
///
/// # Errors
/// As [`unlock_key`] for the old passphrase, and as [`create_key`].
pub fn change_passphrase(
    dir: &Path,
    old: &Passphrase,
    new: &Passphrase,
    calibration: Calibration,
    random: &mut (impl Random + ?Sized),
) -> Result<(), KeyError> {
    let key = unlock_key(dir, old)?;
    write_key(dir, &key, new, calibration, random)
}

fn write_key(
    dir: &Path,
    key: &DbKey,
    passphrase: &Passphrase,
    calibration: Calibration,
    random: &mut (impl Random + ?Sized),
) -> Result<(), KeyError> {
    let header = Header { calibration, salt: bytes(random), nonce: bytes(random) };
    let wrapping = header.calibration.derive(passphrase, &header.salt)?;
    let mut file = header.encode();
    let mut wrapped = Zeroizing::new(*key.secret().expose());
    let tag = XChaCha20Poly1305::new(wrapping.expose().into())
        .encrypt_in_place_detached(XNonce::from_slice(&header.nonce), &file, wrapped.as_mut_slice())
        .map_err(|_| KeyError::Damaged)?;
    file.extend_from_slice(wrapped.as_slice());
    file.extend_from_slice(&tag);
    Ok(files::write_whole(dir, KEY_FILE, &file)?)
}

/// Opens the key file in `dir`. Takes about as long as its calibration says, right or wrong.
///
/// # Errors
/// [`KeyError::WrongPassphrase`], [`KeyError::NoProfile`], [`KeyError::Newer`],
/// [`KeyError::Damaged`], [`KeyError::Memory`], or what the file system said.
pub fn unlock_key(dir: &Path, passphrase: &Passphrase) -> Result<DbKey, KeyError> {
    let file = std::fs::read(dir.join(KEY_FILE))?;
    let (header, sealed) = file.split_at_checked(HEADER_LEN).ok_or(KeyError::Damaged)?;
    let (wrapped, tag) = sealed.split_at_checked(KEY_LEN).ok_or(KeyError::Damaged)?;
    let fields = Header::decode(header)?;
    if file.len() != FILE_LEN {
        return Err(KeyError::Damaged);
    }
    let wrapping = fields.calibration.derive(passphrase, &fields.salt)?;
    let mut opened = Ok(());
    let key = Secret::filled(|out: &mut [u8; KEY_LEN]| {
        out.copy_from_slice(wrapped);
        opened = XChaCha20Poly1305::new(wrapping.expose().into()).decrypt_in_place_detached(
            XNonce::from_slice(&fields.nonce),
            header,
            out.as_mut_slice(),
            Tag::from_slice(tag),
        );
    });
    opened.map_err(|_| KeyError::WrongPassphrase)?;
    Ok(DbKey(key))
}

struct Header {
    calibration: Calibration,
    salt: [u8; SALT_LEN],
    nonce: [u8; NONCE_LEN],
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FILE_LEN);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&self.calibration.memory_kib.to_be_bytes());
        out.extend_from_slice(&self.calibration.passes.to_be_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.nonce);
        out
    }

    fn decode(header: &[u8]) -> Result<Self, KeyError> {
        let rest = header.strip_prefix(MAGIC).ok_or(KeyError::Damaged)?;
        let (version, rest) = rest.split_first().ok_or(KeyError::Damaged)?;
        if *version > VERSION {
            return Err(KeyError::Newer { found: *version });
        }
        let (memory, rest) = rest.split_first_chunk().ok_or(KeyError::Damaged)?;
        let (passes, rest) = rest.split_first_chunk().ok_or(KeyError::Damaged)?;
        let (salt, nonce) = rest.split_first_chunk().ok_or(KeyError::Damaged)?;
        let calibration = Calibration {
            memory_kib: u32::from_be_bytes(*memory),
            passes: u32::from_be_bytes(*passes),
        };
        // A file that was made cheap, or impossibly dear, was not made by us.
        if *version != VERSION || !calibration.is_believable() {
            return Err(KeyError::Damaged);
        }
        let nonce = nonce.try_into().map_err(|_| KeyError::Damaged)?;
        Ok(Self { calibration, salt: *salt, nonce })
    }
}
