//! Joining a room: everything in a Welcome is checked before the group exists.

use std::collections::BTreeSet;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::{
    MlsGroup, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider, ProcessedWelcome, StagedWelcome,
    WelcomeError,
};

use super::authority::{Authority, actor};
use super::error::{LeafFault, WelcomeFault};
use super::group::{Group, Member, join_config, member};
use super::leaf;
use super::note::{EpochSecret, WELCOME_NOTE, WelcomeNote};
use super::packages::UsedPackage;
use super::provider::Provider;
use super::resync;
use super::state::{self, RoomState};
use super::{MAX_WELCOME, SUITE};
use crate::member::identity::LeafCertificate;
use crate::wire::ids::{DeviceId, Digest, RoomId};

/// Whether a group that this device has for the room may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejoin<'a> {
    /// No: [`WelcomeFault::AlreadyIn`].
    Refuse,
    /// Yes, after a removal or for a resync.
    Replace,
    /// Yes in these rooms.
    Only(&'a [RoomId]),
}

/// A Welcome whose group was verified against itself, not yet against the roster.
pub struct Invitation {
    staged: StagedWelcome,
    room: RoomId,
    state: RoomState,
    note: WelcomeNote,
    rejoins: bool,
    used: Option<UsedPackage>,
}

/// Opens a Welcome for one of this device's KeyPackages and verifies it as RFC 9420 section 12.4.3.1
/// asks, lifetimes apart, which are unlimited. The KeyPackage's private keys are consumed, unless it
/// is a last-resort one; no group exists before [`Invitation::accept`].
///
/// Errors: [`WelcomeFault::NoMatchingKeyPackage`] if a resync is due.
pub fn open_welcome(
    provider: &Provider<'_>,
    welcome: &[u8],
    rejoin: Rejoin<'_>,
) -> Result<Invitation, WelcomeFault> {
    if welcome.len() > MAX_WELCOME {
        return Err(WelcomeFault::Malformed);
    }
    let message =
        MlsMessageIn::tls_deserialize_exact(welcome).map_err(|_| WelcomeFault::Malformed)?;
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        return Err(WelcomeFault::Malformed);
    };
    let used = UsedPackage::of(provider, &welcome)?;
    let builder = StagedWelcome::build_from_welcome(provider, &join_config(), welcome)
        .map_err(refused)?
        .skip_lifetime_validation();
    let (room, state, note) = header(builder.processed_welcome())?;
    let rejoins = match rejoin {
        Rejoin::Refuse => false,
        Rejoin::Replace => true,
        Rejoin::Only(rooms) => rooms.contains(&room),
    };
    let builder = if rejoins { builder.replace_old_group() } else { builder };
    let staged = builder.build().map_err(refused)?;
    Ok(Invitation { staged, room, state, note, rejoins, used })
}

/// As [`open_welcome`], for a Welcome that `sender` handed over: one whose commit somebody else
/// made uses up no KeyPackage.
///
/// Errors: [`WelcomeFault::MayNotAdd`] for another author, else as [`open_welcome`].
pub fn open_welcome_from(
    provider: &Provider<'_>,
    welcome: &[u8],
    rejoin: Rejoin<'_>,
    sender: &DeviceId,
) -> Result<Invitation, WelcomeFault> {
    provider.all_or_nothing(|| {
        let invitation = open_welcome(provider, welcome, rejoin)?;
        match invitation.sender()? == *sender {
            true => Ok(invitation),
            false => Err(WelcomeFault::MayNotAdd),
        }
    })
}

/// What the sealed GroupInfo says; its signature and its tree are verified after this.
fn header(welcome: &ProcessedWelcome) -> Result<(RoomId, RoomState, WelcomeNote), WelcomeFault> {
    let info = welcome.unverified_group_info();
    if info.ciphersuite() != SUITE || !welcome.psks().is_empty() {
        return Err(WelcomeFault::NotARoom);
    }
    let room = RoomId::from_slice(info.group_id().as_slice()).ok_or(WelcomeFault::NotARoom)?;
    let state = state::of_context(info.group_context().extensions());
    let note = info.extensions().unknown(WELCOME_NOTE).and_then(|n| WelcomeNote::decode(&n.0));
    Ok((room, state.ok_or(WelcomeFault::NotARoom)?, note.ok_or(WelcomeFault::NotARoom)?))
}

impl Invitation {
    /// The room.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// The epoch that the Welcome's commit opened.
    pub fn epoch(&self) -> u64 {
        self.staged.group_context().epoch().as_u64()
    }

