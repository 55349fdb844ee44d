//! What can go wrong in a step, and how it is told.

use serde_json::Value;

use crate::member::agent::core::ApiError;
use crate::member::e2ee;
use crate::member::roster::RosterError;
use crate::member::store::StoreError;

/// Why a step was rolled back.
#[derive(Debug)]
pub(super) enum Fault {
    /// The caller asked for what cannot be done, said in words.
    Refused(ApiError),
    /// The store failed.
    Store(StoreError),
    /// MLS failed where it should not.
    Mls(&'static str),
    /// Our own bug: a state that cannot be.
    Bug(&'static str),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<e2ee::Error> for Fault {
    fn from(error: e2ee::Error) -> Self {
        match error {
            e2ee::Error::Storage(error) => Self::Store(error.into()),
            _ => Self::Mls("a group operation failed"),
        }
    }
}

impl From<RosterError> for Fault {
    fn from(error: RosterError) -> Self {
        Self::Refused(refused(&format!("The team's list does not allow this: {error}."), None))
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Store(StoreError::DiskFull) => failed(
                75,
                "This computer's disk is full; nothing was changed.",
                Some("Make room and try again."),
            ),
            Fault::Store(error) => {
                failed(1, &format!("The profile could not be read or written: {error}."), None)
            }
            Fault::Mls(what) | Fault::Bug(what) => failed(
                1,
                &format!("Something inside went wrong ({what}); nothing was changed."),
                Some("Run the command again; if it stays, report it."),
            ),
        }
    }
}

/// Refused: exit 1, with the next step.
pub(super) fn refused(message: &str, hint: Option<&str>) -> ApiError {
    failed(1, message, hint)
}

/// A failure with an exit code of the contract.
pub(super) fn failed(exit: u8, message: &str, hint: Option<&str>) -> ApiError {
    ApiError {
        code: -32_000 - i64::from(exit),
        exit,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
        data: Value::Null,
    }
}

/// A call whose parameters are not what the method takes.
pub(super) fn bad_params(message: &str) -> ApiError {
    ApiError { code: -32_602, exit: 2, message: message.to_owned(), hint: None, data: Value::Null }
}

/// The relay does not let this device in.
pub(super) fn rejected() -> ApiError {
    failed(
        77,
        "The relay refuses this device: revoked, or clock off by more than 10 minutes. What was written is queued.",
        Some("Check the clock, then ask an admin."),
    )
}
