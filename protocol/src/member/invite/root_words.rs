//! The team root as 24 words (BIP-39), which live on paper.

use bip39::{Error, Mnemonic};
use thiserror::Error as ThisError;
use zeroize::{Zeroize, Zeroizing};

use super::dictionary::{self, WordError};
use crate::invite_code::Language;
use crate::member::identity::SigningSecret;
use crate::secret::Secret;

/// How many words stand for the root's 256 bits and their checksum.
pub const ROOT_WORDS: usize = 24;

/// Longest word of any list in bytes, with a space.
const MAX_WORD_BYTES: usize = 24;

/// What is wrong with typed root words.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum RootWordsError {
    /// Not 24 words of the list.
    #[error(transparent)]
    Word(#[from] WordError),
    /// Words of the list whose checksum is wrong: one is another, or two changed places.
    #[error("the words' checksum is wrong")]
    Checksum,
}

/// The root's words, separated by spaces, to be shown once.
#[expect(clippy::expect_used, reason = "32 bytes are an entropy BIP-39 defines")]
pub fn root_words(root: &SigningSecret, language: Language) -> Zeroizing<String> {
    let mnemonic =
        Mnemonic::from_entropy_in(dictionary::list(language), root.secret().expose().as_slice())
            .expect("32 bytes");
    // Room for everything, so that no shorter copy is left behind.
    let mut text = Zeroizing::new(String::with_capacity(ROOT_WORDS * MAX_WORD_BYTES));
    for index in mnemonic.word_indices().filter_map(|index| u16::try_from(index).ok()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&Zeroizing::new(dictionary::word(language, index)));
    }
    text
}

/// Reads the root's words, whatever their case, accents and spaces.
///
/// # Errors
/// [`RootWordsError`], which names the word where one can be named.
pub fn parse_root_words(language: Language, typed: &str) -> Result<SigningSecret, RootWordsError> {
    let indices = Zeroizing::new(dictionary::indices(language, typed, ROOT_WORDS)?);
    let list = dictionary::list(language);
    let mut canonical = Zeroizing::new(String::with_capacity(ROOT_WORDS * MAX_WORD_BYTES));
    for word in indices.iter().filter_map(|&index| list.word_list().get(usize::from(index))) {
        canonical.push_str(word);
        canonical.push(' ');
    }
    let mnemonic =
        Mnemonic::parse_in_normalized(list, &canonical).map_err(|error| match error {
            Error::UnknownWord(at) => {
                WordError::Unknown { position: at + 1, nearest: Vec::new() }.into()
            }
            _ => RootWordsError::Checksum,
        })?;
    let (mut entropy, _) = mnemonic.to_entropy_array();
    let seed = entropy.split_at_checked(32).and_then(|(seed, _)| Secret::copy(seed));
    entropy.zeroize();
    Ok(SigningSecret::from_secret(&seed.ok_or(RootWordsError::Checksum)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn the_root_comes_back_from_its_words_in_both_languages() {
        for language in [Language::English, Language::French] {
            let root = SigningSecret::generate(&mut OsRandom);
            let words = root_words(&root, language);
            assert_eq!(words.split(' ').count(), ROOT_WORDS);
            let read = parse_root_words(language, &words.to_uppercase()).unwrap();
            assert_eq!(read.public(), root.public());
        }
    }

    #[test]
    fn words_of_another_paper_are_refused() {
        let words = "abandon ".repeat(24);
        let error = parse_root_words(Language::English, &words).err();
        assert_eq!(error, Some(RootWordsError::Checksum));
        let error = parse_root_words(Language::English, &words.replacen("abandon", "abbandon", 1));
        assert!(matches!(error, Err(RootWordsError::Word(WordError::Unknown { position: 1, .. }))));
    }

    #[test]
    fn no_two_words_of_a_list_are_equal_without_accents() {
        for language in [Language::English, Language::French] {
            for index in 0..2_048 {
                let word = dictionary::word(language, index);
                assert_eq!(dictionary::indices(language, &word, 1), Ok(vec![index]));
            }
        }
    }
}
