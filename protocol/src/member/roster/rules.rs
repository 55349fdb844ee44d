//! Names, and who may do what.

use thiserror::Error;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::action::{Action, AddDevice, Author};
use super::chain::Roster;
use super::error::RosterError;
use crate::invite_code::{MAX_NAME_CHARS, Role, is_plain};
use crate::wire::ids::{DeviceId, MemberId};

/// Longest text that is looked at as a name, in bytes.
const MAX_TYPED: usize = 1_024;

/// The name of a team, member or device: NFC, 1 to 40 characters, on one line, nothing hidden.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

// A name in a log tells who is in the team.
impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Name(..)")
    }
}

/// What is wrong with a name that somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing that can be seen.
    #[error("the name is empty")]
    Empty,
    /// More than 40 characters.
    #[error("the name has more than 40 characters")]
    TooLong,
    /// A control, writing-direction or invisible character.
    #[error("the name holds a character that names may not hold")]
    Forbidden,
}

impl Name {
    /// Takes what a person typed: white space around it goes, the rest becomes NFC.
    ///
    /// # Errors
    /// A [`NameError`] for the person.
    pub fn parse(typed: &str) -> Result<Self, NameError> {
        let typed = typed.trim();
        if typed.len() > MAX_TYPED {
            return Err(NameError::TooLong);
        }
        let name: String = typed.nfc().collect();
        if fold(&name).is_empty() && !name.chars().any(char::is_control) {
            return Err(NameError::Empty);
        }
        if name.chars().count() > MAX_NAME_CHARS {
            return Err(NameError::TooLong);
        }
        Self::canonical(&name).ok_or(NameError::Forbidden)
    }

