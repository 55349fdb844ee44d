//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In the file, on this line if it can be told.
    File(PathBuf, Option<usize>),
    /// In this environment variable.
    Environment(String),
    /// By this flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(out, "default"),
            Self::File(path, Some(line)) => write!(out, "{} line {line}", path.display()),
            Self::File(path, None) => write!(out, "{}", path.display()),
            Self::Environment(name) => write!(out, "{name}"),
            Self::Flag(name) => write!(out, "{name}"),
        }
    }
}

/// Why the configuration is not one. The operator is at fault, or the file system.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}; it must be readable by the user that runs this command", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{} is no configuration: it has more than {max} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest that is read.
        max: u64,
    },
    /// The file is no TOML.
    #[error("{at}: {message}; write `key = value` under a `[section]`")]
    Syntax {
        /// The file and line.
        at: Origin,
        /// What the parser says.
        message: String,
    },
    /// A value has another type or unit, or is out of range.
    #[error("{at}: `{key}` is wrong: {message}; for example {example}")]
    Value {
        /// Where it is set.
        at: Origin,
        /// The key with its section.
        key: String,
        /// What is wrong.
        message: String,
        /// The default, as it would stand in the file.
        example: String,
    },
    /// A section or key that nobody defined.
    #[error("{at}: unknown key `{key}`{}", hint(.nearest))]
    Unknown {
        /// Where it is set.
        at: Origin,
        /// The key with its section.
        key: String,
        /// What it might have been.
        nearest: Option<String>,
    },
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; `staffetta-relay config print` shows all there are".to_owned(),
    }
}
