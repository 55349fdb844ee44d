//! The engine: a device's whole state, one SQL transaction a step.
//!
//! It owns the order of things: what a cell at its place means, which commit has won, what is sent
//! and when. It asks `e2ee`, `roster`, `invite`, `content` and `store`; it must never know a
//! socket, a clock or a screen.
//!
//! The durability rule lives in `Engine::step`: memory and disk move together, effects leave
//! after the commit, and after a rollback memory is loaded again.

mod addresses;
mod admins;
mod admission;
mod alarms;
mod apart;
mod api;
mod approve;
mod asks;
mod beacon;
mod beacons;
mod behind;
mod blobs;
mod calls;
mod changes;
mod chat;
mod checks;
mod control;
mod delivery;
mod direct;
mod doctor;
mod drill;
mod errands;
mod evidence;
mod fault;
mod files;
mod founding;
mod heads;
mod healing;
mod inbound;
mod invite_list;
mod invites;
mod joining;
mod link;
mod marks;
mod members;
mod memory;
mod mentions;
mod moving;
mod next;
mod outbound;
mod packages;
mod place;
mod profile;
mod receipts;
mod received;
mod rescue;
mod restart;
mod resync;
mod roles;
mod room_state;
mod rooms;
mod rows;
mod scout;
mod screen;
mod search;
mod spare;
mod spare_keeper;
mod spare_rows;
mod standstill;
mod strange;
mod trust;
mod values;
mod verify;
mod views;
mod waits;
mod work;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use serde_json::Value;

use self::fault::Fault;
use self::link::Link;
use self::memory::Memory;
use self::next::Away;
use self::scout::Scout;
use self::waits::Waits;
use super::agent::core::{ApiError, CallId, Now, Out};
use super::e2ee::{Deferred, Provider};
use super::store::{Store, StoreError, Tx};
use crate::random::Random;

pub(crate) use self::approve::BOT_NAME;
pub use self::joining::{Joined, Step, read_bundle};
pub use self::profile::Profile;
pub(crate) use self::spare::not_an_invitation;
pub(crate) use self::views::rfc3339;

/// A device's state and everything it does.
pub struct Engine {
    store: Store,
    random: Box<dyn Random + Send>,
    memory: Memory,
    link: Link,
    waits: Waits,
    out: VecDeque<Out>,
    /// When housekeeping is due, in monotonic milliseconds.
    housekeeping_at: u64,
    /// An admin's device that looks at another relay, if this one does.
    scout: Option<Scout>,
    /// Addresses that led to a relay which the team has left; tried last.
    avoided: Vec<String>,
    /// Since when the team's relay is not reached, and whether the next one is called now.
    away: Away,
    /// When the next message is to vanish, in unix seconds; 0 before the first step.
    expiry: Option<u64>,
    /// The same as a timer, in monotonic milliseconds.
    expiry_due: Option<u64>,
}

/// One step: a transaction, the memory that goes with it, and what leaves after the commit.
struct Cx<'a> {
    tx: &'a Tx<'a>,
    /// What OpenMLS writes at the end of the step.
    deferred: &'a Deferred,
    memory: &'a mut Memory,
    link: &'a mut Link,
    waits: &'a mut Waits,
    random: &'a mut (dyn Random + Send),
    scout: &'a mut Option<Scout>,
    avoided: &'a mut Vec<String>,
    away: &'a mut Away,
    now: Now,
    effects: Vec<Out>,
    /// Whether what is due has to be looked at when the step ends.
    unsettled: bool,
    /// Something was forgotten that must not stay in the write-ahead log either.
    forgotten: bool,
}

impl Engine {
    /// Takes over an opened store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn open(store: Store, random: Box<dyn Random + Send>) -> Result<Self, ApiError> {
        let memory = store.view(Memory::load)?;
        // The last process may have died before it did.
        store.empty_log()?;
        Ok(Self {
            store,
            random,
            memory,
            link: Link::default(),
            waits: Waits::default(),
            out: VecDeque::new(),
            housekeeping_at: 0,
            scout: None,
            avoided: Vec::new(),
            away: Away::default(),
            expiry: Some(0),
            expiry_due: None,
        })
    }

    /// Runs one step. On an error nothing of it remains, on disk, in memory or on its way out.
    fn step<T>(
        &mut self,
        now: Now,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Self { store, random, memory, link, waits, scout, avoided, away, .. } = self;
        let before = link.mark();
        let due = self.expiry.is_some_and(|at| at <= now.unix_s());
        let done = store.step(|tx| {
            let forgotten = due && tx.purge_expired(now.unix_s())? > 0;
            let random = random.as_mut();
            let (effects, unsettled, deferred) = (Vec::new(), true, Deferred::default());
            let mut cx = Cx {
                tx,
                deferred: &deferred,
                memory,
                link,
                waits,
                random,
                scout,
                avoided,
                away,
                now,
                effects,
                unsettled,
                forgotten,
            };
            let value = work(&mut cx)?;
            if cx.unsettled {
                cx.settle()?;
            }
            cx.answer_waits()?;
            deferred.flush(tx.connection()).map_err(StoreError::from)?;
            Ok::<_, Fault>((value, cx.effects, cx.forgotten, tx.next_expiry()?))
        });
        match done {
            Ok((value, effects, forgotten, expiry)) => {
                self.out.extend(effects);
                self.expiry = expiry;
                let left = expiry.map(|at| at.saturating_mul(1_000).saturating_sub(now.unix_ms));
                self.expiry_due = left.map(|left| now.mono_ms.saturating_add(left.max(1)));
                if forgotten && let Err(error) = self.store.empty_log() {
                    tracing::warn!(%error, "the write-ahead log could not be emptied");
                }
                Ok(value)
            }
            Err(fault) => {
                // Groups in memory may be ahead of the disk now.
                self.link.reset_to(before);
                let unread = std::mem::take(&mut self.memory.unread);
                self.memory = Memory { unread, ..self.store.view(Memory::load)? };
                Err(fault)
            }
        }
    }

    /// Answers a call with what a step gave.
    fn answer(&mut self, id: CallId, result: Result<Value, Fault>) {
        self.out.push_back(Out::Answer(id, result.map_err(ApiError::from)));
    }
}

impl<'a> Cx<'a> {
    /// OpenMLS's provider over this step's transaction.
    fn provider(&self) -> Provider<'a> {
        Provider::deferring(self.tx.connection(), self.deferred)
    }

    /// Tells every subscriber, after the commit.
    fn event(&mut self, event: Value) {
        self.effects.push(Out::Event(event));
    }
}
