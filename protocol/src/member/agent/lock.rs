//! Locking: the core, and with it every key, leaves memory and the database is closed; the process,
//! its socket and its subscribers stay.
//!
//! The link goes down too. Its session has keys of its own, and what came in could not be read
//! anyway: the relay keeps it until the profile is unlocked.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::Stay;
use super::core::{ApiError, Core};
use super::profile;
use crate::member::store::Passphrase;

/// What a passphrase opens.
pub(super) trait Vault: Send {
    /// Whether the passphrase is the right one. Nothing is opened.
    ///
    /// # Errors
    /// Exit 77 if it is not.
    fn check(&self, passphrase: &Passphrase) -> Result<(), ApiError>;

    /// Opens the profile, which nobody else has open.
    ///
    /// # Errors
    /// As [`Vault::check`]; 1 if the profile is gone or cannot be read.
    fn open(&self, passphrase: &Passphrase) -> Result<Box<dyn Core>, ApiError>;
}

/// The profile in a directory whose lock this process has.
pub(super) struct InDir(pub(super) PathBuf);

impl Vault for InDir {
    fn check(&self, passphrase: &Passphrase) -> Result<(), ApiError> {
        profile::check(&self.0, passphrase)
    }

    fn open(&self, passphrase: &Passphrase) -> Result<Box<dyn Core>, ApiError> {
        profile::unlock(&self.0, passphrase)
    }
}

/// After how long without a local call a holder locks itself.
#[derive(Default)]
pub(super) struct Idle {
    after_ms: Option<u64>,
    last_call: u64,
}

impl Idle {
    /// `lock.after`: seconds in `idle_s`, 0 for never.
    pub(super) fn set(&mut self, params: &Value, now_ms: u64) -> Result<Value, ApiError> {
        let seconds = params.get("idle_s").and_then(Value::as_u64);
        let seconds = seconds.ok_or_else(|| ApiError::params("idle_s: seconds, 0 for never"))?;
        self.after_ms = (seconds > 0).then(|| seconds.saturating_mul(1_000));
        self.last_call = now_ms;
        Ok(json!({}))
    }

    /// A call came. What programs ask for by themselves does not count.
    pub(super) fn note(&mut self, method: &str, now_ms: u64) {
        if !matches!(method, "status" | "deliveries" | "lock.after") {
            self.last_call = now_ms;
        }
    }

    /// When to lock, in monotonic milliseconds.
    pub(super) fn due(&self) -> Option<u64> {
        self.after_ms.map(|after| self.last_call.saturating_add(after))
    }
}

/// What `status` says of a locked profile.
pub(super) fn locked_status() -> Value {
    json!({"connected": false, "locked": true, "head": null, "queued": null})
}

/// The answer to `ping`.
pub(super) fn pong(locked: bool, stay: Stay) -> Value {
    let mut pong = Map::new();
    pong.insert("v".to_owned(), json!(1));
    if locked {
        pong.insert("locked".to_owned(), json!(true));
    }
    if stay == Stay::Brief {
        pong.insert("brief".to_owned(), json!(true));
    }
    Value::Object(pong)
}

/// Takes the passphrase out of the parameters of `unlock`, without a copy.
pub(super) fn passphrase_in(mut params: Value) -> Result<Passphrase, ApiError> {
    let taken = params.as_object_mut().and_then(|fields| fields.remove("passphrase"));
    match taken {
        Some(Value::String(typed)) => Ok(Passphrase::new(typed.into())),
        _ => Err(ApiError::params("passphrase: a text")),
    }
}
