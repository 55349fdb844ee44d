//! Spare relays: an admin's device makes a fresh relay the team's with its spare code, brings it the
//! rows, and names it in the roster before anything happens, or goes there when the old one is gone.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, failed, refused};
use super::joining::read_bundle;
use super::link::Asked;
use super::next::Found;
use super::scout::{Errand, Goal, Scout};
use crate::invite_code::{Invitation, InviteCode};
use crate::member::agent::core::{ApiError, CallId, Out};
use crate::member::identity::SigningSecret;
use crate::member::roster::{Action, MAX_AFTER_S, MIN_AFTER_S, NextRelay};
use crate::member::store::{AccessRow, MetaKey};
use crate::noise::keys::{StaticSecret, TransportHash};
use crate::wire::frame::{JoinState, ToRelay};
use crate::wire::ids::{Digest, LogId};
use crate::wire::limits::MAX_ROWS;
use crate::wire::rows::{Claim, Row, RowsDocument, RowsSigner, SignedRows};

/// Seconds without the relay after which devices go to the spare, if nobody says otherwise.
const AFTER_S: u32 = 600;
/// Seconds after which the device that looks after a spare relay calls it in any case.
const LOOK_S: u64 = 24 * 3_600;
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

/// A spare relay as this admin's device last had it confirmed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Spare {
    at: Found,
    log: Option<ByteArray<16>>,
    version: u64,
    previous: ByteArray<32>,
    /// Its rows: transport hash, and whether an admin's.
    told: Vec<(ByteArray<32>, bool)>,
    /// What `told` will be when the document under way is confirmed.
    under_way: Option<Vec<(ByteArray<32>, bool)>>,
    /// When it last answered, in unix seconds.
    answered: u64,
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
            if !self.caught_up() {
                let hint = Some("If the relay is gone: staffetta relay move --code");
                return Err(failed(75, "This device is not connected.", hint).into());
            }
            let goal = self.claim(code)?;
            self.send_scout(call, goal, Errand::Next(after_s))?;
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
    /// read there.
    pub(super) fn find_relay(&mut self, call: CallId, params: &FindParams) -> Result<(), Fault> {
        if self.link.connected && self.memory.profile.stopped.is_none() {
            let hint = Some("Nothing is to be done: admins move the team.");
            return Err(refused("The team's relay is there.", hint).into());
        }
        let goal = Goal::Find(parse(&params.code)?, StaticSecret::generate(self.random));
        self.send_scout(call, goal, Errand::Silent)
    }

    fn spare(&self) -> Result<Option<Spare>, Fault> {
        Ok(self.tx.get(MetaKey::Spare)?)
    }

    fn put_spare(&mut self, spare: &Spare) -> Result<(), Fault> {
        Ok(self.tx.set(MetaKey::Spare, spare)?)
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
        Ok(Spare { at, log, version, previous, told: Vec::new(), under_way: None, answered: 0 })
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

    /// Sends what the relay lacks of the rows.
    fn send_rows_of(&mut self, mut spare: Spare) -> Result<(), Fault> {
        let rows = self.tx.access_rows()?;
        if rows.len() > MAX_ROWS {
            let text = "The team is too large for a spare relay.";
            self.give_up_scouting(refused(text, None));
            return Ok(());
        }
        if spare.under_way.is_none() {
            spare.under_way = Some(rows.iter().map(told).collect());
            self.put_spare(&spare)?;
        }
        let document = self.rows_of(&spare, rows)?;
        let request = self.link.ask(Asked::SpareRows);
        self.effects.push(Out::Send(ToRelay::Rows { request, document }));
        Ok(())
    }

    fn rows_of(&self, spare: &Spare, rows: Vec<AccessRow>) -> Result<SignedRows, Fault> {
        let authority = self.tx.spare_authority()?.ok_or(Fault::Bug("no spare authority"))?;
        let wanted = spare.under_way.clone().unwrap_or_default();
        let new = |row: &AccessRow| wanted.contains(&told(row)) && !spare.told.contains(&told(row));
        let added = rows.into_iter().filter(new);
        let added = added.map(|AccessRow { access, transport, admin, .. }| Row {
            access,
            transport,
            admin,
        });
        let gone = spare.told.iter().filter(|(old, _)| !wanted.iter().any(|(new, _)| new == old));
        let roster = self.memory.roster()?;
        let is_first = spare.previous.into_array() == [0; 32];
        let claim = is_first.then(|| Claim { team: roster.team(), root: roster.root().0 });
        let document = RowsDocument {
            version: spare.version + 1,
            previous: Digest(spare.previous.into_array()),
            claim,
            authority: authority.public().0,
            added: added.collect(),
            removed: gone.map(|(hash, _)| TransportHash(Digest(hash.into_array()))).collect(),
            addresses: spare.at.addresses.clone(),
        };
        let signed = document.sign(RowsSigner::Authority, &authority.secret());
        signed.map_err(|_| Fault::Bug("a document of rows is too large"))
    }

    /// The spare relay has the rows.
    pub(super) fn spare_rows_done(&mut self) -> Result<(), Fault> {
        let Some(mut spare) = self.spare()? else { return Ok(()) };
        if spare.under_way.is_some() {
            let document = self.rows_of(&spare, self.tx.access_rows()?)?;
            spare.version += 1;
            spare.previous = ByteArray::new(document.hash().0);
            spare.told = spare.under_way.take().unwrap_or_default();
        }
        spare.answered = self.now.unix_s();
        self.put_spare(&spare)?;
        match self.scout.as_ref().map(|scout| &scout.goal) {
            Some(Goal::Claim(..)) => self.meet(&spare),
            _ => {
                *self.scout = None;
                self.hang_up();
                Ok(())
            }
        }
    }

    /// The spare relay does not take them.
    pub(super) fn spare_rows_failed(&mut self) -> Result<(), Fault> {
        self.hang_up();
        let silent = self.scout.as_ref().is_some_and(|scout| scout.call.is_none());
        let text = "The spare relay refuses this device's list of the team.";
        let hint = "Set up another spare relay, and add that.";
        self.give_up_scouting(refused(text, Some(hint)));
        if silent { self.alarm(Alarm::Address, text) } else { Ok(()) }
    }

    /// Calls the spare relay as a device, to see which log it will have.
    fn meet(&mut self, spare: &Spare) -> Result<(), Fault> {
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
            (spare.log, spare.answered) = (Some(ByteArray::new(log.0)), self.now.unix_s());
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
        let (next, cursor) = (self.memory.roster()?.next_relay().cloned(), self.memory.cursor);
        let (Some(NextRelay { relay, addresses, log, .. }), Some(cursor)) = (next, cursor) else {
            let hint = Some("Add one first: staffetta relay spare add");
            return Err(refused("The team has no spare relay.", hint).into());
        };
        if !self.caught_up() {
            let hint = Some("If the relay is gone, every device goes to the spare by itself.");
            return Err(failed(75, "This device is not connected.", hint).into());
        }
        let answer = json!({"addresses": addresses, "log": log.to_hex(), "seq": cursor.seq});
        let (old, seq, hash) = (cursor.log, cursor.seq, cursor.hash);
        let there = Action::RelayAddresses { relay, addresses };
        self.post_both(there, Action::LogChange { old, seq, hash, new: log })?;
        self.wait_posted(call, answer);
        Ok(())
    }

    /// The team's log is this one now: if this device looked after the relay as a spare, it goes on
    /// with its rows from there.
    pub(super) fn arrive_with_rows(&mut self, log: &LogId) -> Result<(), Fault> {
        let Some(spare) = self.spare()?.filter(|spare| spare.is(log)) else { return Ok(()) };
        let authority = self.tx.spare_authority()?.ok_or(Fault::Bug("no spare authority"))?;
        if let (None, Some(old)) = (self.tx.next_authority()?, self.tx.relay_authority()?) {
            self.tx.set_next_authority(&old)?;
        }
        self.tx.set_relay_authority(&authority)?;
        self.tx.delete(MetaKey::Spare)?;
        self.continue_rows(
            spare.version,
            spare.previous.into_array(),
            |row| spare.told.contains(&told(row)),
            &spare.told.iter().map(|(hash, _)| hash.into_array()).collect::<Vec<_>>(),
        )
    }

    /// Brings the spare relay the rows that changed since, when there is nothing else to do.
    pub(super) fn look_after_spare(&mut self) -> Result<(), Fault> {
        let Some(spare) = self.spare()? else { return Ok(()) };
        let next = self.memory.roster()?.next_relay().map(|next| next.log);
        let named = next.is_some_and(|log| spare.is(&log));
        if !named || self.scout.is_some() || !self.caught_up() || !self.rows_settled()? {
            return Ok(());
        }
        let now: Vec<_> = self.tx.access_rows()?.iter().map(told).collect();
        let same = now.len() == spare.told.len() && now.iter().all(|it| spare.told.contains(it));
        let fresh = spare.answered + LOOK_S > self.now.unix_s();
        if same && fresh && spare.under_way.is_none() {
            return Ok(());
        }
        let (goal, errand) = (Goal::Renew(spare.at), Errand::Silent);
        *self.scout = Some(Scout { goal, errand, call: None, doubtful: false, found: None });
        self.hang_up();
        Ok(())
    }

    /// WELCOME of the spare relay to the device that looks after it.
    pub(super) fn bring_rows(&mut self) -> Result<(), Fault> {
        match self.spare()? {
            Some(spare) => self.send_rows_of(spare),
            None => {
                *self.scout = None;
                self.hang_up();
                Ok(())
            }
        }
    }
}

impl Spare {
    fn is(&self, log: &LogId) -> bool {
        self.log.is_some_and(|own| own.into_array() == log.0)
    }
}

fn told(row: &AccessRow) -> (ByteArray<32>, bool) {
    (ByteArray::new(row.transport.0.0), row.admin)
}
