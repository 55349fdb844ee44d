//! The roster and room checks on a commit: equal for everybody at one place of the log.

use std::collections::BTreeSet;

use openmls::prelude::{LeafNodeIndex, Proposal, ProposalOrRefType, Sender, StagedCommit};

use super::MAX_ADDS;
use super::authority::{Actor, Authority, actor, may_remove};
use super::error::{Invalid, LeafFault};
use super::group::{Group, Member};
use super::leaf;
use super::note::CommitNote;
use super::resync::{self, ResyncRequest};
use super::state::{self, RoomKind};
use super::verdict::Place;
use crate::wire::ids::{DeviceId, MemberId};

/// What a commit that passed the checks does.
pub(super) struct Examined {
    pub(super) committer: DeviceId,
    pub(super) added: Vec<DeviceId>,
    pub(super) removed: Vec<DeviceId>,
}

/// A commit's proposals, by value.
struct Proposals {
    added: Vec<DeviceId>,
    added_members: Vec<MemberId>,
    removed: BTreeSet<LeafNodeIndex>,
    /// How many changes of the group context.
    contexts: usize,
}

/// Checks a staged commit, whether another's (from the public group) or one's own pending one.
pub(super) fn examine(
    group: &Group,
    staged: &StagedCommit,
    sender: &Sender,
    note: &CommitNote,
    authority: &dyn Authority,
    place: &Place<'_>,
) -> Result<Examined, Invalid> {
    let Sender::Member(author_leaf) = sender else { return Err(Invalid::NotACommit) };
    let leaves = group.leaves();
    let author = leaves
        .iter()
        .find(|(index, _)| index == author_leaf)
        .and_then(|(_, member)| *member)
        .ok_or(Invalid::AuthorNotActive)?;
    let actor_of_author = actor(authority, &author.device).ok_or(Invalid::AuthorNotActive)?;
    if !group.state.may_commit(actor_of_author) {
        return Err(Invalid::AuthorMayNotCommit);
    }
    let asked = note.resync.as_ref();
    if let Some(request) = asked {
        group.permits(request, actor_of_author, authority, place)?;
    }
    let by = (actor_of_author, asked);
    let proposals = proposals(group, staged, by, &leaves, authority, place)?;
    context(group, staged, actor_of_author, proposals.contexts)?;
    membership(group, &leaves, &proposals, asked, authority, place)?;
    path(group, staged, author_leaf, &author, authority)?;
    let removed = leaves
        .iter()
        .filter(|(index, _)| proposals.removed.contains(index))
        .filter_map(|(_, member)| member.map(|m| m.device))
        .collect();
    Ok(Examined { committer: author.device, added: proposals.added, removed })
}

/// The group context stays as it is, or one proposal makes it that of a room state which the author
/// may give the room.
fn context(
    group: &Group,
    staged: &StagedCommit,
    author: Actor,
    proposed: usize,
) -> Result<(), Invalid> {
    let (old, new) = (group.mls.extensions(), staged.group_context().extensions());
    match (old == new, proposed) {
        (true, 0) => Ok(()),
        (false, 1) => {
            let new = state::of_context(new).ok_or(Invalid::Context)?;
            if group.state.may_become(&new, author) { Ok(()) } else { Err(Invalid::Context) }
        }
        _ => Err(Invalid::Proposal),
    }
}

