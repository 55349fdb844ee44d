//! From a profile's directory and a passphrase to an engine.

use std::path::Path;

use super::clock::Clock;
use super::core::{ApiError, Core};
use crate::member::e2ee;
use crate::member::engine::Engine;
use crate::member::store::{
    self, Calibration, KeyError, LockError, Passphrase, ProfileLock, Store, StoreError, create_key,
    has_key, make_private_dir, unlock_key,
};
use crate::random::OsRandom;

/// Whether there is a profile in `dir`, of a team or on its way into one.
pub fn has_profile(dir: &Path) -> bool {
    has_key(dir)
}

/// Unlocks an existing profile whose lock the caller holds.
///
/// # Errors
/// Exit 77 for a wrong passphrase, 1 for no profile or one that cannot be read.
pub fn unlock(dir: &Path, passphrase: &Passphrase) -> Result<Box<dyn Core>, ApiError> {
    let key = unlock_key(dir, passphrase).map_err(ApiError::from)?;
    let store = Store::open(dir, &key, e2ee::migrate).map_err(ApiError::from)?;
    Ok(Box::new(Engine::open(store, Box::new(OsRandom))?))
}

/// Whether `passphrase` is the profile's. Nothing is opened.
///
/// # Errors
/// As [`unlock`].
pub(super) fn check(dir: &Path, passphrase: &Passphrase) -> Result<(), ApiError> {
    unlock_key(dir, passphrase)?;
    Ok(())
}

/// Wraps the profile's key under another passphrase; who holds the profile is not disturbed.
///
/// # Errors
/// Exit 77 for a wrong old passphrase, 1 for no profile or one that cannot be written.
pub fn change_passphrase(dir: &Path, old: &Passphrase, new: &Passphrase) -> Result<(), ApiError> {
    let clock = Clock::start();
    let calibration = Calibration::measure(&mut || clock.ms())?;
    Ok(store::change_passphrase(dir, old, new, calibration, &mut OsRandom)?)
}

/// Destroys the profile in `dir`, the key first. Needs no passphrase.
///
/// # Errors
/// Exit 1 for no profile, or one that cannot be removed.
pub fn wipe(dir: &Path) -> Result<(), ApiError> {
    store::wipe(dir).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ApiError::no_profile(),
        _ => ApiError::io("the profile cannot be removed whole", &error),
    })
}

/// Unlocks the profile in `dir`, or makes a new one there, and takes its lock.
///
/// # Errors
/// As [`unlock`]; 75 if another process holds it.
pub(super) fn create_or_unlock(
    dir: &Path,
    passphrase: &Passphrase,
    clock: Clock,
) -> Result<(ProfileLock, Engine), ApiError> {
    make_private_dir(dir)
        .map_err(|error| ApiError::io("the profile's directory cannot be made", &error))?;
    let lock = ProfileLock::try_acquire(dir).map_err(|error| match error {
        LockError::Held => ApiError::held(),
        LockError::NoProfile => ApiError::no_profile(),
        LockError::Io(error) => ApiError::io("the profile's lock cannot be taken", &error),
    })?;
    let key = if has_key(dir) {
        unlock_key(dir, passphrase)?
    } else {
        let calibration = Calibration::measure(&mut || clock.ms())?;
        create_key(dir, passphrase, calibration, &mut OsRandom)?
    };
    let store = if Store::exists(dir) {
        Store::open(dir, &key, e2ee::migrate)?
    } else {
        Store::create(dir, &key, e2ee::migrate)?
    };
    Ok((lock, Engine::open(store, Box::new(OsRandom))?))
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::WrongPassphrase => Self::plain(
                -32_077,
                77,
                "The passphrase is wrong.",
                Some("Try again; nothing was changed."),
            ),
            KeyError::NoProfile => Self::no_profile(),
            error => {
                Self::plain(-32_001, 1, &format!("The profile cannot be opened: {error}."), None)
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoProfile => Self::no_profile(),
            error => {
                Self::plain(-32_001, 1, &format!("The profile cannot be opened: {error}."), None)
            }
        }
    }
}
