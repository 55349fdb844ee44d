//! What a member's device asks of the admins' devices: to open an invite for a further device of the
//! member, to take that device in, to revoke a device of its own. Any of them that is online does it
//! by itself.
//!
//! An ask rides in direct messages, signed by the asker's identity key because a direct message
//! alone can be forged for the receiver whose key is stolen. It is sealed once more under a key
//! from the control room's exporter, so that the secret of the invite is as safe as a room's text.

use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::Cx;
use super::fault::{Fault, refused};
use super::invites::{life, request_of, state};
use crate::invite_code::{Bundle, Role};
use crate::member::identity::SignatureBytes;
use crate::member::invite::{MAX_TTL, Phase};
use crate::member::store::{ChannelKind, InviteRow};
use crate::random::bytes;
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, Digest, InviteId};
use crate::wire::limits::MAX_OPEN_INVITES;

/// The kind of fragments of a direct channel that carry an ask.
pub(super) const DIRECT_ASK: u8 = 8;

const LABEL: &[u8] = b"staffetta 1 ask";
/// The longest ask in bytes; a bundle takes most of it.
const MAX_ASK: usize = 4_096;
/// Open invites for further devices that one member may have.
const MAX_PER_MEMBER: usize = 2;

/// What is asked, or answered.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask {
    /// Open this invite at the relay.
    Open { secret: ByteArray<16>, bundle: ByteBuf, expires: u64 },
    /// It is open.
    Opened { invite: ByteArray<16> },
    /// Who made this request is a device of mine.
    Vouch { invite: ByteArray<16>, request: ByteArray<32>, compared: bool },
    /// Close this invite; whoever asks with it is refused.
    Close { invite: ByteArray<16> },
    /// Revoke this device of mine.
    Revoke { device: ByteArray<16> },
}

impl Drop for Ask {
    fn drop(&mut self) {
        if let Self::Open { secret, .. } = self {
            secret.as_mut_slice().zeroize();
        }
    }
}

const _: () = assert!(std::mem::needs_drop::<Ask>());

