//! The folded state, and the one way in which it changes.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, AddDevice, Author};
use super::entry::{Entry, SignedEntry};
use super::error::RosterError;
use super::next::NextRelay;
use super::rewind::Effect;
use super::rules::{self, Name};
use crate::invite_code::{Language, Role, RosterHead};
use crate::member::identity::{DevicePublic, SigningPublic, SigningSecret};
use crate::noise::keys::StaticPublic;
use crate::wire::ids::{DeviceId, Digest, InviteId, LogId, MemberId, RoomId, Seq, TeamId};

/// Most devices that admins add, the revoked ones counted; the root may go on.
pub const MAX_DEVICES: usize = 4_096;
/// From this number on only the root's entries and revocations count, so that an admin who fills
/// the roster can still be put out.
pub const MAX_ENTRIES: u32 = 65_536;
/// Most policies a roster holds.
pub const MAX_POLICIES: usize = 32;

/// A device on the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub member: MemberId,
    /// What the member calls it.
    pub label: Name,
    /// Its public keys.
    pub keys: DevicePublic,
    /// Who vouched for it.
    pub vouched_by: Author,
    /// Who signed the entry that added it.
    pub added_by: Author,
    /// The number of that entry.
    pub added: u32,
    /// When, as the author claimed, in unix seconds.
    pub since: u64,
    /// Whether the five words were compared; without, it is shown as not verified.
    pub words_compared: bool,
    /// The invite it came by.
    pub invite: Option<InviteId>,
    /// When an admin's device is to revoke it, in unix seconds.
    pub expires: Option<u64>,
    /// The number of the entry that revoked it.
    pub revoked: Option<u32>,
    /// The devices whose persons compared words with this one's later, and the entries that say so.
    pub vouchers: Vec<(u32, DeviceId)>,
}

/// A person or a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// Its name.
    pub name: Name,
    /// What it may do.
    pub role: Role,
}

/// Which relay the team uses.
#[derive(Clone, PartialEq, Eq)]
pub struct Relay {
    /// Its static key.
    pub key: StaticPublic,
    /// `HOST:PORT` each, best first.
    pub addresses: Vec<String>,
}

// Addresses stay out of logs.
impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay(..)")
    }
}

/// What an entry changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// A device came in.
    Added {
        /// The device.
        device: DeviceId,
        /// Whose it is.
        member: MemberId,
        /// Whether the member is new as well.
        is_new_member: bool,
    },
    /// A device was revoked.
    Revoked {
        /// The device.
        device: DeviceId,
        /// Whose it was.
        member: MemberId,
        /// Whether it was an admin's, so that all open invites close.
        closes_invites: bool,
        /// The active devices it had added or vouched for, for somebody to look at.
        approved: Vec<DeviceId>,
    },
    /// A member has another role.
    RoleChanged {
        /// The member.
        member: MemberId,
        /// Before.
        from: Role,
        /// Now.
        to: Role,
        /// Whether an admin stopped being one, so that all open invites close.
        closes_invites: bool,
    },
    /// The relay's key or addresses are others.
    RelayAddresses,
    /// Which relay is the next is another.
    NextRelay,
    /// A room is to begin anew, if its members find that the author may have it so.
    RoomRestart {
        /// The room.
        room: RoomId,
        /// The device left out.
        without: DeviceId,
        /// Who wants it.
        by: Author,
    },
    /// A policy has a value.
    Policy {
        /// Its name.
        name: String,
    },
    /// Somebody compared words with these devices' person.
    Vouched {
        /// The devices.
        devices: Vec<DeviceId>,
    },
    /// The root undid entries.
    Rewound {
        /// The devices that they had added and that count as revoked from here.
        revoked: Vec<DeviceId>,
        /// The members whose roles are others now: who, before, now.
        roles: Vec<(MemberId, Role, Role)>,
        /// Whether the relay's key or addresses may be others.
        relay: bool,
    },
    /// The log goes on under another id.
    LogChange {
        /// The log that ended.
        old: LogId,
        /// The last place that the new log had when this was said.
        seq: Seq,
        /// Its running hash there.
        hash: Digest,
        /// The log that continues it.
        new: LogId,
    },
}

/// An entry that was found to extend one roster at its present head; only [`Roster::check`]
/// makes it.
#[derive(Debug)]
pub struct Checked {
    entry: Entry,
    hash: Digest,
}

