//! One room's group.

use openmls::prelude::{
    GroupId, LeafNodeIndex, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig, NewGroupError,
    OpenMlsProvider, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, SenderRatchetConfiguration,
};
use zeroize::Zeroizing;

use super::authority::{Authority, actor};
use super::error::Error;
use super::leaf::{self, LeafSigner};
use super::provider::Provider;
use super::state::{self, RoomState};
use super::{MAX_AAD, MAX_FORWARD, MAX_PLAINTEXT, OUT_OF_ORDER, SUITE};
use crate::member::identity::{DeviceKeys, LeafCertificate, SigningPublic, SigningSecret};
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, RoomId};

/// A room's MLS group as this device holds it.
///
/// The disk leads: after a rollback drop this value and [`Group::load`] it again.
pub struct Group {
    pub(super) mls: MlsGroup,
    pub(super) room: RoomId,
    pub(super) state: RoomState,
}

/// A device in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The index of its leaf.
    pub leaf: u32,
    /// The device.
    pub device: DeviceId,
    /// Its leaf key.
    pub key: SigningPublic,
}

/// The epoch authenticator (RFC 9420 section 8.7): equal on two devices if and only if they are in
/// the same epoch of the same group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Authenticator(pub [u8; 48]);

/// The channels whose secrets the exporter (RFC 9420 section 8.5) gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The room's messages of this epoch.
    Room,
    /// Roster entries, from the control room's group.
    Control,
    /// Beacons.
    Check,
}

impl Channel {
    fn label(self) -> &'static str {
        match self {
            Self::Room => "staffetta 1 room",
            Self::Control => "staffetta 1 control",
            Self::Check => "staffetta 1 check",
        }
    }
}

/// How every group of ours runs, whether created or joined.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(0)
        .padding_size(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, MAX_FORWARD))
        .build()
}

fn group_id(room: &RoomId) -> GroupId {
    GroupId::from_slice(room.as_bytes())
}

