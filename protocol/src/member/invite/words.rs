//! The five words that two people compare by voice.
//!
//! 55 bits = Argon2id over the version, the invite id, the hash of the bundle as this side holds
//! it and the whole request: they bind the team as well as the newcomer, so that a thief of the
//! code can neither come in himself nor draw the newcomer into a team of his own unnoticed. The
//! memory-hard function makes searching for a request with the same words dear.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use blake2::{Blake2s256, Digest as _};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::dictionary::{self, WordError};
use super::request::Opened;
use crate::invite_code::Language;
use crate::random::{Random, bytes};
use crate::wire::ids::{Digest, InviteId};

/// How many words are compared.
pub const JOIN_WORDS: usize = 5;

/// No word of the lists has more bytes without its accents.
const LONGEST_WORD: usize = 8;

/// Argon2id (RFC 9106): 256 MiB in KiB.
const MEMORY_KIB: u32 = 256 * 1_024;
/// Argon2id: passes.
const PASSES: u32 = 3;
/// Argon2id: lanes.
const LANES: u32 = 1;
/// Argon2id's salt: the same for all, as both sides must find it without a word.
const SALT: &[u8] = b"staffetta 1 join words";

const LABEL: &[u8] = b"staffetta 1 join transcript";
const VERSION: u8 = 1;

/// Everything the words bind, as a BLAKE2s-256 digest of: label, version, invite id, hash of the
/// bundle's plaintext, the request. Cheap to make and to compare; the words are not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Transcript([u8; 32]);

impl Transcript {
    /// Of a request's encoded bytes and the hash of the bundle as this side holds it
    /// ([`crate::invite_code::Bundle::hash`]).
    pub fn new(invite: &InviteId, bundle: &Digest, request: &[u8]) -> Self {
        let mut hash = Blake2s256::new();
        hash.update(LABEL);
        hash.update([VERSION]);
        hash.update(invite.0);
        hash.update(bundle.0);
        hash.update(request);
        Self(hash.finalize().into())
    }

    /// Of a request as the admin's device opened it.
    pub fn of_opened(bundle: &Digest, opened: &Opened) -> Self {
        Self::new(&opened.request.invite, bundle, opened.encoded())
    }

    /// The words: 256 MiB and most of a second of work, so do it off every thread that must answer.
    /// `None` if the memory is not to be had.
    pub fn words(&self) -> Option<JoinWords> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(8)).ok()?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(params.block_count()).ok()?;
        memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = [0; 8];
        argon2.hash_password_into_with_memory(&self.0, SALT, &mut out, &mut memory).ok()?;
        Some(JoinWords::from_bits(u64::from_be_bytes(out) >> (64 - 11 * JOIN_WORDS)))
    }
}

/// Five words, as indices into a list of 2,048; wiped on drop. It has no `Debug`: an admin types
/// the words heard without having seen them, in a log either.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct JoinWords([u16; JOIN_WORDS]);

impl JoinWords {
    /// The low 55 bits, the first word's foremost.
    fn from_bits(bits: u64) -> Self {
        Self(std::array::from_fn(|at| {
            let word = bits >> (11 * (JOIN_WORDS - 1 - at)) & 0x7FF;
            u16::try_from(word).unwrap_or(0)
        }))
    }

    /// The words, for the newcomer's screen only.
    pub fn to_text(&self, language: Language) -> [String; JOIN_WORDS] {
        self.0.map(|index| dictionary::word(language, index))
    }

    /// Whether these words were typed, whatever their case, accents and spaces; compared in
    /// constant time.
    ///
    /// # Errors
    /// [`WordError`] if what was typed is not five words of the list, so that a slip is not taken
    /// for an attack.
    pub fn matches(&self, language: Language, typed: &str) -> Result<bool, WordError> {
        let typed = dictionary::indices(language, typed, JOIN_WORDS)?;
        Ok(self.0.as_slice().ct_eq(typed.as_slice()).into())
    }
}

/// A passphrase of `count` words of a list, 11 bits each, without accents so that any keyboard
/// writes it.
pub fn passphrase(
    language: Language,
    count: usize,
    random: &mut (impl Random + ?Sized),
) -> Zeroizing<String> {
    // Room for the longest words, so that no shorter copy is left behind.
    let mut words = Zeroizing::new(String::with_capacity(count * (LONGEST_WORD + 1)));
    for _ in 0..count {
        if !words.is_empty() {
            words.push(' ');
        }
        // 2,048 divides 65,536: every word is as likely.
        let index = u16::from_be_bytes(bytes(random)) & 0x7FF;
        words.push_str(&Zeroizing::new(dictionary::plain_word(language, index)));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_five_bits_are_five_words() {
        let words = JoinWords::from_bits(0x2A << 44 | 1);
        assert_eq!(words.to_text(Language::English)[4], "ability");
        assert_eq!(words.to_text(Language::English)[1], "abandon");
        assert_eq!(words.0[0], 0x2A);
        assert!(JoinWords::from_bits(u64::MAX).0.iter().all(|&index| index == 2_047));
    }

    #[test]
    fn a_proposed_passphrase_is_plain_words_that_differ_each_time() {
        for language in [Language::English, Language::French] {
            let propose = || passphrase(language, 6, &mut crate::random::OsRandom);
            let words = propose();
            assert_eq!(words.split(' ').count(), 6);
            assert!(words.split(' ').all(|word| word.len() <= LONGEST_WORD), "{}", words.as_str());
            assert!(words.bytes().all(|byte| byte == b' ' || byte.is_ascii_lowercase()));
            assert_ne!(*words, *propose());
        }
    }

    #[test]
    fn typed_words_match_without_case_accents_or_extra_spaces() {
        // "abaisser", "académie", ... : a list of 2,048 begins with them.
        let words = JoinWords::from_bits(0x010_020_040_080);
        let text = words.to_text(Language::French);
        let shouted = format!("  {}\u{00A0} ", text.join("  ").to_uppercase());
        assert_eq!(words.matches(Language::French, &shouted), Ok(true));
        let plain: String = {
            use unicode_normalization::UnicodeNormalization;
            text.join(" ").nfd().filter(char::is_ascii).collect()
        };
        assert_eq!(words.matches(Language::French, &plain), Ok(true));
        let mut other = text.clone();
        other.swap(0, 4);
        assert_eq!(words.matches(Language::French, &other.join(" ")), Ok(text[0] == text[4]));
    }

    #[test]
    fn a_slip_is_named_with_the_nearest_words() {
        let words = JoinWords::from_bits(0);
        let typed = "abandon abandn abandon abandon abandon";
        let error = words.matches(Language::English, typed).unwrap_err();
        let WordError::Unknown { position: 2, nearest } = error else { unreachable!() };
        assert_eq!(nearest[0], "abandon");
        assert_eq!(
            words.matches(Language::English, "abandon"),
            Err(WordError::Count { found: 1, expected: 5 })
        );
    }
}
