//! Letting a newcomer in: roster entry, row, rooms, answer.

use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, failed, refused};
use super::invites::request_of;
use super::waits::What;
use crate::invite_code::{Bundle, Role};
use crate::member::agent::core::CallId;
use crate::member::e2ee::check_package;
use crate::member::invite::{
    Answer, Approval, MAX_INLINE_BYTES, Opened, Payload, Snapshot, Transcript,
};
use crate::member::roster::{Action, AddDevice, Author, Name};
use crate::member::store::{AccessRow, IntentKind, InviteRow, OutKind};
use crate::noise::keys::AccessSecret;
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, InviteId, MemberId};

use super::memory::signed_entries;

/// Milliseconds that `approve` waits for the newcomer to be inside.
const APPROVE_WAIT_MS: u64 = 10_000;
/// What a bot asks to be called that was not told a name.
pub(crate) const BOT_NAME: &str = "bot";
/// The kind of all fragments of an invite's channel; the message says what it is.
pub(super) const INVITE_MESSAGE: u8 = 1;

impl Cx<'_> {
    /// `approve`: with the words heard, or without by an explicit waiver.
    pub(super) fn approve(
        &mut self,
        call: CallId,
        typed: &str,
        words: Option<&str>,
    ) -> Result<(), Fault> {
        let row = self.find_invite(typed)?;
        let Some(opened) = request_of(&row) else {
            return Err(refused("Nobody asks with this invite.", None).into());
        };
        let approval = match words {
            None if Role::from_code(row.role) == Some(Role::Admin) => {
                return Err(refused("An admin is never approved without the words.", None).into());
            }
            None => Approval::Unverified,
            Some(words) => {
                self.compare(&row, &opened, words)?;
                Approval::WordsCompared
            }
        };
        let me = self.memory.me()?;
        if row.member.is_some() && row.by != me {
            let who = self.member_name(&row.by).unwrap_or_default();
            let text = format!("That is a further device of {who}, who alone can say so.");
            return Err(refused(&text, None).into());
        }
        let (device, answer) = if self.has_authority()? {
            self.approve_now(row, &opened, approval, me)?
        } else if row.member.is_some() {
            let device = self.vouch(&row, approval.words_compared())?;
            let name = &self.memory.profile.name;
            (device, json!({"member": name, "device": device.to_hex()}))
        } else {
            return Err(failed(77, "Only admins approve.", None).into());
        };
        self.wait_at_most(call, What::Approved { device, answer }, APPROVE_WAIT_MS);
        Ok(())
    }

    /// Compares the words heard with those of this side: **they bind the team as well as the
    /// newcomer**.
    fn compare(&self, row: &InviteRow, opened: &Opened, words: &str) -> Result<(), Fault> {
        let bundle = Bundle::decode(&row.bundle).map_err(|_| Fault::Bug("a stored bundle"))?;
        let hash = bundle.hash().map_err(|_| Fault::Bug("a stored bundle"))?;
        let own = Transcript::of_opened(&hash, opened)
            .words()
            .ok_or_else(|| refused("There is not enough memory to compare the words.", None))?;
        match own.matches(bundle.language, words) {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused(
                "These are not the newcomer's words; nobody was let in.",
                Some("Ask again by voice. If they still differ, reject the request: it is somebody else's."),
            )
            .into()),
            Err(error) => Err(refused(
                &format!("The words cannot be read: {error}."),
                Some("Type the five words you heard; nothing was changed."),
            )
            .into()),
        }
    }

    /// Posts the roster entry; the rest follows when it has its place.
    pub(super) fn approve_now(
        &mut self,
        row: InviteRow,
        opened: &Opened,
        approval: Approval,
        voucher: DeviceId,
    ) -> Result<(DeviceId, Value), Fault> {
        let provider = self.provider();
        let request = &opened.request;
        let device = request.device_id();
        let roster = self.memory.roster()?;
        let known = row.member.and_then(|id| roster.member(&id)).cloned();
        let name = match &known {
            Some(member) => member.name.clone(),
            None => chosen_name(&row, &request.name),
        };
        if known.is_none() && roster.member_by_name(name.as_str()).is_some() {
            return Err(refused(
                &format!("There is already a {} in the team; nobody was let in.", name.as_str()),
                Some("Reject the request, and invite again under another name."),
            )
            .into());
        }
        for package in &request.key_packages {
            check_package(&provider, package, &request.device.identity)
                .map_err(|fault| refused(&format!("The request is unusable: {fault}."), None))?;
        }
        let role = Role::from_code(row.role).ok_or(Fault::Bug("a stored role"))?;
        let role = known.as_ref().map_or(role, |member| member.role);
        // A further device does not outlive the one that vouches for it.
        let vouching = self.memory.roster()?.device(&voucher).filter(|_| known.is_some());
        let expires = row.membership.or(vouching.and_then(|device| device.expires));
        let access = Secret::copy(request.access.secret().expose()).ok_or(Fault::Bug("secret"))?;
        let access = AccessSecret::from_secret(access);
        let transport = access.bind(&request.transport);
        let admin = role == Role::Admin;
        let answer = json!({"member": name.as_str(), "device": device.to_hex()});
        let member = known.map_or_else(|| MemberId::random(self.random), |member| member.id);
        let vouched_by = Author::Device(voucher);
        self.post_action(Action::AddDevice(Box::new(AddDevice {
            member,
            name,
            label: request.label.clone(),
            role,
            keys: request.device,
            vouched_by,
            words_compared: approval.words_compared(),
            invite: Some(row.id),
            expires,
        })))?;
        self.tx.put_access_row(&AccessRow { device, access, transport, admin })?;
        self.use_invite(row, opened, approval)?;
        Ok((device, answer))
    }

    /// Carries out an invite that needs no words. What stands in the way is told, not thrown: the
    /// request came from the log.
    pub(super) fn approve_by_itself(
        &mut self,
        row: InviteRow,
        opened: &Opened,
    ) -> Result<(), Fault> {
        let me = self.memory.me()?;
        match self.approve_now(row, opened, Approval::Automatic, me) {
            Ok(_) => Ok(()),
            Err(Fault::Refused(error)) => self.alarm(Alarm::Invite, &error.message),
            Err(fault) => Err(fault),
        }
    }

    /// The entry of a newcomer this device approved has its place: row, rooms and answer follow,
    /// in the same transaction.
    pub(super) fn finish_approval(
        &mut self,
        invite: &InviteId,
        device: &DeviceId,
    ) -> Result<(), Fault> {
        let Some(row) = self.tx.invite(invite)? else { return Ok(()) };
        let Some(opened) = request_of(&row) else { return Ok(()) };
        for package in &opened.request.key_packages {
            self.keep_package(device, package)?;
        }
        self.add_row(device)?;
        self.answer_newcomer(&row, &opened)?;
        let now = self.now.unix_ms;
        if let Some(control) = self.memory.profile.control() {
            self.intend(control, IntentKind::Add(*device), now)?;
        }
        if let Some(admins) = self.memory.profile.admins()
            && self.is_admin_device(device)?
        {
            self.intend(admins, IntentKind::Add(*device), now)?;
        }
        let is_bot = Role::from_code(row.role) == Some(Role::Bot);
        if let Some(general) = self.memory.profile.general().filter(|_| !is_bot) {
            self.intend(general, IntentKind::Add(*device), now)?;
        }
        Ok(())
    }

    /// The newcomer takes the roster and (seq, h) from its approver, never from the relay.
    fn answer_newcomer(&mut self, row: &InviteRow, opened: &Opened) -> Result<(), Fault> {
        let cursor = self.memory.cursor.ok_or(Fault::Bug("no cursor"))?;
        let head = self.memory.roster()?.head();
        let snapshot = Snapshot {
            entries: signed_entries(self.tx, head.number)?,
            packages: self.tx.last_resorts()?,
        };
        let encoded = snapshot.encode().map_err(|_| Fault::Bug("the snapshot is too large"))?;
        let payload = if encoded.len() <= MAX_INLINE_BYTES {
            Payload::Inline(encoded)
        } else {
            self.put_blob(&encoded)?
        };
        let answer = Answer {
            invite: row.id,
            request: opened.digest(),
            approver: self.memory.me()?,
            entry: head.number,
            log: cursor.log,
            seq: cursor.seq,
            hash: cursor.hash,
            payload,
        };
        let message = answer
            .encode(&self.memory.keys()?.identity)
            .map_err(|_| Fault::Bug("the answer is too large"))?;
        let cells = self.marked(|memory, random| {
            let mut channels = memory.channels.iter();
            let channel = channels.find(|live| live.invite.as_ref() == Some(&row.id));
            channel.map(|channel| channel.seal(random, INVITE_MESSAGE, &message)).transpose()
        })?;
        let Some(cells) = cells else { return Ok(()) };
        self.enqueue(OutKind::Invite, None, 0, Vec::new(), &cells)?;
        Ok(())
    }
}

/// The name asked for beats the invite's, except for a bot that asked for none.
fn chosen_name(row: &InviteRow, asked: &Name) -> Name {
    let invited = row.name.as_deref().and_then(|name| Name::parse(name).ok());
    match invited {
        Some(name) if asked.as_str() == BOT_NAME => name,
        _ => asked.clone(),
    }
}
