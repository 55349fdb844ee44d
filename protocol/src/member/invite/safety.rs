//! Words and numbers that people compare by voice after joining.

use blake2::{Blake2s256, Digest as _};
use subtle::ConstantTimeEq as _;

use super::dictionary::{self, WordError};
use crate::invite_code::{Language, RosterHead};
use crate::member::identity::SigningPublic;
use crate::wire::ids::{MemberId, TeamId};

/// How many safety words a member has: 66 bits.
pub const SAFETY_WORDS: usize = 6;
/// Digits of the team number, about 66 bits.
pub const TEAM_DIGITS: usize = 20;

const WORDS_LABEL: &[u8] = b"staffetta 1 safety words";
const NUMBER_LABEL: &[u8] = b"staffetta 1 team number";

/// A member's safety words: equal on two devices if and only if both know the member by the same
/// identity keys.
pub struct SafetyWords([u16; SAFETY_WORDS]);

impl SafetyWords {
    /// Of the member with these active devices, in any order.
    pub fn of(team: &TeamId, member: &MemberId, devices: &[SigningPublic]) -> Self {
        let mut keys: Vec<[u8; 32]> = devices.iter().map(|key| key.0).collect();
        keys.sort_unstable();
        let mut hash = Blake2s256::new();
        hash.update(WORDS_LABEL);
        hash.update(team.0);
        hash.update(member.0);
        keys.iter().for_each(|key| hash.update(key));
        let out: [u8; 32] = hash.finalize().into();
        let mut bits = out.iter().flat_map(|byte| (0..8).rev().map(move |at| (byte >> at) & 1));
        let mut word = || bits.by_ref().take(11).fold(0, |word, bit| (word << 1) | u16::from(bit));
        Self(std::array::from_fn(|_| word()))
    }

    /// The words in a language.
    pub fn to_text(&self, language: Language) -> [String; SAFETY_WORDS] {
        self.0.map(|index| dictionary::word(language, index))
    }

    /// Whether these words were typed; case and accents do not matter.
    ///
    /// # Errors
    /// [`WordError`] if they are not words of the list, or not so many.
    pub fn matches(&self, language: Language, typed: &str) -> Result<bool, WordError> {
        let typed = dictionary::indices(language, typed, SAFETY_WORDS)?;
        Ok(self.0.as_slice().ct_eq(typed.as_slice()).into())
    }
}

/// The team number: equal on two devices if and only if they have the same roster, entry by entry.
/// Groups of four digits.
pub fn team_number(head: &RosterHead) -> String {
    let mut hash = Blake2s256::new();
    hash.update(NUMBER_LABEL);
    hash.update(head.number.to_be_bytes());
    hash.update(head.hash.0);
    let out: [u8; 32] = hash.finalize().into();
    let groups = out.chunks_exact(4).take(TEAM_DIGITS / 4).map(|chunk| {
        let value = chunk.iter().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
        format!("{:04}", value % 10_000)
    });
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ids::Digest;

    #[test]
    fn safety_words_depend_on_every_key_and_on_no_order() {
        let (team, member) = (TeamId([1; 32]), MemberId([2; 16]));
        let words = |keys: &[SigningPublic]| {
            SafetyWords::of(&team, &member, keys).to_text(Language::English)
        };
        let [a, b, c] = [3, 4, 5].map(|byte| SigningPublic([byte; 32]));
        assert_eq!(words(&[a, b]), words(&[b, a]));
        assert_ne!(words(&[a, b]), words(&[a, c]));
        assert_ne!(words(&[a, b]), words(&[a]));
        let safety = SafetyWords::of(&team, &member, &[a]);
        let text = words(&[a]).join(" ").to_uppercase();
        assert_eq!(safety.matches(Language::English, &text), Ok(true));
        assert!(safety.matches(Language::English, "able able").is_err());
    }

    #[test]
    fn the_team_number_changes_with_the_roster() {
        let head = |number, byte| RosterHead { number, hash: Digest([byte; 32]) };
        let number = team_number(&head(3, 1));
        assert_eq!(number.chars().filter(char::is_ascii_digit).count(), TEAM_DIGITS);
        assert_ne!(number, team_number(&head(3, 2)));
        assert_ne!(number, team_number(&head(4, 1)));
    }
}
