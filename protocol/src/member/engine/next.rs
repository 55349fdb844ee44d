//! The next relay: a device that does not reach the team's relay any more goes to the one that an
//! admin named before anything happened, without anybody's word at that moment.
//!
//! The next relay is fresh. Its log, whose id the roster names, goes on from the team's: the first
//! device that comes says after which place, and carries over what it has kept (see `moving`).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::addresses::in_order;
use super::alarms::Alarm;
use super::fault::Fault;
use super::link::Asked;
use super::moving::Moved;
use super::profile::Stopped;
use super::scout::{Goal, Scout};
use super::{Cx, Engine};
use crate::member::agent::core::{CodeHolder, Down, Now, Out};
use crate::member::roster::{Action, Author};
use crate::member::store::{Cursor, OutKind};
use crate::noise::keys::{StaticPublic, StaticSecret};
use crate::secret::Secret;
use crate::wire::frame::ToRelay;
use crate::wire::ids::{Digest, Lane, LogId, Seq};

/// How many of the cells that it kept a device carries into a log that begins: 16 MiB, within the
/// burst that a relay allows. Who is further behind comes back through the others.
pub(super) const CARRIED_BACK: u64 = 16_384;

/// Seconds for which a device that came by itself only carries over what is missing, so that
/// whoever has read more brings it before anybody goes on.
const QUIET_S: u64 = 10;

/// Whether and since when the team's relay is not reached.
#[derive(Clone, Copy, Default)]
pub(super) struct Away {
    /// In monotonic milliseconds.
    since: Option<u64>,
    /// The next attempt is for the other relay. The team's own always has one attempt between.
    elsewhere: bool,
    /// Until when nothing new is sent, in monotonic milliseconds.
    quiet_until: u64,
}

/// Where a device was when it went to the next relay by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unsaid {
    pub(super) left: ByteArray<16>,
    seq: Seq,
    hash: ByteArray<32>,
}

/// A relay and how to know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) relay: ByteArray<32>,
    pub(super) addresses: Vec<String>,
}

impl Found {
    fn whom(&self) -> Whom {
        let relay = StaticPublic(self.relay.into_array());
        Whom { addresses: self.addresses.clone(), relay, holder: None }
    }
}

/// Whom the next attempt calls.
pub(super) struct Whom {
    pub(super) addresses: Vec<String>,
    pub(super) relay: StaticPublic,
    pub(super) holder: Option<CodeHolder>,
}

impl Engine {
    /// The relay that the next attempt calls, and as whom.
    pub(super) fn whom_to_call(&self) -> Option<Whom> {
        let profile = &self.memory.profile;
        let relay = StaticPublic(profile.relay.as_slice().try_into().ok()?);
        let home = || in_order(&profile.addresses, profile.reached.as_deref(), &self.avoided);
        let elsewhere = self.away.elsewhere.then(|| self.elsewhere()).flatten();
        let goal = self.scout.as_ref().filter(|scout| scout.is_out()).map(|scout| &scout.goal);
        Some(match (goal, elsewhere) {
            (Some(Goal::Restored(address)), _) => {
                Whom { addresses: vec![address.clone()], relay, holder: None }
            }
            (Some(Goal::Claim(code, throwaway) | Goal::Find(code, throwaway)), _) => {
                let keys = code.keys();
                let throwaway =
                    StaticSecret::from_secret(Secret::copy(throwaway.secret().expose())?);
                let holder = Some(CodeHolder { gate: keys.gate, psk: keys.psk, throwaway });
                Whom { addresses: vec![code.address()], relay, holder }
            }
            (Some(Goal::Meet(found) | Goal::Renew(found)), _) => found.whom(),
            (Some(Goal::Drill(drill)), _) => drill.whom()?,
            (None, Some((found, _))) => found.whom(),
            (None, None) => Whom { addresses: home(), relay, holder: None },
        })
    }

