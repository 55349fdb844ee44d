//! Healing: this device renews its leaf in every room, so that whoever has stolen its keys loses
//! the room again.
//!
//! It does so soon after it came into a room, and before its first message there on a given day. It
//! reads to the head first and waits a random time, because simultaneous updates are quadratic; who
//! loses waits again.

use super::Cx;
use super::errands::DAY_S;
use super::fault::Fault;
use super::members::kind_code;
use crate::member::e2ee::RoomKind;
use crate::member::store::{Intent, IntentKind, LeafState, RoomRow};
use crate::random::bytes;
use crate::wire::ids::RoomId;

/// Milliseconds from coming into a room to renewing the leaf there: at least, and at random more.
const AFTER_JOINING_MS: u64 = 10_000;
const AFTER_JOINING_SPREAD_MS: u64 = 50_000;
/// The longest random wait before the day's first message.
const BEFORE_WRITING_MS: u64 = 500;
/// Milliseconds that a message waits for the renewal at most: a busy room must not silence anybody.
const PATIENCE_MS: u64 = 3_000;

impl Cx<'_> {
    fn today(&self) -> u64 {
        self.now.unix_s() / DAY_S
    }

    /// The own leaf in a room is new from here on.
    pub(super) fn leaf_is_new(&mut self, room: &RoomId) -> Result<(), Fault> {
        for wish in self.updates_of(room)? {
            self.tx.remove_intent(wish.id)?;
        }
        Ok(self.tx.set_leaf_state(room, LeafState { day: self.today(), patience_ms: 0 })?)
    }

    /// This device came into a room with the leaf of a KeyPackage, whose keys lay in its profile for
    /// a while: **a leaf update soon after joining.**
    pub(super) fn heal_after_joining(&mut self, row: &RoomRow) -> Result<(), Fault> {
        if row.kind == kind_code(RoomKind::Control) && !self.is_admin()? {
            // In the control room only admins commit.
            return Ok(());
        }
        let wait = AFTER_JOINING_MS + self.below(AFTER_JOINING_SPREAD_MS);
        self.intend(row.id, IntentKind::Update, self.now.unix_ms + wait)?;
        // The day's first message does not wait for what is on its way.
        Ok(self.tx.set_leaf_state(&row.id, LeafState { day: self.today(), patience_ms: 0 })?)
    }

    /// Until when a message for the room waits, in unix milliseconds; `None` if it may be sealed:
    /// **a leaf update before the first message in a room on a given day.**
    pub(super) fn waits_for_leaf(&mut self, room: &RoomId) -> Result<Option<u64>, Fault> {
        let now = self.now.unix_ms;
        let state = self.tx.leaf_state(room)?;
        let wishes = self.updates_of(room)?;
        if state.day < self.today() && wishes.is_empty() {
            if self.devices_in(room)?.len() < 2 {
                self.leaf_is_new(room)?;
                return Ok(None);
            }
            let wait = self.below(BEFORE_WRITING_MS);
            self.intend(*room, IntentKind::Update, now + wait)?;
            return self.have_patience(room).map(Some);
        }
        let left = state.patience_ms.saturating_sub(now);
        let waits = !wishes.is_empty() && (1..=PATIENCE_MS).contains(&left);
        Ok(waits.then_some(state.patience_ms))
    }

    /// Messages for the room wait from now on: an update goes out, and what is sealed before its
    /// place would have to be sealed again.
    pub(super) fn have_patience(&mut self, room: &RoomId) -> Result<u64, Fault> {
        let patience_ms = self.now.unix_ms + PATIENCE_MS;
        self.tx.set_leaf_state(room, LeafState { day: self.today(), patience_ms })?;
        Ok(patience_ms)
    }

    /// Another's commit has won where an update of this device was pending: **a loser waits again.**
    pub(super) fn heal_later(&mut self, room: &RoomId) -> Result<(), Fault> {
        for wish in self.updates_of(room)? {
            let when = self.spread();
            self.tx.retry_intent(wish.id, when)?;
        }
        Ok(())
    }

    fn updates_of(&self, room: &RoomId) -> Result<Vec<Intent>, Fault> {
        let mut all = self.tx.intents()?;
        all.retain(|intent| intent.room == *room && intent.kind == IntentKind::Update);
        Ok(all)
    }

    fn below(&mut self, bound: u64) -> u64 {
        u64::from(u32::from_be_bytes(bytes(self.random))) % bound
    }
}
