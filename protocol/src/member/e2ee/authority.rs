//! What the roster says at one place of the log, and what it allows.

use super::state::{RoomKind, RoomState, WhoMayAdd};
use crate::member::identity::SigningPublic;
use crate::wire::ids::{DeviceId, MemberId};

/// What a member may do in the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May invite, approve, revoke and change policy.
    Admin,
    /// A person.
    Member,
    /// A program; it talks, and commits neither adds nor removes.
    Bot,
}

/// What the roster knows of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Added and not revoked.
    Active {
        /// The device's identity key.
        identity: SigningPublic,
        /// Whose device it is.
        member: MemberId,
        /// The member's role.
        role: Role,
    },
    /// Revoked, or added by an entry that a `rewind` undid.
    Revoked,
    /// Never added.
    Unknown,
}

/// The roster as it stands at the place being judged.
///
/// **Membership is checked against this, never against the relay or a Welcome alone.** It must
/// depend on the log up to that place and on nothing else.
pub trait Authority {
    /// The number of the last roster entry known at this place.
    fn number(&self) -> u32;

    /// What that roster says of `device`.
    fn device(&self, device: &DeviceId) -> Standing;
}

/// An active device's member and role.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) member: MemberId,
    pub(super) role: Role,
}

/// The member behind an active device; `None` for any other.
pub(super) fn actor(authority: &dyn Authority, device: &DeviceId) -> Option<Actor> {
    match authority.device(device) {
        Standing::Active { member, role, .. } => Some(Actor { member, role }),
        Standing::Revoked | Standing::Unknown => None,
    }
}

impl RoomState {
    /// Whether `author` may commit at all: in the control room and the admins' room only admins.
    pub(super) fn may_commit(&self, author: Actor) -> bool {
        match self.kind {
            RoomKind::Control | RoomKind::Admins => author.role == Role::Admin,
            RoomKind::Room | RoomKind::Direct => true,
        }
    }

    /// Whether `author` may give the room `new` as its state: the kind is fixed, a direct
    /// conversation has nothing but a lifetime of its own, hidden rooms have nothing to choose.
    pub(super) fn may_become(&self, new: &Self, author: Actor) -> bool {
        let allowed = match (author.role, self.kind, self.who_may_add) {
            (Role::Bot, _, _) | (_, RoomKind::Control | RoomKind::Admins, _) => false,
            (Role::Admin, _, _) | (_, RoomKind::Direct, _) => true,
            (Role::Member, RoomKind::Room, who) => who == WhoMayAdd::Members,
        };
        let fits = match self.kind {
            RoomKind::Room => !new.name.is_empty(),
            _ => *new == Self { lifetime_s: new.lifetime_s, ..self.clone() },
        };
        allowed && fits && new.kind == self.kind
    }

    /// Whether `author` may add a device of `added`. **A member's new device enters that member's
    /// rooms by itself**: a person in a room may always add a device of its own.
    pub(super) fn may_add(&self, author: Actor, added: Actor) -> bool {
        match (author.role, self.kind, self.who_may_add) {
            (Role::Bot, _, _) => false,
            (role, RoomKind::Control, _) => role == Role::Admin,
            (role, RoomKind::Admins, _) => role == Role::Admin && added.role == Role::Admin,
            (_, RoomKind::Direct, _) | (_, RoomKind::Room, WhoMayAdd::Members) => true,
            (role, RoomKind::Room, WhoMayAdd::Admins) => {
                role == Role::Admin || author.member == added.member
            }
        }
    }
}

/// Whether `author` may remove a leaf of `target`, `None` for a leaf that is no longer active.
///
/// Anybody may remove those; admins may remove anybody, a person its own devices, a bot nobody.
pub(super) fn may_remove(author: Actor, target: Option<Actor>) -> bool {
    match (target, author.role) {
        (None, _) | (Some(_), Role::Admin) => true,
        (Some(_), Role::Bot) => false,
        (Some(target), Role::Member) => target.member == author.member,
    }
}
