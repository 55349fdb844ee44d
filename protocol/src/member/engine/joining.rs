//! Coming in: the newcomer's side of an invite, and the founder's.
//!
//! A newcomer opens the bundle, only then makes its keys, asks, and after the approval reads the
//! log from its own request on. What it reads means nothing before the answer is checked.

use serde_json::Value;
use zeroize::Zeroizing;

use super::approve::INVITE_MESSAGE;
use super::fault::{Fault, failed, refused};
use super::invites::MINE;
use super::memory::Key;
use super::profile::Stage;
use super::trust::GENERAL;
use super::{Cx, Engine};
use crate::cell::chain::{Accepted, Chains};
use crate::invite_code::{Bundle, Invitation, InviteCode, Role};
use crate::member::agent::core::{ApiError, Now};
use crate::member::e2ee::{RoomKind, RoomState, WhoMayAdd, new_package};
use crate::member::identity::{DeviceKeys, DevicePublic, SigningSecret};
use crate::member::invite::{
    Answer, JoinRequest, MessageKind, SignedAnswer, Transcript, root_words,
};
use crate::member::roster::{Action, AddDevice, Author, Name, Roster, SignedEntry};
use crate::member::store::{AccessRow, Cursor, InviteRow, OutKind, RING_CELLS};
use crate::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use crate::secret::Secret;
use crate::wire::Cells;
use crate::wire::ids::{MemberId, RoomId, Seq};
use crate::wire::limits::MAX_JOIN_CELLS;
use crate::wire::rows::SignedRows;
use crate::wire::running_hash;

/// Default lifetime of messages: 7 days, in seconds.
pub(super) const DEFAULT_LIFETIME_S: u32 = 7 * 24 * 3_600;
/// KeyPackages of a request, the last-resort one among them.
const REQUEST_PACKAGES: usize = 4;

/// What a newcomer does next, once it has the bundle.
pub enum Step {
    /// Ask to come in.
    Ask {
        /// The team's name.
        team: String,
        /// Who invited.
        inviter: String,
        /// The five words; `None` if the invite is approved without them.
        words: Option<Vec<String>>,
        /// The request, to be handed over by JOIN.
        cells: Cells,
    },
    /// Claim the relay.
    Found {
        /// The first ROWS document.
        document: SignedRows,
        /// The 24 root words, to be shown once.
        root_words: Zeroizing<String>,
    },
}

/// How far this profile has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It has to redeem its invite.
    Not,
    /// The relay knows it as a device; it reads the log for its answer and its rooms.
    Enrolled,
    /// It is inside.
    Inside,
}

impl Engine {
    /// Begins, or goes on with, redeeming a code, and returns the throwaway key to do it with.
    ///
    /// # Errors
    /// Exit 1 if the profile is a team's already or a name is unusable.
    pub fn begin_join(
        &mut self,
        now: Now,
        code: &InviteCode,
        name: &str,
        label: &str,
    ) -> Result<StaticSecret, ApiError> {
        let id = code.keys().id;
        self.step(now, |cx| {
            if matches!(cx.memory.profile.stage, Stage::Inside | Stage::Admitted) {
                return Err(refused(
                    "This profile is already a member of a team.",
                    Some("Use another --profile, or wipe this one first."),
                )
                .into());
            }
            let parse = |what: &str, text: &str| {
                Name::parse(text).map_err(|error| refused(&format!("The {what}: {error}."), None))
            };
            let (name, label) = (parse("name", name)?, parse("device's label", label)?);
            if cx.memory.profile.invite().is_some_and(|known| known != id) {
                cx.forget_attempt()?;
            }
            if matches!(cx.memory.profile.stage, Stage::New) {
                cx.memory.profile.name = name.as_str().to_owned();
                cx.memory.profile.label = label.as_str().to_owned();
                cx.save_profile()?;
            }
            let throwaway = match cx.tx.throwaway()? {
                Some(throwaway) => throwaway,
                None => {
                    let fresh = StaticSecret::generate(cx.random);
                    cx.tx.set_throwaway(&fresh)?;
                    fresh
                }
            };
            Ok(throwaway)
        })
        .map_err(ApiError::from)
    }

