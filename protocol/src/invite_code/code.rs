//! The invite code: `HOST[:PORT]/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M`.

use hkdf::Hkdf;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::host::{Host, HostError};
use super::symbols::{self, Check, DATA, SYMBOLS};
use crate::noise::keys::{GateKey, HopPsk};
use crate::random::Random;
use crate::secret::Secret;
use crate::wire::ids::InviteId;

/// The port of a code that names none.
pub const DEFAULT_PORT: u16 = 7443;
/// Groups of a code.
pub const GROUPS: usize = SYMBOLS / GROUP;
/// Symbols of a group.
const GROUP: usize = 5;
/// Longest text that is looked at, in bytes; anything above is not a code.
const MAX_TEXT: usize = 512;

/// An invite or founder code: where the relay is, and a 128-bit secret, wiped on drop.
pub struct InviteCode {
    host: Host,
    port: Option<u16>,
    secret: Secret<16>,
}

/// What is wrong with the text of a code. Never says what the code was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// One or two symbols are wrong; they stand in these groups, counted from 1.
    #[error("a typing error in group {groups:?}")]
    Typo {
        /// Group numbers from 1 to [`GROUPS`], ascending.
        groups: Vec<u8>,
    },
    /// The secret has another number of symbols than 30.
    #[error("the code has {found} symbols instead of 30")]
    Length {
        /// Symbols found.
        found: usize,
    },
    /// There is no slash, or nothing before it.
    #[error("the code names no host")]
    NoHost,
    /// What stands before the slash is neither a name nor an address.
    #[error("the code's host is malformed")]
    BadHost,
    /// The port is not a number from 1 to 65535.
    #[error("the code's port is malformed")]
    BadPort,
    /// More symbols are wrong than can be located.
    #[error("the code has too many typing errors to locate")]
    TooManyTypos,
}

impl From<HostError> for CodeError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Empty => Self::NoHost,
            HostError::Malformed => Self::BadHost,
            HostError::Port => Self::BadPort,
        }
    }
}

/// The key a bundle is sealed with, 32 bytes; the relay never has it.
pub struct BundleKey(Secret<32>);

/// The key of the invite's channel, 32 bytes; the relay never has it.
pub struct JoinKey(Secret<32>);

impl BundleKey {
    /// The bytes, for the bundle's seal and the sealed store and nothing else.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

impl JoinKey {
    /// The bytes, for the invite channel and the sealed store and nothing else.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

/// Everything that derives from a code's secret: HKDF-SHA256 (RFC 5869) with the salt
/// `staffetta 1 invite` and the name of each as info.
pub struct InviteKeys {
    /// The invite's id.
    pub id: InviteId,
    /// Opens the gate; the relay has it.
    pub gate: GateKey,
    /// The psk of the join hop; the relay has it.
    pub psk: HopPsk,
    /// Opens the bundle.
    pub bundle: BundleKey,
    /// Tags and seals the request and its answer.
    pub join: JoinKey,
}

const _: () = {
    assert!(std::mem::needs_drop::<InviteCode>());
    assert!(std::mem::needs_drop::<BundleKey>());
    assert!(std::mem::needs_drop::<JoinKey>());
    assert!(std::mem::needs_drop::<InviteKeys>());
};

impl InviteCode {
    /// Makes a fresh code for the relay at `host`; `None` or [`DEFAULT_PORT`] leaves the port out.
    pub fn generate(host: Host, port: Option<u16>, random: &mut (impl Random + ?Sized)) -> Self {
        Self::from_secret(host, port, Secret::random(random))
    }

    /// Puts a code together from a stored secret.
    pub fn from_secret(host: Host, port: Option<u16>, secret: Secret<16>) -> Self {
        Self { host, port: port.filter(|&port| port != DEFAULT_PORT), secret }
    }

    /// Reads a code. Case, dashes and white space in the secret are ignored; `O` reads as 0, `I`
    /// and `L` as 1. Typing errors are located, never corrected.
    ///
    /// # Errors
    /// A [`CodeError`] that says what the person who typed should look at.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(CodeError::Length { found: text.len() });
        }
        let (host, typed) = text.rsplit_once('/').ok_or(CodeError::NoHost)?;
        let (host, port) = Host::parse_with_port(host.trim())?;
        Ok(Self::from_secret(host, port, read_secret(typed)?))
    }