    /// The room state.
    pub fn state(&self) -> &RoomState {
        &self.state
    }

    /// What the Welcome brings beside the group.
    pub fn note(&self) -> &WelcomeNote {
        &self.note
    }

    /// Takes out the room's check keys, and whether the commit removes a leaf, so that the epoch
    /// it opens gives the present one.
    pub fn take_check_secrets(&mut self) -> (Vec<EpochSecret>, bool) {
        (std::mem::take(&mut self.note.check_secrets), self.note.removes)
    }

    /// Takes out the single-use KeyPackage that the Welcome used up.
    pub fn take_used(&mut self) -> Option<UsedPackage> {
        self.used.take()
    }

    /// [`leaf_of_package`] of the KeyPackage that the Welcome used.
    pub fn own_leaf_hash(&self) -> Option<Digest> {
        self.staged.own_leaf_node().map(resync::hash_of)
    }

    /// The device that made the commit.
    pub fn sender(&self) -> Result<DeviceId, WelcomeFault> {
        let leaf = self.staged.welcome_sender().map_err(|_| WelcomeFault::Mls)?;
        let certificate = leaf::certificate(leaf.credential()).map_err(WelcomeFault::Leaf)?;
        Ok(certificate.device)
    }

    /// The devices in the room, this one included.
    pub fn members(&self) -> Vec<Member> {
        self.staged.members().filter_map(|leaf| member(&leaf)).collect()
    }

    /// Checks the room against the roster and joins it: every leaf an active device with a valid
    /// certificate, none twice, the sender entitled to add this device.
    ///
    /// `authority` should be the roster at the place of the commit, or later if nobody in the room
    /// was revoked since. [`WelcomeFault::NeedsRoster`] if it does not reach as far as the room.
    pub fn accept(
        self,
        provider: &Provider<'_>,
        authority: &dyn Authority,
    ) -> Result<Group, WelcomeFault> {
        if self.note.roster_floor > authority.number() {
            return Err(WelcomeFault::NeedsRoster(self.note.roster_floor));
        }
        self.check_leaves(authority)?;
        let own = self.staged.own_leaf_node().ok_or(WelcomeFault::Mls)?;
        let own = leaf::certificate(own.credential()).map_err(WelcomeFault::Leaf)?.device;
        let sender = actor(authority, &self.sender()?).ok_or(WelcomeFault::MayNotAdd)?;
        let me = actor(authority, &own).ok_or(WelcomeFault::Leaf(LeafFault::NotActive))?;
        // Who comes back into a room was let in before.
        let may_add = self.rejoins || self.state.may_add(sender, me);
        if !self.state.may_commit(sender) || !may_add {
            return Err(WelcomeFault::MayNotAdd);
        }
        let Self { staged, room, state, .. } = self;
        provider.all_or_nothing(|| {
            // Secrets of the group this one replaces must not stay behind.
            if let Some(mut old) =
                MlsGroup::load(provider.storage(), staged.group_context().group_id())?
            {
                old.delete(provider.storage())?;
            }
            let mls = staged.into_group(provider).map_err(refused)?;
            Ok(Group { mls, room, state })
        })
    }

    fn check_leaves(&self, authority: &dyn Authority) -> Result<(), WelcomeFault> {
        let mut devices = BTreeSet::new();
        for leaf in self.staged.members() {
            let certificate = self.check_leaf(&leaf, authority).map_err(WelcomeFault::Leaf)?;
            if !devices.insert(certificate.device) {
                return Err(WelcomeFault::Twice);
            }
        }
        Ok(())
    }

    fn check_leaf(
        &self,
        leaf: &openmls::prelude::Member,
        authority: &dyn Authority,
    ) -> Result<LeafCertificate, LeafFault> {
        let certificate = leaf::certificate(&leaf.credential)?;
        let key = leaf::leaf_key(&leaf.signature_key)?;
        leaf::certified(&certificate, &key, authority)?;
        Ok(certificate)
    }
}

fn refused(error: WelcomeError<rusqlite::Error>) -> WelcomeFault {
    match error {
        WelcomeError::StorageError(error) => WelcomeFault::Storage(error),
        WelcomeError::NoMatchingKeyPackage => WelcomeFault::NoMatchingKeyPackage,
        WelcomeError::GroupAlreadyExists => WelcomeFault::AlreadyIn,
        WelcomeError::NotAWelcomeMessage | WelcomeError::MalformedWelcomeMessage => {
            WelcomeFault::Malformed
        }
        _ => WelcomeFault::Mls,
    }
}
