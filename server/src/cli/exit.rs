//! Exit codes.

use std::process::ExitCode;

use crate::admin::AdminError;
use crate::backup::BackupError;
use crate::config::ConfigError;
use crate::store::StoreError;

/// The command was not understood.
const USAGE: u8 = 2;
/// The relay cannot be reached.
const UNREACHABLE: u8 = 69;
/// Try again later.
const TRY_AGAIN: u8 = 75;
/// Not permitted.
const NOT_PERMITTED: u8 = 77;
/// Bad configuration.
const CONFIG: u8 = 78;

/// The command was not understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) &'static str);

/// What the process exits with after `error`.
pub(super) fn code(error: &anyhow::Error) -> ExitCode {
    let store = |error: &StoreError| match error {
        StoreError::Locked => Some(TRY_AGAIN),
        StoreError::Format => Some(CONFIG),
        _ => None,
    };
    let code = if error.is::<ConfigError>() {
        Some(CONFIG)
    } else if error.is::<Usage>() {
        Some(USAGE)
    } else if let Some(error) = error.downcast_ref::<AdminError>() {
        match error {
            AdminError::NotServing(_) | AdminError::Broken(_) => Some(UNREACHABLE),
            AdminError::Denied => Some(NOT_PERMITTED),
            AdminError::Refused(_) | AdminError::File(_) => None,
        }
    } else if let Some(BackupError::Store(error)) = error.downcast_ref() {
        store(error)
    } else if let Some(BackupError::WrongIdentity) = error.downcast_ref() {
        Some(NOT_PERMITTED)
    } else {
        error.downcast_ref().and_then(store)
    };
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
