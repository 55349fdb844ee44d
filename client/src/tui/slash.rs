//! The one table of slash commands. Parser, completion, help and manual page are made of it.

use crate::text::screen::Words;

/// How many words a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Perhaps,
    Something,
}

macro_rules! verbs {
    ($($verb:ident $name:literal $takes:ident,)*) => {
        /// What a slash command does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Verb {
            $(
                #[doc = concat!("`/", $name, "`")]
                $verb,
            )*
        }

        /// The table, in the order of the help.
        pub(super) const TABLE: &[(Verb, &str, Takes)] = &[$((Verb::$verb, $name, Takes::$takes)),*];
    };
}

verbs! {
    Go "go" Perhaps,
    Next "next" Nothing,
    Dm "dm" Something,
    Room "room" Something,
    Members "members" Nothing,
    Add "add" Something,
    Remove "remove" Something,
    Leave "leave" Nothing,
    Topic "topic" Something,
    Expire "expire" Something,
    Mute "mute" Nothing,
    Read "read" Nothing,
    Search "search" Something,
    React "react" Something,
    Edit "edit" Nothing,
    Delete "delete" Nothing,
    File "file" Something,
    Save "save" Perhaps,
    Invite "invite" Perhaps,
    Approve "approve" Nothing,
    Verify "verify" Perhaps,
    Devices "devices" Nothing,
    Revoke "revoke" Something,
    Dismiss "dismiss" Nothing,
    Theme "theme" Something,
    Settings "settings" Nothing,
    Lock "lock" Nothing,
    Wipe "wipe" Nothing,
    Help "help" Nothing,
    Quit "quit" Nothing,
}

/// A command as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) verb: Verb,
    /// What stands behind the name.
    pub(super) rest: String,
}

/// Why a line is no command. Nothing is sent in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// No command has this name; the one that was probably meant.
    Unknown(Option<&'static str>),
    /// The command wants something behind its name, or nothing.
    Usage(Verb),
}

/// What a line of the composer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A message; a line that began with `//` begins with `/` now.
    Text(String),
    Command(Command),
    Wrong(Wrong),
}

/// Reads a line. **A mistyped command is never sent**: whatever begins with one slash is a
/// command or nothing.
pub(super) fn read(line: &str) -> Typed {
    match line.strip_prefix('/') {
        None => Typed::Text(line.to_owned()),
        Some(escaped) if escaped.starts_with('/') => Typed::Text(escaped.to_owned()),
        Some(typed) => match parse(typed) {
            Ok(command) => Typed::Command(command),
            Err(wrong) => Typed::Wrong(wrong),
        },
    }
}

fn parse(typed: &str) -> Result<Command, Wrong> {
    let typed = typed.trim_end();
    let (name, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let (name, rest) = (name.to_lowercase(), rest.trim().to_owned());
    let Some((verb, _, takes)) = TABLE.iter().find(|(_, known, _)| *known == name) else {
        return Err(Wrong::Unknown(near(&name)));
    };
    match (takes, rest.is_empty()) {
        (Takes::Nothing, false) | (Takes::Something, true) => Err(Wrong::Usage(*verb)),
        _ => Ok(Command { verb: *verb, rest }),
    }
}

/// A command and what stands behind it, as the help writes it.
pub(super) fn usage(verb: Verb, words: &Words) -> String {
    let name = TABLE.iter().find(|(known, ..)| *known == verb).map_or("", |(_, name, _)| *name);
    let (args, _) = (words.command)(verb);
    format!("/{name} {args}").trim_end().to_owned()
}

/// The help: each command and what it does.
pub(crate) fn help(words: &Words) -> Vec<(String, &'static str)> {
    TABLE.iter().map(|(verb, ..)| (usage(*verb, words), (words.command)(*verb).1)).collect()
}

/// The name that was probably meant: at most two letters wrong, and fewer than are right.
fn near(typed: &str) -> Option<&'static str> {
    let most = match typed.chars().count() {
        0 => return None,
        1..=3 => 1,
        _ => 2,
    };
    let begins = TABLE.iter().filter(|(_, name, _)| name.starts_with(typed));
    let near = TABLE.iter().map(|(_, name, _)| (distance(typed, name), *name));
    let best = near.filter(|(far, _)| *far <= most).min().map(|(_, name)| name);
    best.or(begins.map(|(_, name, _)| *name).next())
}

/// How many letters are to be put in, taken out, changed or exchanged with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
            let change = at(&last, j).saturating_add(usize::from(a != b));
            let mut best = change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let crossed = i > 0 && j > 0 && from.get(i - 1) == Some(b) && to.get(j - 1) == Some(a);
            if crossed {
                best = best.min(at(&before, j - 1).saturating_add(1));
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::text::screen::{EN, FR};

    /// A line of the help as somebody would type it: choices taken, names filled in.
    fn typed(usage: &str) -> String {
        let words = usage.split(' ').map(|word| {
            let word = word.trim_matches(['[', ']']);
            word.split('|').next().unwrap_or(word).to_lowercase()
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Whether a line of the help or the manual, typed, is the command that it names.
    pub(crate) fn is_understood(usage: &str) -> bool {
        let name = usage.split(' ').next();
        let is_named = |verb: Verb| super::usage(verb, &EN).split(' ').next() == name;
        matches!(read(&typed(usage)), Typed::Command(command) if is_named(command.verb))
    }

    #[test]
    fn every_line_of_the_generated_help_is_understood() {
        for words in [&EN, &FR] {
            let help = help(words);
            assert_eq!(help.len(), TABLE.len());
            for ((usage, said), (verb, name, takes)) in help.iter().zip(TABLE) {
                assert!(!said.is_empty(), "{usage}");
                let Typed::Command(command) = read(&typed(usage)) else { panic!("{usage}") };
                assert_eq!(command.verb, *verb, "{usage}");
                let short = read(&format!("/{name}"));
                let optional = usage.contains('[') || !usage.contains(' ');
                assert_eq!(matches!(short, Typed::Command(_)), optional, "{usage}");
                assert_eq!(*takes == Takes::Nothing, !usage.contains(' '), "{usage}");
            }
        }
    }

    #[test]
    fn a_mistyped_command_is_never_sent() {
        let near = |line: &str| match read(line) {
            Typed::Wrong(Wrong::Unknown(near)) => near,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(near("/invtie"), Some("invite"));
        assert_eq!(near("/inv"), Some("invite"));
        assert_eq!(near("/qiut now"), Some("quit"));
        assert_eq!(near("/"), None);
        assert_eq!(near("/xyzzy"), None);
        assert_eq!(near("/ quit"), None);
        assert_eq!(read("/revoke"), Typed::Wrong(Wrong::Usage(Verb::Revoke)));
        assert_eq!(read("/lock now"), Typed::Wrong(Wrong::Usage(Verb::Lock)));
    }

    #[test]
    fn two_slashes_send_one() {
        assert_eq!(read("//x"), Typed::Text("/x".into()));
        assert_eq!(read("///x"), Typed::Text("//x".into()));
        assert_eq!(read("a /quit"), Typed::Text("a /quit".into()));
    }
}