impl Group {
    /// Founds a room with this device as its only leaf.
    ///
    /// Errors: [`Error::TooLong`] for a state beyond its limits, otherwise of the store or OpenMLS.
    pub fn create(
        provider: &Provider<'_>,
        keys: &DeviceKeys,
        certificate: &LeafCertificate,
        room: RoomId,
        state: &RoomState,
    ) -> Result<Self, Error> {
        let encoded = state.encode().ok_or(Error::TooLong)?;
        let context = state::context(encoded).map_err(|_| Error::Library("group context"))?;
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(0)
            .padding_size(0)
            .use_ratchet_tree_extension(true)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(
                OUT_OF_ORDER,
                MAX_FORWARD,
            ))
            .lifetime(leaf::unlimited())
            .capabilities(leaf::capabilities())
            .with_group_context_extensions(context)
            .build();
        let mls = MlsGroup::new_with_group_id(
            provider,
            &LeafSigner(&keys.leaf),
            &config,
            group_id(&room),
            leaf::credential(certificate, keys.leaf.public()),
        )
        .map_err(|error| match error {
            NewGroupError::StorageError(error) => Error::Storage(error),
            _ => Error::Library("create a group"),
        })?;
        Ok(Self { mls, room, state: state.clone() })
    }

    /// Loads the room's group; `None` if this device has none.
    pub fn load(provider: &Provider<'_>, room: RoomId) -> Result<Option<Self>, Error> {
        MlsGroup::load(provider.storage(), &group_id(&room))?
            .map(|mls| {
                let state = state::of_context(mls.extensions()).ok_or(Error::NotARoom)?;
                Ok(Self { mls, room, state })
            })
            .transpose()
    }

    /// Forgets the group and all its secrets, after this device was removed or before it rejoins.
    pub fn delete(mut self, provider: &Provider<'_>) -> Result<(), Error> {
        Ok(self.mls.delete(provider.storage())?)
    }

    /// The room.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// The room state.
    pub fn state(&self) -> &RoomState {
        &self.state
    }

    /// Whether this device is still in the room.
    pub fn is_active(&self) -> bool {
        self.mls.is_active()
    }

    /// Whether a commit of this device waits for its place.
    pub fn has_pending(&self) -> bool {
        self.mls.pending_commit().is_some()
    }

    /// The epoch's authenticator.
    pub fn authenticator(&self) -> Result<Authenticator, Error> {
        authenticator(self.mls.epoch_authenticator().as_slice())
            .ok_or(Error::Library("epoch authenticator"))
    }

    /// The devices in the room, in the order of their leaves.
    pub fn members(&self) -> Vec<Member> {
        self.leaves().into_iter().filter_map(|(_, member)| member).collect()
    }

    /// The devices in the room that are not active on the roster: the next commit must remove them.
    pub fn revoked(&self, authority: &dyn Authority) -> Vec<DeviceId> {
        let inactive = |m: &Member| actor(authority, &m.device).is_none();
        self.members().into_iter().filter(inactive).map(|m| m.device).collect()
    }

    /// The secret from which a channel's keys derive, of this epoch.
    pub fn channel_secret(
        &self,
        provider: &Provider<'_>,
        channel: Channel,
    ) -> Result<Secret<32>, Error> {
        let exported = self
            .mls
            .export_secret(provider.crypto(), channel.label(), &[], 32)
            .map_err(|_| Error::NotAMember)?;
        Secret::copy(&Zeroizing::new(exported)).ok_or(Error::Library("exporter"))
    }

    /// Encrypts an application message in this epoch. `aad` travels in the clear inside the cell's
    /// seal and is authenticated.
    ///
    /// **Nobody encrypts into an epoch holding a leaf he knows revoked**: [`Error::RevokedLeaf`].
    pub fn encrypt(
        &mut self,
        provider: &Provider<'_>,
        signer: &SigningSecret,
        authority: &dyn Authority,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, Error> {
        if plaintext.len() > MAX_PLAINTEXT || aad.len() > MAX_AAD {
            return Err(Error::TooLong);
        }
        if !self.is_active() {
            return Err(Error::NotAMember);
        }
        if !self.revoked(authority).is_empty() {
            return Err(Error::RevokedLeaf);
        }
        self.mls.set_aad(aad.to_vec());
        let message = self
            .mls
            .create_message(provider, &LeafSigner(signer), plaintext)
            .map_err(|_| Error::Library("encrypt"))?;
        message.to_bytes().map_err(|_| Error::Library("serialise a message"))
    }

    /// The HPKE public key of a device's leaf, which every renewal replaces.
    #[cfg(test)]
    pub(crate) fn encryption_key_of(&self, device: &DeviceId) -> Option<Vec<u8>> {
        let found = self.mls.members().find(|m| member(m).is_some_and(|m| m.device == *device));
        found.map(|member| member.encryption_key)
    }

    /// All leaves; `None` beside one whose credential is not ours, which no check lets in.
    pub(super) fn leaves(&self) -> Vec<(LeafNodeIndex, Option<Member>)> {
        self.mls.members().map(|m| (m.index, member(&m))).collect()
    }

    /// The leaf of a device.
    pub(super) fn leaf_of(&self, device: &DeviceId) -> Option<LeafNodeIndex> {
        self.mls.members().find(|m| member(m).is_some_and(|m| m.device == *device)).map(|m| m.index)
    }
}

/// The device behind an OpenMLS member.
pub(super) fn member(member: &openmls::prelude::Member) -> Option<Member> {
    let certificate = leaf::certificate(&member.credential).ok()?;
    let key = leaf::leaf_key(&member.signature_key).ok()?;
    Some(Member { leaf: member.index.u32(), device: certificate.device, key })
}

pub(super) fn authenticator(bytes: &[u8]) -> Option<Authenticator> {
    bytes.try_into().ok().map(Authenticator)
}
