//! The passphrase: from a file, from standard input, or asked for on the terminal; never from an
//! argument or the environment. It stays in memory that is wiped.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::api;
use crate::errors::Failure;
use crate::text;

/// The fewest characters of a new passphrase; no other rule.
pub(crate) const MIN_CHARS: usize = 12;

/// The most bytes read as a passphrase.
const MAX_BYTES: usize = 4096;

/// A passphrase in memory that is wiped on drop.
pub(crate) struct Passphrase(Zeroizing<String>);

const _: () = assert!(std::mem::needs_drop::<Passphrase>());

impl Passphrase {
    /// One that was typed on the screen.
    pub(crate) fn typed(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// A copy of its text, to go on with joining.
    pub(crate) fn copy(&self) -> Zeroizing<String> {
        self.0.clone()
    }

    /// The passphrase as the agent takes it.
    pub(crate) fn into_inner(self) -> api::Passphrase {
        api::Passphrase::new(self.0)
    }
}

/// Where the passphrase comes from.
#[derive(Clone)]
pub(crate) enum Source {
    /// A file, cut by one trailing newline.
    File(PathBuf),
    /// Standard input, cut by one trailing newline.
    Stdin,
    /// The terminal.
    Terminal,
}

impl Source {
    /// The source that `--passphrase-file` names, or the terminal.
    pub(crate) fn from_flag(flag: Option<&Path>) -> Self {
        match flag {
            Some(path) if path == Path::new("-") => Self::Stdin,
            Some(path) => Self::File(path.to_owned()),
            None => Self::Terminal,
        }
    }

    /// The passphrase of an existing profile.
    ///
    /// # Errors
    /// Exit 2 without a file and a terminal, 1 if the file cannot be used.
    pub(crate) fn existing(&self) -> Result<Passphrase, Failure> {
        match self {
            Self::Terminal => ask(text::ask_passphrase()),
            _ => self.read(),
        }
    }

    /// The passphrase of an existing profile, if it need not be asked for.
    ///
    /// # Errors
    /// As [`Source::existing`]; 2 if only a person could tell.
    pub(crate) fn unasked(&self) -> Result<Passphrase, Failure> {
        match self {
            Self::Terminal => Err(Failure::usage(text::no_terminal(), text::use_passphrase_file())),
            _ => self.read(),
        }
    }

    /// The 24 root words: read or asked for as a passphrase is.
    ///
    /// # Errors
    /// As [`Source::existing`].
    pub(crate) fn root_words(&self) -> Result<Zeroizing<String>, Failure> {
        let typed = match self {
            Self::Terminal => ask(text::ask_root_words()),
            _ => self.read(),
        };
        Ok(typed?.0)
    }

    /// A passphrase for a new profile: at least [`MIN_CHARS`] characters, asked for twice.
    ///
    /// # Errors
    /// As [`Source::existing`]; 1 if it is too short or the two differ.
    pub(crate) fn new_profile(&self) -> Result<Passphrase, Failure> {
        let passphrase = match self {
            Self::Terminal => {
                let first = ask(text::ask_new_passphrase())?;
                long_enough(&first)?;
                let second = ask(text::ask_again())?;
                if *first.0 != *second.0 {
                    return Err(Failure::refused(text::passphrases_differ(), text::repeat()));
                }
                first
            }
            _ => self.read()?,
        };
        long_enough(&passphrase)?;
        Ok(passphrase)
    }

    fn read(&self) -> Result<Passphrase, Failure> {
        match self {
            Self::File(path) => File::open(path)
                .map_err(|error| unreadable(&error))
                .and_then(|mut file| take(&mut file)),
            _ => take(&mut io::stdin().lock()),
        }
    }
}

/// A spare relay's code: a line of standard input, or asked for at a terminal.
///
/// # Errors
/// Exit 2 without a terminal and without a line.
pub(crate) fn spare_code() -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        return Ok(ask(text::ask_spare_code())?.0);
    }
    let mut line = Zeroizing::new(String::with_capacity(MAX_BYTES));
    let read = io::BufReader::new(io::stdin().lock().take(MAX_BYTES as u64)).read_line(&mut line);
    if read.is_err() || line.trim().is_empty() {
        return Err(Failure::usage(text::no_code(), text::code_again()));
    }
    Ok(Zeroizing::new(line.trim().to_owned()))
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::refused(
        text::passphrase_file_unreadable(&text::words::kind(error.kind())),
        text::check_passphrase_file(),
    )
}

/// Reads a passphrase without leaving copies of it behind.
fn take(from: &mut dyn Read) -> Result<Passphrase, Failure> {
    // The buffer never grows, so that no copy stays where it was.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 1));
    from.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::refused(text::passphrase_too_long(), text::check_passphrase_file()));
    }
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(Failure::refused(text::passphrase_empty(), text::check_passphrase_file())),
        Ok(line) => Ok(Passphrase(Zeroizing::new(line.to_owned()))),
        Err(_) => Err(Failure::refused(text::passphrase_not_text(), text::check_passphrase_file())),
    }
}

fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    // rpassword speaks with the controlling terminal, which a job run by a script may have as well;
    // only one that a person sees on standard input or error counts.
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Err(Failure::usage(text::no_terminal(), text::use_passphrase_file()));
    }
    match rpassword::prompt_password(prompt) {
        Ok(line) => Ok(Passphrase(Zeroizing::new(line))),
        Err(_) => Err(Failure::usage(text::no_terminal(), text::use_passphrase_file())),
    }
}

fn long_enough(passphrase: &Passphrase) -> Result<(), Failure> {
    if passphrase.0.chars().count() < MIN_CHARS {
        return Err(Failure::refused(text::passphrase_short(MIN_CHARS), text::passphrase_idea()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, u8> {
        take(&mut &*bytes).map(|it| it.0.to_string()).map_err(|error| error.exit())
    }

    #[test]
    fn one_trailing_newline_is_cut() {
        assert_eq!(read(b"six plain words\n"), Ok("six plain words".into()));
        assert_eq!(read(b"six plain words\r\n"), Ok("six plain words".into()));
        assert_eq!(read(b"six plain words\n\n"), Ok("six plain words\n".into()));
        assert_eq!(read(b" kept "), Ok(" kept ".into()));
    }

    #[test]
    fn what_cannot_be_a_passphrase_is_refused() {
        assert_eq!(read(b""), Err(1));
        assert_eq!(read(b"\n"), Err(1));
        assert_eq!(read(&[0xff, 0xfe]), Err(1));
        assert_eq!(read(&vec![b'a'; MAX_BYTES + 1]), Err(1));
    }

    #[test]
    fn a_new_passphrase_has_twelve_characters_at_least() {
        let of = |text: &str| long_enough(&Passphrase(Zeroizing::new(text.into()))).is_ok();
        assert!(!of("elevenchars"));
        assert!(of("twelve chars"));
        assert!(of("éééééééééééé"));
        assert!(!of("éééééééé"));
    }

    #[test]
    fn a_missing_file_is_refused() {
        let source = Source::from_flag(Some(Path::new("/nonexistent/passphrase")));
        assert_eq!(source.existing().err().map(|error| error.exit()), Some(1));
    }
}
