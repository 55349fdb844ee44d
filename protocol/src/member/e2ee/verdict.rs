//! The verdict on a commit at its place in the log.
//!
//! The first commit for (room, epoch) in log order that is not INVALID has won; all devices compute
//! the same. What OpenMLS does that decides how this module is written:
//!
//! * `public_group().process_message` checks everything that needs no secret, and changes nothing.
//! * Merging another's commit drops the pending one of this device, in memory and on disk.
//! * An echo of the own pending commit is recognised by its confirmation tag and **not merged**: it
//!   is answered with `OwnPendingCommit`. A device that treated it as done and then accepted a
//!   rival would fork silently; here it is merged by that very answer. An own commit that is not
//!   pending cannot be opened if it has a path ([`Broken::OwnUnknown`]); without one it is judged
//!   like anybody's.

use openmls::prelude::{
    MergeCommitError, MergePendingCommitError, MlsMessageIn, OpenMlsProvider, ProcessMessageError,
    ProcessedMessageContent, ProtocolMessage, StageCommitError, StagedCommit,
    tls_codec::Deserialize,
};

use super::MAX_HANDSHAKE;
use super::authority::Authority;
use super::error::{Broken, Error, Invalid};
use super::group::{Authenticator, Group, authenticator};
use super::note::CommitNote;
use super::peek::{Kind, peek};
use super::provider::Provider;
use super::rules::{self, Examined};
use super::state;
use crate::wire::ids::DeviceId;

/// What else the log says at the place of a commit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The roster number that the room's last valid commit named.
    pub roster_floor: u32,
    /// The targets of the valid Remove proposals placed in this epoch so far.
    pub required_removals: &'a [DeviceId],
}

/// What a valid commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The device that made it.
    pub committer: DeviceId,
    /// The devices it added.
    pub added: Vec<DeviceId>,
    /// The devices it removed.
    pub removed: Vec<DeviceId>,
    /// Whether this device is among them: delete the group.
    pub me_removed: bool,
    /// The device that was removed and added again because it asked for it.
    pub resynced: Option<DeviceId>,
    /// The epoch it opened.
    pub epoch: u64,
    /// That epoch's authenticator; `None` for the device that was removed.
    pub authenticator: Option<Authenticator>,
    /// The roster number it names: the room's floor from here on.
    pub roster: u32,
    /// Whether it had an UpdatePath, and so renewed the committer's leaf.
    pub path: bool,
}

/// The verdict on a commit.
#[derive(Debug)]
pub enum Verdict {
    /// Ignored by everybody; the group is as before.
    Invalid(Invalid),
    /// Won and merged.
    Valid(Outcome),
    /// Won, and this device cannot follow what the named device did: freeze the room, accept no rival, alarm naming the
    /// author, resync. Drop the group and load it again.
    Broken(Broken, DeviceId),
    /// It names a roster entry that is not known here yet: judge nothing later in this room before
    /// that entry is there.
    NeedsRoster(u32),
    /// No verdict: the store failed. Roll back, load the group again, judge again.
    Retry(Error),
}

/// The verdicts that end the judging early.
enum Stop {
    Invalid(Invalid),
    Broken(Broken, DeviceId),
    NeedsRoster(u32),
    Retry(Error),
}

impl From<Invalid> for Stop {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Retry(error.into())
    }
}

impl From<Result<Outcome, Stop>> for Verdict {
    fn from(judged: Result<Outcome, Stop>) -> Self {
        match judged {
            Ok(outcome) => Self::Valid(outcome),
            Err(Stop::Invalid(invalid)) => Self::Invalid(invalid),
            Err(Stop::Broken(broken, committer)) => Self::Broken(broken, committer),
            Err(Stop::NeedsRoster(number)) => Self::NeedsRoster(number),
            Err(Stop::Retry(error)) => Self::Retry(error),
        }
    }
}

