//! The gate: a token in the HTTP head that tells an enrolled device from a stranger before any
//! public-key work.
//!
//! A token is `handle 16 | time 4 | nonce 16 | MAC 16`. The handle is looked up in a table that
//! the relay computes ahead for each 10-minute window; to outsiders it links nothing.

use blake2::Blake2sMac;
use blake2::digest::consts::U16;
use blake2::digest::{KeyInit, Update};
use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::noise::keys::{GateKey, StaticPublic, relay_fingerprint};
use crate::random::{Random, bytes};
use crate::wire::ids::Digest;

/// Seconds of one window.
pub const WINDOW_S: u64 = 600;
/// Handles of one row in one window.
pub const HANDLES: u8 = 16;
/// Seconds by which a device's clock may differ from the relay's.
pub const MAX_SKEW_S: u64 = 600;
/// Bytes of a token.
pub const TOKEN: usize = 16 + 4 + 16 + 16;
/// Characters of a token as base64url without padding (RFC 4648 section 5).
pub const TOKEN_TEXT: usize = TOKEN.div_ceil(3) * 4 - 2;

/// What a relay's table finds a row by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(pub [u8; 16]);

/// What makes a token unique in its window.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

/// Why a token opens nothing. The relay answers all of them alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The token's time differs by more than [`MAX_SKEW_S`].
    #[error("stale")]
    Stale,
    /// The MAC is wrong.
    #[error("wrong mac")]
    Mac,
}

/// A relay, as the tokens for it name it.
#[derive(Clone, Copy)]
pub struct Gate(Digest);

/// A gate token as read from a request; nothing in it is trusted until [`Gate::check`].
pub struct Token([u8; TOKEN]);

/// The window in which a time falls.
pub fn window(unix_s: u64) -> u64 {
    unix_s / WINDOW_S
}

impl GateKey {
    /// The handle number `k` of this key's row in a window.
    pub fn handle(&self, window: u64, k: u8) -> Handle {
        Handle(mac(self, &[b"handle ", &window.to_be_bytes(), &[k]]))
    }
}

impl Gate {
    /// The gate of the relay with this static key.
    pub fn of(relay: &StaticPublic) -> Self {
        Self(relay_fingerprint(relay))
    }

    /// The gate of invite connections. A newcomer learns the relay's key only from the bundle
    /// behind the gate, so its tokens name the all-zero key, which is no relay's.
    pub fn of_invites() -> Self {
        Self::of(&StaticPublic([0; 32]))
    }

    /// Makes a fresh token for now.
    pub fn token(&self, key: &GateKey, now_s: u64, random: &mut (impl Random + ?Sized)) -> Token {
        let [k] = bytes::<1>(random);
        let handle = key.handle(window(now_s), k % HANDLES);
        let time = u32::try_from(now_s).unwrap_or(u32::MAX).to_be_bytes();
        let nonce: [u8; 16] = bytes(random);
        let mac = self.mac(key, &handle.0, &time, &nonce);
        let mut token = [0; TOKEN];
        let fields = handle.0.iter().chain(&time).chain(&nonce).chain(&mac);
        token.iter_mut().zip(fields).for_each(|(to, from)| *to = *from);
        Token(token)
    }

    /// Checks a token whose handle led to this key: time first, then the MAC in constant time.
    /// Whether its nonce was used before is for the caller to know.
    ///
    /// # Errors
    /// [`GateError::Stale`] or [`GateError::Mac`].
    pub fn check(&self, token: &Token, key: &GateKey, now_s: u64) -> Result<(), GateError> {
        if token.time().abs_diff(now_s) > MAX_SKEW_S {
            return Err(GateError::Stale);
        }
        let (handle, time, nonce, mac) = token.fields();
        let expected = self.mac(key, handle, time, nonce);
        if bool::from(expected.as_slice().ct_eq(mac)) { Ok(()) } else { Err(GateError::Mac) }
    }

    fn mac(&self, key: &GateKey, handle: &[u8], time: &[u8], nonce: &[u8]) -> [u8; 16] {
        mac(key, &[b"token ", handle, time, nonce, &self.0.0])
    }
}