impl Checked {
    /// The entry.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// The team as its entries made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    pub(super) root: SigningPublic,
    pub(super) team: TeamId,
    pub(super) name: Name,
    pub(super) language: Language,
    pub(super) head: RosterHead,
    pub(super) members: BTreeMap<MemberId, Member>,
    /// Members by folded name, so that uniqueness costs the same in a large team.
    pub(super) names: BTreeMap<String, MemberId>,
    pub(super) devices: BTreeMap<DeviceId, Device>,
    pub(super) relay: Option<Relay>,
    pub(super) next: Option<NextRelay>,
    pub(super) policies: BTreeMap<String, u64>,
    /// The logs that the team has had, the present one last; empty before the first change.
    pub(super) logs: Vec<LogId>,
    /// What each entry set, by its number.
    pub(super) effects: Vec<Effect>,
    pub(super) undone: BTreeSet<u32>,
}

impl Roster {
    /// Founds a team: signs entry 0 with the root.
    ///
    /// # Errors
    /// None in practice: a [`Name`] is within its bounds.
    pub fn found(
        root: &SigningSecret,
        team: Name,
        language: Language,
        at: u64,
    ) -> Result<(Self, SignedEntry), RosterError> {
        let action = Action::Found { root: root.public(), team, language };
        let entry = Entry { number: 0, prev: Digest([0; 32]), author: Author::Root, at, action };
        let signed = SignedEntry::sign(&entry, root)?;
        Ok((Self::begin(&signed)?, signed))
    }

    /// Begins with entry 0, which must be signed by the root it names.
    ///
    /// # Errors
    /// [`RosterError::Founding`], [`RosterError::Signature`] or bad bytes.
    pub fn begin(signed: &SignedEntry) -> Result<Self, RosterError> {
        let entry = signed.entry()?;
        let Action::Found { root, team, language } = entry.action else {
            return Err(RosterError::Founding);
        };
        let is_first = entry.number == 0 && entry.prev == Digest([0; 32]);
        if !is_first || entry.author != Author::Root {
            return Err(RosterError::Founding);
        }
        if !signed.is_signed_by(&root) {
            return Err(RosterError::Signature);
        }
        let hash = signed.hash();
        Ok(Self {
            root,
            team: TeamId(hash.0),
            name: team,
            language,
            head: RosterHead { number: 0, hash },
            members: BTreeMap::new(),
            names: BTreeMap::new(),
            devices: BTreeMap::new(),
            relay: None,
            next: None,
            policies: BTreeMap::new(),
            logs: Vec::new(),
            effects: vec![Effect::Nothing],
            undone: BTreeSet::new(),
        })
    }

