//! `team ...`, `verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `team ...`
#[derive(Subcommand)]
pub(crate) enum TeamCommand {
    /// Give a member another role
    Role {
        member: String,
        #[arg(value_parser = ["admin", "member"])]
        role: String,
    },
    /// List the team's changes with their numbers, oldest first
    Log,
    /// Show what the team has decided, or, as an admin, decide it
    Policy {
        /// Whether messages tell how far their sender has read
        #[arg(value_parser = ["receipts"], requires = "value")]
        name: Option<String>,
        #[arg(value_parser = ["on", "off"])]
        value: Option<String>,
    },
    /// Undo changes, with the 24 root words
    Rewind {
        /// The changes' numbers
        #[arg(required = true)]
        numbers: Vec<u32>,
        /// Read the root words from FILE, or from standard input with `-`, instead of asking
        #[arg(long, value_name = "FILE|-")]
        root_words_file: Option<PathBuf>,
    },
}

/// `verify`
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// Only this person
    pub(crate) member: Option<String>,
    /// The words you heard from that person: if they are right, it is marked verified
    #[arg(long, requires = "member")]
    pub(crate) words: Option<String>,
}
