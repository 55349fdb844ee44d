//! Founding: the first to redeem the founder code makes the team.

use super::Cx;
use super::fault::{Fault, refused};
use super::joining::{DEFAULT_LIFETIME_S, Step};
use super::profile::Stage;
use super::trust::GENERAL;
use crate::invite_code::{Bundle, InviteCode, Role};
use crate::member::e2ee::{RoomKind, RoomState, WhoMayAdd};
use crate::member::identity::{DeviceKeys, DevicePublic, SigningSecret};
use crate::member::invite::root_words;
use crate::member::roster::{Action, AddDevice, Author, Name, Roster, SignedEntry};
use crate::member::store::AccessRow;
use crate::noise::keys::AccessSecret;
use crate::secret::Secret;
use crate::wire::ids::{MemberId, RoomId};

impl Cx<'_> {
    /// The first to redeem the founder code creates team root, control room and `general`.
    pub(super) fn found(&mut self, code: &InviteCode, bundle: &Bundle) -> Result<Step, Fault> {
        if self.memory.profile.stage == Stage::New {
            self.found_team(bundle)?;
            self.memory.profile.stage = Stage::Founding { invite: code.keys().id.0 };
        }
        self.save_profile()?;
        let root = self.tx.team_root()?.ok_or(Fault::Bug("no team root"))?;
        let language = self.memory.roster()?.language();
        let document = self.next_document()?.ok_or(Fault::Bug("no claim"))?;
        Ok(Step::Found { document, root_words: root_words(&root, language) })
    }

    fn found_team(&mut self, bundle: &Bundle) -> Result<(), Fault> {
        let at = self.now.unix_s();
        let (root, authority) =
            (SigningSecret::generate(self.random), SigningSecret::generate(self.random));
        let keys = DeviceKeys::generate(self.random);
        self.tx.set_team_root(&root)?;
        self.tx.set_relay_authority(&authority)?;
        self.tx.set_device_keys(&keys)?;
        let bad = |_| refused("The team's name cannot be used.", None);
        let team = Name::parse(&self.memory.profile.team).map_err(bad)?;
        let (mut roster, first) = Roster::found(&root, team, bundle.language, at)?;
        self.tx.append_entry(0, first.bytes(), first.signature(), 0)?;
        let member = MemberId::random(self.random);
        let device = keys.device_id();
        let name = Name::parse(&self.memory.profile.name).map_err(|_| Fault::Bug("name"))?;
        let label = Name::parse(&self.memory.profile.label).map_err(|_| Fault::Bug("label"))?;
        let founder = Action::AddDevice(Box::new(AddDevice {
            member,
            name,
            label,
            role: Role::Admin,
            keys: DevicePublic { identity: keys.identity.public(), direct: keys.direct.public() },
            vouched_by: Author::Root,
            words_compared: true,
            invite: None,
            expires: None,
        }));
        let relay =
            Action::RelayAddresses { relay: bundle.relay, addresses: bundle.addresses.clone() };
        let entries =
            [(Author::Root, &root, founder), (Author::Device(device), &keys.identity, relay)];
        for (number, (author, key, action)) in (1..).zip(entries) {
            let signed: SignedEntry = roster.sign_next(author, key, at, action)?;
            roster.apply(&signed)?;
            self.tx.append_entry(number, signed.bytes(), signed.signature(), 0)?;
        }
        let access = Secret::copy(keys.access.secret().expose()).ok_or(Fault::Bug("secret"))?;
        let access = AccessSecret::from_secret(access);
        let transport = access.bind(&keys.transport.public());
        self.tx.put_access_row(&AccessRow { device, access, transport, admin: true })?;
        self.memory.keys = Some(keys);
        self.memory.roster = Some(roster);
        self.memory.profile.member = Some(member.0);
        self.add_row(&device)?;
        let (control, general) = (RoomId::random(self.random), RoomId::random(self.random));
        let admins = RoomId::random(self.random);
        self.memory.profile.admins = Some(admins.0);
        self.memory.profile.control = Some(control.0);
        self.memory.profile.general = Some(general.0);
        self.found_room(control, &state("", RoomKind::Control, WhoMayAdd::Admins, 0))?;
        self.found_room(admins, &state("", RoomKind::Admins, WhoMayAdd::Admins, 0))?;
        let lifetime = DEFAULT_LIFETIME_S;
        self.found_room(general, &state(GENERAL, RoomKind::Room, WhoMayAdd::Admins, lifetime))
    }
}

/// A room's first state.
pub(super) fn state(
    name: &str,
    kind: RoomKind,
    who_may_add: WhoMayAdd,
    lifetime_s: u32,
) -> RoomState {
    RoomState { name: name.to_owned(), topic: String::new(), kind, who_may_add, lifetime_s }
}