impl Token {
    /// Reads the text of an `Authorization: Bearer` header; `None` if it is no token at all.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != TOKEN_TEXT {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The text of the header.
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// What the relay's table is asked for.
    pub fn handle(&self) -> Handle {
        Handle(to_array(self.fields().0))
    }

    /// The claimed time in unix seconds.
    pub fn time(&self) -> u64 {
        u32::from_be_bytes(to_array(self.fields().1)).into()
    }

    /// What must not come twice in a window.
    pub fn nonce(&self) -> Nonce {
        Nonce(to_array(self.fields().2))
    }

    fn fields(&self) -> (&[u8], &[u8], &[u8], &[u8]) {
        let (handle, rest) = self.0.split_at(16);
        let (time, rest) = rest.split_at(4);
        let (nonce, mac) = rest.split_at(16);
        (handle, time, nonce, mac)
    }
}

fn to_array<const N: usize>(slice: &[u8]) -> [u8; N] {
    slice.try_into().unwrap_or([0; N])
}

fn mac(key: &GateKey, parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = <Blake2sMac<U16> as KeyInit>::new(key.secret().expose().into());
    mac.update(b"staffetta 1 gate ");
    for part in parts {
        mac.update(part);
    }
    blake2::digest::FixedOutput::finalize_fixed(mac).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::keys::AccessSecret;
    use crate::random::OsRandom;

    const NOW: u64 = 1_800_000_000;

    fn relay() -> Gate {
        Gate::of(&StaticPublic([3; 32]))
    }

    #[test]
    fn a_fresh_token_passes_and_is_found_by_its_handle() {
        let key = AccessSecret::generate(&mut OsRandom).gate_key();
        let token = relay().token(&key, NOW, &mut OsRandom);
        let token = Token::parse(token.to_text().as_bytes()).unwrap();
        assert!((0..HANDLES).any(|k| key.handle(window(NOW), k) == token.handle()));
        assert_eq!(relay().check(&token, &key, NOW), Ok(()));
    }

    #[test]
    fn a_clock_skew_of_ten_minutes_is_fine_and_more_is_stale() {
        let key = AccessSecret::generate(&mut OsRandom).gate_key();
        let token = relay().token(&key, NOW, &mut OsRandom);
        for now in [NOW - MAX_SKEW_S, NOW + MAX_SKEW_S] {
            assert_eq!(relay().check(&token, &key, now), Ok(()));
        }
        for now in [NOW - MAX_SKEW_S - 1, NOW + MAX_SKEW_S + 1] {
            assert_eq!(relay().check(&token, &key, now), Err(GateError::Stale));
        }
    }

    #[test]
    fn every_bit_of_a_token_is_covered() {
        let key = AccessSecret::generate(&mut OsRandom).gate_key();
        let token = relay().token(&key, NOW, &mut OsRandom);
        for bit in 0..TOKEN * 8 {
            let mut flipped = Token(token.0);
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert!(relay().check(&flipped, &key, NOW).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_token_for_one_relay_opens_no_other() {
        let key = AccessSecret::generate(&mut OsRandom).gate_key();
        let token = relay().token(&key, NOW, &mut OsRandom);
        let other = Gate::of(&StaticPublic([4; 32]));
        assert_eq!(other.check(&token, &key, NOW), Err(GateError::Mac));
    }

    #[test]
    fn handles_of_two_windows_have_nothing_in_common() {
        let key = AccessSecret::generate(&mut OsRandom).gate_key();
        let of = |w| (0..HANDLES).map(move |k| (w, k));
        let all: std::collections::HashSet<_> =
            of(1).chain(of(2)).map(|(w, k)| key.handle(w, k)).collect();
        assert_eq!(all.len(), 2 * usize::from(HANDLES));
    }

    #[test]
    fn anything_but_a_token_is_no_token() {
        for text in ["", "abc", &"A".repeat(TOKEN_TEXT - 1), &"!".repeat(TOKEN_TEXT)] {
            assert!(Token::parse(text.as_bytes()).is_none());
        }
    }
}