impl Cx<'_> {
    /// Asks all admins' devices; whichever is online first does it.
    pub(super) fn ask_admins(&mut self, ask: &Ask) -> Result<(), Fault> {
        let me = self.memory.me()?;
        let admins = self.memory.roster()?.active_admins().map(|device| device.id);
        let admins: Vec<_> = admins.filter(|device| *device != me).collect();
        admins.iter().try_for_each(|admin| self.send_ask(admin, ask))
    }

    pub(super) fn send_ask(&mut self, to: &DeviceId, ask: &Ask) -> Result<(), Fault> {
        let mut body = Zeroizing::new(Vec::with_capacity(MAX_ASK));
        ciborium::into_writer(ask, &mut *body).map_err(|_| Fault::Bug("encode an ask"))?;
        // Bound to the receiver: what one admin was asked, nobody can show to another.
        let signed = [to.0.as_slice(), &body].concat();
        let signed = Zeroizing::new(signed);
        let signature = self.memory.keys()?.identity.sign(LABEL, &signed);
        let plain = Zeroizing::new([signature.0.as_slice(), &body].concat());
        let control = self.memory.profile.control();
        let mut channels = self.tx.channels()?;
        channels.retain(|c| c.kind == ChannelKind::Control && c.room == control);
        let newest = channels.into_iter().max_by_key(|channel| channel.epoch);
        let Some(channel) = newest else { return Err(Fault::Bug("no control channel")) };
        let nonce: [u8; 24] = bytes(self.random);
        let sealed = cipher(&channel.secret)
            .encrypt(XNonce::from_slice(&nonce), plain.as_slice())
            .map_err(|_| Fault::Bug("seal an ask"))?;
        let message = [channel.epoch.to_be_bytes().as_slice(), &nonce, &sealed].concat();
        self.send_direct(to, DIRECT_ASK, &message)
    }

    /// An ask came. What is wrong with it is only logged: it came from the log.
    pub(super) fn asked(&mut self, peer: DeviceId, message: &[u8]) -> Result<(), Fault> {
        let Some(ask) = self.open_ask(&peer, message)? else {
            tracing::warn!("an ask of a device cannot be read");
            return Ok(());
        };
        let admin = self.is_admin()?;
        match &ask {
            Ask::Opened { invite } => self.opened_for_me(&peer, &InviteId(invite.into_array())),
            _ if !admin => Ok(()),
            Ask::Open { secret, bundle, expires } => {
                let secret = Secret::copy(secret.as_slice()).ok_or(Fault::Bug("secret"))?;
                self.asked_to_open(peer, secret, bundle, *expires)
            }
            Ask::Vouch { invite, request, compared } => {
                let invite = InviteId(invite.into_array());
                self.vouched(peer, &invite, &Digest(request.into_array()), *compared)
            }
            Ask::Close { invite } => {
                let Some(mut row) = self.tx.invite(&InviteId(invite.into_array()))? else {
                    return Ok(());
                };
                if row.by == peer && !matches!(row.state, state::USED_ENDING | state::USED) {
                    row.state = state::REFUSED_ENDING;
                    self.tx.put_invite(&row)?;
                }
                Ok(())
            }
            Ask::Revoke { device } => self.asked_to_revoke(&peer, &DeviceId(device.into_array())),
        }
    }

    fn open_ask(&self, peer: &DeviceId, message: &[u8]) -> Result<Option<Ask>, Fault> {
        let roster = self.memory.roster()?;
        let known = roster.device(peer).filter(|device| device.revoked.is_none());
        let (Some(device), Some((epoch, rest))) = (known, message.split_first_chunk::<8>()) else {
            return Ok(None);
        };
        let Some((nonce, sealed)) = rest.split_first_chunk::<24>() else { return Ok(None) };
        if sealed.len() > MAX_ASK || roster.role_of(peer) == Some(Role::Bot) {
            return Ok(None);
        }
        let epoch = u64::from_be_bytes(*epoch);
        let mut channels = self.tx.channels()?.into_iter();
        let channel = channels.find(|c| c.kind == ChannelKind::Control && c.epoch == epoch);
        let Some(channel) = channel else { return Ok(None) };
        let opened = cipher(&channel.secret).decrypt(XNonce::from_slice(nonce), sealed);
        let Ok(opened) = opened.map(Zeroizing::new) else { return Ok(None) };
        let Some((signature, body)) = opened.split_first_chunk::<64>() else { return Ok(None) };
        let signed = Zeroizing::new([self.memory.me()?.0.as_slice(), body].concat());
        if !device.keys.identity.verify(LABEL, &signed, &SignatureBytes(*signature)) {
            return Ok(None);
        }
        Ok(ciborium::from_reader(body).ok())
    }

    /// A member's device wants to let another of its member in.
    fn asked_to_open(
        &mut self,
        peer: DeviceId,
        secret: Secret<16>,
        bundle: &[u8],
        expires: u64,
    ) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let roster = self.memory.roster()?;
        let Some(member) = roster.device(&peer).map(|device| device.member) else { return Ok(()) };
        let role = roster.role_of(&peer).ok_or(Fault::Bug("no role"))?;
        let rows = self.tx.invites()?;
        let open = |row: &&InviteRow| {
            life(row).is_some_and(|i| matches!(i.phase(now), Phase::Open | Phase::Asking { .. }))
        };
        let of_member = rows.iter().filter(|row| row.member == Some(member)).filter(open).count();
        let full =
            of_member >= MAX_PER_MEMBER || rows.iter().filter(open).count() >= MAX_OPEN_INVITES;
        let fits = expires > now && expires <= now + MAX_TTL;
        if full || !fits || Bundle::decode(bundle).is_err() {
            return Ok(());
        }
        let mut row = InviteRow {
            id: InviteId([0; 16]),
            secret,
            bundle: bundle.to_vec(),
            role: role.code(),
            name: None,
            auto_approve: false,
            created_at: now,
            expires_at: expires,
            state: state::OPENING,
            used_at: None,
            request: None,
            by: peer,
            member: Some(member),
            vouch: None,
            membership: None,
        };
        let code = self.code_of(&row)?;
        row.id = code.keys().id;
        if self.tx.invite(&row.id)?.is_some() {
            return Ok(());
        }
        self.tx.put_invite(&row)?;
        self.open_invite_channel(&code, self.memory.head())
    }

    /// An admin's device opened this device's invite.
    fn opened_for_me(&mut self, peer: &DeviceId, invite: &InviteId) -> Result<(), Fault> {
        let from_admin = self.memory.roster()?.role_of(peer) == Some(Role::Admin);
        let Some(mut row) = self.tx.invite(invite)? else { return Ok(()) };
        if from_admin && row.state == state::OPENING && row.by == self.memory.me()? {
            row.state = state::OPEN;
            self.tx.put_invite(&row)?;
        }
        Ok(())
    }

    /// The member's device says who asks; the words were compared there.
    fn vouched(
        &mut self,
        peer: DeviceId,
        invite: &InviteId,
        request: &Digest,
        compared: bool,
    ) -> Result<(), Fault> {
        let Some(mut row) = self.tx.invite(invite)? else { return Ok(()) };
        let same = request_of(&row).is_some_and(|opened| opened.digest() == *request);
        // An admin's further device never comes in without the words.
        let enough = compared || Role::from_code(row.role) != Some(Role::Admin);
        let waits = row.by == peer && row.state == state::ASKING && row.vouch.is_none();
        if !same || !enough || !waits {
            return Ok(());
        }
        row.vouch = Some(compared);
        row.used_at = Some(self.now.unix_s());
        Ok(self.tx.put_invite(&row)?)
    }

    /// A member wants a device of its own out.
    fn asked_to_revoke(&mut self, peer: &DeviceId, device: &DeviceId) -> Result<(), Fault> {
        let roster = self.memory.roster()?;
        let member = |id: &DeviceId| roster.device(id).map(|device| device.member);
        if member(peer) == member(device) && roster.is_active(device) {
            self.tx.put_errand(device, self.now.unix_s())?;
        }
        Ok(())
    }

    /// `approve` on a member's device: asks the admins' devices to take the other one in.
    pub(super) fn vouch(&mut self, row: &InviteRow, compared: bool) -> Result<DeviceId, Fault> {
        let Some(opened) = request_of(row) else {
            return Err(refused("Nobody asks with this invite.", None).into());
        };
        self.ask_admins(&Ask::Vouch {
            invite: ByteArray::new(row.id.0),
            request: ByteArray::new(opened.digest().0),
            compared,
        })?;
        Ok(opened.request.device_id())
    }
}

fn cipher(secret: &Secret<32>) -> XChaCha20Poly1305 {
    let mut key = Zeroizing::new([0_u8; 32]);
    // 32 bytes are within what HKDF-SHA256 gives.
    let _ = Hkdf::<Sha256>::new(Some(LABEL), secret.expose()).expand(b"seal", key.as_mut_slice());
    XChaCha20Poly1305::new(key.as_slice().into())
}