    /// A relay other than the present one to which this device may have to go, and after how many
    /// milliseconds without the present one.
    fn elsewhere(&self) -> Option<(Found, u64)> {
        if let Some(found) = &self.memory.profile.found {
            return Some((found.clone(), 0));
        }
        let next = self.memory.roster.as_ref()?.next_relay()?;
        let relay = ByteArray::new(next.relay.0);
        let found = Found { relay, addresses: next.addresses.clone() };
        Some((found, u64::from(next.after_s) * 1_000))
    }

    /// An attempt failed or a connection is gone: after the set time the other relay has its turn,
    /// once after each failure of the team's own.
    pub(super) fn away_down(&mut self, now: Now, why: Down) {
        let strange = self.memory.profile.stopped == Some(Stopped::Strange);
        if self.scout.is_some() || (why == Down::Redialled && !strange) {
            return;
        }
        let since = *self.away.since.get_or_insert(now.mono_ms);
        let overdue =
            self.elsewhere().is_some_and(|(_, after)| now.mono_ms.saturating_sub(since) >= after);
        self.away.elsewhere = overdue && !self.away.elsewhere;
    }
}

impl Away {
    /// Somebody said where else the team is.
    pub(super) fn try_elsewhere(&mut self) {
        self.elsewhere = true;
    }
}

