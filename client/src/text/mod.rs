//! Every sentence that a person reads, in every language there is. A sentence is a function of its
//! name: `text::sent("general")`. Each area has a list of its sentences here and a table of the same
//! names in every language, so that the compiler finds what is missing. What scripts read (JSON, exit
//! codes, the names of commands, flags, rooms and states) never passes through here. It must never
//! know who asks.

use std::ffi::OsString;

use clap::ValueEnum;

/// The words of one area in one language: `name => "text";` or `name(argument: Type) => "{argument}";`.
macro_rules! say {
    ($($name:ident $(($($arg:ident: $type:ty),*))? => $text:literal;)*) => {
        $(say!(@one $name $(($($arg: $type),*))? $text);)*
    };
    (@one $name:ident $text:literal) => {
        pub(in crate::text) fn $name() -> &'static str {
            $text
        }
    };
    (@one $name:ident ($($arg:ident: $type:ty),*) $text:literal) => {
        pub(in crate::text) fn $name($($arg: $type),*) -> String {
            format!($text)
        }
    };
}

/// The sentences of one area: each is looked up, by its name, in the language that is spoken.
macro_rules! sentences {
    ($area:ident: $($name:ident $(($($arg:ident: $type:ty),*))?;)*) => {
        $(sentences!(@one $area $name $(($($arg: $type),*))?);)*
    };
    (@one $area:ident $name:ident) => {
        pub(crate) fn $name() -> &'static str {
            match crate::text::language() {
                crate::text::Language::En => crate::text::en::$area::$name(),
                crate::text::Language::Fr => crate::text::fr::$area::$name(),
            }
        }
    };
    (@one $area:ident $name:ident ($($arg:ident: $type:ty),*)) => {
        pub(crate) fn $name($($arg: $type),*) -> String {
            match crate::text::language() {
                crate::text::Language::En => crate::text::en::$area::$name($($arg),*),
                crate::text::Language::Fr => crate::text::fr::$area::$name($($arg),*),
            }
        }
    };
}

mod bots;
mod chat;
mod common;
mod en;
mod fr;
mod health;
pub(crate) mod help;
mod people;
pub(crate) mod screen;
pub(crate) mod wizard;
pub(crate) mod words;

pub(crate) use bots::*;
pub(crate) use chat::*;
pub(crate) use common::*;
pub(crate) use health::*;
pub(crate) use people::*;

/// The languages there are texts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    #[default]
    En,
    Fr,
}

impl Language {
    /// The language of the locale: the first of LC_ALL, LC_MESSAGES and LANG that says anything.
    pub(crate) fn of_locale(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(variable)
            .find(|value| !value.is_empty());
        let said = said.unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match said.split(['_', '-', '.', '@']).next() {
            Some("fr") => Self::Fr,
            _ => Self::En,
        }
    }

    /// The language that `--lang` names somewhere on a command line that is not parsed yet: what the
    /// parser itself says should be in it too.
    pub(crate) fn of_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut named = None;
        let mut next_is = false;
        for argument in arguments {
            let argument = argument.to_string_lossy();
            if argument == "--" {
                break;
            }
            let value = if next_is { Some(&*argument) } else { argument.strip_prefix("--lang=") };
            named = value.and_then(|value| Self::from_str(value, false).ok()).or(named);
            next_is = argument == "--lang";
        }
        named
    }
}

#[cfg(not(test))]
mod spoken {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::Language;

    static FRENCH: AtomicBool = AtomicBool::new(false);

    pub(crate) fn speak(language: Language) {
        FRENCH.store(language == Language::Fr, Ordering::Relaxed);
    }

    pub(crate) fn language() -> Language {
        if FRENCH.load(Ordering::Relaxed) { Language::Fr } else { Language::En }
    }
}

/// In tests every thread speaks its own language.
#[cfg(test)]
mod spoken {
    use std::cell::Cell;

    use super::Language;

    thread_local! {
        static SPOKEN: Cell<Language> = const { Cell::new(Language::En) };
    }

    pub(crate) fn speak(language: Language) {
        SPOKEN.set(language);
    }

    pub(crate) fn language() -> Language {
        SPOKEN.get()
    }
}

pub(crate) use spoken::{language, speak};

/// What the agent says, which is English, in the language that is spoken; as it came if that is not
/// known.
pub(crate) fn said(english: &str) -> String {
    let known = match language() {
        Language::En => None,
        Language::Fr => fr::agent::said(english),
    };
    known.unwrap_or_else(|| english.to_owned())
}

/// What the agent says was wrong, as a sentence.
pub(crate) fn sentence(english: &str) -> String {
    let said = said(english);
    let end = if said.ends_with(['.', '!', '?']) { "" } else { "." };
    capital(&said) + end
}

/// The agent's next step, which may end in a command that no full stop should touch.
pub(crate) fn next_step(english: &str) -> String {
    capital(&said(english))
}

fn capital(said: &str) -> String {
    let mut rest = said.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
