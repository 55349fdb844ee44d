//! The bundle an invite code opens: whom one is about to join, and how to know the relay.

use blake2::{Blake2s256, Digest as _};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use zeroize::Zeroizing;

use super::code::BundleKey;
use super::reader::Reader;
use crate::noise::keys::StaticPublic;
use crate::random::{Random, bytes};
use crate::wire::ids::{Digest, InviteId};

/// Largest sealed bundle in bytes.
pub const MAX_BUNDLE_BYTES: usize = 4_096;
/// Most addresses of a relay.
pub const MAX_ADDRESSES: usize = 4;
/// Longest `HOST:PORT` in bytes.
pub const MAX_ADDRESS_BYTES: usize = 261;
/// Most characters (Unicode scalar values) of a team's, member's or device's name.
pub const MAX_NAME_CHARS: usize = 40;
/// Longest such name in bytes.
pub const MAX_NAME_BYTES: usize = MAX_NAME_CHARS * 4;
/// The expiry of what does not expire: a founder code, which dies when it is used.
pub const NO_EXPIRY: u64 = u64::MAX;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const MAC: usize = 16;
/// The plaintext is padded to one of these, so that its length says nothing to the relay.
const PADDED: [usize; 2] = [1_024, MAX_BUNDLE_BYTES - NONCE - MAC];

/// The language of a team's word lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May invite, approve, revoke and change policy.
    Admin,
    /// A person.
    Member,
    /// A program: may do nothing to the team.
    Bot,
}

/// The team root's Ed25519 public key, 32 bytes, as a bundle carries it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TeamRoot(pub [u8; 32]);

impl std::fmt::Debug for TeamRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TeamRoot(..)")
    }
}

/// The last roster entry the inviter knew: a newcomer accepts no shorter and no other chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterHead {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: Digest,
}

/// What the code is good for.
#[derive(Clone, PartialEq, Eq)]
pub enum Invitation {
    /// Founds the team; there is no root yet.
    Founder,
    /// Hands a spare relay, which nobody uses yet, to a team; it names none.
    Spare,
    /// Asks to join an existing team.
    Member {
        /// The key everything in the roster hangs from.
        root: TeamRoot,
        /// The inviter's name.
        inviter: String,
        /// What the inviter's roster ended with.
        head: RosterHead,
    },
}

/// The bundle. Times are unix seconds.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Founder's, member's or a spare relay's.
    pub invitation: Invitation,
    /// The team's name; may be empty in a founder's, is empty in a spare relay's.
    pub team: String,
    /// The language of the team's words.
    pub language: Language,
    /// The relay's static key, checked before the request is sent.
    pub relay: StaticPublic,
    /// Where the relay can be reached, best first, each `HOST:PORT`.
    pub addresses: Vec<String>,
    /// What the newcomer will be.
    pub role: Role,
    /// When the invite ends.
    pub expires: u64,
    /// Whether the admin's device approves without the words.
    pub auto_approve: bool,
}

/// Why a bundle cannot be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// Our caller: a field is longer than its bound, or holds forbidden characters.
    #[error("a field of the bundle is out of bounds")]
    OutOfBounds,
    /// Bad bytes: another size than a sealed bundle can have.
    #[error("a sealed bundle of impossible size")]
    Size,
    /// The seal does not open: another code's bundle, or somebody changed it.
    #[error("the bundle is not sealed by this code")]
    Seal,
    /// The inviter's version is newer than ours.
    #[error("bundle version {0} is not supported")]
    Version(u8),
    /// The inviter sealed something that is not a canonical bundle.
    #[error("the bundle is malformed")]
    Malformed,
}

