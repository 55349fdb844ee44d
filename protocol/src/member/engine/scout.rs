//! An admin's device looks at another relay before it says anything to the team.
//!
//! It calls that relay instead of the team's, sees what is there, and goes back to post what all
//! others will read.

use serde::Deserialize;
use serde_json::json;

use super::addresses::canonical;
use super::drill::{DRILL_WAIT_MS, Drilling};
use super::fault::{Fault, failed, refused};
use super::next::Found;
use super::waits::What;
use super::{Cx, Engine};
use crate::invite_code::InviteCode;
use crate::member::agent::core::{ApiError, CallId, Down, Now, Out};
use crate::member::roster::{Action, NextRelay};
use crate::noise::keys::{StaticPublic, StaticSecret};
use crate::wire::ids::{Digest, LogId, Seq};

/// Milliseconds that an admin waits for a look at another relay, and before for the moment when it can
/// begin.
pub(super) const SCOUT_WAIT_MS: u64 = 30_000;

/// What `relay.move` asks for: one of them.
#[derive(Deserialize)]
pub(super) struct MoveParams {
    /// A relay restored from a backup.
    address: Option<String>,
    /// A spare relay that is not the team's yet.
    code: Option<String>,
}

/// What a device wants at another relay.
pub(super) enum Goal {
    /// To see whether it holds the team's log.
    Restored(String),
    /// To make it the team's with its spare code.
    Claim(InviteCode, StaticSecret),
    /// To see which log it will have.
    Meet(Found),
    /// To bring it the rows.
    Renew(Found),
    /// To learn from its spare code how to know it.
    Find(InviteCode, StaticSecret),
    /// To see whether each address would do.
    Drill(Drilling),
}

/// What an admin's device says when it is back.
pub(super) enum Errand {
    /// The team goes on in the log there.
    Move,
    /// It is the next relay, after so many seconds without the present one.
    Next(u32),
    /// Nothing.
    Silent,
}

/// What a call asked for. It begins once the device is not at another relay already and, where it
/// matters, has read everything that the team's relay has: a connection that was cut a moment ago is
/// no reason to send an admin away.
pub(super) enum Task {
    Look(Goal, Errand),
    ToSpare,
}

impl Task {
    fn can_begin(&self, idle: bool, at_home: bool) -> bool {
        let anywhere = match self {
            Self::ToSpare | Self::Look(Goal::Restored(_), _) => false,
            Self::Look(_, errand) => !matches!(errand, Errand::Next(_)),
        };
        idle && (anywhere || at_home)
    }
}

/// A device on its way to another relay.
pub(super) struct Scout {
    pub(super) goal: Goal,
    pub(super) errand: Errand,
    pub(super) call: Option<CallId>,
    /// A failure may still be that of an attempt which began before; the next is its own.
    pub(super) doubtful: bool,
    /// What it found there: the log, and the end of what both logs hold.
    pub(super) found: Option<(LogId, Seq, Digest)>,
}

impl Scout {
    /// Whether it still has to be looked at.
    pub(super) fn is_out(&self) -> bool {
        self.found.is_none()
    }
}