    /// The relay sent the bundle: checks it, and says what to do next.
    ///
    /// # Errors
    /// Exit 1 if the bundle, the relay's key or the name does not hold.
    pub fn bundle(
        &mut self,
        now: Now,
        code: &InviteCode,
        relay: &StaticPublic,
        sealed: &[u8],
    ) -> Result<Step, ApiError> {
        self.step(now, |cx| cx.open_bundle(code, relay, sealed)).map_err(ApiError::from)
    }

    /// The relay acknowledged the request: its first cell stands at `first`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn asked(&mut self, now: Now, first: Seq) -> Result<(), ApiError> {
        self.step(now, |cx| {
            if let Stage::Asking { from, .. } = &mut cx.memory.profile.stage
                && *from == 0
            {
                *from = first;
                cx.save_profile()?;
            }
            Ok(())
        })
        .map_err(ApiError::from)
    }

    /// The relay says that the newcomer is a device now, or that the claim is durable.
    ///
    /// # Errors
    /// If the store fails.
    pub fn enrolled(&mut self, now: Now) -> Result<(), ApiError> {
        self.step(now, |cx| match cx.memory.profile.stage {
            Stage::Asking { invite, from } => {
                cx.memory.profile.stage = Stage::Enrolled { invite, from: from.max(1) };
                cx.tx.delete_throwaway()?;
                cx.save_profile()
            }
            Stage::Founding { .. } => {
                cx.rows_done()?;
                cx.tx.delete_team_root()?;
                cx.tx.delete_throwaway()?;
                cx.memory.profile.stage = Stage::Inside;
                cx.save_profile()
            }
            _ => Ok(()),
        })
        .map_err(ApiError::from)
    }

    /// How far this profile has come.
    pub fn joined(&self) -> Joined {
        match self.memory.profile.stage {
            Stage::New | Stage::Asking { .. } | Stage::Founding { .. } => Joined::Not,
            Stage::Enrolled { .. } | Stage::Admitted => Joined::Enrolled,
            Stage::Inside => Joined::Inside,
        }
    }
}

