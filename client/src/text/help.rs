//! The help of the commands. English stands at the commands themselves, in `commands`; every other
//! language is a table beside it.

use super::{Language, fr, language};

/// Whether the help is in another language than that of the commands' table.
pub(crate) fn is_translated() -> bool {
    language() != Language::En
}

/// What `english` says of a command or flag.
pub(crate) fn of(english: &str) -> Option<&'static str> {
    fr::help::HELP.iter().find(|(known, _)| *known == english).map(|(_, text)| *text)
}

/// The frame of a page of help.
pub(crate) fn template() -> &'static str {
    fr::help::TEMPLATE
}

/// What the parser says of a line that is none; `None` if its own words will do.
pub(crate) fn wrong(error: &clap::Error) -> Option<String> {
    is_translated().then(|| fr::wrong::said(error)).flatten()
}

/// The heading of the commands.
pub(crate) fn commands() -> &'static str {
    "Commandes\u{a0}"
}

/// The heading of what stands without a flag.
pub(crate) fn arguments() -> &'static str {
    "Arguments\u{a0}"
}

/// The heading of the flags.
pub(crate) fn options() -> &'static str {
    "Options\u{a0}"
}

/// `--help`
pub(crate) fn help() -> &'static str {
    "Afficher l’aide"
}

/// `--version`
pub(crate) fn version() -> &'static str {
    "Afficher la version"
}
