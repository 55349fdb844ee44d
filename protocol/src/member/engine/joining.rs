//! Coming in: the newcomer's side of an invite, and the founder's.
//!
//! A newcomer opens the bundle, only then makes its keys, asks, and after the approval reads the
//! log from its own request on. What it reads means nothing before the answer is checked.

use serde_json::Value;
use zeroize::Zeroizing;

use super::approve::INVITE_MESSAGE;
use super::fault::{Fault, refused};
use super::invites::MINE;
use super::profile::Stage;
use super::{Cx, Engine};
use crate::invite_code::{Bundle, Host, Invitation, InviteCode, Role};
use crate::member::agent::core::{ApiError, Now};
use crate::member::e2ee::{new_package, package_ref};
use crate::member::identity::DeviceKeys;
use crate::member::invite::{JoinRequest, Transcript};
use crate::member::roster::Name;
use crate::member::store::{InviteRow, OutKind};
use crate::noise::keys::{StaticPublic, StaticSecret};
use crate::secret::Secret;
use crate::wire::Cells;
use crate::wire::ids::{InviteId, Seq};
use crate::wire::limits::MAX_JOIN_CELLS;
use crate::wire::rows::SignedRows;

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

/// Opens the bundle that the relay sent and checks that it leads where the code does; `now_s` in unix
/// seconds.
///
/// # Errors
/// Exit 1 if the bundle or the relay's key does not hold, or the invitation has expired.
pub fn read_bundle(
    code: &InviteCode,
    relay: &StaticPublic,
    sealed: &[u8],
    now_s: u64,
) -> Result<Bundle, ApiError> {
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
        ));
    }
    if bundle.expires <= now_s {
        return Err(refused("The invitation has expired.", Some("Ask for a new one.")));
    }
    Ok(bundle)
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

    /// The code of a request that waits: somebody whose program ended while waiting need not look for
    /// the invitation again.
    ///
    /// # Errors
    /// If the store fails.
    pub fn pending_code(&mut self, now: Now) -> Result<Option<InviteCode>, ApiError> {
        self.step(now, |cx| {
            let Stage::Asking { invite, .. } = cx.memory.profile.stage else { return Ok(None) };
            let Some(row) = cx.tx.invite(&InviteId(invite))? else { return Ok(None) };
            let bundle = Bundle::decode(&row.bundle).map_err(|_| Fault::Bug("a stored bundle"))?;
            let host = bundle.addresses.first().and_then(|at| Host::parse_with_port(at).ok());
            Ok(host.map(|(host, port)| InviteCode::from_secret(host, port, row.secret)))
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
        let bundle = read_bundle(code, relay, sealed, self.now.unix_s())?;
        let profile = &mut self.memory.profile;
        profile.relay = relay.0.to_vec();
        profile.addresses.clone_from(&bundle.addresses);
        profile.is_bot = bundle.role == Role::Bot;
        if profile.is_bot {
            // From the first message on, whoever reads them and when.
            self.tx.put_consumer(super::delivery::OWN, None)?;
        }
        let profile = &mut self.memory.profile;
        profile.team = if bundle.team.is_empty() { "team".into() } else { bundle.team.clone() };
        match &bundle.invitation {
            Invitation::Founder => self.found(code, &bundle),
            Invitation::Spare => Err(super::spare::not_an_invitation().into()),
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
                .collect::<Result<Vec<_>, _>>()?;
            for (index, package) in packages.iter().enumerate() {
                let reference = package_ref(&provider, package)?;
                self.tx.note_own_package(&reference, index == 0, None, self.now.unix_s())?;
            }
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
                member: None,
                vouch: None,
                membership: None,
            })?;
            self.open_invite_channel(code, 0)?;
            let cells = self.marked(|memory, random| {
                let channel = memory.channels.iter().find(|c| c.invite == Some(id));
                let channel = channel.ok_or(Fault::Bug("no invite channel"))?;
                channel.seal(random, INVITE_MESSAGE, &request)
            })?;
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
