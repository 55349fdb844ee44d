//! A small team to tell stories with.

use crate::member::identity::{DeviceKeys, DevicePublic, SigningSecret};
use crate::member::roster::*;
use crate::random::OsRandom;
use crate::wire::ids::{DeviceId, MemberId};

/// When everything happens, in unix seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// Somebody with one device.
pub(crate) struct Person {
    pub(crate) member: MemberId,
    pub(crate) name: &'static str,
    pub(crate) keys: DeviceKeys,
}

/// A roster, all its entries, and the keys of those who write them.
pub(crate) struct Team {
    pub(crate) root: SigningSecret,
    pub(crate) roster: Roster,
    pub(crate) entries: Vec<SignedEntry>,
}

impl Person {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            member: MemberId::random(&mut OsRandom),
            name,
            keys: DeviceKeys::generate(&mut OsRandom),
        }
    }

    /// The same person on another device.
    pub(crate) fn another_device(&self) -> Self {
        Self { member: self.member, name: self.name, keys: DeviceKeys::generate(&mut OsRandom) }
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.keys.device_id()
    }

    pub(crate) fn author(&self) -> Author {
        Author::Device(self.device())
    }

    pub(crate) fn public(&self) -> DevicePublic {
        DevicePublic { identity: self.keys.identity.public(), direct: self.keys.direct.public() }
    }

    /// What an entry says of this person, vouched for by `voucher`.
    pub(crate) fn card(&self, role: Role, voucher: Author) -> AddDevice {
        AddDevice {
            member: self.member,
            name: Name::parse(self.name).unwrap(),
            label: Name::parse("computer").unwrap(),
            role,
            keys: self.public(),
            vouched_by: voucher,
            words_compared: true,
            invite: None,
            expires: None,
        }
    }
}

impl Team {
    /// A team without a device.
    pub(crate) fn empty() -> Self {
        let root = SigningSecret::generate(&mut OsRandom);
        let name = Name::parse("Campagne 2027").unwrap();
        let (roster, first) = Roster::found(&root, name, Language::French, NOW).unwrap();
        Self { root, roster, entries: vec![first] }
    }

    /// A team with one admin, Karim.
    pub(crate) fn with_admin() -> (Self, Person) {
        let (mut team, karim) = (Self::empty(), Person::new("Karim"));
        let card = karim.card(Role::Admin, Author::Root);
        team.by_root(Action::AddDevice(Box::new(card))).unwrap();
        (team, karim)
    }

    /// Signs the next entry as `person` and applies it, whatever it says.
    pub(crate) fn by(&mut self, person: &Person, action: Action) -> Result<Applied, RosterError> {
        let entry = self.roster.next_entry(person.author(), NOW, action);
        self.post(SignedEntry::sign(&entry, &person.keys.identity)?)
    }

    /// Signs the next entry as the root and applies it.
    pub(crate) fn by_root(&mut self, action: Action) -> Result<Applied, RosterError> {
        let entry = self.roster.next_entry(Author::Root, NOW, action);
        self.post(SignedEntry::sign(&entry, &self.root)?)
    }

    /// Takes `newcomer` in, by `admin` who vouches.
    pub(crate) fn add(
        &mut self,
        admin: &Person,
        newcomer: &Person,
        role: Role,
    ) -> Result<Applied, RosterError> {
        let card = newcomer.card(role, admin.author());
        self.by(admin, Action::AddDevice(Box::new(card)))
    }

    /// Applies an entry; a refused one must change nothing.
    pub(crate) fn post(&mut self, signed: SignedEntry) -> Result<Applied, RosterError> {
        let before = self.roster.clone();
        let result = self.roster.apply(&signed);
        match &result {
            Ok(_) => self.entries.push(signed),
            Err(_) => assert!(self.roster == before, "a refused entry changed the roster"),
        }
        result
    }
}

/// A revocation.
pub(crate) fn revoke(person: &Person) -> Action {
    Action::Revoke { device: person.device() }
}