impl Cx<'_> {
    /// Whether this connection leads to the team's relay, as far as this device knows.
    pub(super) fn is_at_home(&self) -> bool {
        !self.away.elsewhere && !self.scout.as_ref().is_some_and(Scout::is_out)
    }

    /// WELCOME of another relay than the team's. The log that the roster names for it is believed
    /// without anybody's word; any other is only looked at (see `strange`).
    pub(super) fn may_stay_elsewhere(&mut self, log: LogId) -> Result<bool, Fault> {
        let next = self.memory.roster()?.next_relay().cloned();
        match next.filter(|next| next.log == log) {
            Some(next) => {
                let relay = ByteArray::new(next.relay.0);
                self.go_on_at(Found { relay, addresses: next.addresses }, log)?;
                self.alarm(
                    Alarm::Address,
                    "The relay was not reached for a while: this device goes on at the team's spare relay.",
                )?;
            }
            None if self.memory.profile.found.is_none() => {
                self.hang_up();
                return Ok(false);
            }
            None => {}
        }
        Ok(true)
    }

    /// From here on the log of this relay is the team's.
    pub(super) fn go_on_at(&mut self, there: Found, log: LogId) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        let left = ByteArray::new(cursor.log.0);
        let profile = &mut self.memory.profile;
        profile.moved = Some(Moved { left, to: cursor.seq, first: false });
        let hash = ByteArray::new(cursor.hash.0);
        profile.unsaid = Some(Unsaid { left, seq: cursor.seq, hash });
        profile.relay = there.relay.to_vec();
        profile.addresses = there.addresses;
        profile.reached = self.link.address.clone();
        profile.found = None;
        if profile.stopped == Some(Stopped::Strange) {
            profile.stopped = None;
        }
        self.memory.unread.clear();
        self.memory.claimed = None;
        self.has_come(left, cursor.seq);
        *self.away = Away { quiet_until: self.now.mono_ms + QUIET_S * 1_000, ..Away::default() };
        self.save_profile()?;
        self.forget_beacons_under_way()?;
        self.set_cursor(Cursor { log, ..cursor })?;
        self.arrive_with_rows(&log)
    }

    /// The relay of this connection is the team's.
    pub(super) fn is_home_now(&mut self) -> Result<(), Fault> {
        self.memory.profile.found = None;
        self.memory.profile.reached = self.link.address.clone();
        *self.away = Away::default();
        self.save_profile()
    }

    /// A beacon names the log; those under way are made anew.
    pub(super) fn forget_beacons_under_way(&mut self) -> Result<(), Fault> {
        for out in self.tx.pending_messages()? {
            if out.message.kind == OutKind::Beacon {
                self.tx.remove_out(out.id)?;
            }
        }
        Ok(())
    }

    /// WELCOME of the right log, which is not begun: this device says after which place.
    pub(super) fn put_base(&mut self) -> Result<(), Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(()) };
        let back = cursor.seq.saturating_sub(CARRIED_BACK);
        let kept = self.tx.tail_from(back, 1)?;
        let oldest = kept.first().map_or(cursor.seq, |cell| cell.seq);
        let (seq, hash) = match self.hash_at(oldest)? {
            Some(hash) => (oldest, hash),
            None => (cursor.seq, cursor.hash),
        };
        if let Some(moved) = &mut self.memory.profile.moved {
            moved.first = true;
            self.save_profile()?;
        }
        // Nothing else is sent into a log that is not begun.
        self.link.target = Seq::MAX;
        let request = self.link.ask(Asked::Base);
        self.effects.push(Out::Send(ToRelay::Base { lane: Lane(0), request, seq, hash }));
        Ok(())
    }

    /// Until when this device, which came by itself a moment ago, only carries over what is missing,
    /// in monotonic milliseconds.
    pub(super) fn quiet_until(&self) -> Option<u64> {
        let until = self.away.quiet_until;
        (until > self.now.mono_ms && self.link.connected).then_some(until)
    }

    /// From when on this device sends what is written now, if it is connected then.
    pub(super) fn sends_from(&self) -> u64 {
        self.away.quiet_until.max(self.now.mono_ms)
    }

    /// Whether it only carries over now.
    pub(super) fn keeps_quiet(&mut self) -> bool {
        let until = self.quiet_until();
        if until.is_some() {
            self.link.due = until;
        }
        until.is_some()
    }

    /// WELCOME of the team's log: it is not away any more.
    pub(super) fn is_back(&mut self) {
        *self.away = Away { quiet_until: self.away.quiet_until, ..Away::default() };
    }

    /// The log is begun, by this device or another: WELCOME says where.
    pub(super) fn base_taken(&mut self) -> Result<(), Fault> {
        self.hang_up();
        Ok(())
    }

    /// In the new log an admin's device says what has happened, for whoever comes later.
    pub(super) fn say_where_we_are(&mut self) -> Result<(), Fault> {
        let (Some(unsaid), Some(cursor)) = (self.memory.profile.unsaid.clone(), self.memory.cursor)
        else {
            return Ok(());
        };
        if self.memory.roster()?.log() == Some(&cursor.log) {
            self.memory.profile.unsaid = None;
            return self.save_profile();
        }
        let under_way = self.tx.pending_messages()?;
        let under_way = under_way.iter().any(|out| out.message.kind == OutKind::Control);
        if !self.is_admin()? || under_way {
            return Ok(());
        }
        let (old, hash) = (LogId(unsaid.left.into_array()), Digest(unsaid.hash.into_array()));
        let change = Action::LogChange { old, seq: unsaid.seq, hash, new: cursor.log };
        let (relay, addresses) = (self.relay_key()?, self.memory.profile.addresses.clone());
        self.post_both(change, Action::RelayAddresses { relay, addresses })
    }

    /// Posts two entries that go out together, so that nobody reads one without the other.
    pub(super) fn post_both(&mut self, first: Action, second: Action) -> Result<(), Fault> {
        let first = self.post_action(first)?;
        let (me, at) = (self.memory.me()?, self.now.unix_s());
        let mut ahead = self.memory.roster()?.clone();
        ahead.apply(&first)?;
        let keys = self.memory.keys()?;
        let second = ahead.sign_next(Author::Device(me), &keys.identity, at, second)?;
        self.post_signed(&second)
    }

    /// An admin named the next relay, or took one back. **Dangerous acts are announced on every
    /// screen.**
    pub(super) fn next_relay_changed(&mut self, number: u32) -> Result<(), Fault> {
        let text = match self.memory.roster()?.next_relay() {
            Some(_) => format!("The team has a spare relay now (change {number})."),
            None => format!("The team has no spare relay any more (change {number})."),
        };
        // The other admins' devices are told what it takes to look after it, now that it is named.
        if self.shared_spare()?.is_some() {
            self.admin_news()?;
        }
        self.alarm(Alarm::Address, &text)
    }
}