    /// Folds stored or received entries, from entry 0 on.
    ///
    /// # Errors
    /// The first [`RosterError`]; of no entries at all, [`RosterError::Founding`].
    pub fn from_entries<'a>(
        entries: impl IntoIterator<Item = &'a SignedEntry>,
    ) -> Result<Self, RosterError> {
        let mut entries = entries.into_iter();
        let mut roster = Self::begin(entries.next().ok_or(RosterError::Founding)?)?;
        for entry in entries {
            roster.apply(entry)?;
        }
        Ok(roster)
    }

    /// Whether an entry extends the roster here: place, author, signature, rights, in this order.
    ///
    /// # Errors
    /// [`RosterError`]; [`RosterError::NotNext`] is the loser of a race.
    pub fn check(&self, signed: &SignedEntry) -> Result<Checked, RosterError> {
        let entry = signed.entry()?;
        let expected = self.head.number.saturating_add(1);
        if entry.number != expected || entry.prev != self.head.hash {
            return Err(RosterError::NotNext { expected });
        }
        let ends_harm = matches!(entry.action, Action::Revoke { .. });
        if expected >= MAX_ENTRIES && entry.author != Author::Root && !ends_harm {
            return Err(RosterError::Full);
        }
        let key = match &entry.author {
            Author::Root => &self.root,
            Author::Device(id) => {
                &self.devices.get(id).ok_or(RosterError::UnknownAuthor)?.keys.identity
            }
        };
        if !signed.is_signed_by(key) {
            return Err(RosterError::Signature);
        }
        rules::permit(self, &entry.author, &entry.action)?;
        Ok(Checked { entry, hash: signed.hash() })
    }

    /// Checks an entry and takes it over.
    ///
    /// # Errors
    /// As [`Self::check`]; the roster is then unchanged.
    pub fn apply(&mut self, signed: &SignedEntry) -> Result<Applied, RosterError> {
        let Checked { entry, hash } = self.check(signed)?;
        let applied = self.fold(&entry)?;
        self.effects.push(Effect::of(&entry.action));
        self.head = RosterHead { number: entry.number, hash };
        Ok(applied)
    }

    /// The entry that would come next, numbered and chained.
    pub fn next_entry(&self, author: Author, at: u64, action: Action) -> Entry {
        let number = self.head.number.saturating_add(1);
        Entry { number, prev: self.head.hash, author, at, action }
    }

    /// [`Self::next_entry`], signed and checked, so that nobody posts what the others refuse.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn sign_next(
        &self,
        author: Author,
        key: &SigningSecret,
        at: u64,
        action: Action,
    ) -> Result<SignedEntry, RosterError> {
        let signed = SignedEntry::sign(&self.next_entry(author, at, action), key)?;
        self.check(&signed)?;
        Ok(signed)
    }

    fn fold(&mut self, entry: &Entry) -> Result<Applied, RosterError> {
        match &entry.action {
            Action::Found { .. } => Err(RosterError::Founding),
            Action::AddDevice(add) => Ok(self.fold_add(entry, add)),
            Action::Revoke { device } => self.fold_revoke(entry.number, device),
            Action::Role { member, role } => self.fold_role(member, *role),
            Action::RelayAddresses { relay, addresses } => {
                self.relay = Some(Relay { key: *relay, addresses: addresses.clone() });
                Ok(Applied::RelayAddresses)
            }
            Action::NextRelay(next) => {
                self.next = Some(next.clone());
                Ok(Applied::NextRelay)
            }
            Action::Policy { name, value } => {
                self.policies.insert(name.clone(), *value);
                Ok(Applied::Policy { name: name.clone() })
            }
            Action::LogChange { old, seq, hash, new } => {
                let (old, seq, hash, new) = (*old, *seq, *hash, *new);
                self.logs.pop();
                self.logs.extend([old, new]);
                Ok(Applied::LogChange { old, seq, hash, new })
            }
            Action::RoomRestart { room, without } => {
                let (room, without, by) = (*room, *without, entry.author);
                Ok(Applied::RoomRestart { room, without, by })
            }
            Action::Vouch { devices } => Ok(self.fold_vouch(entry, devices)),
            Action::Rewind { numbers } => Ok(self.fold_rewind(entry.number, numbers)),
        }
    }

    fn fold_add(&mut self, entry: &Entry, add: &AddDevice) -> Applied {
        let id = add.keys.identity.device_id();
        let member = Member { id: add.member, name: add.name.clone(), role: add.role };
        self.names.insert(add.name.fold(), add.member);
        let is_new_member = self.members.insert(add.member, member).is_none();
        let device = Device {
            id,
            member: add.member,
            label: add.label.clone(),
            keys: add.keys,
            vouched_by: add.vouched_by,
            added_by: entry.author,
            added: entry.number,
            since: entry.at,
            words_compared: add.words_compared,
            invite: add.invite,
            expires: add.expires,
            revoked: None,
            vouchers: Vec::new(),
        };
        self.devices.insert(id, device);
        Applied::Added { device: id, member: add.member, is_new_member }
    }

    fn fold_revoke(&mut self, number: u32, id: &DeviceId) -> Result<Applied, RosterError> {
        let closes_invites = self.role_of(id) == Some(Role::Admin);
        // Whatever its role is now: it may have been an admin's when it approved.
        let approved = self.devices_approved_by(id);
        let device = self.devices.get_mut(id).ok_or(RosterError::UnknownDevice)?;
        device.revoked = Some(number);
        Ok(Applied::Revoked { device: *id, member: device.member, closes_invites, approved })
    }

    fn fold_role(&mut self, id: &MemberId, to: Role) -> Result<Applied, RosterError> {
        let member = self.members.get_mut(id).ok_or(RosterError::UnknownMember)?;
        let from = std::mem::replace(&mut member.role, to);
        let closes_invites = from == Role::Admin && to != Role::Admin;
        Ok(Applied::RoleChanged { member: *id, from, to, closes_invites })
    }
}