impl Group {
    /// Judges a commit and, if it is valid, merges it; a pending commit of this device is dropped
    /// by that (rebuild or drop its intent on the new epoch), unless it is the one judged.
    pub fn judge(
        &mut self,
        provider: &Provider<'_>,
        commit: &[u8],
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Verdict {
        self.try_judge(provider, commit, authority, place).into()
    }

    /// Judges the pending commit of this device, with the exact bytes that were sent, at the place
    /// where its cells came back, and merges it if it passes **the same roster check as anybody's
    /// at that place**. If it is INVALID there it never wins anywhere, and is cleared.
    pub fn win_own(
        &mut self,
        provider: &Provider<'_>,
        commit: &[u8],
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Verdict {
        let verdict = self.judge(provider, commit, authority, place);
        let of_this_epoch =
            peek(commit).is_some_and(|p| p.room == self.room && p.epoch == self.epoch());
        if !matches!(verdict, Verdict::Invalid(_)) || !of_this_epoch {
            return verdict;
        }
        match self.mls.clear_pending_commit(provider.storage()) {
            Ok(()) => verdict,
            Err(error) => Verdict::Retry(error.into()),
        }
    }

    fn try_judge(
        &mut self,
        provider: &Provider<'_>,
        commit: &[u8],
        authority: &dyn Authority,
        place: &Place<'_>,
    ) -> Result<Outcome, Stop> {
        let message = self.commit_for_this_epoch(commit)?;
        let public = self
            .mls
            .public_group()
            .process_message(provider.crypto(), message.clone())
            .map_err(|_| Invalid::Mls)?;
        let note = CommitNote::decode(public.aad()).ok_or(Invalid::Note)?;
        if note.roster < place.roster_floor {
            return Err(Invalid::RosterWentBack.into());
        }
        if note.roster > authority.number() {
            return Err(Stop::NeedsRoster(note.roster));
        }
        let sender = public.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = public.into_content() else {
            return Err(Invalid::NotACommit.into());
        };
        let examined = rules::examine(self, &staged, &sender, &note, authority, place)?;
        let has_path = staged.update_path_leaf_node().is_some();
        drop(staged);
        provider.all_or_nothing(|| self.merge(provider, message, has_path, examined, note))
    }

    /// The cheap checks, then the parse.
    fn commit_for_this_epoch(&self, commit: &[u8]) -> Result<ProtocolMessage, Invalid> {
        if commit.len() > MAX_HANDSHAKE {
            return Err(Invalid::Malformed);
        }
        let peek = peek(commit).ok_or(Invalid::Malformed)?;
        if peek.kind != Kind::Commit {
            return Err(Invalid::NotACommit);
        }
        if peek.room != self.room {
            return Err(Invalid::OtherRoom);
        }
        if peek.epoch != self.epoch() {
            return Err(Invalid::Epoch);
        }
        if !self.is_active() {
            return Err(Invalid::NotAMember);
        }
        MlsMessageIn::tls_deserialize_exact(commit)
            .ok()
            .and_then(|message| message.try_into_protocol_message().ok())
            .ok_or(Invalid::Malformed)
    }

    fn merge(
        &mut self,
        provider: &Provider<'_>,
        message: ProtocolMessage,
        has_path: bool,
        examined: Examined,
        note: CommitNote,
    ) -> Result<Outcome, Stop> {
        let by = examined.committer;
        let processed = self
            .mls
            .process_message(provider, message)
            .map_err(|error| unprocessed(error, has_path, by))?;
        let (me_removed, authenticator) = match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let facts = facts(&staged);
                self.mls
                    .merge_staged_commit(provider, *staged)
                    .map_err(|error| unmerged(error, by))?;
                facts
            }
            ProcessedMessageContent::OwnPendingCommit => {
                let facts = self.mls.pending_commit().map_or((false, None), facts);
                self.mls.merge_pending_commit(provider).map_err(|error| match error {
                    MergePendingCommitError::MergeCommitError(error) => unmerged(error, by),
                    MergePendingCommitError::MlsGroupStateError(_) => {
                        Stop::Broken(Broken::Library, by)
                    }
                })?;
                facts
            }
            _ => return Err(Stop::Broken(Broken::Library, by)),
        };
        if let Some(state) = state::of_context(self.mls.extensions()) {
            self.state = state;
        }
        let Examined { committer, added, removed } = examined;
        let epoch = self.epoch();
        let roster = note.roster;
        let resynced = note.resync.map(|request| request.device);
        let path = has_path;
        Ok(Outcome {
            committer,
            added,
            removed,
            me_removed,
            resynced,
            epoch,
            authenticator,
            roster,
            path,
        })
    }
}

/// Whether this device is removed, and the new epoch's authenticator.
fn facts(staged: &StagedCommit) -> (bool, Option<Authenticator>) {
    let bytes = staged.epoch_authenticator().map(|secret| secret.as_slice());
    (staged.self_removed(), bytes.and_then(authenticator))
}

/// Sorts the failures of step 2, after the checks that need no secret have passed.
fn unprocessed(error: ProcessMessageError<rusqlite::Error>, has_path: bool, by: DeviceId) -> Stop {
    match error {
        ProcessMessageError::StorageError(error) => error.into(),
        // OpenMLS hides a failed read of the epoch's keys behind this one. Keys that are not there
        // at all show as a path that cannot be opened.
        ProcessMessageError::InvalidCommit(StageCommitError::MissingDecryptionKey) => {
            Stop::Retry(Error::Library("read the epoch's keys"))
        }
        ProcessMessageError::ValidationError(_) => Stop::Invalid(Invalid::Mls),
        ProcessMessageError::InvalidCommit(StageCommitError::ConfirmationTagMismatch) => {
            if has_path {
                Stop::Broken(Broken::ConfirmationTag, by)
            } else {
                Stop::Invalid(Invalid::ConfirmationTag)
            }
        }
        ProcessMessageError::InvalidCommit(StageCommitError::OwnCommitMismatch) => {
            Stop::Broken(Broken::OwnUnknown, by)
        }
        ProcessMessageError::InvalidCommit(
            StageCommitError::UpdatePathError(_) | StageCommitError::VerifiedUpdatePathError(_),
        ) => Stop::Broken(Broken::Path, by),
        _ => Stop::Broken(Broken::Library, by),
    }
}

fn unmerged(error: MergeCommitError<rusqlite::Error>, by: DeviceId) -> Stop {
    match error {
        MergeCommitError::StorageError(error) => error.into(),
        MergeCommitError::LibraryError(_) => Stop::Broken(Broken::Library, by),
    }
}