/// Only Adds, Removes and changes of the context, only by value, only those the author may make.
fn proposals(
    group: &Group,
    staged: &StagedCommit,
    (author, resync): (Actor, Option<&ResyncRequest>),
    leaves: &[(LeafNodeIndex, Option<Member>)],
    authority: &dyn Authority,
    place: &Place<'_>,
) -> Result<Proposals, Invalid> {
    let mut out = Proposals {
        added: Vec::new(),
        added_members: Vec::new(),
        removed: BTreeSet::new(),
        contexts: 0,
    };
    for queued in staged.queued_proposals() {
        if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
            return Err(Invalid::Proposal);
        }
        match queued.proposal() {
            Proposal::Add(add) => {
                if out.added.len() == MAX_ADDS {
                    return Err(Invalid::TooManyAdds);
                }
                let (certificate, key) =
                    leaf::package(add.key_package()).map_err(Invalid::Added)?;
                leaf::certified(&certificate, &key, authority).map_err(Invalid::Added)?;
                let added = actor(authority, &certificate.device)
                    .ok_or(Invalid::Added(LeafFault::NotActive))?;
                match resync {
                    // Nobody comes in beside the one who asks to come back.
                    Some(request) if request.device != certificate.device => {
                        return Err(Invalid::Resync);
                    }
                    Some(request) if !resync::is_named(request, add.key_package()) => {
                        return Err(Invalid::Resync);
                    }
                    None if !group.state.may_add(author, added) => return Err(Invalid::MayNotAdd),
                    Some(_) | None => {}
                }
                out.added.push(certificate.device);
                out.added_members.push(added.member);
            }
            Proposal::Remove(remove) => {
                let device = leaves
                    .iter()
                    .find(|(index, _)| *index == remove.removed())
                    .and_then(|(_, member)| member.map(|m| m.device));
                // Somebody allowed has asked for it: then everybody's commit must carry it, so
                // everybody's may.
                let asked = device.is_some_and(|d| {
                    place.required_removals.contains(&d) || resync.is_some_and(|r| r.device == d)
                });
                let target = device.and_then(|device| actor(authority, &device));
                if !asked && !may_remove(author, target) {
                    return Err(Invalid::MayNotRemove);
                }
                out.removed.insert(remove.removed());
            }
            Proposal::GroupContextExtensions(_) => out.contexts += 1,
            _ => return Err(Invalid::Proposal),
        }
    }
    Ok(out)
}

/// Who is in the room afterwards.
fn membership(
    group: &Group,
    leaves: &[(LeafNodeIndex, Option<Member>)],
    proposals: &Proposals,
    resync: Option<&ResyncRequest>,
    authority: &dyn Authority,
    place: &Place<'_>,
) -> Result<(), Invalid> {
    let mut replaced = None;
    let mut devices = BTreeSet::new();
    let mut members: BTreeSet<MemberId> = proposals.added_members.iter().copied().collect();
    for (index, member) in leaves {
        let device = member.map(|m| m.device);
        if proposals.removed.contains(index) {
            if let Some(device) = device.filter(|device| proposals.added.contains(device)) {
                if resync.is_none() {
                    return Err(Invalid::RemoveAndAdd);
                }
                replaced = Some(device);
            }
            continue;
        }
        let stays = device.and_then(|device| Some((device, actor(authority, &device)?)));
        let (device, actor) = stays.ok_or(Invalid::RevokedStays)?;
        if place.required_removals.contains(&device) {
            return Err(Invalid::RemovalMissing);
        }
        devices.insert(device);
        members.insert(actor.member);
    }
    if replaced != resync.map(|request| request.device) {
        return Err(Invalid::Resync);
    }
    if !proposals.added.iter().all(|device| devices.insert(*device)) {
        return Err(Invalid::Twice);
    }
    if group.state.kind == RoomKind::Direct && members.len() > 2 {
        return Err(Invalid::DirectOfTwo);
    }
    Ok(())
}

/// The path leaf keeps its credential and key, or carries a newer certificate of the same device.
fn path(
    group: &Group,
    staged: &StagedCommit,
    author_leaf: &LeafNodeIndex,
    author: &Member,
    authority: &dyn Authority,
) -> Result<(), Invalid> {
    let Some(new) = staged.update_path_leaf_node() else { return Ok(()) };
    let (certificate, key) = leaf::shape(new).map_err(Invalid::Path)?;
    let old = group.mls.public_group().leaf(*author_leaf).map(|leaf| leaf.credential());
    let kept = old == Some(new.credential()) && key == author.key;
    if kept {
        return Ok(());
    }
    let before = old.and_then(|old| leaf::certificate(old).ok());
    let newer = before.is_some_and(|before| certificate.serial > before.serial);
    if certificate.device != author.device || !newer {
        return Err(Invalid::Path(LeafFault::Credential));
    }
    leaf::certified(&certificate, &key, authority).map_err(Invalid::Path)
}
