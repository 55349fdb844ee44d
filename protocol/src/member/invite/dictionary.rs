//! The word lists of BIP-39, read the way people type: without case, accents or extra spaces.

use bip39::Language as List;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::invite_code::Language;
use crate::member::roster::nearest::nearest;

/// What is wrong with words that somebody typed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WordError {
    /// Another number of words.
    #[error("{found} words instead of {expected}")]
    Count {
        /// Words found.
        found: usize,
        /// Words that belong here.
        expected: usize,
    },
    /// A word that is not on the list.
    #[error("word {position} is not on the list")]
    Unknown {
        /// Its place, from 1.
        position: usize,
        /// The nearest words of the list, best first, three at most.
        nearest: Vec<String>,
    },
}

/// The list of a language.
pub(super) fn list(language: Language) -> List {
    match language {
        Language::English => List::English,
        Language::French => List::French,
    }
}

fn plain(word: &str) -> String {
    word.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase).collect()
}

/// The word of an index below 2,048, in NFC.
pub(super) fn word(language: Language, index: u16) -> String {
    let words = list(language).word_list();
    words.get(usize::from(index)).map(|word| word.nfc().collect()).unwrap_or_default()
}

/// The same without accents.
pub(super) fn plain_word(language: Language, index: u16) -> String {
    plain(&word(language, index))
}

/// The indices of exactly `expected` typed words.
pub(super) fn indices(
    language: Language,
    typed: &str,
    expected: usize,
) -> Result<Vec<u16>, WordError> {
    // One more than belongs here is enough to know that there are too many.
    let found = typed.split_whitespace().take(expected + 1).count();
    if found != expected {
        return Err(WordError::Count { found, expected });
    }
    let typed = typed.split_whitespace().enumerate();
    typed.map(|(at, word)| index(language, at + 1, word)).collect()
}

fn index(language: Language, position: usize, typed: &str) -> Result<u16, WordError> {
    let typed = plain(typed);
    let words = list(language).word_list().iter();
    let found = words.clone().position(|word| plain(word) == typed);
    found.and_then(|index| u16::try_from(index).ok()).ok_or_else(|| {
        let candidates = words.map(|word| (plain(word), word.nfc().collect()));
        WordError::Unknown { position, nearest: nearest(&typed, candidates) }
    })
}
