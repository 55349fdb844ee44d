//! What goes wrong in a bot.

use std::fmt;

use super::super::agent::ApiError;

/// What most of a bot returns.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why a bot stopped or a call was refused: one sentence and, if there is one, the next step.
#[derive(Clone, PartialEq)]
pub struct Error {
    message: String,
    hint: Option<String>,
    /// The exit code of a command that fails with this; none of a bot's own errors.
    exit: Option<u8>,
}

impl Error {
    /// An error of the bot's own, in words for whoever reads the log. A handler that returns it is
    /// tried again.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: None }
    }

    pub(super) fn exit(&self) -> Option<u8> {
        self.exit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "{} {hint}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

// `main` prints a returned error with Debug.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self { message: error.message, hint: error.hint, exit: Some(error.exit) }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("A value could not be read or written as JSON: {error}."))
    }
}