    /// Takes a name off the wire, which must already be what [`Self::parse`] gives.
    pub fn canonical(text: &str) -> Option<Self> {
        let is_trimmed = text.trim().len() == text.len();
        (is_plain(text) && is_trimmed && is_nfc(text) && !fold(text).is_empty())
            .then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two names are the same name: compatibility forms unified, case and
    /// joiners ignored.
    pub fn fold(&self) -> String {
        fold(&self.0)
    }
}

/// Upper case first, so that final sigma and sharp s meet their other forms.
pub(crate) fn fold(text: &str) -> String {
    let seen = |c: &char| !matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}');
    let upper: String = text.nfkc().filter(seen).flat_map(char::to_uppercase).collect();
    let lower: String = upper.chars().flat_map(char::to_lowercase).nfkc().collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `author` may do `action` to `roster` at its present head.
pub(super) fn permit(roster: &Roster, author: &Author, action: &Action) -> Result<(), RosterError> {
    permit_author(roster, author, action)?;
    match action {
        Action::Found { .. } => Err(RosterError::Founding),
        Action::AddDevice(add) => permit_add(roster, author, add),
        Action::Revoke { device } => permit_revoke(roster, author, device),
        Action::Role { member, role } => permit_role(roster, author, member, *role),
        // Only what came before, and never the founding.
        Action::Rewind { numbers } => {
            let head = roster.head().number;
            let named = |number: &u32| (1..=head).contains(number);
            if numbers.iter().all(named) { Ok(()) } else { Err(RosterError::NotAllowed) }
        }
        Action::Policy { name, .. } if !roster.has_room_for_policy(name) => Err(RosterError::Full),
        Action::Vouch { devices } => roster.permit_vouch(author, devices),
        // The present log, and never one that was left.
        Action::LogChange { old, new, .. } => {
            let present = roster.log().is_none_or(|log| log == old);
            let fresh = new != old && !roster.has_left(new);
            if present && fresh { Ok(()) } else { Err(RosterError::NotAllowed) }
        }
        Action::NextRelay(next) => roster.permit_next(next),
        Action::Policy { .. } | Action::RelayAddresses { .. } | Action::RoomRestart { .. } => {
            Ok(())
        }
    }
}

fn permit_author(roster: &Roster, author: &Author, action: &Action) -> Result<(), RosterError> {
    let Author::Device(id) = author else { return Ok(()) };
    let device = roster.device(id).ok_or(RosterError::UnknownAuthor)?;
    if device.revoked.is_some() {
        return Err(RosterError::RevokedAuthor);
    }
    let role = roster.role_of(id).ok_or(RosterError::UnknownAuthor)?;
    let is_allowed = match action {
        Action::Rewind { .. } => false,
        Action::Revoke { device } if device == id => true,
        // In a room without an admin any member may restart it; which rooms those are, the
        // roster does not know.
        Action::RoomRestart { .. } | Action::Vouch { .. } => role != Role::Bot,
        _ => role == Role::Admin,
    };
    if is_allowed { Ok(()) } else { Err(RosterError::NotAllowed) }
}

fn permit_add(roster: &Roster, author: &Author, add: &AddDevice) -> Result<(), RosterError> {
    if *author != Author::Root && !roster.has_room_for_device() {
        return Err(RosterError::Full);
    }
    if roster.knows_a_key_of(&add.keys) {
        return Err(RosterError::KeyReused);
    }
    if let Some(number) = add.invite.as_ref().and_then(|invite| roster.invite_used_by(invite)) {
        return Err(RosterError::InviteUsed { number });
    }
    permit_voucher(roster, author, add)?;
    if roster.member_by_name(add.name.as_str()).is_some_and(|other| other.id != add.member) {
        return Err(RosterError::NameTaken);
    }
    let Some(member) = roster.member(&add.member) else { return Ok(()) };
    if member.name != add.name {
        return Err(RosterError::MemberDiffers);
    }
    if (member.role == Role::Bot) != (add.role == Role::Bot) {
        return Err(RosterError::BotStaysBot);
    }
    // Somebody who lost every device comes back with whatever role the admin gives now.
    if roster.has_active_device(&add.member) && member.role != add.role {
        return Err(RosterError::MemberDiffers);
    }
    Ok(())
}

/// An admin vouches for anybody, a member for a further device of its own, the root where it is
/// itself the author.
fn permit_voucher(roster: &Roster, author: &Author, add: &AddDevice) -> Result<(), RosterError> {
    let Author::Device(voucher) = &add.vouched_by else {
        return if *author == Author::Root { Ok(()) } else { Err(RosterError::Voucher) };
    };
    let device = roster.device(voucher).filter(|device| device.revoked.is_none());
    let role = roster.role_of(voucher);
    match (device, role) {
        (Some(_), Some(Role::Admin)) => Ok(()),
        (Some(device), Some(Role::Member)) if device.member == add.member => Ok(()),
        _ => Err(RosterError::Voucher),
    }
}

fn permit_revoke(roster: &Roster, author: &Author, id: &DeviceId) -> Result<(), RosterError> {
    let device = roster.device(id).ok_or(RosterError::UnknownDevice)?;
    if device.revoked.is_some() {
        return Err(RosterError::RevokedDevice);
    }
    let leaves_an_admin = roster.active_admins().any(|admin| admin.id != *id);
    let takes_an_admin = roster.role_of(id) == Some(Role::Admin);
    if takes_an_admin && !leaves_an_admin && *author != Author::Root {
        return Err(RosterError::LastAdmin);
    }
    Ok(())
}

fn permit_role(
    roster: &Roster,
    author: &Author,
    id: &MemberId,
    role: Role,
) -> Result<(), RosterError> {
    let member = roster.member(id).ok_or(RosterError::UnknownMember)?;
    if (member.role == Role::Bot) != (role == Role::Bot) {
        return Err(RosterError::BotStaysBot);
    }
    let leaves_an_admin = roster.active_admins().any(|admin| admin.member != *id);
    let takes_an_admin = member.role == Role::Admin && role != Role::Admin;
    if takes_an_admin && !leaves_an_admin && *author != Author::Root {
        return Err(RosterError::LastAdmin);
    }
    Ok(())
}
