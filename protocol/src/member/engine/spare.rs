//! Spare relays: an admin's device makes a fresh relay the team's with its spare code, brings it the
//! rows, and names it in the roster before anything happens, or goes there when the old one is gone.

use bytes::Bytes;
use serde::Deserialize;
use serde_bytes::ByteArray;
use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, failed, refused};
use super::joining::read_bundle;
use super::next::Found;
use super::scout::{Errand, Goal, Task};
use super::spare_rows::Spare;
use crate::invite_code::{Invitation, InviteCode};
use crate::member::agent::core::{ApiError, CallId, Out};
use crate::member::identity::SigningSecret;
use crate::member::roster::{Action, MAX_AFTER_S, MIN_AFTER_S, NextRelay};
use crate::member::store::MetaKey;
use crate::noise::keys::StaticSecret;
use crate::wire::frame::JoinState;
use crate::wire::ids::LogId;

/// Seconds without the relay after which devices go to the spare, if nobody says otherwise.
const AFTER_S: u32 = 600;
/// How far the versions of a spare's registry lie above those of the registry before, so that
/// whichever document is the newer has the greater version.
const VERSIONS: u64 = 1 << 32;

/// What `relay.spare` asks for.
#[derive(Deserialize)]
pub(super) struct SpareParams {
    /// The spare code of a relay that is to be the next.
    code: Option<String>,
    after_s: Option<u32>,
    #[serde(default)]
    remove: bool,
}

/// What `relay.find` asks for.
#[derive(Deserialize)]
pub(super) struct FindParams {
    code: String,
}

/// What the holder of a spare code is told who takes it for an invitation.
pub(crate) fn not_an_invitation() -> ApiError {
    refused(
        "That is the code of a spare relay, and no invitation.",
        Some("An admin makes it the team's next relay: staffetta relay spare add"),
    )
}

fn parse(code: &str) -> Result<InviteCode, Fault> {
    let hint = Some("Copy the whole code that the spare relay printed.");
    InviteCode::parse(code).map_err(|_| refused("That is no spare code.", hint).into())
}