impl Cx<'_> {
    /// Another code: what was begun with the first is worth nothing.
    fn forget_attempt(&mut self) -> Result<(), Fault> {
        for out in self.tx.pending_messages()? {
            self.tx.remove_out(out.id)?;
        }
        for row in self.tx.invites()? {
            self.tx.delete_invite(&row.id)?;
            self.drop_invite_channel(&row.id)?;
        }
        self.tx.delete_throwaway()?;
        self.memory.profile = super::Profile::default();
        self.save_profile()
    }

    fn open_bundle(
        &mut self,
        code: &InviteCode,
        relay: &StaticPublic,
        sealed: &[u8],
    ) -> Result<Step, Fault> {
        let keys = code.keys();
        let bundle = Bundle::open(&keys.id, &keys.bundle, sealed).map_err(|_| {
            refused(
                "The relay does not know this invitation as it was made.",
                Some("Ask for a new one."),
            )
        })?;
        if bundle.relay != *relay {
            return Err(refused(
                "This is not the relay that the invitation names; nothing was sent.",
                Some("Somebody may stand between you and it: tell your admin by voice."),
            )
            .into());
        }
        if bundle.expires <= self.now.unix_s() {
            return Err(refused("The invitation has expired.", Some("Ask for a new one.")).into());
        }
        let profile = &mut self.memory.profile;
        profile.relay = relay.0.to_vec();
        profile.addresses.clone_from(&bundle.addresses);
        profile.is_bot = bundle.role == Role::Bot;
        profile.team = if bundle.team.is_empty() { "team".into() } else { bundle.team.clone() };
        match &bundle.invitation {
            Invitation::Founder => self.found(code, &bundle),
            Invitation::Member { inviter, .. } => self.ask(code, &bundle, inviter),
        }
    }

    /// Makes the device's keys and the request, once.
    fn ask(&mut self, code: &InviteCode, bundle: &Bundle, inviter: &str) -> Result<Step, Fault> {
        let id = code.keys().id;
        if self.memory.profile.stage == Stage::New {
            let provider = self.provider();
            let device = DeviceKeys::generate(self.random);
            let certificate = device.certify_leaf(1);
            let packages = (0..REQUEST_PACKAGES)
                .map(|index| new_package(&provider, &device, &certificate, index == 0))
                .collect::<Result<_, _>>()?;
            let name = Name::parse(&self.memory.profile.name).map_err(|_| Fault::Bug("name"))?;
            let label = Name::parse(&self.memory.profile.label).map_err(|_| Fault::Bug("label"))?;
            let request = JoinRequest::of_device(id, &device, packages, name, label)
                .encode(&device)
                .map_err(|_| Fault::Bug("the join request does not fit"))?;
            self.tx.set_device_keys(&device)?;
            let by = device.device_id();
            self.memory.keys = Some(device);
            self.tx.put_invite(&InviteRow {
                id,
                secret: Secret::copy(code.secret().expose()).ok_or(Fault::Bug("secret"))?,
                bundle: bundle.encode().map_err(|_| Fault::Bug("bundle"))?.to_vec(),
                role: bundle.role.code(),
                name: None,
                auto_approve: bundle.auto_approve,
                created_at: self.now.unix_s(),
                expires_at: bundle.expires,
                state: MINE,
                used_at: None,
                request: Some(request.to_vec()),
                by,
            })?;
            self.open_invite_channel(code)?;
            let channel = self.memory.channels.iter().find(|c| c.invite == Some(id));
            let channel = channel.ok_or(Fault::Bug("no invite channel"))?;
            let cells = channel.seal(self.random, INVITE_MESSAGE, &request)?;
            self.enqueue(OutKind::Invite, None, 0, Vec::new(), &cells)?;
            self.memory.profile.stage = Stage::Asking { invite: id.0, from: 0 };
        }
        self.save_profile()?;
        let row = self.tx.invite(&id)?.ok_or(Fault::Bug("no invite"))?;
        let request = super::invites::request_of(&row).ok_or(Fault::Bug("no request"))?;
        let words = match bundle.auto_approve {
            true => None,
            false => {
                let hash = bundle.hash().map_err(|_| Fault::Bug("bundle"))?;
                let words = Transcript::of_opened(&hash, &request).words().ok_or_else(|| {
                    refused(
                        "There is not enough memory to make the words.",
                        Some("256 MiB are needed."),
                    )
                })?;
                Some(words.to_text(bundle.language).to_vec())
            }
        };
        let waiting = self.tx.unplaced(None, MAX_JOIN_CELLS as u32)?;
        let cells = Cells::collect(waiting.iter().map(|cell| (cell.id, cell.bytes.as_ref())));
        Ok(Step::Ask { team: bundle.team.clone(), inviter: inviter.to_owned(), words, cells })
    }

    /// The first to redeem the founder code creates team root, control room and `general`.
    fn found(&mut self, code: &InviteCode, bundle: &Bundle) -> Result<Step, Fault> {
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
        self.memory.profile.control = Some(control.0);
        self.memory.profile.general = Some(general.0);
        self.found_room(control, &state("", RoomKind::Control, WhoMayAdd::Admins, 0))?;
        let lifetime = DEFAULT_LIFETIME_S;
        self.found_room(general, &state(GENERAL, RoomKind::Room, WhoMayAdd::Admins, lifetime))
    }

    /// Reads the log for the answer; keeps what comes, in memory, until it is there.
    pub(super) fn push_while_joining(&mut self, first: Seq, cells: &Cells) -> Result<(), Fault> {
        let expected = self.memory.unread.last().map_or(first, |(seq, _, _)| seq + 1);
        let room = (RING_CELLS as usize).saturating_sub(self.memory.unread.len());
        if first != expected || cells.len() > room {
            return Err(failed(1, "The relay sent the log out of order.", None).into());
        }
        for (seq, (id, cell)) in (first..).zip(cells.iter()) {
            self.memory.unread.push((seq, id, Box::new(*cell)));
        }
        self.retry_admission()
    }

    /// Looks for the answer, and for what it needs, in what was read so far.
    pub(super) fn retry_admission(&mut self) -> Result<(), Fault> {
        let Stage::Enrolled { invite, .. } = self.memory.profile.stage else { return Ok(()) };
        let invite = crate::wire::ids::InviteId(invite);
        let Some(row) = self.tx.invite(&invite)? else { return Ok(()) };
        match self.find_answer(&row) {
            Some(answer) => self.admitted(&row, &answer),
            None => Ok(()),
        }
    }

    /// The answer among the cells read so far.
    fn find_answer(&self, row: &InviteRow) -> Option<SignedAnswer> {
        let live = self.memory.channels.iter().find(|c| c.invite == Some(row.id))?;
        let Key::Sealed(key) = &live.key else { return None };
        let request = row.request.as_deref()?;
        let mut chains = Chains::default();
        for (seq, _, cell) in self.memory.unread.iter().filter(|(_, _, cell)| key.matches(cell)) {
            let Ok(fragment) = key.open(cell) else { continue };
            if let Accepted::Whole(whole, _) = chains.accept(*seq, fragment)
                && MessageKind::of(&whole.content) == Some(MessageKind::Answer)
                && let Ok(answer) = Answer::open(request, &whole.content)
            {
                return Some(answer);
            }
        }
        None
    }

    /// The answer is an admin's, of the chain under the bundle's root: the team is ours.
    fn admitted(&mut self, row: &InviteRow, signed: &SignedAnswer) -> Result<(), Fault> {
        let bundle = Bundle::decode(&row.bundle).map_err(|_| Fault::Bug("a stored bundle"))?;
        let opened = super::invites::request_of(row).ok_or(Fault::Bug("no request"))?;
        let Some(fetched) = self.fetched(signed)? else { return Ok(()) };
        let admitted = match signed.admit(fetched.as_deref(), &bundle, &opened.request) {
            Ok(admitted) => admitted,
            Err(reason) => {
                tracing::warn!(%reason, "an answer is refused");
                return self.alarm(
                    "The answer to the invitation does not come from an admin of the team that was promised.",
                );
            }
        };
        let answer = signed.unproven();
        let (log, seq, hash) = (answer.log, answer.seq, answer.hash);
        let entries = admitted.snapshot.entries.iter();
        for (number, entry) in (0..).zip(entries) {
            self.tx.append_entry(number, entry.bytes(), entry.signature(), seq)?;
        }
        let me = self.memory.me()?;
        let own = admitted.roster.device(&me).ok_or(Fault::Bug("not on the roster"))?;
        self.memory.profile.member = Some(own.member.0);
        self.memory.profile.team = admitted.roster.name().as_str().to_owned();
        let others: Vec<_> = admitted.roster.active_devices().map(|d| d.id).collect();
        self.memory.roster = Some(admitted.roster);
        for other in &others {
            self.open_direct(other)?;
        }
        for (device, package) in &admitted.snapshot.packages {
            self.keep_package(device, package)?;
        }
        self.drop_invite_channel(&row.id)?;
        self.tx.delete_invite(&row.id)?;
        for out in self.tx.pending_messages()? {
            self.tx.remove_out(out.id)?;
        }
        self.memory.profile.stage = Stage::Admitted;
        self.save_profile()?;
        self.set_cursor(Cursor { log, seq, hash })?;
        self.read_unread(Cursor { log, seq, hash })
    }

    /// Reads what came since the approver's place, as everything after it will be read.
    fn read_unread(&mut self, mut cursor: Cursor) -> Result<(), Fault> {
        for (seq, id, cell) in std::mem::take(&mut self.memory.unread) {
            if seq <= cursor.seq {
                continue;
            }
            if seq != cursor.seq + 1 {
                return Err(Fault::Bug("the log begins after the answer"));
            }
            self.cell(seq, &id, &cell)?;
            let hash = running_hash::next(&cursor.hash, &id, &cell);
            cursor = Cursor { log: cursor.log, seq, hash };
        }
        self.set_cursor(cursor)
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

/// What `join` prints when the words are to be read out.
impl Step {
    /// The step as one JSON object; `Null` for the founder, whose words must not be in it.
    pub fn waiting(&self) -> Value {
        match self {
            Self::Ask { team, inviter, words, .. } => serde_json::json!({
                "state": "waiting", "team": team, "inviter": inviter, "words": words,
            }),
            Self::Found { .. } => Value::Null,
        }
    }
}
