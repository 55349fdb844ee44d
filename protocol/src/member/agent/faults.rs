//! What the agent itself answers when a call cannot be carried out.

use serde_json::{Value, json};

use super::core::ApiError;

/// JSON-RPC 2.0: not JSON.
pub(super) const PARSE: i64 = -32_700;
/// JSON-RPC 2.0: JSON, but no request.
pub(super) const REQUEST: i64 = -32_600;
/// JSON-RPC 2.0: parameters that do not fit.
pub(super) const PARAMS: i64 = -32_602;
/// The agent is stopping, or has stopped.
const STOPPED: i64 = -32_001;
/// More at once than the agent takes on.
pub(super) const BUSY: i64 = -32_002;
/// The profile cannot be opened.
const PROFILE: i64 = -32_003;

/// The profile is locked.
pub const LOCKED: i64 = -32_004;

const USAGE: u8 = 2;
const FAILED: u8 = 1;
const TRY_AGAIN: u8 = 75;
const NOT_PERMITTED: u8 = 77;

impl ApiError {
    /// An error without facts for scripts.
    pub(super) fn plain(code: i64, exit: u8, message: &str, hint: Option<&str>) -> Self {
        let (message, hint) = (message.to_owned(), hint.map(str::to_owned));
        Self { code, exit, message, hint, data: Value::Null }
    }

    pub(super) fn malformed(code: i64, message: &str) -> Self {
        Self::plain(code, USAGE, message, None)
    }

    pub(super) fn stopped() -> Self {
        let message = "the process that holds this profile stopped before it answered";
        Self::plain(STOPPED, TRY_AGAIN, message, Some("repeat the command"))
    }

    pub(super) fn busy() -> Self {
        let message = "the process that holds this profile has too much to do at once";
        Self::plain(BUSY, TRY_AGAIN, message, Some("repeat the command in a moment"))
    }

    pub(super) fn held() -> Self {
        let message = "another process holds this profile and does not answer";
        Self::plain(PROFILE, TRY_AGAIN, message, Some("end it, or wait until it has finished"))
    }

    pub(super) fn params(message: &str) -> Self {
        Self::malformed(PARAMS, message)
    }

    pub(super) fn locked() -> Self {
        let message = "this profile is locked";
        Self::plain(LOCKED, NOT_PERMITTED, message, Some("unlock it: staffetta unlock"))
    }

    /// Whether this says that the process that holds the profile has gone.
    pub fn is_stopped(&self) -> bool {
        self.code == STOPPED
    }

    /// Whether this says that the profile is locked.
    pub fn is_locked(&self) -> bool {
        self.code == LOCKED
    }

    pub(super) fn no_profile() -> Self {
        let hint = "join a team first: staffetta join CODE --name NAME";
        Self::plain(PROFILE, FAILED, "there is no profile here", Some(hint))
    }

    pub(super) fn io(what: &str, error: &std::io::Error) -> Self {
        // The kind says what is wrong; the whole text could name a path.
        let message = format!("{what}: {}", error.kind());
        Self::plain(PROFILE, FAILED, &message, Some("check the profile directory and the disk"))
    }

    /// The `error` object of JSON-RPC 2.0.
    pub(super) fn to_json(&self) -> Value {
        let data = json!({ "exit": self.exit, "hint": self.hint, "data": self.data });
        json!({ "code": self.code, "message": self.message, "data": data })
    }

    /// Reads [`ApiError::to_json`]; what is missing is taken for a plain failure.
    pub(super) fn from_json(error: &Value) -> Self {
        let data = error.get("data");
        let field = |name: &str| data.and_then(|data| data.get(name));
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Self {
            code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
            exit: field("exit")
                .and_then(Value::as_u64)
                .and_then(|exit| u8::try_from(exit).ok())
                .unwrap_or(FAILED),
            message: text(error.get("message")).unwrap_or_default(),
            hint: text(field("hint")),
            data: field("data").cloned().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_socket() {
        let data = json!({ "id": "ab", "seq": null, "state": "queued" });
        let error = ApiError { data, exit: 69, ..ApiError::busy() };
        assert_eq!(ApiError::from_json(&error.to_json()), error);
        assert_eq!(ApiError::from_json(&ApiError::stopped().to_json()), ApiError::stopped());
        assert_eq!(ApiError::from_json(&json!(7)).exit, FAILED);
    }
}
