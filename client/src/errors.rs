//! What went wrong, as a sentence with the next step on standard error and an exit code.

use std::io;

use crate::api::ApiError;
use crate::text;

/// The exit codes of UX.md section 2, as far as the client itself decides them.
pub(crate) mod exit {
    /// Refused or failed.
    pub(crate) const FAILED: u8 = 1;
    /// Wrong usage.
    pub(crate) const USAGE: u8 = 2;
    /// The relay cannot be reached.
    pub(crate) const UNREACHABLE: u8 = 69;
    /// Try again.
    pub(crate) const TRY_AGAIN: u8 = 75;
    /// Not permitted, a wrong passphrase for one.
    pub(crate) const DENIED: u8 = 77;
    /// Bad configuration.
    pub(crate) const CONFIG: u8 = 78;
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The agent said no.
    Api(ApiError),
    /// We said no: exit code, what was wrong, and the next step.
    Refused { exit: u8, message: String, hint: Option<String> },
    /// What was wrong is printed already, as the result: the exit code.
    Said(u8),
    /// Standard output or standard error cannot be written, or the terminal cannot be used.
    Terminal(io::Error),
}

impl Failure {
    /// Refused or failed, exit 1.
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::with(exit::FAILED, message, hint)
    }

    /// Wrong usage, exit 2.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::with(exit::USAGE, message, hint)
    }

    /// A failure with its own exit code.
    pub(crate) fn with(exit: u8, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { exit, message: message.into(), hint: Some(hint.into()) }
    }

    /// The exit code. A reader of our output that has gone away is not a failure.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Api(error) => error.exit,
            Self::Refused { exit, .. } | Self::Said(exit) => *exit,
            Self::Terminal(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Terminal(_) => exit::FAILED,
        }
    }

    /// The lines for standard error: what was wrong, then the next step.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (message, hint) = match self {
            Self::Api(error) => {
                (text::sentence(&error.message), error.hint.as_deref().map(text::next_step))
            }
            Self::Refused { message, hint, .. } => (message.clone(), hint.clone()),
            Self::Said(_) => return Vec::new(),
            Self::Terminal(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Vec::new();
            }
            Self::Terminal(error) => {
                (text::terminal_failed(&text::words::kind(error.kind())), None)
            }
        };
        std::iter::once(message).chain(hint).collect()
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Terminal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_what_next() {
        let failure = Failure::usage("There is no terminal.", "Use --passphrase-file.");
        assert_eq!(failure.exit(), 2);
        assert_eq!(failure.lines(), ["There is no terminal.", "Use --passphrase-file."]);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit(), 0);
        assert!(failure.lines().is_empty());
    }

    #[test]
    fn what_the_agent_says_becomes_a_sentence_with_its_exit_code() {
        let error = ApiError {
            code: 1,
            exit: 77,
            message: "the passphrase is wrong".into(),
            hint: Some("try again: staffetta status".into()),
            data: serde_json::Value::Null,
        };
        let failure = Failure::from(error);
        assert_eq!(failure.exit(), 77);
        assert_eq!(failure.lines(), ["The passphrase is wrong.", "Try again: staffetta status"]);
    }
}
