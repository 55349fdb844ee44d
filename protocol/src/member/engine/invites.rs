//! Invites as an admin's device keeps them: opening and ending them at the relay, and who asks.

use bytes::Bytes;
use serde_bytes::{ByteArray, ByteBuf};
use serde_json::json;

use super::Cx;
use super::alarms::Alarm;
use super::asks::Ask;
use super::fault::{Fault, failed, refused};
use super::link::Asked;
use super::profile::Stage;
use super::waits::What;
use crate::cell::chain::Whole;
use crate::invite_code::{Bundle, Host, Invitation, InviteCode, Role};
use crate::member::agent::core::{CallId, Out};
use crate::member::invite::{
    Approval, Asked as Came, Invite, InviteError, JoinRequest, MessageKind, Phase, Terms,
    TermsError,
};
use crate::member::store::{ChannelKind, InviteRow, NewChannel};
use crate::noise::keys::StaticPublic;
use crate::secret::Secret;
use crate::wire::frame::{FailCode, InviteEnd, ToRelay};
use crate::wire::ids::{Digest, InviteId};

/// Milliseconds that a new invite waits for the relay.
const OPEN_WAIT_MS: u64 = 10_000;

/// [`InviteRow::state`] of the code that this device redeemed itself.
pub(super) const MINE: u8 = 8;

/// [`InviteRow::state`]: where an invite stands, and whether the relay knows.
pub(super) mod state {
    pub(in super::super) const OPENING: u8 = 0;
    pub(in super::super) const OPEN: u8 = 1;
    pub(in super::super) const ASKING: u8 = 2;
    pub(in super::super) const USED_ENDING: u8 = 3;
    pub(in super::super) const USED: u8 = 4;
    pub(in super::super) const REFUSED_ENDING: u8 = 5;
    pub(in super::super) const REVOKED_ENDING: u8 = 6;
    pub(in super::super) const REVOKED: u8 = 7;

    /// Those of an invite by which somebody may still come in.
    pub(in super::super) const LIVE: [u8; 3] = [OPENING, OPEN, ASKING];
}

/// What `invite.create` asks for.
pub(super) struct NewInvite {
    pub(super) name: Option<String>,
    pub(super) role: Role,
    pub(super) ttl_s: u64,
    pub(super) auto_approve: bool,
    /// For a further device of this member.
    pub(super) own: bool,
    /// The membership ends so many seconds from now.
    pub(super) expires_s: Option<u64>,
}

/// Whether the relay has not confirmed the invite yet.
pub(super) fn is_opening(row: &InviteRow) -> bool {
    row.state == state::OPENING
}

/// The request that came with an invite, told apart by its digest.
pub(super) fn request_of(row: &InviteRow) -> Option<crate::member::invite::Opened> {
    JoinRequest::open(&row.id, row.request.as_deref()?).ok()
}

/// The invite's life so far.
pub(super) fn life(row: &InviteRow) -> Option<Invite> {
    let role = Role::from_code(row.role)?;
    let terms = Terms::stored(role, row.auto_approve, row.expires_at)?;
    let request = request_of(row);
    let digest = request.as_ref().map_or(Digest([0; 32]), |opened| opened.digest());
    let phase = match row.state {
        state::OPENING | state::OPEN => Phase::Open,
        state::ASKING => {
            Phase::Asking { request: digest, since: row.used_at.unwrap_or(row.created_at) }
        }
        state::USED_ENDING | state::USED => Phase::Used {
            device: request?.request.device_id(),
            request: digest,
            at: row.used_at.unwrap_or(row.created_at),
        },
        _ => Phase::Revoked { at: row.used_at.unwrap_or(row.created_at) },
    };
    Some(Invite::stored(terms, phase))
}

