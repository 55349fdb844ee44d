//! Codes and invitations: what can be checked without the relay, and what the relay says of them.

use staffetta_protocol::invite_code::{CodeError, Language};
use staffetta_protocol::member::invite;
use staffetta_protocol::member::roster::{Name, NameError};
use staffetta_protocol::random::OsRandom;
use zeroize::Zeroizing;

use super::InviteCode;
use crate::errors::Failure;
use crate::text;

/// Reads a code and checks what can be checked without the relay, before anything is asked or made.
///
/// # Errors
/// A code that was mistyped, with the group that is wrong (1).
pub(crate) fn read_code(code: &str) -> Result<InviteCode, Failure> {
    InviteCode::parse(code).map_err(|error| Failure::refused(wrong(&error), text::code_again()))
}

fn wrong(error: &CodeError) -> String {
    match error {
        CodeError::Typo { groups } => text::code_typo(groups),
        CodeError::TooManyTypos => text::code_garbled().into(),
        CodeError::Length { found } => text::code_length(*found),
        CodeError::NoHost | CodeError::BadHost | CodeError::BadPort => text::code_host().into(),
    }
}

/// What a code looks like while it is being typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    /// Whole, without a typing error.
    Good,
    /// Not whole yet: so many letters and digits of the secret are there.
    Partial(usize),
    /// What is wrong, in words.
    Wrong(String),
}

/// Looks at a code that may not be whole yet.
pub(crate) fn check_code(typed: &str) -> CodeCheck {
    match InviteCode::parse(typed) {
        Ok(_) => CodeCheck::Good,
        Err(CodeError::Length { found }) if found < SYMBOLS => CodeCheck::Partial(found),
        Err(_) if !typed.contains('/') => CodeCheck::Partial(0),
        Err(error) => CodeCheck::Wrong(wrong(&error)),
    }
}

/// The code in a text that was pasted, which may hold more than the code or break it.
pub(crate) fn find_code(pasted: &str) -> Option<Zeroizing<String>> {
    let words: Vec<&str> = pasted.split_whitespace().collect();
    (1..=LINES).find_map(|lines| {
        words.windows(lines).find_map(|words| {
            InviteCode::parse(&Zeroizing::new(words.concat())).ok().map(|code| code.to_text())
        })
    })
}

/// The most lines that a mail breaks a code into.
const LINES: usize = 3;

/// Symbols of a code behind the slash.
const SYMBOLS: usize = 30;

/// Whether a member can have this name.
///
/// # Errors
/// Why not, as a sentence.
pub(crate) fn check_name(typed: &str) -> Result<(), String> {
    Name::parse(typed).map(|_| ()).map_err(|error| match error {
        NameError::Empty => text::name_empty().into(),
        NameError::TooLong => text::name_long().into(),
        NameError::Forbidden => text::name_forbidden().into(),
    })
}

/// A fresh passphrase of `count` plain words.
pub(crate) fn propose_passphrase(count: usize, language: text::Language) -> Zeroizing<String> {
    let list = match language {
        text::Language::En => Language::English,
        text::Language::Fr => Language::French,
    };
    invite::passphrase(list, count, &mut OsRandom)
}

#[cfg(test)]
pub(crate) mod tests {
    use staffetta_protocol::invite_code::Host;
    use staffetta_protocol::secret::Secret;

    use super::*;

    /// A whole code.
    pub(crate) fn code() -> String {
        let host: Host = Host::parse("relay.example").unwrap();
        InviteCode::from_secret(host, None, Secret::filled(|bytes| bytes.fill(7)))
            .to_text()
            .to_string()
    }

    #[test]
    fn a_code_is_checked_before_anything_is_asked() {
        assert!(read_code(&code()).is_ok());
        assert!(read_code(&code().to_lowercase().replace('-', " ")).is_ok());
    }

    #[test]
    fn a_typing_error_names_its_group() {
        let right = code();
        let (at, symbol) = right.char_indices().nth_back(8).unwrap();
        let wrong = if symbol == 'Z' { "Y" } else { "Z" };
        let mut typed = right.clone();
        typed.replace_range(at..=at, wrong);
        let failure = read_code(&typed).err().unwrap();
        assert_eq!(failure.exit(), 1);
        assert_eq!(failure.lines()[0], "The fifth group of the code is wrong.");
    }

    #[test]
    fn a_code_is_checked_while_it_is_typed() {
        let right = code();
        assert_eq!(check_code(""), CodeCheck::Partial(0));
        assert_eq!(check_code("relay.exa"), CodeCheck::Partial(0));
        assert_eq!(check_code("relay.example/01C"), CodeCheck::Partial(3));
        assert_eq!(check_code(&right), CodeCheck::Good);
        assert!(matches!(check_code(&format!("{right}0")), CodeCheck::Wrong(_)));
        assert!(matches!(check_code("/0"), CodeCheck::Wrong(_)));
        // The third group: HOST/ and two groups with their dashes stand before it.
        let at = right.find('/').unwrap() + 13;
        let other = if right[at..].starts_with('7') { "8" } else { "7" };
        let mut typed = right;
        typed.replace_range(at..=at, other);
        let CodeCheck::Wrong(what) = check_code(&typed) else { panic!("taken") };
        assert_eq!(what, "The third group of the code is wrong.");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "nonsense", "relay.example/ABC", "/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M"] {
            assert_eq!(
                read_code(text).map(|_| ()).map_err(|failure| failure.exit()),
                Err(1),
                "{text}"
            );
        }
    }
}
