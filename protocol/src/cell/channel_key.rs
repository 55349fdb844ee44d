//! A channel: a secret that some devices share, with which cells are tagged and sealed.
//!
//! A cell is `tag 16 | nonce 24 | body 984`. The tag is one short keyed hash of the nonce, so a
//! device finds its own cells among everybody's; it also commits to the key.

use blake2::Blake2sMac;
use blake2::digest::consts::{U16, U32};
use blake2::digest::{FixedOutput, KeyInit, Update};
use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use subtle::ConstantTimeEq;

use super::fragment::{FRAGMENT, Fragment};
use crate::noise::keys::derive;
use crate::random::Random;
use crate::secret::Secret;
use crate::wire::limits::CELL;

/// Bytes of a tag.
pub const TAG: usize = 16;
/// Bytes of a nonce.
pub const NONCE: usize = 24;
/// Bytes of a body.
pub const BODY: usize = CELL - TAG - NONCE;

/// Finds a channel's cells.
pub struct TagKey {
    // Keyed once: a clone of this state is what one check costs.
    keyed: Blake2sMac<U16>,
}

impl TagKey {
    /// Derives the tag key of a channel secret.
    pub fn derive(secret: &Secret<32>) -> Self {
        let key = derive(secret.expose(), b"staffetta 1 cell tag");
        Self { keyed: <Blake2sMac<U16> as KeyInit>::new(key.expose().into()) }
    }

    /// The tag of a nonce.
    pub fn tag(&self, nonce: &[u8; NONCE]) -> [u8; TAG] {
        let mut mac = self.keyed.clone();
        mac.update(nonce);
        mac.finalize_fixed().into()
    }

    /// Whether a cell is this channel's.
    pub fn matches(&self, cell: &[u8; CELL]) -> bool {
        let (tag, nonce, _) = parts(cell);
        self.tag(nonce).as_slice().ct_eq(tag).into()
    }

    /// Puts a cell together.
    pub(super) fn assemble(&self, nonce: &[u8; NONCE], body: &[u8]) -> [u8; CELL] {
        let mut cell = [0; CELL];
        let tag = self.tag(nonce);
        let bytes = tag.iter().chain(nonce).chain(body);
        cell.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        cell
    }
}

/// A channel with a symmetric seal: room, control, check and invite channels.
pub struct ChannelKey {
    tag: TagKey,
    seal: Secret<32>,
}

const _: () = assert!(std::mem::needs_drop::<ChannelKey>());

/// A cell under a channel's tag whose body is not authentic: its sender holds the tag key and
/// misbehaves, or the relay changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not authentic")]
pub struct BadBody;

impl ChannelKey {
    /// Derives the keys of a channel secret.
    pub fn derive(secret: &Secret<32>) -> Self {
        Self {
            tag: TagKey::derive(secret),
            seal: derive(secret.expose(), b"staffetta 1 cell seal"),
        }
    }

    /// Whether a cell is this channel's.
    pub fn matches(&self, cell: &[u8; CELL]) -> bool {
        self.tag.matches(cell)
    }

    /// Seals a fragment into a cell under a fresh random nonce.
    pub fn seal(&self, random: &mut (impl Random + ?Sized), fragment: &Fragment) -> [u8; CELL] {
        let nonce: [u8; NONCE] = crate::random::bytes(random);
        let mut body = fragment.encode().to_vec();
        // XChaCha20-Poly1305 fails only for messages of 256 GiB; the body would then not open.
        if let Ok(tag) =
            self.cipher().encrypt_in_place_detached(XNonce::from_slice(&nonce), b"", &mut body)
        {
            body.extend_from_slice(&tag);
        }
        self.tag.assemble(&nonce, &body)
    }

    /// Opens a cell whose tag matched.
    ///
    /// # Errors
    /// [`BadBody`] if the body is not authentic or no fragment.
    pub fn open(&self, cell: &[u8; CELL]) -> Result<Fragment, BadBody> {
        let (_, nonce, body) = parts(cell);
        let (sealed, tag) = body.split_at(FRAGMENT);
        let mut plain: [u8; FRAGMENT] = sealed.try_into().map_err(|_| BadBody)?;
        self.cipher()
            .decrypt_in_place_detached(XNonce::from_slice(nonce), b"", &mut plain, tag.into())
            .map_err(|_| BadBody)?;
        Fragment::decode(&plain).ok_or(BadBody)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        <XChaCha20Poly1305 as KeyInit>::new(self.seal.expose().into())
    }
}

/// Splits a cell into tag, nonce and body.
pub(super) fn parts(cell: &[u8; CELL]) -> (&[u8], &[u8; NONCE], &[u8]) {
    const ZERO: [u8; NONCE] = [0; NONCE];
    let (tag, rest) = cell.split_at(TAG);
    match rest.split_first_chunk::<NONCE>() {
        Some((nonce, body)) => (tag, nonce, body),
        None => (tag, &ZERO, &[]),
    }
}

/// A channel secret from a shared one, for a purpose (`label`).
pub fn channel_secret(shared: &Secret<32>, label: &[u8]) -> Secret<32> {
    use blake2::digest::Mac;
    let mut mac = <Blake2sMac<U32> as KeyInit>::new(shared.expose().into());
    Update::update(&mut mac, b"staffetta 1 channel ");
    Update::update(&mut mac, label);
    Secret::filled(|out| out.copy_from_slice(&mac.finalize().into_bytes()))
}
