//! `relay move`: an admin's device looks at the new relay before it says anything to the team.
//!
//! It calls the new address instead of the old ones, compares the log there with what it has read
//! itself, and goes back to the old relay to post what all others will read there.

use serde::Deserialize;
use serde_json::json;

use super::addresses::canonical;
use super::fault::{Fault, failed, refused};
use super::waits::{Wait, What};
use super::{Cx, Engine};
use crate::member::agent::core::{ApiError, CallId, Down, Out};
use crate::member::roster::{Action, Author};
use crate::wire::ids::{Digest, LogId, Seq};

/// Milliseconds that an admin waits for a look at the new relay.
const SCOUT_WAIT_MS: u64 = 30_000;

/// What `relay.move` asks for.
#[derive(Deserialize)]
pub(super) struct MoveParams {
    address: String,
}

/// An admin's device on its way to look at the new relay.
pub(super) struct Scout {
    pub(super) address: String,
    call: CallId,
    /// What it found there: the log, and the end of what both logs hold.
    found: Option<(LogId, Seq, Digest)>,
}

impl Scout {
    /// Whether it still has to be looked at.
    pub(super) fn is_out(&self) -> bool {
        self.found.is_none()
    }
}

impl Cx<'_> {
    /// `relay.move`: looks at the relay at an address; if it holds the team's log, says to
    /// everybody that the team goes on there.
    pub(super) fn move_relay(&mut self, call: CallId, params: &MoveParams) -> Result<(), Fault> {
        self.may_move_relay()?;
        let address = canonical(&params.address)?;
        if self.scout.is_some() || !self.caught_up() {
            let hint = Some("Try again in a moment.");
            return Err(failed(75, "This device is not ready to move the team.", hint).into());
        }
        *self.scout = Some(Scout { address, call, found: None });
        let deadline = self.now.mono_ms + SCOUT_WAIT_MS;
        let what = What::Moving;
        self.waits.add(Wait { call, what, deadline, extended: deadline, queue_only: false });
        self.hang_up();
        Ok(())
    }

    fn give_up_scouting(&mut self, error: ApiError) {
        if let Some(scout) = self.scout.take() {
            self.waits.forget(&[scout.call]);
            self.effects.push(Out::Answer(scout.call, Err(error)));
        }
    }

    /// WELCOME of the relay that an admin wants to move to.
    pub(super) fn scouted(&mut self, log: LogId, head: Seq, hash: Digest) -> Result<(), Fault> {
        self.hang_up();
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        let own = self.hash_at(head)?;
        let why = match own {
            _ if log == cursor.log => {
                let hint = "Add the address instead: staffetta relay addresses add HOST:PORT";
                Some(("That is the relay which the team uses already.", hint))
            }
            _ if self.memory.roster()?.has_left(&log) => {
                Some(("The team has left that relay before.", "Restore the newest backup again."))
            }
            Some(own) if own == hash => None,
            Some(_) => Some((
                "That relay has another past than this device.",
                "Do not use it. Restore a backup that you trust.",
            )),
            None => Some((
                "That relay's backup is too old, or newer than this device.",
                "Make a new backup of the old relay and restore that.",
            )),
        };
        match (why, self.scout.as_mut()) {
            (Some((text, hint)), _) => self.give_up_scouting(refused(text, Some(hint))),
            (None, Some(scout)) => scout.found = Some((log, head, hash)),
            (None, None) => {}
        }
        Ok(())
    }

    /// Says to everybody where the log goes on, once this device is back at the old relay. Both
    /// entries go out together, so that nobody knows the new address without the new log.
    pub(super) fn announce_move(&mut self) -> Result<(), Fault> {
        let found = self.scout.as_ref().and_then(|scout| scout.found);
        let (Some((new, seq, hash)), Some(cursor)) = (found, self.memory.cursor) else {
            return Ok(());
        };
        let Some(Scout { address, call, .. }) = self.scout.take() else { return Ok(()) };
        let relay = self.relay_key()?;
        let addresses = vec![address];
        let answer = json!({"addresses": addresses, "log": new.to_hex(), "seq": seq});
        let first = self.post_action(Action::RelayAddresses { relay, addresses })?;
        let change = Action::LogChange { old: cursor.log, seq, hash, new };
        let (me, at) = (self.memory.me()?, self.now.unix_s());
        let mut ahead = self.memory.roster()?.clone();
        ahead.apply(&first)?;
        let keys = self.memory.keys()?;
        let second = ahead.sign_next(Author::Device(me), &keys.identity, at, change)?;
        self.post_signed(&second)?;
        self.waits.forget(&[call]);
        self.wait_posted(call, answer);
        Ok(())
    }
}

impl Engine {
    /// The link went down while an admin's device was looking at a relay.
    pub(super) fn scout_down(&mut self, why: Down) {
        if why == Down::Redialled || !self.scout.as_ref().is_some_and(Scout::is_out) {
            return;
        }
        let Some(scout) = self.scout.take() else { return };
        let error = match why {
            Down::Refused => refused(
                "The relay at that address does not know this device: it is not this team's.",
                Some("Restore the newest backup there, then repeat the command."),
            ),
            _ => failed(
                69,
                "There is no relay at that address.",
                Some("Nothing was changed. Check the address, and that the new relay is served."),
            ),
        };
        self.waits.forget(&[scout.call]);
        self.out.push_back(Out::Answer(scout.call, Err(error)));
        self.out.push_back(Out::Redial);
    }
}
