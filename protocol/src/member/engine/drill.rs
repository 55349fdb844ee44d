//! A drill: an admin's device visits every address of the team's relay, and the spare relay, as it
//! would on the day when it has to, and remembers when it did and what it found.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::next::Whom;
use super::scout::{Errand, Goal, Scout, Task};
use super::views::rfc3339;
use super::{Cx, Engine};
use crate::member::agent::core::{CallId, Down, Now, Out};
use crate::member::engine::fault::Fault;
use crate::member::store::MetaKey;
use crate::noise::keys::StaticPublic;
use crate::wire::ids::{Digest, LogId, Seq};

/// Milliseconds that an admin waits for a drill: 8 addresses, each given up after some 13 s.
pub(super) const DRILL_WAIT_MS: u64 = 120_000;

/// The last drill that this device has made.
#[derive(Serialize, Deserialize)]
pub(super) struct Drill {
    /// When it was over, in unix seconds.
    at: u64,
    visits: Vec<Visit>,
}

/// What was found at an address.
#[derive(Serialize, Deserialize)]
struct Visit {
    address: String,
    spare: bool,
    outcome: Outcome,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Outcome {
    /// The right relay, with the right log.
    Answers,
    /// Nobody.
    Silent,
    /// Somebody who does not know this device.
    Refuses,
    /// A relay with another log, or another past.
    Other,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Silent => "silent",
            Self::Refuses => "refuses",
            Self::Other => "other",
        }
    }
}

impl From<Down> for Outcome {
    fn from(why: Down) -> Self {
        match why {
            Down::Refused => Self::Refuses,
            Down::NoVersion => Self::Other,
            Down::Unreachable | Down::Lost | Down::Redialled => Self::Silent,
        }
    }
}

impl Drill {
    /// Seconds since.
    pub(super) fn age_s(&self, now: u64) -> u64 {
        now.saturating_sub(self.at)
    }

    pub(super) fn view(&self) -> Value {
        let visits = self.visits.iter().map(|visit| {
            json!({"address": visit.address, "spare": visit.spare, "result": visit.outcome.name()})
        });
        json!({"at": rfc3339(self.at), "visits": visits.collect::<Value>()})
    }
}

/// An address to visit.
struct Stop {
    address: String,
    relay: StaticPublic,
    /// The log that the spare relay has.
    spare: Option<LogId>,
}

/// A drill under way.
pub(super) struct Drilling {
    /// The last is the next.
    left: Vec<Stop>,
    done: Vec<Visit>,
}

impl Drilling {
    /// Whom to call next.
    pub(super) fn whom(&self) -> Option<Whom> {
        let stop = self.left.last()?;
        Some(Whom { addresses: vec![stop.address.clone()], relay: stop.relay, holder: None })
    }

    fn note(&mut self, outcome: Outcome) {
        if let Some(Stop { address, spare, .. }) = self.left.pop() {
            self.done.push(Visit { address, spare: spare.is_some(), outcome });
        }
    }
}

impl Cx<'_> {
    /// `relay.drill`: every address is called, one after the other, and the team's log again.
    pub(super) fn relay_drill(&mut self, call: CallId) -> Result<(), Fault> {
        self.may_move_relay()?;
        let next = self.memory.roster()?.next_relay().cloned();
        let (home, addresses) = (self.relay_key()?, self.memory.profile.addresses.clone());
        let own = addresses.into_iter().map(|address| Stop { address, relay: home, spare: None });
        let spare = next.into_iter().flat_map(|next| {
            let (relay, spare) = (next.relay, Some(next.log));
            next.addresses.into_iter().map(move |address| Stop { address, relay, spare })
        });
        let mut left: Vec<Stop> = own.chain(spare).collect();
        left.reverse();
        let drill = Drilling { left, done: Vec::new() };
        self.set_about(call, Task::Look(Goal::Drill(drill), Errand::Silent))
    }

    /// WELCOME at an address that a drill visits.
    pub(super) fn drilled(
        &mut self,
        log: LogId,
        (head, hash): (Seq, Digest),
        begun: bool,
    ) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        let other_past = self.hash_at(head)?.is_some_and(|own| own != hash);
        let Some(Goal::Drill(drill)) = self.scout.as_mut().map(|scout| &mut scout.goal) else {
            return Ok(());
        };
        let spare = drill.left.last().and_then(|stop| stop.spare);
        let right = match spare {
            Some(named) => log == named && !begun,
            None => log == cursor.log && head >= cursor.seq && !other_past,
        };
        drill.note(if right { Outcome::Answers } else { Outcome::Other });
        if right && let Some(mut kept) = self.spare()?.filter(|kept| kept.is(&log)) {
            kept.answered = self.now.unix_s();
            self.put_spare(&kept)?;
        }
        self.hang_up();
        self.end_drill()
    }

    fn drill_failed(&mut self, why: Down) -> Result<(), Fault> {
        if let Some(Goal::Drill(drill)) = self.scout.as_mut().map(|scout| &mut scout.goal) {
            drill.note(why.into());
        }
        self.effects.push(Out::Redial);
        self.end_drill()
    }

    /// The drill is over when every address was called, whatever was found there.
    fn end_drill(&mut self) -> Result<(), Fault> {
        let is_over =
            |scout: &mut Scout| matches!(&scout.goal, Goal::Drill(drill) if drill.left.is_empty());
        let Some(Scout { goal: Goal::Drill(drill), call, .. }) = self.scout.take_if(is_over) else {
            return Ok(());
        };
        let drill = Drill { at: self.now.unix_s(), visits: drill.done };
        self.tx.set(MetaKey::Drill, &drill)?;
        if let Some(call) = call {
            self.waits.forget(&[call]);
            self.effects.push(Out::Answer(call, Ok(drill.view())));
        }
        Ok(())
    }

    /// The last drill of this device.
    pub(super) fn last_drill(&self) -> Result<Option<Drill>, Fault> {
        Ok(self.tx.get(MetaKey::Drill)?)
    }
}

impl Engine {
    /// The link went down while a drill is under way; false if there is none.
    pub(super) fn drill_down(&mut self, now: Now, why: Down) -> bool {
        let Some(scout) = self.scout.as_mut() else { return false };
        if !matches!(scout.goal, Goal::Drill(_)) {
            return false;
        }
        if !std::mem::take(&mut scout.doubtful)
            && let Err(fault) = self.step(now, |cx| cx.drill_failed(why))
        {
            tracing::warn!(?fault, "a drill's step failed");
        }
        true
    }
}