    /// The text a person reads, sends or types.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut data = Zeroizing::new([0; DATA]);
        for (at, symbol) in data.iter_mut().enumerate() {
            *symbol = (0..5).fold(0, |value, bit| value << 1 | self.bit(at * 5 + bit));
        }
        let host = self.host.bracketed();
        // Room for everything, so that no shorter copy of the secret is left behind.
        let mut text = Zeroizing::new(String::with_capacity(host.len() + 8 + SYMBOLS + GROUPS));
        text.push_str(&host);
        if let Some(port) = self.port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        text.push('/');
        for (at, &symbol) in data.iter().chain(&symbols::checks(&data)).enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(symbols::write(symbol));
        }
        text
    }

    /// Where the relay is.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The relay's port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// `HOST:PORT`, as a connection takes it.
    pub fn address(&self) -> String {
        self.host.with_port(self.port())
    }

    /// The secret, for the sealed store and nothing else.
    pub fn secret(&self) -> &Secret<16> {
        &self.secret
    }

    /// Derives the invite's keys.
    pub fn keys(&self) -> InviteKeys {
        let hkdf = Hkdf::<Sha256>::new(Some(b"staffetta 1 invite"), self.secret.expose());
        let key = |info: &[u8]| Secret::filled(|out: &mut [u8; 32]| expand(&hkdf, info, out));
        let mut id = [0; InviteId::LEN];
        expand(&hkdf, b"id", &mut id);
        InviteKeys {
            id: InviteId(id),
            gate: GateKey::from_secret(key(b"gate_r")),
            psk: HopPsk::from_secret(key(b"psk_r")),
            bundle: BundleKey(key(b"k_bundle")),
            join: JoinKey(key(b"k_join")),
        }
    }

    /// Bit `at` of the secret, most significant first; the two after the last are zero.
    fn bit(&self, at: usize) -> u8 {
        self.secret.expose().get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1)
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8,160 bytes; at most 32 are asked")]
fn expand(hkdf: &Hkdf<Sha256>, info: &[u8], out: &mut [u8]) {
    hkdf.expand(info, out).expect("at most 32 bytes");
}

fn read_secret(typed: &str) -> Result<Secret<16>, CodeError> {
    let is_filler = |c: char| {
        c == '-' || c.is_whitespace() || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
    };
    let found = typed.chars().filter(|&c| !is_filler(c)).count();
    if found != SYMBOLS {
        return Err(CodeError::Length { found });
    }
    let mut word = Zeroizing::new([0; SYMBOLS]);
    let mut wrong = Vec::new();
    let significant = typed.chars().filter(|&c| !is_filler(c));
    for (at, (slot, c)) in word.iter_mut().zip(significant).enumerate() {
        match symbols::read(c) {
            Some(symbol) => *slot = symbol,
            None => wrong.push(at),
        }
    }
    match symbols::check(&word) {
        Check::Clean if wrong.is_empty() => {}
        Check::Clean => return Err(typo(&wrong)),
        Check::Wrong(places) => {
            wrong.extend(places);
            return Err(typo(&wrong));
        }
        // A character outside the alphabet is a located error by itself.
        Check::Lost if wrong.is_empty() => return Err(CodeError::TooManyTypos),
        Check::Lost => return Err(typo(&wrong)),
    }
    let data_bits =
        word.iter().take(DATA).flat_map(|&symbol| (0..5).rev().map(move |bit| symbol >> bit & 1));
    // 26 symbols hold 130 bits; no code was ever made with one of the last two set.
    if data_bits.clone().skip(128).any(|bit| bit != 0) {
        return Err(CodeError::TooManyTypos);
    }
    Ok(Secret::filled(|out: &mut [u8; 16]| {
        for (at, bit) in data_bits.take(128).enumerate() {
            if let Some(byte) = out.get_mut(at / 8) {
                *byte = *byte << 1 | bit;
            }
        }
    }))
}

fn typo(places: &[usize]) -> CodeError {
    let mut groups: Vec<u8> =
        places.iter().filter_map(|place| u8::try_from(place / GROUP + 1).ok()).collect();
    groups.sort_unstable();
    groups.dedup();
    CodeError::Typo { groups }
}