impl Cx<'_> {
    /// What an admin's device does with a spare code.
    pub(super) fn claim(&mut self, code: &str) -> Result<Goal, Fault> {
        if !self.has_authority()? {
            let hint = Some("Use the device of an admin that is longer in the team.");
            return Err(failed(75, "This device does not have the team's rows yet.", hint).into());
        }
        Ok(Goal::Claim(parse(code)?, StaticSecret::generate(self.random)))
    }

    /// `relay.spare`: the spare relay, its making and its end.
    pub(super) fn relay_spare(
        &mut self,
        call: CallId,
        params: &SpareParams,
    ) -> Result<Option<Value>, Fault> {
        if let Some(code) = &params.code {
            self.may_move_relay()?;
            let after_s = params.after_s.unwrap_or(AFTER_S);
            if !(MIN_AFTER_S..=MAX_AFTER_S).contains(&after_s) {
                let text = "Devices go to the spare relay after 5 seconds to 7 days.";
                return Err(refused(text, None).into());
            }
            let goal = self.claim(code)?;
            self.set_about(call, Task::Look(goal, Errand::Next(after_s)))?;
            return Ok(None);
        }
        let Some(next) = self.memory.roster()?.next_relay().cloned() else {
            if params.remove {
                return Err(refused("The team has no spare relay.", None).into());
            }
            return Ok(Some(json!({"spare": null})));
        };
        if params.remove {
            self.may_move_relay()?;
            self.post_action(Action::NextRelay(NextRelay { addresses: Vec::new(), ..next }))?;
            self.tx.delete(MetaKey::Spare)?;
            self.wait_posted(call, json!({"spare": null}));
            return Ok(None);
        }
        let mine = self.spare()?.filter(|spare| spare.is(&next.log));
        let answered = mine.map(|spare| super::views::rfc3339(spare.answered));
        Ok(Some(json!({"spare": {"addresses": next.addresses, "log": next.log.to_hex(),
            "after_s": next.after_s, "answered": answered}})))
    }

    /// `relay.find`: the relay that a spare code leads to is looked at, until an admin's word is
    /// read there. Also while the old one answers: who was away when the team moved cannot tell
    /// that it is not the team's any more.
    pub(super) fn find_relay(&mut self, call: CallId, params: &FindParams) -> Result<(), Fault> {
        let goal = Goal::Find(parse(&params.code)?, StaticSecret::generate(self.random));
        self.set_about(call, Task::Look(goal, Errand::Silent))
    }

    /// The relay showed its key and the bundle to the holder of a spare code.
    pub(super) fn code_welcome(&mut self, bundle: &Bytes, state: JoinState) -> Result<(), Fault> {
        let shown = self.link.relay;
        let (code, find) = match self.scout.as_ref().map(|scout| &scout.goal) {
            Some(Goal::Claim(code, _)) => (code, false),
            Some(Goal::Find(code, _)) => (code, true),
            _ => return Ok(()),
        };
        let Some(relay) = shown else { return Ok(()) };
        let at = match read_bundle(code, &relay, bundle, self.now.unix_s()) {
            Ok(bundle) if bundle.invitation == Invitation::Spare => {
                Found { relay: ByteArray::new(relay.0), addresses: bundle.addresses }
            }
            Ok(_) => {
                let text = "That is an invitation, and not the code of a spare relay.";
                self.hang_up();
                self.give_up_scouting(refused(text, None));
                return Ok(());
            }
            Err(error) => {
                self.hang_up();
                self.give_up_scouting(error);
                return Ok(());
            }
        };
        if find {
            return self.found_relay(at);
        }
        let known = self.spare()?.filter(|spare| spare.at.relay == at.relay);
        let spare = match known {
            // It was interrupted after the relay had carried it out.
            Some(_) if state != JoinState::Open => return self.spare_rows_done(),
            Some(spare) => spare,
            None if state != JoinState::Open => {
                let text = "That spare code was used before.";
                let hint = "If that was not your team, set up another relay.";
                self.hang_up();
                self.give_up_scouting(refused(text, Some(hint)));
                return Ok(());
            }
            None => self.new_spare(at)?,
        };
        self.put_spare(&spare)?;
        self.link.connected = true;
        self.send_rows_of(spare)
    }

    fn new_spare(&mut self, at: Found) -> Result<Spare, Fault> {
        self.tx.set_spare_authority(&SigningSecret::generate(self.random))?;
        let version = (self.rows_version()?.0 / VERSIONS + 1) * VERSIONS;
        let (log, previous) = (None, ByteArray::new([0; 32]));
        let keeper = ByteArray::new(self.memory.me()?.0);
        let told = Vec::new();
        Ok(Spare { at, log, version, previous, told, under_way: None, answered: 0, keeper })
    }

    /// A member's device knows now where the team may be.
    fn found_relay(&mut self, at: Found) -> Result<(), Fault> {
        let answer = json!({"addresses": at.addresses});
        self.memory.profile.found = Some(at);
        self.save_profile()?;
        self.away.try_elsewhere();
        self.hang_up();
        if let Some(call) = self.scout.take().and_then(|scout| scout.call) {
            self.waits.forget(&[call]);
            self.effects.push(Out::Answer(call, Ok(answer)));
        }
        Ok(())
    }

    /// Calls the spare relay as a device, to see which log it will have.
    pub(super) fn meet(&mut self, spare: &Spare) -> Result<(), Fault> {
        if let Some(scout) = self.scout.as_mut() {
            scout.goal = Goal::Meet(spare.at.clone());
        }
        self.hang_up();
        Ok(())
    }

    /// WELCOME of the spare relay.
    pub(super) fn met_spare(&mut self, at: Found, log: LogId, begun: bool) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        if let Some(mut spare) = self.spare()? {
            spare.log = Some(ByteArray::new(log.0));
            self.has_kept(&mut spare)?;
            self.put_spare(&spare)?;
        }
        let here = matches!(self.scout.as_ref().map(|scout| &scout.errand), Some(Errand::Move));
        if begun && !here {
            self.hang_up();
            self.give_up_scouting(refused("That spare relay is in use already.", None));
            return Ok(());
        }
        if !here {
            if let Some(scout) = self.scout.as_mut() {
                scout.found = Some((log, cursor.seq, cursor.hash));
            }
            self.hang_up();
            return Ok(());
        }
        // The old relay is gone: the team goes on here, and this device says so here.
        let call = self.scout.take().and_then(|scout| scout.call);
        self.go_on_at(at, log)?;
        if let Some(call) = call {
            self.waits.forget(&[call]);
            let answer = json!({"addresses": self.memory.profile.addresses, "log": log.to_hex(),
                "seq": cursor.seq});
            self.effects.push(Out::Answer(call, Ok(answer)));
        }
        if begun {
            self.hang_up();
            return Ok(());
        }
        self.put_base()
    }

    /// `relay.move` to the spare relay, while the old one is there.
    pub(super) fn move_to_spare(&mut self, call: CallId) -> Result<(), Fault> {
        let NextRelay { relay, addresses, log, .. } = self.named_spare()?;
        let Some(cursor) = self.memory.cursor else { return Err(Fault::Bug("inside, no log")) };
        let answer = json!({"addresses": addresses, "log": log.to_hex(), "seq": cursor.seq});
        let (old, seq, hash) = (cursor.log, cursor.seq, cursor.hash);
        let there = Action::RelayAddresses { relay, addresses };
        self.post_both(there, Action::LogChange { old, seq, hash, new: log })?;
        self.wait_posted(call, answer);
        Ok(())
    }

    /// The spare relay that an admin has named.
    pub(super) fn named_spare(&self) -> Result<NextRelay, Fault> {
        let hint = Some("Add one first: staffetta relay spare add");
        let next = self.memory.roster()?.next_relay().cloned();
        next.ok_or_else(|| refused("The team has no spare relay.", hint).into())
    }
}
