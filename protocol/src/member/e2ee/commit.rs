//! Building a commit. It stays pending in the group's storage until its place is known.

use std::collections::BTreeSet;

use openmls::prelude::{
    CommitBuilderStageError, Extension, KeyPackage, LeafNodeIndex, OpenMlsProvider, Sender,
    UnknownExtension,
};

use super::authority::Authority;
use super::error::{CommitError, Error, Invalid};
use super::group::Group;
use super::leaf::LeafSigner;
use super::note::{CommitNote, WELCOME_NOTE, WelcomeNote, WelcomeSecrets};
use super::provider::Provider;
use super::resync::Resync;
use super::state::{self, RoomState};
use super::verdict::Place;
use super::{MAX_ADDS, packages, rules};
use crate::member::identity::SigningSecret;
use crate::wire::ids::DeviceId;

/// What a commit shall do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// KeyPackages of the devices to add, at most [`MAX_ADDS`].
    pub add: &'a [Vec<u8>],
    /// Devices to remove; revoked leaves and the removals asked for in this epoch are removed in
    /// any case.
    pub remove: &'a [DeviceId],
    /// Whether to replace one's own leaf keys. A commit of Adds alone needs no path, and one
    /// Add takes four cells at any size.
    pub update: bool,
    /// The room state from here on, if it is another one.
    pub state: Option<&'a RoomState>,
    /// A device to remove and add again, because it asks for it; nobody else is added then.
    pub resync: Option<Resync<'a>>,
}

/// A commit of one's own: keep `commit` with its exact bytes on disk, send `welcome` only after it
/// has won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The PublicMessage.
    pub commit: Vec<u8>,
    /// The Welcome for all added devices.
    pub welcome: Option<Vec<u8>>,
}

/// What goes into a commit.
struct Parts {
    added: Vec<KeyPackage>,
    removed: BTreeSet<LeafNodeIndex>,
    context: Option<Vec<u8>>,
    update: bool,
}

impl Group {
    /// Builds a commit on the current epoch and leaves it pending.
    ///
    /// A Welcome carries `secrets`, and the commit's own roster number as the joiners' floor.
    ///
    /// It is checked by the rules that everybody will apply at its place, as they stand now; the
    /// roster may have moved by then, so [`Group::win_own`] checks again. While it is pending, this
    /// device reads and writes in the old epoch. It is never cleared on a time-out: another device
    /// may have seen it win.
    pub fn commit(
        &mut self,
        provider: &Provider<'_>,
        signer: &SigningSecret,
        change: &Change<'_>,
        secrets: &WelcomeSecrets<'_>,
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Result<Built, CommitError> {
        if self.has_pending() {
            return Err(CommitError::Pending);
        }
        if !self.is_active() {
            return Err(Error::NotAMember.into());
        }
        if change.add.len() > MAX_ADDS {
            return Err(CommitError::Refused(Invalid::TooManyAdds));
        }
        if authority.number() < place.roster_floor {
            return Err(CommitError::Refused(Invalid::RosterWentBack));
        }
        let mut removed = self.to_remove(change.remove, authority, place)?;
        if let Some(Resync { request, .. }) = change.resync {
            removed.insert(self.leaf_of(&request.device).ok_or(Error::NoSuchLeaf)?);
        }
        if removed.contains(&self.mls.own_leaf_index()) {
            return Err(CommitError::Refused(Invalid::RemovesAuthor));
        }
        let context = match change.state.filter(|new| **new != self.state) {
            Some(new) => Some(new.encode().ok_or(Error::TooLong)?),
            None => None,
        };
        let idle = change.add.is_empty() && removed.is_empty() && context.is_none();
        if idle && !change.update {
            return Err(CommitError::Nothing);
        }
        let fresh = change.resync.map(|resync| resync.package);
        let added = change
            .add
            .iter()
            .map(Vec::as_slice)
            .chain(fresh)
            .map(|bytes| packages::read(provider, bytes).map(|(package, _, _)| package))
            .collect::<Result<Vec<_>, _>>()
            .map_err(CommitError::Package)?;
        let resync = change.resync.map(|resync| *resync.request);
        let note = CommitNote { roster: authority.number(), resync };
        let built = provider.all_or_nothing(|| {
            let built = self.build(
                provider,
                signer,
                Parts { added, removed, context, update: change.update },
                secrets,
                note,
            )?;
            self.examine_pending(&note, authority, place).map_err(CommitError::Refused)?;
            Ok(built)
        });
        if built.is_err() {
            // Never sent, so nobody can have seen it win. The rollback took it off the disk; this
            // takes it out of memory.
            self.mls.clear_pending_commit(provider.storage())?;
        }
        built
    }

    /// The leaves that the commit removes.
    fn to_remove(
        &self,
        asked: &[DeviceId],
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Result<BTreeSet<LeafNodeIndex>, Error> {
        let find = |device| self.leaf_of(device).ok_or(Error::NoSuchLeaf);
        let mut out = asked.iter().map(find).collect::<Result<BTreeSet<_>, _>>()?;
        let due = self.revoked(authority);
        let due = due.iter().chain(place.required_removals);
        out.extend(due.filter_map(|device| self.leaf_of(device)));
        Ok(out)
    }

    fn build(
        &mut self,
        provider: &Provider<'_>,
        signer: &SigningSecret,
        parts: Parts,
        secrets: &WelcomeSecrets<'_>,
        note: CommitNote,
    ) -> Result<Built, Error> {
        let Parts { added, removed, context, update } = parts;
        let (welcomes, removes) = (!added.is_empty(), !removed.is_empty());
        self.mls.set_aad(note.encode());
        let mut proposals = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(update)
            .propose_removals(removed)
            .propose_adds(added);
        if let Some(encoded) = context {
            let context = state::context(encoded).map_err(|_| Error::Library("group context"))?;
            proposals = proposals
                .propose_group_context_extensions(context)
                .map_err(|_| Error::Library("propose a group context"))?;
        }
        let mut builder =
            proposals.load_psks(provider.storage()).map_err(|_| Error::Library("load psks"))?;
        if welcomes {
            let note = WelcomeNote::encode(note.roster, removes, secrets).ok_or(Error::TooLong)?;
            let note = Extension::Unknown(WELCOME_NOTE, UnknownExtension(note.to_vec()));
            builder = builder
                .create_group_info_with_extensions([note])
                .map_err(|_| Error::Library("group info"))?;
        }
        let bundle = builder
            .build(provider.rand(), provider.crypto(), &LeafSigner(signer), |_| true)
            .map_err(|_| Error::Library("build a commit"))?
            .stage_commit(provider)
            .map_err(|error| match error {
                CommitBuilderStageError::KeyStoreError(error) => Error::Storage(error),
                CommitBuilderStageError::LibraryError(_) => Error::Library("stage a commit"),
            })?;
        let (commit, welcome, _group_info) = bundle.into_messages();
        let welcome = welcome.map(|welcome| welcome.to_bytes()).transpose();
        Ok(Built {
            commit: commit.to_bytes().map_err(|_| Error::Library("serialise a commit"))?,
            welcome: welcome.map_err(|_| Error::Library("serialise a Welcome"))?,
        })
    }

    /// Applies everybody's rules to the commit just built.
    fn examine_pending(
        &self,
        note: &CommitNote,
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Result<(), Invalid> {
        let staged = self.mls.pending_commit().ok_or(Invalid::Mls)?;
        let sender = Sender::Member(self.mls.own_leaf_index());
        rules::examine(self, staged, &sender, note, authority, place).map(|_| ())
    }
}
