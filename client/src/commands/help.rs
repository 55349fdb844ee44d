//! The help of the commands in the language that is spoken. English stands at the commands themselves.

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::Cli;
use crate::text::help;

/// Reads the process's arguments; prints help, version or what is wrong with them, and ends the process,
/// as clap does.
pub(crate) fn parse() -> Cli {
    let parsed = command().try_get_matches().and_then(|found| Cli::from_arg_matches(&found));
    match parsed {
        Ok(cli) => cli,
        Err(error) => match help::wrong(&error) {
            Some(said) => {
                eprintln!("{said}");
                std::process::exit(error.exit_code())
            }
            None => error.exit(),
        },
    }
}

/// The table of commands, with help in the language that is spoken.
pub(crate) fn command() -> Command {
    let command = Cli::command();
    if !help::is_translated() {
        return command;
    }
    let flag = |id: &'static str, short, action, about| {
        Arg::new(id).short(short).long(id).action(action).help(about)
    };
    let command = command.disable_version_flag(true).arg(flag(
        "version",
        'V',
        ArgAction::Version,
        help::version(),
    ));
    let help = flag("help", 'h', ArgAction::Help, help::help()).global(true);
    let help = help.help_heading(help::options());
    translated(command).arg(help)
}

/// `command` and all below it.
fn translated(command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let mut command = command
        .disable_help_flag(true)
        .help_template(help::template())
        .subcommand_help_heading(help::commands())
        .mut_args(|arg| {
            let heading = if arg.is_positional() { help::arguments() } else { help::options() };
            let about = arg.get_help().and_then(|about| help::of(&about.to_string()));
            let arg = arg.help_heading(heading);
            match about {
                Some(about) => arg.help(about).long_help(None),
                None => arg,
            }
        });
    let about = command.get_about().and_then(|about| help::of(&about.to_string()));
    if let Some(about) = about {
        command = command.about(about).long_about(None);
    }
    for name in names {
        command = command.mut_subcommand(name, translated);
    }
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::{Language, speak};

    /// Every line of the help.
    fn texts(command: &Command) -> BTreeSet<String> {
        let own = command.get_about();
        let args = command.get_arguments().filter_map(Arg::get_help);
        let own = own.into_iter().chain(args).map(ToString::to_string);
        own.chain(command.get_subcommands().flat_map(texts)).collect()
    }

    #[test]
    fn every_line_of_the_help_is_there_in_french() {
        speak(Language::Fr);
        let english = texts(&Cli::command());
        assert!(english.len() > 80, "only {} lines of help", english.len());
        let missing: Vec<_> = english.iter().filter(|text| help::of(text).is_none()).collect();
        assert!(missing.is_empty(), "not in text/fr/help.rs: {missing:#?}");
    }

    #[test]
    fn a_wrong_line_is_explained_in_french() {
        speak(Language::Fr);
        let said = |line: &str| {
            let line = line.split_whitespace();
            let error = command().try_get_matches_from(line).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            help::wrong(&error).unwrap_or_else(|| error.to_string())
        };
        for (line, wanted) in [
            ("staffetta sned general x", "«\u{a0}send\u{a0}»"),
            ("staffetta send general", "Il manque\u{a0}: <TEXT>"),
            ("staffetta status --jsno", "«\u{a0}--json\u{a0}»"),
            ("staffetta status --json --plain", "ne va pas avec"),
            ("staffetta invite --role king", "possible\u{a0}: member, admin, bot"),
            ("staffetta invite --ttl soon", "«\u{a0}soon\u{a0}» ne va pas"),
            ("staffetta room", "Utilisation"),
            ("staffetta join x --name", "Il manque une valeur"),
        ] {
            let said = said(line);
            assert!(said.contains(wanted), "{line}: {said}");
            for english in ["Usage", "error:", "tip:", "try '--help'"] {
                assert!(!said.contains(english), "{line}: {said}");
            }
        }
        let shown = command().try_get_matches_from(["staffetta", "--help"]).unwrap_err();
        assert!(help::wrong(&shown).is_none());
    }

    #[test]
    fn french_help_parses_what_english_help_parses() {
        speak(Language::Fr);
        command().debug_assert();
        let line = ["staffetta", "send", "general", "bonjour", "--json"];
        assert!(command().try_get_matches_from(line).is_ok());
        for line in [&["staffetta", "--help"][..], &["staffetta", "room", "add", "-h"]] {
            let shown = command().try_get_matches_from(line).unwrap_err().to_string();
            assert!(shown.contains("Utilisation"), "{shown}");
            assert!(!shown.contains("Usage") && !shown.contains("Options:"), "{shown}");
        }
    }
}
