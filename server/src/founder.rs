//! The founder code and the spare code: the invites that a relay makes itself.

use staffetta_protocol::invite_code::{
    Bundle, Host, Invitation, InviteCode, Language, NO_EXPIRY, Role,
};
use staffetta_protocol::noise::keys::StaticPublic;
use staffetta_protocol::random::OsRandom;

use crate::registry::NewInvite;

/// Makes a founder code for the relay with this key at `address` (`HOST[:PORT]`): the text, and
/// what the relay keeps. The secret and the team's name are in the text and the sealed bundle, and
/// the relay forgets both.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn founder_code(
    relay: &StaticPublic,
    address: &str,
    team: &str,
) -> Result<(String, NewInvite), String> {
    code(relay, address, Invitation::Founder, team)
}

/// Makes a spare code, with which an admin makes this relay the team's next one.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn spare_code(
    relay: &StaticPublic,
    address: &str,
) -> Result<(String, NewInvite), String> {
    code(relay, address, Invitation::Spare, "")
}

fn code(
    relay: &StaticPublic,
    address: &str,
    invitation: Invitation,
    team: &str,
) -> Result<(String, NewInvite), String> {
    let (host, port) = Host::parse_with_port(address)
        .map_err(|error| format!("--address is {error}: give HOST or HOST:PORT"))?;
    let code = InviteCode::generate(host, port, &mut OsRandom);
    let keys = code.keys();
    let bundle = Bundle {
        invitation,
        team: team.to_owned(),
        language: Language::English,
        relay: *relay,
        addresses: vec![code.address()],
        role: Role::Admin,
        expires: NO_EXPIRY,
        auto_approve: false,
    };
    let sealed = bundle
        .seal(&keys.id, &keys.bundle, &mut OsRandom)
        .map_err(|_| "--team must have 1 to 40 characters, none of them invisible".to_owned())?;
    let invite = NewInvite {
        id: keys.id,
        gate: keys.gate,
        psk: keys.psk,
        expires: NO_EXPIRY,
        bundle: sealed.into(),
    };
    Ok((code.to_text().as_str().to_owned(), invite))
}
