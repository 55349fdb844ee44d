//! Remove proposals: how a plain removal starts, one cell, before anybody's commit.
//!
//! A proposal becomes a row of the engine's and a member of [`Place::required_removals`] for the
//! rest of its epoch; it never enters OpenMLS's store, because one there would stop messages from
//! being written and would be committed by reference.
//!
//! [`Place::required_removals`]: super::Place::required_removals

use openmls::prelude::{MlsGroup, OpenMlsProvider, ProcessedMessageContent, Proposal};

use super::MAX_HANDSHAKE;
use super::authority::{Authority, actor, may_remove};
use super::error::{Error, Refused};
use super::group::{Group, member};
use super::leaf::LeafSigner;
use super::peek::Kind;
use super::provider::Provider;
use crate::member::identity::SigningSecret;
use crate::wire::ids::DeviceId;

/// Somebody allowed asks for a device's removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalAsked {
    /// Who asks.
    pub by: DeviceId,
    /// Who shall go.
    pub target: DeviceId,
}

impl Group {
    /// Makes a Remove proposal (about 150 bytes) without keeping anything of it.
    ///
    /// OpenMLS stores every proposal it makes, and makes none while a commit is pending: so it
    /// works on a second copy of the group, and all that is written is undone.
    pub fn remove_proposal(
        &self,
        provider: &Provider<'_>,
        signer: &SigningSecret,
        target: &DeviceId,
    ) -> Result<Vec<u8>, Error> {
        let leaf = self.leaf_of(target).ok_or(Error::NoSuchLeaf)?;
        provider.rehearse(|| {
            let mut copy = MlsGroup::load(provider.storage(), self.mls.group_id())?
                .ok_or(Error::NotAMember)?;
            copy.clear_pending_commit(provider.storage())?;
            let (proposal, _reference) = copy
                .propose_remove_member(provider, &LeafSigner(signer), leaf)
                .map_err(|_| Error::Library("propose a removal"))?;
            proposal.to_bytes().map_err(|_| Error::Library("serialise a proposal"))
        })
    }

    /// Reads a Remove proposal of the current epoch by somebody who may remove the target. Nothing
    /// is stored.
    pub fn read_proposal(
        &mut self,
        provider: &Provider<'_>,
        proposal: &[u8],
        authority: &dyn Authority,
    ) -> Result<RemovalAsked, Refused> {
        let processed = self.process(provider, proposal, Kind::Proposal, MAX_HANDSHAKE)?;
        let by = self.sender(&processed)?;
        let ProcessedMessageContent::ProposalMessage(queued) = processed.into_content() else {
            return Err(Refused::Malformed);
        };
        let Proposal::Remove(remove) = queued.proposal() else { return Err(Refused::Malformed) };
        let target = self
            .mls
            .member_at(remove.removed())
            .and_then(|leaf| member(&leaf))
            .ok_or(Refused::Malformed)?
            .device;
        let asks = actor(authority, &by).ok_or(Refused::SenderNotActive)?;
        if !self.state.may_commit(asks) || !may_remove(asks, actor(authority, &target)) {
            return Err(Refused::MayNot);
        }
        Ok(RemovalAsked { by, target })
    }
}
