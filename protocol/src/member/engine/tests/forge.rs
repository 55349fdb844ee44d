//! What a hostile client can do: its own device, without the checks.

use super::super::Engine;
use super::super::chat::Draft;
use super::world::World;
use crate::member::agent::core::{Core, Now};
use crate::member::content::Kind;
use crate::random::OsRandom;
use crate::wire::ids::ContentId;

impl World {
    /// Sends content of any kind about any message, and waits until everybody has it.
    pub(super) fn say(
        &mut self,
        at: usize,
        room: &str,
        kind: Kind,
        replaces: Option<ContentId>,
        reply_to: Option<ContentId>,
    ) {
        let now = self.now;
        let done = self.devices[at].engine.step(now, |cx| {
            let row = cx.find_room(room)?;
            let mut draft = Draft::new(&mut OsRandom, kind);
            (draft.replaces, draft.reply_to) = (replaces, reply_to);
            cx.write(&row, draft)
        });
        assert!(done.is_ok());
        self.run();
    }

    /// Leaves out some of the device's counters.
    pub(super) fn skip_counters(&mut self, at: usize, room: &str, count: usize) {
        let done = self.devices[at].engine.step(self.now, |cx| {
            let (row, me) = (cx.find_room(room)?, cx.memory.me()?);
            for _ in 0..count {
                cx.tx.next_counter(&row.id, &me)?;
            }
            Ok(())
        });
        assert!(done.is_ok());
    }

    /// How many messages of unknown kinds `at` keeps of `from`.
    pub(super) fn unknown_kinds(&mut self, at: usize, from: usize) -> u64 {
        let sender = self.devices[from].engine.memory.me().unwrap();
        let done = self.devices[at].engine.step(self.now, |cx| {
            let room = cx.find_room("general")?.id;
            Ok(cx.tx.unknown_count(&room, &sender)?)
        });
        done.unwrap()
    }
}

impl Engine {
    /// Whether a timer runs out within so many milliseconds for a message that is to vanish.
    pub(super) fn deadline_within(&self, now: Now, ms: u64) -> bool {
        let due = self.expiry_due.is_some_and(|due| due <= now.mono_ms + ms);
        due && self.deadline().is_some_and(|at| Some(at) <= self.expiry_due)
    }
}