/// Whether a name from elsewhere is 1 to 40 characters, none of which controls a terminal, turns
/// the writing direction or hides: what a bundle checks before it is shown.
pub fn is_plain(text: &str) -> bool {
    let count = text.chars().count();
    (1..=MAX_NAME_CHARS).contains(&count) && !text.chars().any(is_forbidden)
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

impl Bundle {
    /// The canonical plaintext: big-endian, length-prefixed, version first.
    ///
    /// # Errors
    /// [`BundleError::OutOfBounds`] if a field is.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BundleError> {
        if !self.is_within_bounds() {
            return Err(BundleError::OutOfBounds);
        }
        let mut out = Zeroizing::new(Vec::with_capacity(MAX_BUNDLE_BYTES));
        let kind = match self.invitation {
            Invitation::Founder => 0,
            Invitation::Member { .. } => 1,
            Invitation::Spare => 2,
        };
        out.extend_from_slice(&[VERSION, kind, self.language.code(), self.role.code()]);
        out.push(u8::from(self.auto_approve));
        out.extend_from_slice(&self.expires.to_be_bytes());
        out.extend_from_slice(&self.relay.0);
        put(&mut out, &self.team)?;
        out.push(u8::try_from(self.addresses.len()).map_err(|_| BundleError::OutOfBounds)?);
        for address in &self.addresses {
            put(&mut out, address)?;
        }
        if let Invitation::Member { root, inviter, head } = &self.invitation {
            out.extend_from_slice(&root.0);
            put(&mut out, inviter)?;
            out.extend_from_slice(&head.number.to_be_bytes());
            out.extend_from_slice(&head.hash.0);
        }
        Ok(out)
    }

    /// Reads a plaintext with its padding of zeros.
    ///
    /// # Errors
    /// [`BundleError`] for anything that [`Bundle::encode`] does not write.
    pub fn decode(plain: &[u8]) -> Result<Self, BundleError> {
        let (&version, rest) = plain.split_first().ok_or(BundleError::Malformed)?;
        if version != VERSION {
            return Err(BundleError::Version(version));
        }
        let bundle = Self::read(&mut Reader::new(rest)).ok_or(BundleError::Malformed)?;
        if bundle.is_within_bounds() { Ok(bundle) } else { Err(BundleError::Malformed) }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let kind = from.byte()?;
        let language = Language::from_code(from.byte()?)?;
        let role = Role::from_code(from.byte()?)?;
        let auto_approve = from.flag()?;
        let expires = u64::from_be_bytes(from.array()?);
        let relay = StaticPublic(from.array()?);
        let team = from.text(MAX_NAME_BYTES)?;
        let count = usize::from(from.byte()?);
        if count > MAX_ADDRESSES {
            return None;
        }
        let addresses =
            (0..count).map(|_| from.text(MAX_ADDRESS_BYTES)).collect::<Option<Vec<_>>>()?;
        let invitation = match kind {
            0 => Invitation::Founder,
            1 => Invitation::Member {
                root: TeamRoot(from.array()?),
                inviter: from.text(MAX_NAME_BYTES)?,
                head: RosterHead {
                    number: u32::from_be_bytes(from.array()?),
                    hash: Digest(from.array()?),
                },
            },
            2 => Invitation::Spare,
            _ => return None,
        };
        from.rest().iter().all(|&byte| byte == 0).then_some(Self {
            invitation,
            team,
            language,
            relay,
            addresses,
            role,
            expires,
            auto_approve,
        })
    }

    /// BLAKE2s-256 of the canonical plaintext as this side holds it; the five words bind it.
    ///
    /// # Errors
    /// [`BundleError::OutOfBounds`] if a field is.
    pub fn hash(&self) -> Result<Digest, BundleError> {
        Ok(Digest(Blake2s256::digest(self.encode()?.as_slice()).into()))
    }

    /// Seals the bundle with XChaCha20-Poly1305: 24 bytes of nonce, then the ciphertext, at most
    /// [`MAX_BUNDLE_BYTES`] in all. The invite's id is authenticated with it.
    ///
    /// # Errors
    /// [`BundleError::OutOfBounds`] if a field is.
    pub fn seal(
        &self,
        id: &InviteId,
        key: &BundleKey,
        random: &mut (impl Random + ?Sized),
    ) -> Result<Vec<u8>, BundleError> {
        let mut plain = self.encode()?;
        let padded = PADDED.into_iter().find(|&size| size >= plain.len());
        plain.resize(padded.ok_or(BundleError::OutOfBounds)?, 0);
        let nonce: [u8; NONCE] = bytes(random);
        let payload = Payload { msg: &plain, aad: &id.0 };
        let cipher = XChaCha20Poly1305::new(key.secret().expose().into());
        let sealed = cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| BundleError::OutOfBounds)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a sealed bundle.
    ///
    /// # Errors
    /// [`BundleError`] for another size, code, version or layout.
    pub fn open(id: &InviteId, key: &BundleKey, sealed: &[u8]) -> Result<Self, BundleError> {
        if !PADDED.iter().any(|size| sealed.len() == size + NONCE + MAC) {
            return Err(BundleError::Size);
        }
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(BundleError::Size)?;
        let cipher = XChaCha20Poly1305::new(key.secret().expose().into());
        let plain = cipher
            .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &id.0 })
            .map_err(|_| BundleError::Seal)?;
        Self::decode(&Zeroizing::new(plain))
    }

    fn is_within_bounds(&self) -> bool {
        let (is_nameless, names_fit) = match &self.invitation {
            Invitation::Founder => (self.team.is_empty(), true),
            Invitation::Spare => (true, self.team.is_empty() && !self.addresses.is_empty()),
            Invitation::Member { inviter, .. } => (false, is_plain(inviter)),
        };
        let team_fits = is_nameless || is_plain(&self.team);
        let addresses_fit = self.addresses.len() <= MAX_ADDRESSES
            && self.addresses.iter().all(|a| {
                !a.is_empty()
                    && a.len() <= MAX_ADDRESS_BYTES
                    && a.bytes().all(|b| b.is_ascii_graphic())
            });
        // An admin is never approved without the words, whoever says so.
        names_fit && team_fits && addresses_fit && !(self.auto_approve && self.role == Role::Admin)
    }
}

fn put(out: &mut Vec<u8>, text: &str) -> Result<(), BundleError> {
    let length = u16::try_from(text.len()).map_err(|_| BundleError::OutOfBounds)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

impl Language {
    /// The number that stands for the language in every encoding.
    pub fn code(self) -> u8 {
        match self {
            Self::English => 0,
            Self::French => 1,
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::English, Self::French].into_iter().find(|language| language.code() == code)
    }
}

impl Role {
    /// The number that stands for the role in every encoding.
    pub fn code(self) -> u8 {
        match self {
            Self::Admin => 0,
            Self::Member => 1,
            Self::Bot => 2,
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Admin, Self::Member, Self::Bot].into_iter().find(|role| role.code() == code)
    }

    /// The role as people type it and JSON shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Bot => "bot",
        }
    }

    /// Reads [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Admin, Self::Member, Self::Bot].into_iter().find(|role| role.name() == name)
    }
}