impl Cx<'_> {
    /// Makes an invite; the call is answered with its code when the relay has opened it.
    pub(super) fn create_invite(&mut self, call: CallId, new: NewInvite) -> Result<(), Fault> {
        if !self.is_admin()? && !new.own {
            return Err(
                failed(77, "Only admins invite.", Some("Ask an admin of your team.")).into()
            );
        }
        let asks = new.own && !self.has_authority()?;
        if self.tx.relay_authority()?.is_none() && !asks {
            return Err(failed(
                75,
                "This device has not been told the relay's key by the other admins yet.",
                Some("Try again when another admin is online."),
            )
            .into());
        }
        let now = self.now.unix_s();
        let terms = Terms::new(new.role, new.auto_approve, now, new.ttl_s);
        let terms = terms.map_err(terms_fault)?;
        let profile = &self.memory.profile;
        let address = profile.addresses.first().ok_or(Fault::Bug("no relay address"))?;
        let (host, port) = Host::parse_with_port(address)
            .map_err(|_| Fault::Bug("the relay's address cannot be read"))?;
        let relay = profile.relay.as_slice().try_into().map_err(|_| Fault::Bug("relay key"))?;
        let code = InviteCode::generate(host, port, self.random);
        let keys = code.keys();
        let roster = self.memory.roster()?;
        let bundle = Bundle {
            invitation: Invitation::Member {
                root: (*roster.root()).into(),
                inviter: profile.name.clone(),
                head: roster.head(),
            },
            team: profile.team.clone(),
            language: roster.language(),
            relay: StaticPublic(relay),
            addresses: profile.addresses.clone(),
            role: new.role,
            expires: terms.expires(),
            auto_approve: new.auto_approve,
        };
        let plain = bundle.encode().map_err(|_| Fault::Bug("the bundle is too large"))?;
        let secret = Secret::copy(code.secret().expose()).ok_or(Fault::Bug("secret"))?;
        self.tx.put_invite(&InviteRow {
            id: keys.id,
            secret,
            bundle: plain.to_vec(),
            role: new.role.code(),
            name: new.name,
            auto_approve: new.auto_approve,
            created_at: now,
            expires_at: terms.expires(),
            state: state::OPENING,
            used_at: None,
            request: None,
            by: self.memory.me()?,
            member: self.memory.profile.member().filter(|_| new.own),
            vouch: None,
            membership: new.expires_s.map(|after| now.saturating_add(after)),
        })?;
        let opened = self.memory.head();
        self.open_invite_channel(&code, opened)?;
        if asks {
            self.ask_admins(&Ask::Open {
                secret: ByteArray::new(*code.secret().expose()),
                bundle: ByteBuf::from(plain.to_vec()),
                expires: terms.expires(),
            })?;
        }
        let answer = json!({"id": keys.id.to_hex(), "code": *code.to_text(),
            "expires_at": super::views::rfc3339(terms.expires())});
        self.wait_at_most(call, What::InviteOpen { invite: keys.id, answer }, OPEN_WAIT_MS);
        Ok(())
    }

    /// **Open invites are channels to the admins' devices**, and to the newcomer.
    pub(super) fn open_invite_channel(
        &mut self,
        code: &InviteCode,
        opened: crate::wire::ids::Seq,
    ) -> Result<(), Fault> {
        let keys = code.keys();
        let secret = Secret::copy(keys.join.secret().expose()).ok_or(Fault::Bug("secret"))?;
        self.insert_channel(NewChannel {
            kind: ChannelKind::Invite,
            room: None,
            peer: None,
            invite: Some(keys.id),
            epoch: 0,
            secret,
            opened,
        })
    }

    pub(super) fn drop_invite_channel(&mut self, id: &InviteId) -> Result<(), Fault> {
        let of = |live: &super::memory::Live| live.invite.as_ref() == Some(id);
        for live in self.memory.channels.iter().filter(|live| of(live)) {
            self.tx.delete_channel(live.id)?;
        }
        self.memory.channels.retain(|live| !of(live));
        Ok(())
    }

    /// Tells the relay what it does not know yet of this device's invites.
    pub(super) fn work_on_invites(&mut self) -> Result<(), Fault> {
        let may = self.link.connected && self.now.mono_ms >= self.link.retry_at;
        if !may || !self.has_authority()? {
            return Ok(());
        }
        let (me, now, turn) = (self.memory.me()?, self.now.unix_s(), self.turn()?);
        let unsettled =
            [state::OPENING, state::USED_ENDING, state::REFUSED_ENDING, state::REVOKED_ENDING];
        for row in self.tx.invites_in(unsettled)? {
            let id = row.id;
            match row.state {
                state::OPENING if row.by != me && row.created_at + turn > now => {}
                state::OPENING if !self.link.awaits(|a| *a == Asked::Invite(id)) => {
                    self.send_invite(&row)?;
                }
                state::USED_ENDING if !self.rows_settled()? || !self.is_enrolled(&row)? => {}
                state::USED_ENDING => self.send_invite_end(id, InviteEnd::Enrolled),
                state::REFUSED_ENDING => self.send_invite_end(id, InviteEnd::Refused),
                state::REVOKED_ENDING => self.send_invite_end(id, InviteEnd::Revoked),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_enrolled(&self, row: &InviteRow) -> Result<bool, Fault> {
        let roster = self.memory.roster()?;
        Ok(request_of(row).is_some_and(|opened| roster.is_active(&opened.request.device_id())))
    }

    fn send_invite(&mut self, row: &InviteRow) -> Result<(), Fault> {
        let code = self.code_of(row)?;
        let keys = code.keys();
        let bundle = Bundle::decode(&row.bundle).map_err(|_| Fault::Bug("a stored bundle"))?;
        let sealed = bundle
            .seal(&keys.id, &keys.bundle, self.random)
            .map_err(|_| Fault::Bug("the bundle is too large"))?;
        let request = self.link.ask(Asked::Invite(row.id));
        self.effects.push(Out::Send(ToRelay::Invite {
            request,
            id: keys.id,
            gate: keys.gate,
            psk: keys.psk,
            expires: row.expires_at,
            bundle: Bytes::from(sealed),
        }));
        Ok(())
    }

    /// The code of an invite, with the address its bundle names first.
    pub(super) fn code_of(&self, row: &InviteRow) -> Result<InviteCode, Fault> {
        let host = Host::parse("localhost").map_err(|_| Fault::Bug("host"))?;
        let secret = Secret::copy(row.secret.expose()).ok_or(Fault::Bug("secret"))?;
        Ok(InviteCode::from_secret(host, None, secret))
    }

    fn send_invite_end(&mut self, id: InviteId, end: InviteEnd) {
        if !self.link.awaits(|asked| *asked == Asked::InviteEnd(id)) {
            let request = self.link.ask(Asked::InviteEnd(id));
            self.effects.push(Out::Send(ToRelay::InviteEnd { request, id, end }));
        }
    }

    /// The relay has opened an invite.
    pub(super) fn invite_opened(&mut self, id: &InviteId) -> Result<(), Fault> {
        self.move_invite(id, |row| {
            if row.state == state::OPENING {
                row.state = state::OPEN;
            }
        })?;
        if let Some(row) = self.tx.invite(id)?.filter(|row| row.member.is_some())
            && row.by != self.memory.me()?
        {
            self.send_ask(&row.by, &Ask::Opened { invite: ByteArray::new(id.0) })?;
        }
        self.admin_news()
    }

    /// The relay has ended an invite, or never knew it.
    pub(super) fn invite_ended(&mut self, id: &InviteId) -> Result<(), Fault> {
        self.move_invite(id, |row| {
            row.state = match row.state {
                state::USED_ENDING => state::USED,
                _ => state::REVOKED,
            };
            row.request = if row.state == state::USED { row.request.take() } else { None };
        })?;
        self.admin_news()?;
        self.drop_invite_channel(id)
    }

    /// The relay refused to open or end an invite.
    pub(super) fn invite_failed(&mut self, asked: &Asked, code: FailCode) -> Result<(), Fault> {
        match asked {
            Asked::InviteEnd(id) if matches!(code, FailCode::Unknown | FailCode::Ended) => {
                self.invite_ended(id)
            }
            // The relay knows the id: the answer was lost, or another admin's device was quicker.
            Asked::Invite(id) if code == FailCode::Ended => self.invite_opened(id),
            Asked::Invite(id) if matches!(code, FailCode::TooLarge | FailCode::Denied) => {
                self.tx.delete_invite(id)?;
                self.drop_invite_channel(id)
            }
            _ => {
                self.link.retry_at = self.now.mono_ms + 1_000;
                Ok(())
            }
        }
    }

    fn move_invite(
        &mut self,
        id: &InviteId,
        change: impl FnOnce(&mut InviteRow),
    ) -> Result<(), Fault> {
        if let Some(mut row) = self.tx.invite(id)? {
            change(&mut row);
            self.tx.put_invite(&row)?;
        }
        Ok(())
    }

    /// A whole message in an invite's channel, somebody else's.
    pub(super) fn invite_message(&mut self, id: InviteId, whole: Whole) -> Result<(), Fault> {
        if self.memory.profile.stage != Stage::Inside {
            return Ok(());
        }
        match MessageKind::of(&whole.content) {
            Some(MessageKind::Request) => self.request(&id, &whole.content),
            _ => Ok(()),
        }
    }

    /// Somebody asks to come in.
    fn request(&mut self, id: &InviteId, request: &[u8]) -> Result<(), Fault> {
        let Some(mut row) = self.tx.invite(id)? else { return Ok(()) };
        let Ok(opened) = JoinRequest::open(id, request) else { return Ok(()) };
        let Some(mut invite) = life(&row) else { return Ok(()) };
        let now = self.now.unix_s();
        match invite.ask(now, opened.digest()) {
            Ok(Came::First) => {
                row.state = state::ASKING;
                row.request = Some(request.to_vec());
                row.used_at = Some(now);
                self.tx.put_invite(&row)?;
                let request = &opened.request;
                self.event(json!({"v": 1, "type": "asking", "id": id.to_hex(),
                    "name": request.name.as_str(), "device": request.label.as_str()}));
                if row.auto_approve && row.by == self.memory.me()? {
                    return self.approve_by_itself(row, &opened);
                }
                Ok(())
            }
            Ok(Came::Again | Came::Inside) => Ok(()),
            Err(InviteError::SecondUse { first }) => {
                let at = super::views::rfc3339(first);
                self.alarm(Alarm::Invite, &format!(
                    "An invitation was used a second time by another device; the first use was at {at}. If you do not know why, revoke who came in with it."
                ))
            }
            Err(_) => Ok(()),
        }
    }

    /// Marks an invite used; the relay is told when the newcomer is enrolled.
    pub(super) fn use_invite(
        &mut self,
        mut row: InviteRow,
        opened: &crate::member::invite::Opened,
        approval: Approval,
    ) -> Result<(), Fault> {
        let mut invite = life(&row).ok_or(Fault::Bug("a stored invite"))?;
        let (now, device) = (self.now.unix_s(), opened.request.device_id());
        invite
            .approve(now, &opened.digest(), device, approval)
            .map_err(|error| refused(&format!("It cannot be approved: {error}."), None))?;
        row.state = state::USED_ENDING;
        row.used_at = Some(now);
        Ok(self.tx.put_invite(&row)?)
    }
}

fn terms_fault(error: TermsError) -> Fault {
    let message = match error {
        TermsError::AdminWithoutWords => "An admin is never approved without the words.".to_owned(),
        TermsError::Ttl { max } => {
            format!("Such an invite is good for at most {} hours.", max / 3_600)
        }
    };
    refused(&message, None).into()
}