impl Cx<'_> {
    /// `relay.move`: looks at the relay at an address; if it holds the team's log, says to
    /// everybody that the team goes on there. Without an address, to the spare relay.
    pub(super) fn move_relay(&mut self, call: CallId, params: &MoveParams) -> Result<(), Fault> {
        self.may_move_relay()?;
        let task = match (&params.address, &params.code) {
            (Some(address), _) => Task::Look(Goal::Restored(canonical(address)?), Errand::Move),
            (None, Some(code)) => Task::Look(self.claim(code)?, Errand::Move),
            (None, None) => {
                self.named_spare()?;
                Task::ToSpare
            }
        };
        self.set_about(call, task)
    }

    /// Begins a task, or keeps it until it can begin.
    pub(super) fn set_about(&mut self, call: CallId, task: Task) -> Result<(), Fault> {
        if task.can_begin(self.scout.is_none(), self.caught_up()) {
            return self.begin(call, task);
        }
        self.wait_at_most(call, What::Ready(task), SCOUT_WAIT_MS);
        Ok(())
    }

    /// Begins the tasks that could not begin before.
    pub(super) fn begin_tasks(&mut self) -> Result<(), Fault> {
        loop {
            let (idle, home) = (self.scout.is_none(), self.caught_up());
            let can = |task: &Task| task.can_begin(idle, home);
            let Some((call, task)) = self.waits.take_task(can) else { return Ok(()) };
            match self.begin(call, task) {
                Err(Fault::Refused(error)) => self.effects.push(Out::Answer(call, Err(error))),
                begun => begun?,
            }
        }
    }

    /// Why a task has not begun in all its time. Nothing was changed.
    pub(super) fn not_begun(&self, task: &Task) -> ApiError {
        let again = Some("Try again in a moment.");
        match task {
            _ if self.scout.is_some() => {
                failed(75, "This device looks at another relay already.", again)
            }
            _ if self.link.connected => {
                failed(75, "This device is not ready to move the team.", again)
            }
            Task::ToSpare => failed(
                75,
                "This device is not connected.",
                Some("If the relay is gone, every device goes to the spare by itself."),
            ),
            Task::Look(..) => failed(
                75,
                "This device is not connected.",
                Some("If the relay is gone: staffetta relay move --code"),
            ),
        }
    }

    fn begin(&mut self, call: CallId, task: Task) -> Result<(), Fault> {
        let (goal, errand) = match task {
            Task::ToSpare => return self.move_to_spare(call),
            Task::Look(goal, errand) => (goal, errand),
        };
        let doubtful = !self.link.connected;
        let patience = if matches!(goal, Goal::Drill(_)) { DRILL_WAIT_MS } else { SCOUT_WAIT_MS };
        *self.scout = Some(Scout { goal, errand, call: Some(call), doubtful, found: None });
        self.wait_at_most(call, What::Moving, patience);
        self.hang_up();
        Ok(())
    }

    pub(super) fn give_up_scouting(&mut self, error: ApiError) {
        if let Some(call) = self.scout.take().and_then(|scout| scout.call) {
            self.waits.forget(&[call]);
            self.effects.push(Out::Answer(call, Err(error)));
        }
    }

    /// WELCOME of the relay that this device looks at.
    pub(super) fn scouted(
        &mut self,
        log: LogId,
        (head, hash): (Seq, Digest),
        begun: bool,
    ) -> Result<(), Fault> {
        match self.scout.as_ref().map(|scout| &scout.goal) {
            Some(Goal::Meet(found)) => {
                let found = found.clone();
                return self.met_spare(found, log, begun);
            }
            Some(Goal::Renew(_)) => return self.bring_rows(),
            Some(Goal::Drill(_)) => return self.drilled(log, (head, hash), begun),
            _ => {}
        }
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

    /// Says to everybody what this device found, once it is back at the old relay. Both entries of
    /// a move go out together, so that nobody knows the new address without the new log.
    pub(super) fn announce_move(&mut self) -> Result<(), Fault> {
        let found = self.scout.as_ref().and_then(|scout| scout.found);
        let (Some((new, seq, hash)), Some(cursor)) = (found, self.memory.cursor) else {
            return Ok(());
        };
        let Some(Scout { goal, errand, call, .. }) = self.scout.take() else { return Ok(()) };
        let (relay, addresses) = match goal {
            Goal::Meet(found) => (StaticPublic(found.relay.into_array()), found.addresses),
            Goal::Restored(address) => (self.relay_key()?, vec![address]),
            _ => return Ok(()),
        };
        let answer = json!({"addresses": addresses, "log": new.to_hex(), "seq": seq});
        match errand {
            Errand::Move => {
                let there = Action::RelayAddresses { relay, addresses };
                self.post_both(there, Action::LogChange { old: cursor.log, seq, hash, new })?;
            }
            Errand::Next(after_s) => {
                let next = NextRelay { relay, addresses, log: new, after_s };
                self.post_action(Action::NextRelay(next))?;
            }
            Errand::Silent => {}
        }
        if let Some(call) = call {
            self.waits.forget(&[call]);
            self.wait_posted(call, answer);
        }
        Ok(())
    }
}

impl Engine {
    /// The link went down while a device was looking at a relay.
    pub(super) fn scout_down(&mut self, now: Now, why: Down) {
        if why == Down::Redialled || !self.scout.as_ref().is_some_and(Scout::is_out) {
            return;
        }
        if self.drill_down(now, why) {
            return;
        }
        let Some(mut scout) = self.scout.take() else { return };
        if std::mem::take(&mut scout.doubtful) {
            self.scout = Some(scout);
            return;
        }
        let error = match (why, scout.goal) {
            (Down::Refused, Goal::Claim(..) | Goal::Find(..)) => refused(
                "The relay at that address does not know this code.",
                Some("Check the code. A spare code is known for 7 days after it was used."),
            ),
            (Down::Refused, _) => refused(
                "The relay at that address does not know this device: it is not this team's.",
                Some("Restore the newest backup there, then repeat the command."),
            ),
            _ => failed(
                69,
                "There is no relay at that address.",
                Some("Nothing was changed. Check the address, and that the new relay is served."),
            ),
        };
        if let Some(call) = scout.call {
            self.waits.forget(&[call]);
            self.out.push_back(Out::Answer(call, Err(error)));
        }
        self.out.push_back(Out::Redial);
    }
}
